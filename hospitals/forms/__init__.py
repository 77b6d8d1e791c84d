"""Forms of the hospitals room, by what they are about."""
