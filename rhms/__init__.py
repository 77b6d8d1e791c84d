"""The project: it wires the rooms together, and no room imports it."""

from rhms.celery import app as celery_app

__all__ = ["celery_app"]
