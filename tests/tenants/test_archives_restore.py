"""A hospital that was destroyed is again what it was, and nobody else notices."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, connections, transaction
from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from appointments.models import Appointment
from appointments.services import restored
from audit.models import Action, AuditLog
from billing.models import JournalEntry, Posting
from core.schemas import as_owner, schema_context
from directory.models import DoctorListing, TakenTime
from hospitals.models import Department, Doctor
from patients.models import Patient
from tenants import provisioning
from tenants.archives import restoring, swapping
from tenants.archives.packing import Archive
from tenants.models import Domain, Hospital
from tests import factories
from tests.conftest import browser
from tests.house import cast
from tests.tenants.keeping import (
    LOG,
    Sums,
    as_the_owner,
    schemas_of,
    sums_of,
    sums_of_others,
    without_log,
)

SITE = ("/", "/doctors/", "/departments/", "/sign-in/")
OFFICE = ("/office/appointments/", "/office/bills/", "/office/patients/", "/office/staff/", "/office/activity/")


@pytest.fixture
def cedar(committed: None) -> Hospital:
    return Hospital.objects.get(slug="cedar")


@pytest.fixture
def archive(cedar: Hospital, tmp_path: Path) -> Path:
    """Cedar as it was opened."""
    return exported(tmp_path)


@pytest.fixture
def houses(cedar: Hospital) -> list[cast.House]:
    """Both hospitals, full of people and things."""
    with transaction.atomic():
        return [cast.furnish(Hospital.objects.get(slug=slug)) for slug in ("cedar", "lotus")]


def exported(folder: Path, name: str = "cedar.tar") -> Path:
    call_command("export_hospital", "cedar", folder / name)
    return folder / name


def restore(archive: Path, *more: str) -> None:
    call_command("restore_hospital", archive, "--swap", *more)


def archived(archive: Path) -> Sums:
    with Archive.reading(archive) as found:
        return {name: table.sum for name, table in found.manifest.tables.items()}


def roles_may_read(role: str, schema: str) -> bool:
    """Whether a hospital's role reads the staff of a schema that it names."""
    try:
        with schema_context(role), connection.cursor() as cursor:
            cursor.execute(f'SELECT count(*) FROM "{schema}".hospitals_staff')
    except ProgrammingError:
        return False
    return True


# --- The drill --------------------------------------------------------------------------------------------------------


def destroy_schema(cedar: Hospital) -> None:
    as_the_owner(f'DROP SCHEMA "{cedar.schema_name}" CASCADE')


def destroy_rows(cedar: Hospital) -> None:
    schema = cedar.schema_name
    as_the_owner(
        f'DELETE FROM "{schema}".billing_posting',
        f'DELETE FROM "{schema}".audit_auditlog',
        f"""UPDATE "{schema}".patients_patient SET name = 'Nobody'""",
        f"""UPDATE "{schema}".appointments_appointment SET status = 'cancelled'""",
        f'DROP TABLE "{schema}".hospitals_doctordocument',
    )


@pytest.mark.parametrize("destroy", [destroy_schema, destroy_rows])
def test_a_destroyed_hospital_is_restored_to_its_export_and_all_others_are_unchanged(
    destroy: Any, houses: list[cast.House], tmp_path: Path
) -> None:
    cedar, house = houses[0].hospital, houses[0]
    archive, others = exported(tmp_path), sums_of_others(cedar)
    before = archived(archive)
    assert before == sums_of(cedar.schema_name)
    assert sum(found.rows > 0 for found in before.values()) > 30
    destroy(cedar)
    default_storage.delete(house.things["document"].path)

    restore(archive)

    after = sums_of(cedar.schema_name)
    assert without_log(after) == without_log(before)
    assert after[LOG].rows == before[LOG].rows + 1  # that it was restored
    assert sums_of_others(cedar) == others
    assert default_storage.exists(house.things["document"].path)

    # It works: pages, a new booking with its audit row, the log.
    visitor, admin = browser("cedar.localhost"), browser("cedar.localhost", house.people[Role.HOSPITAL_ADMIN])
    assert {page: visitor.get(page).status_code for page in SITE} == dict.fromkeys(SITE, 200)
    assert {page: admin.get(page).status_code for page in OFFICE} == dict.fromkeys(OFFICE, 200)
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.newest_first()[0].action == Action.HOSPITAL_RESTORED
        doctor = Doctor.objects.get(pk=house.things["bookable"].pk)
        asha = User.objects.get(email="asha@example.com")
        visit = factories.visit(cedar, doctor, asha, "15:00", days=3)
        assert visit.pk > house.things["visit"].pk

        # Its guards refuse as before.
        with pytest.raises(IntegrityError, match="without an audit row"), transaction.atomic():
            Appointment.objects.filter(pk=visit.pk).update(status="cancelled")
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            AuditLog.objects.update(reason="nothing happened")
        with pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
            Posting.objects.all().delete()
        assert JournalEntry.objects.exists()

    # Its role reads it, the other hospital's does not.
    lotus = houses[1].hospital
    assert roles_may_read(cedar.schema_name, cedar.schema_name)
    assert not roles_may_read(lotus.schema_name, cedar.schema_name)
    assert not roles_may_read(cedar.schema_name, lotus.schema_name)


# --- Beside the living one --------------------------------------------------------------------------------------------


def test_without_swap_it_is_built_and_compared_beside_the_living_one_which_is_not_touched(
    cedar: Hospital, archive: Path, capsys: Any
) -> None:
    with schema_context(cedar.schema_name):
        Department.objects.create(name="New", slug="new")
    before = sums_of(cedar.schema_name)
    call_command("restore_hospital", archive)
    said = capsys.readouterr().out
    assert "every checksum is that of the export" in said
    assert "hospitals_department: 0 in the archive, 1 now" in said
    assert sums_of(cedar.schema_name) == before
    beside = f"{cedar.schema_name}_restored"
    assert schemas_of(cedar) == [cedar.schema_name, beside]
    assert not roles_may_read(cedar.schema_name, beside)
    call_command("delete_hospital", "cedar", "--leftovers")
    assert schemas_of(cedar) == [cedar.schema_name]


def test_what_the_portal_says_of_a_hospital_otherwise_than_then_is_told_and_left(
    cedar: Hospital, archive: Path, capsys: Any
) -> None:
    Hospital.objects.filter(pk=cedar.pk).update(name="Cedar and Oak")
    restore(archive)
    said = capsys.readouterr().out
    assert "The portal's own record differs in: name" in said
    assert said.count("differs in") == 1
    cedar.refresh_from_db()
    assert cedar.name == "Cedar and Oak"


def test_what_was_replaced_is_kept_where_its_role_cannot_read_it(cedar: Hospital, archive: Path, capsys: Any) -> None:
    with schema_context(cedar.schema_name):
        Department.objects.create(name="New", slug="new")
    restore(archive)
    [own, replaced] = schemas_of(cedar)
    assert own == cedar.schema_name
    assert replaced.startswith(f"{own}_replaced_")
    assert replaced in capsys.readouterr().out
    assert sums_of(replaced)["hospitals_department"].rows == 1
    assert sums_of(own)["hospitals_department"].rows == 0
    assert not roles_may_read(own, replaced)
    call_command("delete_hospital", "cedar", "--leftovers")
    assert schemas_of(cedar) == [own]


def test_restoring_twice_is_restoring_once(cedar: Hospital, archive: Path) -> None:
    restore(archive)
    once = without_log(sums_of(cedar.schema_name))
    call_command("delete_hospital", "cedar", "--leftovers")
    restore(archive)
    assert without_log(sums_of(cedar.schema_name)) == once


def test_a_restored_hospital_is_in_service_and_the_platforms_log_says_what_happened(
    cedar: Hospital, archive: Path
) -> None:
    restore(archive)
    cedar.refresh_from_db()
    assert cedar.pause == ""
    actions = AuditLog.objects.about(cedar).newest_first().values_list("action", flat=True)[:3]
    assert list(actions) == [Action.HOSPITAL_UNPAUSED, Action.HOSPITAL_RESTORED, Action.HOSPITAL_PAUSED]
    assert browser("cedar.localhost").get("/").status_code == 200


# --- While people work ------------------------------------------------------------------------------------------------


@pytest.fixture
def writer(cedar: Hospital) -> Iterator[Event]:
    """Somebody who has written into Cedar and not come to an end before the event is set."""
    written, ends = Event(), Event()

    def write() -> None:
        try:
            with schema_context(cedar.schema_name), transaction.atomic():
                Department.objects.create(name="Under way", slug="under-way")
                written.set()
                ends.wait(60)
        finally:
            connections.close_all()

    thread = Thread(target=write)
    thread.start()
    written.wait(60)
    yield ends
    ends.set()
    thread.join()


def test_whoever_writes_comes_to_an_end_before_the_schemas_are_exchanged(
    cedar: Hospital, archive: Path, writer: Event
) -> None:
    def restore_and_leave() -> None:
        try:
            restore(archive)
        finally:
            connections.close_all()

    thread = Thread(target=restore_and_leave)
    thread.start()
    while not Hospital.objects.filter(pk=cedar.pk, pause=Hospital.Pause.RESTORE).exists():
        assert thread.is_alive()
    writer.set()
    thread.join()
    [own, replaced] = schemas_of(cedar)
    assert sums_of(replaced)["hospitals_department"].rows == 1
    assert sums_of(own)["hospitals_department"].rows == 0


def test_a_hospital_where_somebody_writes_on_and_on_stays_as_it_was(
    cedar: Hospital, archive: Path, writer: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swapping, "_PATIENCE", 0.0)
    with pytest.raises(CommandError, match="does not come to an end"):
        restore(archive)
    cedar.refresh_from_db()
    assert cedar.pause == ""
    assert schemas_of(cedar) == [cedar.schema_name, f"{cedar.schema_name}_restored"]
    writer.set()
    monkeypatch.undo()
    restore(archive)  # and again, over what was left


def test_a_hospital_that_moves_is_not_restored(cedar: Hospital, archive: Path) -> None:
    Hospital.objects.filter(pk=cedar.pk).update(pause=Hospital.Pause.MOVE, paused_at=now())
    with pytest.raises(CommandError, match="is being moved"):
        restore(archive)
    cedar.refresh_from_db()
    assert cedar.pause == Hospital.Pause.MOVE


def test_rows_that_break_a_constraint_are_refused_and_nothing_stays(cedar: Hospital, tmp_path: Path) -> None:
    """Postgres itself has checked them when they were written; a hand in the archive's making has not."""
    as_the_owner(
        f'INSERT INTO "{cedar.schema_name}".hospitals_invitation (token_digest, expires_at, created_at, staff_id)'
        " VALUES ('x', now(), now(), 4711)"
    )
    archive = exported(tmp_path)
    with pytest.raises(CommandError, match="contradict each other.*hospitals_invitation"):
        restore(archive)
    assert schemas_of(cedar) == [cedar.schema_name]


# --- The portal -------------------------------------------------------------------------------------------------------


def test_the_search_and_peoples_visits_follow_the_restored_hospital(cedar: Hospital, tmp_path: Path) -> None:
    usha, asha = User.objects.get(is_superuser=True), User.objects.get(email="asha@example.com")
    with schema_context(cedar.schema_name):
        doctor = factories.bookable_doctor(cedar, usha)
        early = factories.visit(cedar, doctor, asha, "10:00")
    archive = exported(tmp_path)
    with schema_context(cedar.schema_name):
        late = factories.visit(cedar, doctor, asha, "12:00")
        factories.bookable_doctor(cedar, usha, "later@cedar.example", "Later", licence_number="KA-later")
    TakenTime.objects.filter(appointment=early.code).update(is_live=False)
    restore(archive)
    with schema_context(cedar.schema_name):
        restored.settle()
    assert list(TakenTime.objects.filter(hospital=cedar).values_list("appointment", "is_live")) == [(early.code, True)]
    assert late.code != early.code
    shown = DoctorListing.objects.filter(hospital=cedar, is_published=True).values_list("code", flat=True)
    assert list(shown) == [doctor.code]


# --- Older, newer, elsewhere ------------------------------------------------------------------------------------------


@pytest.fixture
def old_ddl(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The release before letters had attachments, and were drawn when they are delivered."""
    later = (
        'ALTER TABLE "notifications_notification" ADD COLUMN ',
        "('notifications', '0002_attachments', ",
        "('notifications', '0003_facts', ",
    )
    ddl = "\n".join(line for line in provisioning.ddl().splitlines() if not line.startswith(later))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(provisioning, "ddl", lambda: ddl)
        patch.setattr(provisioning, "version", lambda: "of old")
        yield patch


def test_an_archive_of_an_older_version_is_brought_up_to_date(
    cedar: Hospital, tmp_path: Path, old_ddl: pytest.MonkeyPatch
) -> None:
    schema = cedar.schema_name
    as_the_owner(f'DROP SCHEMA "{schema}" CASCADE')
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{schema}"')
        with schema_context(schema):
            connection.cursor().execute(provisioning.ddl())
    Hospital.objects.filter(pk=cedar.pk).update(schema_version="of old")
    archive = exported(tmp_path)
    old_ddl.undo()
    restore(archive)
    cedar.refresh_from_db()
    assert cedar.schema_version == provisioning.version()
    with schema_context(schema):
        factories.bookable_doctor(cedar, User.objects.get(is_superuser=True))  # rights, sequences, guards
    with as_owner(), schema_context(schema), connection.cursor() as cursor:
        cursor.execute("SELECT attachment, facts FROM notifications_notification")
        cursor.execute(
            "SELECT proconfig FROM pg_proc WHERE proname = 'audit_require_row' AND pronamespace = %s::regnamespace",
            [schema],
        )
        assert cursor.fetchone()[0] == [f"search_path={schema}, pg_temp"]


def test_an_archive_of_a_newer_version_is_refused(
    cedar: Hospital, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "known_migrations", lambda: {"audit.0001_initial"})
    with pytest.raises(CommandError, match="of a newer version"):
        restore(archive)


def test_people_without_an_account_are_named_and_only_left_out_when_somebody_says_so(
    cedar: Hospital, tmp_path: Path
) -> None:
    with schema_context(cedar.schema_name):
        Patient.objects.create(number="P-1", name="Gone", user_id=999_999)
    archive = exported(tmp_path)
    with pytest.raises(CommandError, match="The people 999999"):
        restore(archive)
    restore(archive, "--people-may-be-missing")
    # Nobody will ever be given that number, and with it what stands under it.
    assert factories.person("next@example.com").pk > 999_999


def test_people_who_are_somebody_else_here_are_never_given_what_is_anothers(cedar: Hospital, archive: Path) -> None:
    hari = User.objects.get(email="hari@cedar.example")
    User.objects.filter(pk=hari.pk).update(code=uuid4())
    with pytest.raises(CommandError, match=f"The people {hari.pk} of this archive are somebody else"):
        restore(archive, "--people-may-be-missing")


def test_a_hospital_of_another_installation_begins_suspended_with_its_domains(
    cedar: Hospital, tmp_path: Path, committed: None
) -> None:
    Domain.objects.create(tenant=cedar, domain="www.cedar.example", is_primary=False)
    archive, others = exported(tmp_path), sums_of_others(cedar)
    before = archived(archive)
    forget(cedar)
    restore(archive)
    again = Hospital.objects.get(slug="cedar")
    assert (again.status, again.code, again.name) == (Hospital.Status.SUSPENDED, cedar.code, cedar.name)
    assert without_log(sums_of(again.schema_name)) == without_log(before)
    assert set(again.domains.values_list("domain", flat=True)) == {"cedar.localhost", "www.cedar.example"}
    assert {name: found for name, found in sums_of_others(again).items() if name != "public"} == {
        name: found for name, found in others.items() if name != "public"
    }
    assert roles_may_read(again.schema_name, again.schema_name)


def test_a_hospital_whose_names_are_taken_is_not_opened_again(cedar: Hospital, archive: Path) -> None:
    forget(cedar)
    factories.opened(User.objects.get(is_superuser=True), slug="cedar", name="Another Cedar")
    with pytest.raises(CommandError, match="Somebody else is registered"):
        restore(archive)
    assert Hospital.objects.get(slug="cedar").name == "Another Cedar"


def forget(cedar: Hospital) -> None:
    """An installation that has never heard of Cedar."""
    as_the_owner(
        f'DROP SCHEMA "{cedar.schema_name}" CASCADE',
        f"DELETE FROM directory_hospitallisting WHERE hospital_id = {cedar.pk}",
        f"DELETE FROM tenants_domain WHERE tenant_id = {cedar.pk}",
        f"DELETE FROM tenants_hospital WHERE id = {cedar.pk}",
    )
