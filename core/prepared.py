"""Queries that are asked, and rows that are written, again and again: put into SQL once.

Django works out a query's SQL anew each time, and that takes longer than Postgres takes to answer a short one. A prepared
query is an ordinary QuerySet in which `given("name")` stands for each value that differs. `insert` writes rows. Their SQL
names no schema: it is the same in every hospital.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property, update_wrapper
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import NOT_PROVIDED
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


def insert(*rows: models.Model, unless_taken: bool = False) -> bool:
    """Write new rows of one model in one statement, as `bulk_create` does; what only the database knows is not read back.

    With `unless_taken` a row that a constraint refuses is left out. One who asks at the same moment is waited for, and
    two never end in a deadlock, as two plain INSERTs under an exclusion constraint can. Tells whether all were written.
    """
    fields, beginning, marks = _insertion(type(rows[0]))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for row in rows for field in fields]
    taken = "ON CONFLICT DO NOTHING " if unless_taken else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{beginning}{', '.join([marks] * len(rows))} {taken}RETURNING id", values)
        keys = cursor.fetchall()
    if len(keys) < len(rows):
        return False
    for row, (key,) in zip(rows, keys, strict=True):
        row.pk = key
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001  (as Django's bulk_create)
    return True


@cache
def _insertion(model: type[models.Model]) -> tuple[list[models.Field[Any, Any]], str, str]:
    """The columns that are given, and the statement's parts."""
    fields = [
        field
        for field in model._meta.concrete_fields
        if not field.primary_key and (field.db_default is NOT_PROVIDED or field.has_default())
    ]
    names = ", ".join(connection.ops.quote_name(field.column) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    beginning = f"INSERT INTO {table} ({names}) VALUES "  # noqa: S608
    return fields, beginning, f"({', '.join(['%s'] * len(fields))})"
