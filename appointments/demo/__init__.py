"""Doctors' hours and visits to look around in, for `make run`. Refused when DEBUG is off."""
