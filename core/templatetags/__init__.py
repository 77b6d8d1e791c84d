"""The design system's template words."""
