"""People: one identity per person on the whole platform, sign-in, tokens, and permissions as code."""
