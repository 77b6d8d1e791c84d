"""Pages about patients: the register of the hospital's people, and what a person keeps here about themselves."""
