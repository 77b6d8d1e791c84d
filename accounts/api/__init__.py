"""/api/auth/ of every host: coming in, and one's own account."""
