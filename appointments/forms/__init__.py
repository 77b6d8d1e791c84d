"""What people say about times and visits."""
