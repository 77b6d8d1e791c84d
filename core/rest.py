"""How the API pages its lists and says no."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from django.forms import Form
from rest_framework import serializers, views
from rest_framework.exceptions import ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import DomainError
from core.pages import PER_PAGE, LongPaginator

if TYPE_CHECKING:
    from accounts.models import User
    from tenants.models import Hospital


class Shape(serializers.Serializer[Any]):
    """A serializer whose fields are made once in a process, and copied for each use without what they hold.

    The API framework copies them with everything in them each time, which takes longer than using them.
    """

    def get_fields(self) -> dict[str, Any]:
        """The copies."""
        return {name: copy(field) for name, field in _fields_of(type(self)).items()}


@cache
def _fields_of(shape: type[Shape]) -> dict[str, Any]:
    return super(Shape, shape()).get_fields()


class Pagination(PageNumberPagination):
    """Ten a page, `?page=2`, at most a hundred with `?page_size=`."""

    page_size = PER_PAGE
    page_size_query_param = "page_size"
    max_page_size = 100


class LongPagination(Pagination):
    """The same for lists that are too long to be counted: of more than five hundred the first are given."""

    django_paginator_class = LongPaginator


class _Anything(BaseContentNegotiation):
    """Answers as the view does, whatever a client says it takes."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """The first."""
        return next(iter(parsers))

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first: a refusal is JSON."""
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class FileView(views.APIView):
    """Answers with a file. A client that takes nothing but such files is not refused, as JSON views refuse it."""

    content_negotiation_class = _Anything


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Render a refusal as `{"detail": ..., "field": ...}`; everything else as the API framework does."""
    if isinstance(error, DomainError):
        body: dict[str, Any] = {"detail": str(error), **error.more}
        if error.field:
            body["field"] = error.field
        headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
        return Response(body, status=error.status, headers=headers)
    return views.exception_handler(error, context)


def cleaned(form: Form) -> dict[str, Any]:
    """What a page's form makes of an API request, so that both keep the same rules; raises a 400 naming the fields."""
    if not form.is_valid():
        raise ValidationError({name: [str(fault) for fault in faults] for name, faults in form.errors.items()})
    return form.cleaned_data


def person(request: Request) -> User:
    """Who asks; for endpoints whose permission lets no anonymous visitor in."""
    return cast("User", request.user)


def hospital(request: Request) -> Hospital:
    """The hospital whose host was asked; for endpoints of hospitals' hosts."""
    return cast("Hospital", request._request.hospital)  # type: ignore[attr-defined]  # see tenants.middleware


def address(request: Request) -> str:
    """The visitor's IP address."""
    return cast(str, request._request.address)  # type: ignore[attr-defined]  # see core.middleware
