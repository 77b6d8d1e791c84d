"""Refusals: what a service says when it will not do what was asked.

A `DomainError` carries one sentence for the person who asked. Doors never catch it: `core.middleware.refusals` renders
it on a page, `api_exception_handler` in the API, and `core.forms.refusals_on` puts it at a form's field.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Sentence = str | Promise


class DomainError(Exception):
    """A refusal the user can understand; its text is shown as written.

    `field` names the form field it belongs to, if there is one. `status` is the HTTP status it becomes. `more` is what
    the API says besides, for a program that wants to go on. `retry_after` is the waiting time in seconds where waiting
    helps, else 0.
    """

    status = 400
    retry_after = 0
    more: Mapping[str, Any] = {}

    def __init__(self, sentence: Sentence, *, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field

    def __str__(self) -> str:
        return str(self.sentence)


class Invalid(DomainError):
    """What was sent cannot be right."""

    status = 422


class Conflict(DomainError):
    """Somebody else was first, or the thing is no longer what the asker saw."""

    status = 409


class NotAllowedNow(DomainError):
    """The thing's state does not permit this step."""

    status = 409


class Missing(DomainError):
    """There is no such thing, or not for this person."""

    status = 404


class Gone(DomainError):
    """A one-time link that was used, replaced or is too old."""

    status = 410


class BackSoon(DomainError):
    """What is asked for is out of service for a moment, and nothing is lost."""

    status = 503
    retry_after = 60


class TooMany(DomainError):
    """Too many tries in too short a time."""

    status = 429

    def __init__(self, sentence: Sentence, *, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


SOMETHING_BROKE = _("Something broke on our side. Nothing was saved. We have a record of it; try again in a minute.")
