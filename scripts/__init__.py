"""What must run before the virtual environment exists; standard library only."""
