"""Queries and rows that are put into SQL once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet
from django.db.transaction import atomic
from django.utils.timezone import now

from accounts.models import User
from audit.models import AuditLog
from core.prepared import given, insert, prepared
from core.schemas import schema_context
from hospitals.models import Department, Staff
from tenants.models import Hospital


@prepared
def joined() -> QuerySet[Staff]:
    """Who works at the hospital since then, with their names."""
    return Staff.objects.select_related("user").filter(role=given("role"), joined_at__gt=given("since")).order_by("pk")


def test_it_is_written_once_and_finds_what_is_asked_for_each_time(in_cedar: Hospital) -> None:
    yesterday = now() - timedelta(days=1)
    assert [staff.user.email for staff in joined(role="hospital_admin", since=yesterday)] == ["hari@cedar.example"]
    assert joined(role="hospital_admin", since=now()) == []
    assert joined(role="doctor", since=yesterday) == []


def test_it_finds_what_belongs_to_the_hospital_that_is_active(cedar: Hospital, lotus: Hospital) -> None:
    found = {}
    for hospital in (cedar, lotus, cedar):
        with schema_context(hospital.schema_name):
            found[hospital.slug] = joined(role="hospital_admin", since=now() - timedelta(days=1))[0].user.email
    assert found == {"cedar": "hari@cedar.example", "lotus": "kiran@lotus.example"}


def test_what_is_found_equals_what_the_query_set_finds(in_cedar: Hospital) -> None:
    [staff] = joined(role="hospital_admin", since=now() - timedelta(days=1))
    same = Staff.objects.get(pk=staff.pk)
    assert {name: getattr(staff, name) for name in _names()} == {name: getattr(same, name) for name in _names()}
    assert not staff._state.adding


def test_related_rows_come_with_it(in_cedar: Hospital, django_assert_num_queries: Callable[[int], Any]) -> None:
    since = now() - timedelta(days=1)
    with django_assert_num_queries(1):
        assert [staff.user.get_full_name() for staff in joined(role="hospital_admin", since=since)]


def test_a_value_is_never_part_of_the_statement(in_cedar: Hospital) -> None:
    assert joined(role="hospital_admin' OR true --", since=now() - timedelta(days=1)) == []


def test_a_value_that_is_left_out_is_noticed(in_cedar: Hospital) -> None:
    with pytest.raises(KeyError):
        joined(role="hospital_admin")


def test_the_first_is_none_when_there_is_none(hari: User, in_cedar: Hospital) -> None:
    since = now() - timedelta(days=1)
    first = joined.first(role="hospital_admin", since=since)
    assert first is not None
    assert first.user_id == hari.pk
    assert joined.first(role="doctor", since=since) is None


def _names() -> list[str]:
    return [field.attname for field in Staff._meta.concrete_fields]


# --- Writing ---------------------------------------------------------------------------------------------------------


def test_rows_are_written_in_one_statement_and_know_their_keys(
    in_cedar: Hospital, django_assert_num_queries: Callable[[int], Any]
) -> None:
    rows = [Department(name=name, slug=name.lower(), is_active=name == "Eye") for name in ("Eye", "Ear", "Nose")]
    with django_assert_num_queries(1):
        assert insert(*rows)
    for row in rows:
        kept = Department.objects.get(slug=row.slug)
        assert kept == row
        assert (kept.name, kept.is_active) == (row.name, row.is_active)
        assert (row._state.adding, row._state.db) == (kept._state.adding, kept._state.db)


def test_a_row_that_is_refused_is_told_and_may_be_left_out(in_cedar: Hospital) -> None:
    assert insert(Department(name="Eye", slug="eye"))
    again = Department(name="Eye", slug="eye")
    assert not insert(again, unless_taken=True)
    assert again._state.adding
    with pytest.raises(IntegrityError), atomic():
        insert(again)
    assert Department.objects.filter(slug="eye").count() == 1


def test_what_only_the_database_knows_is_left_to_it(in_cedar: Hospital) -> None:
    row = AuditLog(actor="Asha", action="x", entity="y", entity_id="1", thing="z", data={"when": now()})
    assert insert(row)
    assert AuditLog.objects.get(pk=row.pk).transaction_id > 0


def test_rows_are_written_where_one_stands(cedar: Hospital, lotus: Hospital) -> None:
    for hospital in (cedar, lotus):
        with schema_context(hospital.schema_name):
            insert(Department(name=hospital.name, slug="own"))
    for hospital in (cedar, lotus):
        with schema_context(hospital.schema_name):
            assert Department.objects.get(slug="own").name == hospital.name
