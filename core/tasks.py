"""Housekeeping that belongs to no room."""

from django.utils.timezone import now

from core import pictures
from core.queue import task


@task("core.drop_forgotten_uploads")
def drop_forgotten_uploads() -> None:
    """Delete pictures of forms that nobody finished."""
    pictures.drop_forgotten(now=now())
