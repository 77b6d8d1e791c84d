"""Approving a hospital: everything comes into being together, or nothing does."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from audit.models import Action, AuditLog
from core.errors import NotAllowedNow
from core.schemas import schema_context
from directory.models import HospitalListing
from hospitals.models import Invitation, Settings, Staff
from hospitals.services import joining
from notifications.models import Notification
from tenants.models import Domain, Hospital
from tests import factories
from tests.conftest import maintenance


def schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'h\\_%'")
        return {row[0] for row in cursor.fetchall()}


def test_approval_opens_the_whole_hospital(usha: User) -> None:
    hospital = factories.pending(slug="banyan", email="Office@Banyan.example", contact_person="Meera Shah")
    joining.approve(hospital=hospital, by=usha, now=now())

    hospital.refresh_from_db()
    assert hospital.status == Hospital.Status.APPROVED
    assert hospital.schema_version
    assert Domain.objects.get(tenant=hospital).domain == "banyan.localhost"
    assert HospitalListing.objects.published().filter(hospital=hospital).exists()
    admin = User.objects.get(email="office@banyan.example")
    assert (admin.first_name, admin.last_name, admin.has_usable_password()) == ("Meera", "Shah", False)
    with schema_context(hospital.schema_name):
        staff = Staff.objects.get()
        assert (staff.user, staff.role, staff.is_active) == (admin, Role.HOSPITAL_ADMIN, True)
        assert Settings.objects.count() == 1
        assert Invitation.objects.filter(staff=staff).count() == 1
        recorded = set(AuditLog.objects.values_list("action", flat=True))
        assert recorded == {Action.HOSPITAL_OPENED, Action.STAFF_ADDED, Action.INVITATION_SENT}
    actions = AuditLog.objects.about(hospital).values_list("action", flat=True)
    assert set(actions) == {Action.HOSPITAL_REGISTERED, Action.HOSPITAL_APPROVED}
    invitation = Notification.objects.get(template="invitation", to_address="office@banyan.example")
    assert "http://banyan.localhost:8000/invitation/" in invitation.text
    assert "http://banyan.localhost:8000/invitation/" in invitation.html


def test_somebody_who_has_an_account_keeps_it_and_gets_the_role(usha: User, asha: User) -> None:
    hospital = factories.pending(email=asha.email, contact_person="Somebody Else")
    joining.approve(hospital=hospital, by=usha, now=now())
    with schema_context(hospital.schema_name):
        assert Staff.objects.get().user == asha
    asha.refresh_from_db()
    assert (asha.first_name, asha.check_password(factories.PASSWORD)) == ("Asha", True)


class Injected(OperationalError):
    """The fault we caused."""


def failing_at(number: int) -> Callable[..., Any]:
    """A wrapper of the connection's statements that fails at the given one."""
    seen = 0

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal seen
        if not sql.startswith("SET search_path"):  # django-tenants passes over a fault there; the next statement has it
            seen += 1
        if seen == number:
            raise Injected(sql[:80])
        return execute(sql, params, many, context)

    return wrapper


def test_a_fault_at_any_statement_leaves_nothing_behind(committed: None) -> None:
    usha = User.objects.get(email="usha@rhms.example")
    hospital = factories.pending(slug="banyan", email="office@banyan.example")

    def everything() -> dict[str, Any]:
        return {
            "schemas": schemas(),
            "status": Hospital.objects.get(pk=hospital.pk).status,
            "version": Hospital.objects.get(pk=hospital.pk).schema_version,
            "domains": Domain.objects.count(),
            "users": User.objects.count(),
            "listings": HospitalListing.objects.count(),
            "messages": Notification.objects.count(),
            "audit": AuditLog.objects.count(),
        }

    before = everything()
    faults = 0
    while True:
        mine = Hospital.objects.get(pk=hospital.pk)
        try:
            with connection.execute_wrapper(failing_at(faults + 1)):
                joining.approve(hospital=mine, by=usha, now=now())
        except Injected:
            faults += 1
            assert everything() == before, f"after a fault at statement {faults}"
        else:
            break
    assert faults >= 20
    assert mine.schema_name in schemas()
    assert Hospital.objects.get(pk=hospital.pk).status == Hospital.Status.APPROVED


def test_a_connection_that_dies_before_the_commit_leaves_nothing_behind(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    usha = User.objects.get(email="usha@rhms.example")
    hospital = factories.pending()
    before = schemas()
    real = joining.invite_admin

    def die_afterwards(**arguments: Any) -> None:
        real(**arguments)
        with maintenance() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    monkeypatch.setattr(joining, "invite_admin", die_afterwards)
    with pytest.raises(OperationalError):
        joining.approve(hospital=hospital, by=usha, now=now())
    connection.close()
    assert schemas() == before
    assert Hospital.objects.get(pk=hospital.pk).status == Hospital.Status.PENDING
    assert not User.objects.filter(email=hospital.email).exists()


@pytest.mark.parametrize("step", ["resume", "invite_admin", "suspend"])
def test_a_step_of_an_open_hospital_is_refused_to_a_waiting_one(usha: User, step: str) -> None:
    hospital = factories.pending()
    fields = {"now": now()} if step == "invite_admin" else {"reason": "Because"}
    with pytest.raises(NotAllowedNow, match="Hospital registered by Meera Shah"):
        getattr(joining, step)(hospital=hospital, by=usha, **fields)
    hospital.refresh_from_db()
    assert hospital.status == Hospital.Status.PENDING


def test_a_suspended_hospital_is_resumed_not_approved_again(usha: User, cedar: Hospital) -> None:
    joining.suspend(hospital=cedar, by=usha, reason="Licence expired")
    with pytest.raises(NotAllowedNow, match="Hospital suspended by Usha Menon"):
        joining.approve(hospital=cedar, by=usha, now=now())


def test_a_suspended_hospitals_admin_is_not_invited(usha: User, cedar: Hospital) -> None:
    joining.suspend(hospital=cedar, by=usha, reason="Licence expired")
    with pytest.raises(NotAllowedNow):
        joining.invite_admin(hospital=cedar, by=usha, now=now())
