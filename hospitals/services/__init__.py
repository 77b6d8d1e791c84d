"""Everything that changes a hospital, by what it is about."""
