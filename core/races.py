"""Races for the registry's rows that a hospital of another cell has lost.

Through a cell's database a transaction sees the registry as it was at its first look. Who then changes a row that
somebody else has changed since is not made to look again, as at home, but refused (serialization_failure), and has to
begin anew. Nothing of what they did is kept.
"""

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from core import schemas
from core.errors import Conflict

_LOST = "40001"


def is_lost(error: BaseException) -> bool:
    """Whether the error says that a race was lost."""
    return isinstance(error, OperationalError) and getattr(error.__cause__, "pgcode", "") == _LOST


def refusal() -> Conflict:
    """What somebody reads who has lost one twice."""
    return Conflict(_("Somebody else changed the same thing at the same moment. Nothing was saved: please try again."))


def prepare(request: HttpRequest) -> None:
    """Be ready to begin anew: keep what was sent, and note what is committed already."""
    request.commits = schemas.commits()  # type: ignore[attr-defined]
    if schemas.is_away() and request.content_type == "application/json":
        request.body  # noqa: B018  (keeps it: a stream is read once)


def begin_anew(request: HttpRequest) -> HttpResponse:
    """Answer the request once more, unless part of it is committed. Raises whatever the second try meets."""
    match = request.resolver_match
    if match is None or schemas.commits() != request.commits:  # type: ignore[attr-defined]
        raise refusal()
    try:
        answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except OperationalError as error:
        if is_lost(error):
            raise refusal() from None
        raise
    return answer
