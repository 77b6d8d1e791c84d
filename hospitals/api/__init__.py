"""The API twins of the pages: the same services, the same permissions."""
