"""The design build: what developers run, and production never does."""
