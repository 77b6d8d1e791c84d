"""Billing: serializers."""
