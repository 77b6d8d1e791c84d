"""The outbox: every message out, written with the change it tells of, and its state."""
