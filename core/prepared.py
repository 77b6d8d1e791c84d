"""Queries that are asked again and again, put into SQL once.

Django works out a query's SQL anew each time, and that takes longer than Postgres takes to answer a short one. A prepared
query is an ordinary QuerySet in which `given("name")` stands for each value that differs. Its SQL names no schema: it is
the same in every hospital.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, update_wrapper
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.expressions import Expression
from django.db.models.query import get_related_populators  # type: ignore[attr-defined]  # missing in the stubs

Row = TypeVar("Row")


class _Given(Expression):
    """A value that is known when the query is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, list[Any]]:
        """Its place in the statement."""
        return "%s", [self]


def given(name: str) -> Any:
    """The value that is given by this name when the query is asked. None is equal to nothing, as in SQL."""
    return _Given(name)


class _Plan(Generic[Row]):
    """A query's SQL, and how its rows become objects: what Django's ModelIterable finds out for each query."""

    def __init__(self, rows: "models.QuerySet[Any, Row]") -> None:
        compiler: Any = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        self.sql, self.parameters = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        self.converters = [(at, each, column) for at, (many, column) in converters.items() for each in many]
        self.made: Callable[[list[Any]], Any] = _maker(compiler) if rows.query.default_cols else tuple

    def objects(self, rows: Sequence[Sequence[Any]]) -> Iterator[Row]:
        """What these rows are: objects, or, of `values_list`, the values."""
        for row in rows:
            values = list(row)
            for at, convert, column in self.converters:
                values[at] = convert(values[at], column, connection)
            yield self.made(values)


def _maker(compiler: Any) -> Callable[[list[Any]], models.Model]:
    """What makes an object with its related ones of a row's values."""
    select, found = compiler.select, compiler.klass_info
    model, fields = found["model"], found["select_fields"]
    own = slice(fields[0], fields[-1] + 1)
    names = [column.target.attname for column, *_ in select[own]]
    relations = get_related_populators(found, select, DEFAULT_DB_ALIAS)

    def made(values: list[Any]) -> models.Model:
        one: models.Model = model.from_db(DEFAULT_DB_ALIAS, names, values[own])
        for relation in relations:
            relation.populate(values, one)
        return one

    return made


class prepared(Generic[Row]):  # noqa: N801  (it decorates a function)
    """Make of a function that returns a QuerySet one that takes the values it asks for and returns what is found.

    Not for rows that are locked, prefetched or annotated.
    """

    def __init__(self, build: "Callable[[], models.QuerySet[Any, Row]]") -> None:
        self._build = build
        update_wrapper(self, build)

    @cached_property
    def _plan(self) -> _Plan[Row]:
        return _Plan(self._build())

    def __call__(self, **values: object) -> list[Row]:
        """All that is found with these values."""
        plan = self._plan
        parameters: list[Any] = [values[each.name] if isinstance(each, _Given) else each for each in plan.parameters]
        with connection.cursor() as cursor:
            cursor.execute(plan.sql, parameters)
            return list(plan.objects(cursor.fetchall()))

    def first(self, **values: object) -> Row | None:
        """The first that is found, if any."""
        return next(iter(self(**values)), None)
