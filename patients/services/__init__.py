"""Changes to the register of patients."""
