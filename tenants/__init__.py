"""The registry of hospitals and its machinery: their addresses, their schemas, and which one a host belongs to."""
