"""Billing: api."""
