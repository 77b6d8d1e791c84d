"""Everything that changes money."""
