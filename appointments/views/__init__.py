"""Pages about doctors' time and visits."""
