"""Measurements to repeat by hand."""
