"""Postgres is the second witness: what was not recorded is not committed, and what was recorded stays."""

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from audit import services as audit
from audit.models import Action, AuditLog
from core import schemas
from core.errors import Conflict, NotAllowedNow
from core.schemas import schema_context
from tenants.models import Hospital
from tests import factories

Status = Hospital.Status


@pytest.fixture
def waiting(committed: None) -> Hospital:
    return factories.pending(name="Banyan Hospital")


@pytest.fixture
def superadmin(committed: None) -> User:
    return User.objects.get(email="usha@rhms.example")


def test_update_of_a_status_without_an_audit_row_fails_at_commit(waiting: Hospital) -> None:
    with pytest.raises(IntegrityError, match="without an audit row"):
        Hospital.objects.filter(pk=waiting.pk).update(status=Status.APPROVED)
    assert Hospital.objects.get(pk=waiting.pk).status == Status.PENDING


def test_raw_sql_without_an_audit_row_fails_at_commit(waiting: Hospital) -> None:
    with pytest.raises(IntegrityError, match="without an audit row"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("UPDATE tenants_hospital SET status = 'approved' WHERE id = %s", [waiting.pk])
            assert cursor.rowcount == 1  # the statement itself is let through; the commit is not
    assert Hospital.objects.get(pk=waiting.pk).status == Status.PENDING


def test_a_new_row_without_an_audit_row_fails_at_commit(committed: None) -> None:
    with pytest.raises(IntegrityError, match="without an audit row"):
        Hospital.objects.create(name="Nobody's", slug="nobodys", schema_name="h_nobody", registration_number="1")
    assert not Hospital.objects.filter(slug="nobodys").exists()


def test_an_audit_row_of_another_change_does_not_count(waiting: Hospital, superadmin: User) -> None:
    with pytest.raises(IntegrityError, match="without an audit row"), transaction.atomic():
        audit.record(
            action=Action.HOSPITAL_REJECTED, target=waiting, by=superadmin, old=Status.PENDING, new=Status.REJECTED
        )
        Hospital.objects.filter(pk=waiting.pk).update(status=Status.APPROVED)


def test_an_audit_row_of_an_earlier_transaction_does_not_count(waiting: Hospital, superadmin: User) -> None:
    with transaction.atomic():
        audit.record(
            action=Action.HOSPITAL_APPROVED, target=waiting, by=superadmin, old=Status.PENDING, new=Status.APPROVED
        )
    with pytest.raises(IntegrityError, match="without an audit row"):
        Hospital.objects.filter(pk=waiting.pk).update(status=Status.APPROVED)


def test_an_audit_row_in_a_hospitals_own_log_does_not_count_for_the_platform(
    waiting: Hospital, superadmin: User
) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with pytest.raises(IntegrityError, match="without an audit row"), transaction.atomic():
        with schema_context(cedar.schema_name):
            audit.record(
                action=Action.HOSPITAL_APPROVED, target=waiting, by=superadmin, old=Status.PENDING, new=Status.APPROVED
            )
        Hospital.objects.filter(pk=waiting.pk).update(status=Status.APPROVED)


def test_a_guard_reads_the_log_of_its_own_schema_wherever_the_commit_happens(
    waiting: Hospital, superadmin: User
) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name), transaction.atomic():
        with schema_context("public"):
            audit.move(waiting, Status.APPROVED, by=superadmin)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            assert cursor.fetchone() == (cedar.schema_name,)
    assert Hospital.objects.get(pk=waiting.pk).status == Status.APPROVED


def test_a_row_in_a_temporary_table_does_not_count(waiting: Hospital) -> None:
    with pytest.raises(IntegrityError, match="without an audit row"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE audit_auditlog (LIKE audit_auditlog INCLUDING DEFAULTS) ON COMMIT DROP"
            )
            cursor.execute(
                "INSERT INTO pg_temp.audit_auditlog (id, code, timestamp, actor, action, entity, entity_id, thing, old, "
                "new, reason, data) VALUES (1, uuidv7(), now(), '', '', 'tenants.hospital', %s, '', 'pending', "
                "'approved', '', '{}')",
                [str(waiting.pk)],
            )
            cursor.execute("UPDATE tenants_hospital SET status = 'approved' WHERE id = %s", [waiting.pk])


def test_a_recorded_change_is_committed(waiting: Hospital, superadmin: User) -> None:
    with transaction.atomic():
        audit.move(waiting, Status.REJECTED, by=superadmin, reason="No licence")
    row = AuditLog.objects.about(waiting).newest_first()[0]
    assert (row.old, row.new, row.reason, row.actor) == ("pending", "rejected", "No licence", "Usha Menon")


@pytest.mark.parametrize("schema", ["public", "cedar"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_auditlog SET actor = 'Nobody'", "DELETE FROM audit_auditlog", "TRUNCATE audit_auditlog"],
)
def test_audit_rows_are_never_changed_or_deleted(committed: None, schema: str, statement: str) -> None:
    """Not even by the owner, whom no right is missing."""
    name = schema if schema == "public" else Hospital.objects.get(slug=schema).schema_name
    with schemas.as_owner(), schema_context(name):
        before = AuditLog.objects.count()
        assert before
        with pytest.raises(IntegrityError, match="never changed or deleted"), connection.cursor() as cursor:
            cursor.execute(statement)
        assert AuditLog.objects.count() == before


def test_a_step_that_the_state_does_not_permit_is_refused_in_words(usha: User) -> None:
    hospital = factories.pending()
    with pytest.raises(NotAllowedNow, match="Hospital registered by Meera Shah"):
        audit.move(hospital, Status.SUSPENDED, by=usha)


def test_the_loser_of_a_race_reads_who_was_first(usha: User) -> None:
    hospital = factories.pending()
    stale = Hospital.objects.get(pk=hospital.pk)
    audit.move(hospital, Status.REJECTED, by=usha)
    with pytest.raises(Conflict, match="Hospital rejected by Usha Menon"):
        audit.move(stale, Status.APPROVED, by=usha)


def test_an_audit_row_outside_a_transaction_is_a_mistake(waiting: Hospital, superadmin: User) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        audit.record(action=Action.HOSPITAL_APPROVED, target=waiting, by=superadmin)


@pytest.mark.parametrize("old", Status.values)
@pytest.mark.parametrize("new", Status.values)
def test_every_pair_of_statuses_is_allowed_exactly_as_the_model_says(usha: User, old: str, new: str) -> None:
    hospital = factories.pending()
    hospital.status = old
    with transaction.atomic(), connection.cursor() as cursor:  # bring it into the state, with its row, at once
        audit.record(action=Action.HOSPITAL_APPROVED, target=hospital, by=usha, old="pending", new=old)
        cursor.execute("UPDATE tenants_hospital SET status = %s WHERE id = %s", [old, hospital.pk])
    if new in Hospital.TRANSITIONS[old]:
        audit.move(hospital, new, by=usha)
        assert Hospital.objects.get(pk=hospital.pk).status == new
    else:
        with pytest.raises(NotAllowedNow):
            audit.move(hospital, new, by=usha)
