"""Answering with a page, or with the part of it that htmx asked for; and dividing lists into pages of ten."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, cast

from django.core.exceptions import EmptyResultSet
from django.core.paginator import Page, Paginator
from django.db import connection
from django.db.models import F, Model, OrderBy, QuerySet
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


class LongPaginator(Paginator[Any]):
    """Pages of a list so long that counting it would take longer than showing it: the first five hundred.

    Who finds as many looks for something narrower. When there are fewer, only those are put in order, and nothing but
    their keys: the database then cannot walk through the whole table in that order, looking for the few that match.

    `show` finds the rows of some keys, in any order; without it they are looked for among the list once more.
    """

    def __init__(
        self, rows: "QuerySet[Any]", per_page: int, *, show: "Callable[[list[Any]], Iterable[Any]] | None" = None
    ) -> None:
        super().__init__(rows, per_page)
        self._show = show or (lambda keys: rows.filter(pk__in=keys).order_by())

    @cached_property
    def found(self) -> list[Any]:
        """The keys of what there is, one more than MOST at most; in order if they are not more than MOST."""
        return self._keys(f"LIMIT {MOST + 1}")

    def _keys(self, which: str, of_these: str = "") -> list[Any]:
        """The keys in order: those that `which` leaves, whatever their order, and `of_these` once they are in order."""
        if self._statement is None:
            return []
        inner, values, order = self._statement
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pk FROM ({inner} {which}) AS found ORDER BY {order} {of_these}", values)  # noqa: S608
            return [key for (key,) in cursor.fetchall()]

    @cached_property
    def _statement(self) -> tuple[str, Sequence[Any], str] | None:
        """What finds the keys and what they are ordered by, and that order; None if Django knows that nothing is so."""
        rows: Any = self.object_list
        ways = dict(_way(each) for each in rows.query.order_by if each != "pk")
        order = ", ".join([*(f"{connection.ops.quote_name(name)} {way}" for name, way in ways.items()), "pk"])
        try:
            return *rows.order_by().values_list("pk", *ways).query.sql_with_params(), order
        except EmptyResultSet:
            return None

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
        wanted = self.validate_number(number)
        first = (wanted - 1) * self.per_page
        keys = self.found[first : min(first + self.per_page, self.count)]
        if self.is_cut:
            keys = self._keys("", f"LIMIT {len(keys)} OFFSET {first}")
        there = {row.pk: row for row in self._show(keys)} if keys else {}  # somebody may have changed since
        return Page([there[key] for key in keys if key in there], wanted, self)


def _way(term: str | OrderBy) -> tuple[str, str]:
    """The column of a term of an order, and which way it goes."""
    if isinstance(term, str):
        return term.lstrip("-"), "DESC" if term.startswith("-") else "ASC"
    direction = "DESC" if term.descending else "ASC"
    return cast(F, term.expression).name, f"{direction} NULLS LAST" if term.nulls_last else direction
