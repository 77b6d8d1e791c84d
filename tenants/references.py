"""Soft references: columns of a hospital's schema that name a row of public without a database constraint.

Real foreign keys would cost every sign-in and every approval more with each hospital. The price is this check.
"""

from collections.abc import Iterator
from typing import cast

from django.apps import apps
from django.conf import settings
from django.db import connection, models

from core.schemas import schema_context
from tenants.models import Hospital

_QUERY = """SELECT here.id, here.%(column)s FROM %(schema)s.%(here)s here
LEFT JOIN public.%(there)s there ON there.id = here.%(column)s
WHERE here.%(column)s IS NOT NULL AND there.id IS NULL ORDER BY here.id LIMIT 100"""


def soft_references() -> Iterator[models.ForeignKey[models.Model, models.Model]]:
    """The unconstrained foreign keys of models that live in hospitals' schemas."""
    for label in settings.TENANT_APPS:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.get_fields():
                if isinstance(field, models.ForeignKey) and not getattr(field, "db_constraint"):  # noqa: B009  (missing in the stubs)
                    yield field


def orphans() -> list[str]:
    """One sentence for every soft reference, in public and in every hospital, that points at nothing."""
    found = []
    schemas = ["public", *Hospital.objects.with_schema().order_by("pk").values_list("schema_name", flat=True)]
    quote = connection.ops.quote_name
    for schema in schemas:
        for field in soft_references():
            there = cast("type[models.Model]", field.related_model)._meta.db_table
            here = field.model._meta.db_table
            if schema == "public" and field.model._meta.app_label not in settings.SHARED_APPS:
                continue
            with schema_context(schema), connection.cursor() as cursor:
                # Every name is an identifier of our own models and registry, and quoted.
                cursor.execute(
                    _QUERY
                    % {
                        "schema": quote(schema),
                        "here": quote(here),
                        "there": quote(there),
                        "column": quote(field.column),
                    }
                )
                found += [f"{schema}.{here} {row} names {there} {missing}" for row, missing in cursor.fetchall()]
    return found
