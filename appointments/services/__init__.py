"""Changes to doctors' time and to visits."""
