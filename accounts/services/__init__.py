"""Everything that changes a person: who they are, how they come in, where they are signed in."""
