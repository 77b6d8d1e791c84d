"""Two admins take each other's power at the same moment: one of them keeps it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

from django.db import connections
from django.utils.timezone import now

from accounts.models import User
from core.errors import DomainError
from core.schemas import schema_context
from hospitals.models import Invitation, Staff
from hospitals.services import invitations
from hospitals.services import staff as services
from hospitals.services.staff import LastAdmin
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

ROUNDS = 25


def at_once(hospital: Hospital, *acts: Callable[[], object]) -> list[DomainError | None]:
    """What each of `acts`, on a connection of its own and all begun together, was refused with."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], object]) -> DomainError | None:
        try:
            with schema_context(hospital.schema_name):
                Staff.objects.exists()  # the connection is open before the start
                gate.wait(10)
                act()
        except DomainError as refusal:
            return refusal
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_two_admins_who_end_each_others_power_one_remains(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name):
        second = factories.person("bina@cedar.example", "Bina", "Roy")
        Staff.objects.create(user=second, role="hospital_admin", joined_at=now())
        ids = list(Staff.objects.order_by("pk").values_list("pk", flat=True))

    def demote(who: int, by: int) -> None:
        target, actor = Staff.objects.get(pk=who), Staff.objects.get(pk=by).user
        services.change_role(hospital=cedar, staff=target, role="nurse", by=actor)

    def deactivate(who: int, by: int) -> None:
        target, actor = Staff.objects.get(pk=who), Staff.objects.get(pk=by).user
        services.deactivate(hospital=cedar, staff=target, by=actor, now=now())

    pairs = [(demote, demote), (deactivate, deactivate), (demote, deactivate)]
    for number in range(ROUNDS):
        one, other = pairs[number % len(pairs)]
        refusals = at_once(cedar, partial(one, ids[1], ids[0]), partial(other, ids[0], ids[1]))
        assert [type(refusal) for refusal in refusals if refusal] == [LastAdmin], number
        with schema_context(cedar.schema_name):
            assert Staff.objects.working().admins().count() == 1
            Staff.objects.update(role="hospital_admin", is_active=True)


def test_an_admin_who_leaves_while_the_other_leaves_too(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    with schema_context(cedar.schema_name):
        for number in range(3):
            user = factories.person(f"admin{number}@cedar.example", f"Admin{number}")
            Staff.objects.create(user=user, role="hospital_admin", joined_at=now())
        rows = list(Staff.objects.select_related("user").order_by("pk"))
    assert len(rows) == 4
    leave = [partial(services.deactivate, hospital=cedar, staff=row, by=row.user, now=now()) for row in rows]
    for _ in range(5):
        refusals = at_once(cedar, *leave)
        assert [type(refusal) for refusal in refusals if refusal] == [LastAdmin]
        with schema_context(cedar.schema_name):
            assert Staff.objects.working().admins().count() == 1
            Staff.objects.update(is_active=True)


def accept(token: str, statuses: list[int]) -> None:
    """Come in by the link, and note what the page answered."""
    answer = browser("cedar.localhost").post(f"/invitation/{token}/", {"password": "a-fresh-river-9"})
    statuses.append(answer.status_code)


def test_an_invitation_accepted_and_taken_back_at_once_ends_in_one_of_the_two(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    hari = User.objects.get(email="hari@cedar.example")
    with schema_context(cedar.schema_name):
        nila = services.invite(
            hospital=cedar, name="Nila Iyer", email="nila@cedar.example", role="nurse", by=hari, now=now()
        )
    for _ in range(10):
        with schema_context(cedar.schema_name):
            Staff.objects.filter(pk=nila.pk).update(is_active=True, joined_at=None)
            Invitation.objects.filter(staff=nila).update(accepted_at=None, replaced_at=now())
            _invitation, token = invitations.issue(staff=nila, now=now())
        statuses: list[int] = []

        [refusal, _nothing] = at_once(
            cedar,
            lambda: services.take_back(staff=nila, by=hari, now=now()),
            partial(accept, token, statuses),
        )
        with schema_context(cedar.schema_name):
            row = Staff.objects.get(pk=nila.pk)
        came_in = statuses == [302]
        assert came_in is (refusal is not None)
        assert row.state == ("active" if came_in else "taken_back")
        assert statuses in ([302], [410], [422])
        User.objects.filter(pk=nila.user_id).update(password="!", email_verified_at=None)


def test_an_address_invited_twice_at_once_has_one_row(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    hari = User.objects.get(email="hari@cedar.example")

    def invite() -> None:
        services.invite(hospital=cedar, name="Nila Iyer", email="nila@cedar.example", role="nurse", by=hari, now=now())

    refusals = [refusal for refusal in at_once(cedar, invite, invite, invite) if refusal]
    assert [refusal.field for refusal in refusals] == ["email", "email"]
    with schema_context(cedar.schema_name):
        assert Staff.objects.filter(user__email="nila@cedar.example").count() == 1
        assert Invitation.objects.filter(staff__user__email="nila@cedar.example").count() == 1
