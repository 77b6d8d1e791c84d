"""A hospital that has left is deleted after its export, after a waiting period, and never by surprise."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from core.schemas import as_owner, schema_context
from directory.models import DepartmentListing, DoctorListing, HospitalListing, TakenTime
from hospitals.models import Department
from hospitals.services import joining
from notifications.models import Notification
from tenants.archives import files
from tenants.archives.packing import Archive
from tenants.models import Domain, DomainClaim, Hospital
from tests import factories
from tests.conftest import browser
from tests.tenants.keeping import as_the_owner, schemas_of, sums_of, sums_of_others, without_log


@pytest.fixture
def usha(committed: None) -> User:
    return User.objects.get(is_superuser=True)


@pytest.fixture
def maple(usha: User) -> Hospital:
    """A hospital of this test's own database, with a logo, a doctor and a visit, that has left."""
    hospital = factories.opened(usha, slug="maple", name="Maple Hospital")
    with schema_context(hospital.schema_name):
        doctor = factories.bookable_doctor(hospital, usha, "rao@maple.example")
        factories.visit(hospital, doctor, User.objects.get(email="asha@example.com"))
    default_storage.save(f"{hospital.code}/doctors/x/licence.pdf", factories.picture())
    Domain.objects.create(tenant=hospital, domain="www.maple.example", is_primary=False)
    DomainClaim.objects.create(hospital=hospital, domain="maple.example", token="x")
    joining.suspend(hospital=hospital, by=usha, reason="They leave.")
    return hospital


@pytest.fixture
def archive(maple: Hospital, tmp_path: Path) -> Path:
    call_command("export_hospital", "maple", tmp_path / "maple.tar")
    return tmp_path / "maple.tar"


def delete(archive: Path, *more: str) -> None:
    call_command("delete_hospital", "maple", "--archive", archive, *more)


def wait(maple: Hospital) -> None:
    """Thirty days pass."""
    Hospital.objects.filter(pk=maple.pk).update(deletion_due_at=now() - timedelta(minutes=1))


def test_a_deletion_is_planned_with_an_archive_and_the_hospital_is_told(maple: Hospital, archive: Path) -> None:
    delete(archive)
    maple.refresh_from_db()
    with Archive.reading(archive) as found:
        assert maple.deletion_archive == found.digest
    assert maple.deletion_due_at is not None
    assert timedelta(days=29) < maple.deletion_due_at - now() <= timedelta(days=30)
    row = AuditLog.objects.get(action=Action.HOSPITAL_DELETION_PLANNED)
    assert row.data["archive"] == maple.deletion_archive
    letter = Notification.objects.get(template="hospital_deletion_planned")
    assert letter.to_address == maple.email
    assert "can be called off" in letter.text


def test_a_hospital_that_works_is_not_deleted(usha: User, maple: Hospital, archive: Path) -> None:
    joining.resume(hospital=maple, by=usha, reason="They stay.")
    with pytest.raises(CommandError, match="Only a suspended hospital is deleted"):
        delete(archive)


def test_a_hospital_that_is_not_what_the_archive_holds_is_not_deleted(maple: Hospital, archive: Path) -> None:
    with schema_context(maple.schema_name):
        Department.objects.create(name="New", slug="new")
    with pytest.raises(CommandError, match="hospitals_department differ"):
        delete(archive)


def test_nothing_is_deleted_when_something_was_written_while_it_waited(maple: Hospital, archive: Path) -> None:
    delete(archive)
    wait(maple)
    default_storage.save(f"{maple.code}/doctors/x/degree.pdf", factories.picture())
    with pytest.raises(CommandError, match="files differ"):
        delete(archive)
    assert sums_of(maple.schema_name)


def test_nothing_is_deleted_before_it_is_due(maple: Hospital, archive: Path, capsys: Any) -> None:
    delete(archive)
    delete(archive)
    assert "Nothing was deleted: that is due on" in capsys.readouterr().out
    assert sums_of(maple.schema_name)


def test_nothing_is_deleted_with_another_archive(maple: Hospital, archive: Path, tmp_path: Path) -> None:
    delete(archive)
    wait(maple)
    call_command("export_hospital", "maple", tmp_path / "other.tar")
    with pytest.raises(CommandError, match="not the archive with which the deletion"):
        delete(tmp_path / "other.tar")
    assert sums_of(maple.schema_name)


def test_a_hospital_has_a_week_at_least(maple: Hospital, archive: Path) -> None:
    with pytest.raises(CommandError, match="at least 7 days"):
        delete(archive, "--days", "1")


def test_a_deletion_can_be_called_off(maple: Hospital, archive: Path) -> None:
    delete(archive)
    call_command("delete_hospital", "maple", "--call-off")
    maple.refresh_from_db()
    assert (maple.deletion_due_at, maple.deletion_archive) == (None, "")
    assert maple.status == Hospital.Status.SUSPENDED


def test_opening_a_hospital_again_calls_its_deletion_off(usha: User, maple: Hospital, archive: Path) -> None:
    delete(archive)
    maple.refresh_from_db()
    joining.resume(hospital=maple, by=usha, reason="They stay.")
    maple.refresh_from_db()
    assert maple.deletion_due_at is None


def test_what_is_deleted_is_everything_and_nothing_of_anybody_else(maple: Hospital, archive: Path) -> None:
    delete(archive)
    wait(maple)
    others = {name: sums for name, sums in sums_of_others(maple).items() if name != "public"}
    delete(archive)

    maple.refresh_from_db()
    assert maple.status == Hospital.Status.CLOSED
    with Archive.reading(archive) as found:
        assert maple.deletion_archive == found.digest
    assert schemas_of(maple) == []
    assert list(files.paths_below(str(maple.code))) == []
    for model, name in (
        (Domain, "tenant"),
        (DomainClaim, "hospital"),
        (HospitalListing, "hospital"),
        (DoctorListing, "hospital"),
        (TakenTime, "hospital"),
        (DepartmentListing, "listing__hospital"),
    ):
        assert not model._base_manager.filter(**{name: maple}).exists()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [maple.schema_name])
        assert cursor.fetchone() is None
    assert AuditLog.objects.about(maple).filter(action=Action.HOSPITAL_CLOSED).exists()
    assert browser("maple.localhost").get("/").status_code == 404
    assert {name: sums for name, sums in sums_of_others(maple).items() if name != "public"} == others


def test_a_deletion_that_died_half_way_goes_on(maple: Hospital, archive: Path) -> None:
    delete(archive)
    wait(maple)
    delete(archive)
    as_the_owner(f'CREATE SCHEMA "{maple.schema_name}"')
    default_storage.save(f"{maple.code}/left.txt", factories.picture())
    delete(archive)
    assert schemas_of(maple) == []
    assert list(files.paths_below(str(maple.code))) == []


def test_the_role_stays_while_another_database_needs_it(usha: User, tmp_path: Path, capsys: Any) -> None:
    cedar = Hospital.objects.get(slug="cedar")  # which also lives in the database that this one was copied from
    joining.suspend(hospital=cedar, by=usha, reason="They leave.")
    call_command("export_hospital", "cedar", tmp_path / "cedar.tar")
    call_command("delete_hospital", "cedar", "--archive", tmp_path / "cedar.tar")
    wait(cedar)
    call_command("delete_hospital", "cedar", "--archive", tmp_path / "cedar.tar")
    assert "stays: another database of this server" in capsys.readouterr().out
    assert schemas_of(cedar) == []


def test_a_deleted_hospital_lives_again_when_its_archive_is_restored(
    usha: User, maple: Hospital, archive: Path
) -> None:
    before = sums_of(maple.schema_name)
    delete(archive)
    wait(maple)
    delete(archive)
    call_command("restore_hospital", archive, "--swap")
    maple.refresh_from_db()
    assert maple.status == Hospital.Status.SUSPENDED
    assert without_log(sums_of(maple.schema_name)) == without_log(before)
    assert default_storage.exists(f"{maple.code}/doctors/x/licence.pdf")
    joining.resume(hospital=maple, by=usha, reason="They are back.")
    assert browser("maple.localhost").get("/").status_code == 200
    assert browser("www.maple.example").get("/").status_code == 200
    assert DoctorListing.objects.filter(hospital=maple, is_published=True).exists()
