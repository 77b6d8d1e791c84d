"""Billing: forms."""
