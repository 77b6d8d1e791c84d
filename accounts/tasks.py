"""Tidying up."""

from django.utils import timezone

from accounts.services import sessions
from core.queue import task


@task("accounts.forget_expired")
def forget_expired() -> None:
    """Delete sessions, token families, codes and tickets that are over."""
    sessions.forget_expired(now=timezone.now())
