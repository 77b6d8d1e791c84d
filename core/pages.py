"""Answering with a page, or with the part of it that htmx asked for; and dividing lists into pages of ten."""

from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from core.errors import TooMany
from core.http import Request

PER_PAGE = 10
M = TypeVar("M", bound=Model)


def page(request: Request, template: str, context: dict[str, Any], *, part: str = "") -> HttpResponse:
    """Render `template`, or only its partial `part` when htmx asks for a fragment.

    A form in the context that has errors makes the status 422, which htmx swaps in like any answer; one that was
    refused for too many tries makes it 429.
    """
    wants_part = part and request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request
    form = context.get("form")
    refusal = getattr(form, "refusal", None)
    status = 422 if form is not None and form.is_bound and not form.is_valid() else 200
    response = render(request, f"{template}#{part}" if wants_part else template, context, status=status)
    if isinstance(refusal, TooMany):
        response.status_code = refusal.status
        response["Retry-After"] = str(refusal.retry_after)
    # Without this the back button could show a bare fragment.
    patch_vary_headers(response, ["HX-Request"])
    return response


def divide(request: Request, rows: "QuerySet[M]") -> "Page[M]":
    """The page of `rows` that `?page=` asks for; a number out of range gives the nearest page."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
