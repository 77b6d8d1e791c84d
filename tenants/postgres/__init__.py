"""The database backend: a connection that can only reach the hospital it works for. See `base`."""
