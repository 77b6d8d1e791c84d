"""The API twins of the register and of one's own details."""
