"""What the database itself must keep, for models of today and of tomorrow."""

from typing import cast

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, models

from audit.models import Action
from core.schemas import schema_context
from hospitals.models import Staff
from tenants.models import Hospital
from tenants.references import orphans, soft_references


def models_with_status() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if any(field.name == "status" for field in model._meta.get_fields())]


def triggers(schema: str) -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               WHERE c.relnamespace = %s::regnamespace AND t.tgname LIKE '%%_status_audited'""",
            [schema],
        )
        return set(cursor.fetchall())


def test_every_status_column_is_guarded_where_it_lives(cedar: Hospital) -> None:
    found = models_with_status()
    assert Hospital in found
    for model in found:
        schema = "public" if model._meta.app_label in settings.SHARED_APPS else cedar.schema_name
        definitions = [text for table, text in triggers(schema) if table == model._meta.db_table]
        assert len(definitions) == 1, f"{model._meta.label} needs GuardStatus in a migration"
        assert "AFTER INSERT OR UPDATE OF status" in definitions[0]
        assert "DEFERRABLE INITIALLY DEFERRED" in definitions[0]
        assert f"'{model._meta.label_lower}'" in definitions[0]


def test_every_status_has_transitions_and_a_name_in_the_log() -> None:
    for model in models_with_status():
        field = cast("models.CharField[str, str]", model._meta.get_field("status"))
        statuses = {value for value, _label in field.flatchoices}
        assert set(model.TRANSITIONS) == statuses  # type: ignore[attr-defined]
        for status in statuses:
            assert Action(f"{model._meta.model_name}.{status}")


def test_no_model_of_a_hospital_is_tied_to_public_by_a_constraint() -> None:
    for label in settings.TENANT_APPS:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.get_fields():
                if isinstance(field, models.ForeignKey):
                    inside = cast("type[models.Model]", field.related_model)._meta.app_label in settings.TENANT_APPS
                    assert inside or field in soft_references(), (
                        f"{model._meta.label}.{field.name} needs db_constraint=False"
                    )


def test_no_soft_reference_is_an_orphan(cedar: Hospital, lotus: Hospital) -> None:
    assert list(soft_references())
    assert orphans() == []
    call_command("check_references")


def test_an_orphan_is_found(cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        Staff.objects.create(user_id=999_999, role="nurse")
    with pytest.raises(CommandError, match="hospitals_staff .* names accounts_user 999999"):
        call_command("check_references")


def test_rows_are_not_ordered_behind_our_back() -> None:
    ours = set(settings.TENANT_APPS) | {"tenants", "directory", "accounts", "notifications", "audit"}
    for model in apps.get_models():
        if model._meta.app_label in ours:
            assert not model._meta.ordering, f"{model._meta.label} orders rows in Meta"
