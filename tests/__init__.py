"""Tests are sentences, one behaviour each, about the same people everywhere (see factories)."""
