"""django-tenants' database backend, with rights: whoever works for a hospital has that hospital's role.

Django tells the backend which schema is wanted; the connection goes there in the message of the next statement
(`links`). Role and search path are compared by value and forgotten by whatever may undo them. Two keys of a database's
settings belong to it: `SWITCHES_ROLE` (False for the owner, who makes and migrates schemas) and `IS_POOLED` (True
behind a pooler of transactions).
"""

import re
import select
from typing import Any, cast

from django.db.models import Model
from django_tenants.postgresql_backend import base
from psycopg2.extensions import TRANSACTION_STATUS_INERROR as INERROR

from tenants.postgres.links import Cursor, Link
from tenants.postgres.places import Place, place_of

_WAY = re.compile(r'(?:BEGIN;)?(?:(?:SET (?:LOCAL )?ROLE "\w+";)?SET (?:LOCAL )?search_path TO [^;]+;)?')


class Operations(base.original_backend.DatabaseWrapper.ops_class):  # type: ignore[misc]
    """Django's own, for the log of queries."""

    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str | None:
        """The statement itself, without the way there."""
        said = super().last_executed_query(cursor, sql, params)
        return _WAY.sub("", said, count=1) if said else said


class Features(base.original_backend.DatabaseWrapper.features_class):  # type: ignore[misc]
    """Django's own, but for the databases of cells."""

    def allows_group_by_selected_pks_on_model(self, model: type[Model]) -> bool:
        """Whether grouping by the key groups by the row: a cell's foreign tables have no key that Postgres knows of."""
        return not hasattr(self.connection, "home") and bool(super().allows_group_by_selected_pks_on_model(model))


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # the package has no types
    """One thread's way to one database."""

    features_class = Features
    ops_class = Operations
    commits = 0  # how many transactions it has committed

    def get_connection_params(self) -> dict[str, Any]:
        """With our connection and cursor."""
        return {**super().get_connection_params(), "connection_factory": Link, "cursor_factory": Cursor}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Link:
        """Connect, and tell the connection where it should stand."""
        link = cast(Link, super().get_new_connection(conn_params))
        link.is_pooled = bool(self.settings_dict.get("IS_POOLED"))
        link.place = self._place_of(self.schema_name, includes_public=self.include_public_schema)
        return link

    def set_tenant(self, tenant: Any, include_public: bool = True) -> None:  # noqa: FBT001, FBT002  (django-tenants')
        """Work in the tenant's schema from the next statement on. Raises ValueError for a name that is no schema's.

        Content types are the same everywhere here, as they live in public alone: nothing remembered of them is dropped.
        """
        place = self._place_of(tenant.schema_name, includes_public=include_public)
        self.tenant = tenant
        self.schema_name = tenant.schema_name
        self.include_public_schema = include_public
        if self.connection is not None:
            self.connection.place = place

    def forget(self) -> None:
        """Trust nothing that was said about the session before: the next statement goes there anew."""
        if self.connection is not None:
            self.connection.stands_at = None

    def is_usable(self) -> bool:
        """Whether the session is still there: what a request wants to know of a connection that it did not open.

        A server that ends a session says so or hangs up, and either can be read. Only then is it asked: a question of its
        own before each request would cost as much as a short query. One whose transaction has failed is of no use, as ever.
        """
        if self.connection is None or self.connection.closed or self.connection.info.transaction_status == INERROR:
            return False
        ear = select.poll()
        ear.register(self.connection.fileno(), select.POLLIN)
        return not ear.poll(0) or bool(super().is_usable())

    def _commit(self) -> None:
        super()._commit()
        self.commits += 1

    def _place_of(self, schema: str, *, includes_public: bool) -> Place:
        switches_role = self.settings_dict.get("SWITCHES_ROLE", True)
        return place_of(schema, includes_public=includes_public, switches_role=switches_role)

    def _cursor(self, name: str | None = None) -> Any:
        # Past django-tenants' own, which would set the search path in a message of its own.
        return super(base.DatabaseWrapper, self)._cursor(name)
