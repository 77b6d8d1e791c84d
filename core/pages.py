"""Answering with a page, or with the part of it that htmx asked for; and dividing lists into pages of ten."""

from typing import Any, TypeVar, cast

from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import BooleanField, Model, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property

from core.errors import DomainError, TooMany
from core.http import Request

PER_PAGE = 10
MOST = 500  # of a long list this many are counted and can be leafed through
M = TypeVar("M", bound=Model)


def page(request: Request, template: str, context: dict[str, Any], *, part: str = "") -> HttpResponse:
    """Render `template`, or only its partial `part` when htmx asks for a fragment.

    A form in the context that has errors makes the status 422, which htmx swaps in like any answer; one that was
    refused for too many tries makes it 429, and one that some other service keeps from being done 503.
    """
    wants_part = part and request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request
    form = context.get("form")
    refusal = getattr(form, "refusal", None)
    status = 422 if form is not None and form.is_bound and not form.is_valid() else 200
    response = render(request, f"{template}#{part}" if wants_part else template, context, status=status)
    if isinstance(refusal, TooMany):
        response.status_code = refusal.status
        response["Retry-After"] = str(refusal.retry_after)
    elif isinstance(refusal, DomainError) and refusal.status >= 500:
        response.status_code = refusal.status
    # Without this the back button could show a bare fragment.
    patch_vary_headers(response, ["HX-Request"])
    return response


def divide(request: Request, rows: "QuerySet[M]") -> "Page[M]":
    """The page of `rows` that `?page=` asks for; a number out of range gives the nearest page."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))


def _among(model: type[Model], keys: list[Any]) -> RawSQL:
    """Rows with these keys. They travel as one value: Django takes longer to write five hundred into a statement."""
    quote, meta = connection.ops.quote_name, model._meta
    column = f"{quote(meta.db_table)}.{quote(meta.pk.column)}"
    return RawSQL(f"{column} = ANY(%s)", [keys], BooleanField())  # noqa: S611  (names from the model, keys as a value)


class LongPaginator(Paginator[Any]):
    """Pages of a list so long that counting it would take longer than showing it: the first five hundred.

    Who finds as many looks for something narrower. When there are fewer, only those are put in order: the database then
    cannot walk through the whole table in that order, looking for the few that match.
    """

    @cached_property
    def found(self) -> list[Any]:
        """The keys of what there is, in no order, one more than MOST at most."""
        rows: Any = self.object_list
        return list(rows.order_by().values_list("pk", flat=True)[: MOST + 1])

    @cached_property
    def count(self) -> int:
        """How many can be leafed through."""
        return min(len(self.found), MOST)

    @property
    def is_cut(self) -> bool:
        """Whether there are more."""
        return len(self.found) > MOST

    def page(self, number: int | str) -> Page[Any]:
        """One page."""
        wanted, rows = self.validate_number(number), cast(Any, self.object_list)
        first = (wanted - 1) * self.per_page
        if not self.found:
            rows = rows.none()
        elif not self.is_cut:
            rows = rows.filter(_among(rows.model, self.found))
        return Page(rows[first : min(first + self.per_page, self.count)], wanted, self)
