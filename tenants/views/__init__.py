"""Doors that every host has: its looks, and the way from one host to another."""
