"""A hospital is written into an archive whole, as it is at one moment, and nobody can change that archive unseen."""

import io
import json
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from billing.models import WebhookEvent
from core.schemas import as_owner, schema_context
from hospitals.models import Department
from notifications.models import Notification
from tenants.archives import contents, exporting
from tenants.archives.packing import Archive, packing
from tenants.models import Hospital
from tests.core.test_s3 import bucket
from tests.tenants.keeping import as_the_owner, rows_of, sums_of

__all__ = ["bucket"]


@pytest.fixture
def cedar(committed: None) -> Hospital:
    return Hospital.objects.get(slug="cedar")


@pytest.fixture
def archive(cedar: Hospital, tmp_path: Path) -> Path:
    """Cedar with a department, in a file."""
    default_storage.save(f"{cedar.code}/doctors/x/licence.pdf", ContentFile(b"%PDF-1.4 a licence"))
    with schema_context(cedar.schema_name):
        Department.objects.create(name="Cardiology", slug="cardiology", description="Tab\tand\nline \\ é")
    call_command("export_hospital", "cedar", tmp_path / "cedar.tar")
    return tmp_path / "cedar.tar"


def changed(archive: Path, name: str, change: Any) -> Path:
    """A copy in which one part is not what it was."""
    copy = archive.with_name(f"changed-{archive.name}")
    with tarfile.open(archive) as old, tarfile.open(copy, "w") as new:
        for member in old.getmembers():
            found = old.extractfile(member)
            assert found is not None
            content = found.read()
            if member.name == name:
                content = change(content)
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return copy


def test_an_archive_holds_every_row_and_file_of_the_hospital_and_its_rows_of_the_registry(
    cedar: Hospital, archive: Path
) -> None:
    with Archive.reading(archive) as found:
        manifest = found.manifest
    assert {name: table.sum for name, table in manifest.tables.items()} == sums_of(cedar.schema_name)
    assert manifest.tables["hospitals_department"].rows == 1
    assert manifest.tables["django_migrations"].rows == len(manifest.migrations)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(f"SELECT last_value, is_called FROM {cedar.schema_name}.hospitals_department_id_seq")
        assert manifest.sequences["hospitals_department_id_seq"] == cursor.fetchone()
    assert manifest.files[f"{cedar.code}/doctors/x/licence.pdf"].size == 18
    assert manifest.hospital["slug"] == "cedar"
    assert [domain["domain"] for domain in manifest.domains] == ["cedar.localhost"]


def test_an_archive_names_people_by_number_and_code_only(cedar: Hospital, archive: Path) -> None:
    with Archive.reading(archive) as found:
        manifest = found.manifest
    hari = User.objects.get(email="hari@cedar.example")
    assert manifest.people[str(hari.pk)] == str(hari.code)
    assert "hari" not in json.dumps(manifest.people).lower()


def test_exporting_is_written_into_the_platforms_log_and_not_into_the_hospitals(cedar: Hospital, archive: Path) -> None:
    row = AuditLog.objects.get(action=Action.HOSPITAL_EXPORTED)
    with Archive.reading(archive) as found:
        assert row.data["archive"] == found.digest
    with schema_context(cedar.schema_name):
        assert not AuditLog.objects.filter(action=Action.HOSPITAL_EXPORTED).exists()


def test_two_exports_of_one_state_have_the_same_checksums(archive: Path, tmp_path: Path) -> None:
    call_command("export_hospital", "cedar", tmp_path / "again.tar")
    with Archive.reading(archive) as first, Archive.reading(tmp_path / "again.tar") as second:
        assert first.manifest.tables == second.manifest.tables
        assert first.manifest.files == second.manifest.files


def test_checking_an_archive_needs_no_database(archive: Path, capsys: Any) -> None:
    connections.close_all()
    target = connections.settings["default"]
    name, target["NAME"] = target["NAME"], "nowhere"
    try:
        call_command("restore_hospital", archive, "--check")
    finally:
        target["NAME"] = name
    assert "The archive is whole: Cedar Hospital" in capsys.readouterr().out


@pytest.mark.parametrize("part", ["schema.sql", "tables/hospitals_staff.gz", "manifest.json", "manifest.signature"])
def test_a_tampered_archive_is_refused(archive: Path, part: str) -> None:
    other = changed(archive, part, lambda content: content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
    with pytest.raises(CommandError, match="not signed|checksum|damaged"):
        call_command("restore_hospital", other, "--check")


def test_an_archive_to_which_something_was_added_is_refused(archive: Path) -> None:
    with tarfile.open(archive, "a") as tar:
        tar.addfile(tarfile.TarInfo("files/other.sql"))
    with pytest.raises(CommandError, match="parts are missing or were added"):
        call_command("restore_hospital", archive, "--check")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_an_archive_that_was_cut_off_is_refused(archive: Path, share: float) -> None:
    content = archive.read_bytes()
    with tarfile.open(archive) as tar:
        end = max(member.offset_data + member.size for member in tar.getmembers())
    archive.write_bytes(content[: int(end * share)])
    with pytest.raises(CommandError, match="cut off"):
        call_command("restore_hospital", archive, "--check")


def test_an_archive_of_another_key_is_refused_unless_somebody_says_so(archive: Path, settings: Any) -> None:
    settings.SECRET_KEY, earlier = "another key " * 5, settings.SECRET_KEY
    with pytest.raises(CommandError, match="not signed with this platform's SECRET_KEY"):
        call_command("restore_hospital", archive, "--check")
    call_command("restore_hospital", archive, "--check", "--unsigned-is-fine")
    settings.SECRET_KEY_FALLBACKS = [earlier]
    call_command("restore_hospital", archive, "--check")


def test_unsigned_or_not_the_checksums_must_be_right(archive: Path) -> None:
    other = changed(archive, "tables/hospitals_staff.gz", lambda content: b"")
    with pytest.raises(CommandError, match="checksum"):
        call_command("restore_hospital", other, "--check", "--unsigned-is-fine")


def test_a_file_that_a_row_names_and_nobody_has_is_told(cedar: Hospital, tmp_path: Path, capsys: Any) -> None:
    with schema_context(cedar.schema_name):
        Department.objects.create(name="X", slug="x", image=f"{cedar.code}/department-gone.webp")
    call_command("export_hospital", "cedar", tmp_path / "cedar.tar")
    assert f"A row names {cedar.code}/department-gone.webp" in capsys.readouterr().err
    call_command("restore_hospital", tmp_path / "cedar.tar", "--check")
    assert f"{cedar.code}/department-gone.webp was missing" in capsys.readouterr().err


def test_files_in_a_bucket_go_along_and_come_back(
    cedar: Hospital, bucket: Callable[[str], bytes], tmp_path: Path
) -> None:
    path = default_storage.save(f"{cedar.code}/doctors/x/licence.pdf", ContentFile(b"%PDF-1.4 a licence"))
    other = default_storage.save(f"{cedar.code}/logo-x.webp", ContentFile(b"a logo"))
    call_command("export_hospital", "cedar", tmp_path / "cedar.tar")
    default_storage.delete(path)
    default_storage.delete(other)
    default_storage.save(other, ContentFile(b"spoilt"))
    call_command("restore_hospital", tmp_path / "cedar.tar", "--swap")
    assert bucket(path) == b"%PDF-1.4 a licence"
    assert bucket(other) == b"a logo"


def test_two_exports_at_once_do_not_write_into_one_file(cedar: Hospital, tmp_path: Path) -> None:
    with packing(tmp_path / "cedar.tar") as packer:
        packer.add_schema("")
        with pytest.raises(CommandError, match="Another export is writing"):
            call_command("export_hospital", "cedar", tmp_path / "cedar.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["cedar.tar"]


def test_what_a_killed_export_has_left_is_in_nobodys_way(cedar: Hospital, tmp_path: Path) -> None:
    (tmp_path / "cedar.tar.unfinished").write_bytes(b"x" * 10_000_000)
    call_command("export_hospital", "cedar", tmp_path / "cedar.tar")
    call_command("restore_hospital", tmp_path / "cedar.tar", "--check")
    assert [path.name for path in tmp_path.iterdir()] == ["cedar.tar"]


def test_a_hospital_that_is_behind_is_not_exported(cedar: Hospital, tmp_path: Path) -> None:
    Hospital.objects.filter(pk=cedar.pk).update(schema_version="old")
    with pytest.raises(CommandError, match="Run manage.py migrate_hospitals first"):
        call_command("export_hospital", "cedar", tmp_path / "cedar.tar")
    assert list(tmp_path.iterdir()) == []


def test_an_archive_is_never_written_over(archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_hospital", "cedar", archive)
    assert archive.read_bytes() == before


def test_only_its_owner_may_read_an_archive(archive: Path) -> None:
    assert archive.stat().st_mode & 0o777 == 0o600


def test_nobody_is_exported_who_was_never_open(committed: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No open or suspended hospital"):
        call_command("export_hospital", "willow", tmp_path / "willow.tar")


def test_the_same_rows_have_the_same_text_whatever_the_session_says(cedar: Hospital) -> None:
    before = sums_of(cedar.schema_name)
    database = connections.settings["owner"]["NAME"]
    as_the_owner(
        f"""ALTER DATABASE "{database}" SET datestyle TO 'German'""",
        f"""ALTER DATABASE "{database}" SET bytea_output TO 'escape'""",
    )
    assert sums_of(cedar.schema_name) == before


def test_an_export_is_one_moment_while_others_write(cedar: Hospital, tmp_path: Path) -> None:
    """A writer carries rows from the outbox, which is read last, to the gateway's messages, and back."""
    marks = [f"mark-{number}" for number in range(20)]
    stop, moved = Event(), [0]

    def write() -> None:
        try:
            with schema_context(cedar.schema_name):
                while not stop.is_set():
                    for mark in marks:
                        carry(mark)
                        moved[0] += 1
        finally:
            connections.close_all()

    with schema_context(cedar.schema_name):
        for mark in marks:
            Notification.objects.create(subject=mark, template="x", to_address="a@b.example")
    writer = Thread(target=write)
    writer.start()
    try:
        for turn in range(3):
            before = moved[0]
            made = exporting.export(hospital=cedar, path=tmp_path / f"{turn}.tar", now=now() + timedelta(seconds=turn))
            assert moved[0] > before
            here = sum("mark-" in row for row in rows_of(tmp_path / f"{turn}.tar", "notifications_notification"))
            there = sum("mark-" in row for row in rows_of(tmp_path / f"{turn}.tar", "billing_webhookevent"))
            assert here + there == len(marks)
            assert made.manifest.tables["notifications_notification"].rows >= here
    finally:
        stop.set()
        writer.join()


@transaction.atomic
def carry(mark: str) -> None:
    if Notification.objects.filter(subject=mark).delete()[0]:
        WebhookEvent.objects.create(event_id=mark, digest=mark, event="x", body=b"", state="done")
    else:
        WebhookEvent.objects.filter(event_id=mark).delete()
        Notification.objects.create(subject=mark, template="x", to_address="a@b.example")


def test_every_table_of_a_hospital_has_an_order(cedar: Hospital) -> None:
    with contents.snapshot(schema=cedar.schema_name, cell="default") as tables:
        assert len(tables) > 30
        assert all(table.key == ("id",) for table in tables)
