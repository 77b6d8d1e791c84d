"""This hospital's register of patients: their number, demographics, and what must be known before a visit."""
