"""What `make run` shows: every screen has something on it."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Value
from django.db.models.functions import Concat

from accounts.models import User
from core.schemas import schema_context
from hospitals.demo.people import DOCTORS, STAFF
from hospitals.management.commands import demo
from hospitals.models import Doctor, Staff
from tenants.models import Hospital


@pytest.fixture
def nothing_yet(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform on which the demo has not been loaded: the tests' own hospitals live elsewhere."""
    settings.DEBUG = True
    monkeypatch.setattr(demo, "SIGN_INS", tmp_path / "sign-ins.json")
    for hospital in Hospital.objects.all():
        Hospital.objects.filter(pk=hospital.pk).update(slug=f"old-{hospital.slug}", registration_number=hospital.slug)
        hospital.domains.update(domain=f"old-{hospital.slug}.localhost")
    User.objects.update(email=Concat(Value("old-"), "email"))


def run() -> str:
    said = StringIO()
    call_command("demo", stdout=said)
    return said.getvalue()


def test_everybody_has_their_place_and_loading_again_changes_nothing_but_lost_passwords(nothing_yet: None) -> None:
    said = run()
    assert "rao@cedar.example" in said
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name):
        states = [colleague.state for colleague in STAFF["cedar"]]
        approved = [doctor for doctor in DOCTORS["cedar"] if doctor.decision == "approved"]
        assert Staff.objects.working().count() == 1 + states.count("active") + len(approved)
        for decision in ("approved", "pending", "more_asked", "rejected"):
            expected = [doctor.email for doctor in DOCTORS["cedar"] if doctor.decision == decision]
            found = Doctor.objects.filter(status=decision).values_list("user__email", flat=True)
            assert sorted(found) == sorted(expected)
        assert all(doctor.documents.count() == 2 for doctor in Doctor.objects.all())
    line = next(line for line in said.splitlines() if "meena@cedar.example" in line)
    meena = User.objects.get(email="meena@cedar.example")
    assert meena.check_password(line.split()[-1])

    people = User.objects.count()
    meena.set_password("something-else-9")
    meena.save(update_fields=["password"])
    assert run() == said
    assert User.objects.count() == people
    meena.refresh_from_db()
    assert meena.check_password(line.split()[-1])


def test_it_is_refused_in_production(db: None, settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="only with DEBUG"):
        call_command("demo")
