"""What the services of staff promise beyond their pages."""

from collections.abc import Callable

import pytest
from django.utils.timezone import now

from accounts.models import Session, User
from accounts.permissions import Role
from audit.models import Action, AuditLog
from core.errors import Conflict, Gone, Invalid, NotAllowedNow
from core.logs import Origin, origin
from core.schemas import schema_context
from hospitals.models import Staff
from hospitals.services import invitations, joining
from hospitals.services import staff as services
from hospitals.services.staff import LastAdmin
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser


@pytest.mark.parametrize("role", ["doctor", "superadmin", "owner", ""])
def test_nobody_is_invited_to_a_role_that_is_not_offered(in_cedar: Hospital, hari: User, role: str) -> None:
    with pytest.raises(Invalid) as refusal:
        services.invite(hospital=in_cedar, name="Nila", email="nila@cedar.example", role=role, by=hari, now=now())
    assert refusal.value.field == "role"
    assert not User.objects.filter(email="nila@cedar.example").exists()


@pytest.mark.parametrize("role", ["doctor", "superadmin", "owner", ""])
def test_nobody_is_given_a_role_that_is_not_offered(in_cedar: Hospital, meena: Staff, hari: User, role: str) -> None:
    with pytest.raises(Invalid):
        services.change_role(hospital=in_cedar, staff=meena, role=role, by=hari)
    assert Staff.objects.get(pk=meena.pk).role == "front_desk"


def test_the_same_role_again_changes_and_says_nothing(in_cedar: Hospital, meena: Staff, hari: User) -> None:
    services.change_role(hospital=in_cedar, staff=meena, role="front_desk", by=hari)
    assert not AuditLog.objects.about(meena).exists()


def test_the_last_admin_stays_whoever_asks(in_cedar: Hospital, meena: Staff, hari: User, usha: User) -> None:
    own = Staff.objects.get(user=hari)
    token = origin.set(Origin(supporter=(usha.pk, "Usha Menon")))
    try:
        for by in (hari, meena.user, usha):
            with pytest.raises(LastAdmin):
                services.deactivate(hospital=in_cedar, staff=own, by=by, now=now())
            with pytest.raises(LastAdmin):
                services.change_role(hospital=in_cedar, staff=own, role="nurse", by=by)
    finally:
        origin.reset(token)


def test_a_row_read_long_ago_does_not_fool_the_last_admins_guard(
    in_cedar: Hospital, join_cedar: Callable[[User, str], Staff], hari: User
) -> None:
    bina = join_cedar(factories.person("bina@cedar.example", "Bina"), "hospital_admin")
    own = Staff.objects.get(user=hari)
    services.change_role(hospital=in_cedar, staff=Staff.objects.get(pk=bina.pk), role="nurse", by=hari)
    assert bina.role == Role.HOSPITAL_ADMIN  # what the other admin's page still shows
    with pytest.raises(LastAdmin):
        services.change_role(hospital=in_cedar, staff=own, role="nurse", by=bina.user)


def test_deactivating_leaves_the_sign_ins_elsewhere(in_cedar: Hospital, meena: Staff, hari: User) -> None:
    for host in ("cedar.localhost", "lotus.localhost", "localhost"):
        browser(host, meena.user)
    services.deactivate(hospital=in_cedar, staff=meena, by=hari, now=now())
    hosts = Session.objects.filter(user=meena.user).values_list("host", flat=True)
    assert sorted(hosts) == ["localhost", "lotus.localhost"]


def test_deactivating_kills_an_open_link(in_cedar: Hospital, meena: Staff, hari: User) -> None:
    _invitation, token = invitations.issue(staff=meena, now=now())
    services.deactivate(hospital=in_cedar, staff=meena, by=hari, now=now())
    with pytest.raises(Gone, match="taken back"):
        invitations.behind(token=token, now=now())
    services.activate(hospital=in_cedar, staff=meena, by=hari, now=now())
    with pytest.raises(Gone):
        invitations.behind(token=token, now=now())


def test_who_has_not_come_in_is_not_deactivated_but_their_invitation_taken_back(
    in_cedar: Hospital, nila: Staff, hari: User
) -> None:
    with pytest.raises(NotAllowedNow, match="Take the invitation back instead"):
        services.deactivate(hospital=in_cedar, staff=nila, by=hari, now=now())
    services.take_back(staff=nila, by=hari, now=now())
    assert Staff.objects.get(pk=nila.pk).state == "taken_back"
    assert AuditLog.objects.about(nila).newest_first()[0].action == Action.INVITATION_TAKEN_BACK


def test_an_account_the_platform_has_closed_neither_accepts_nor_comes_back(
    in_cedar: Hospital, nila: Staff, meena: Staff, hari: User
) -> None:
    _invitation, token = invitations.issue(staff=nila, now=now())
    services.deactivate(hospital=in_cedar, staff=meena, by=hari, now=now())
    User.objects.filter(pk__in=[nila.user_id, meena.user_id]).update(is_active=False)
    with pytest.raises(Gone):
        invitations.behind(token=token, now=now())
    with pytest.raises(Conflict):
        services.activate(hospital=in_cedar, staff=Staff.objects.get(pk=meena.pk), by=hari, now=now())


def test_every_change_says_who_did_it(in_cedar: Hospital, meena: Staff, hari: User) -> None:
    services.change_role(hospital=in_cedar, staff=meena, role="nurse", by=hari)
    services.deactivate(hospital=in_cedar, staff=meena, by=hari, now=now())
    services.activate(hospital=in_cedar, staff=meena, by=hari, now=now())
    rows = AuditLog.objects.about(meena).newest_first().values_list("action", "actor")
    assert list(rows) == [
        (Action.STAFF_ACTIVATED, "Hari Rao"),
        (Action.STAFF_DEACTIVATED, "Hari Rao"),
        (Action.STAFF_ROLE_CHANGED, "Hari Rao"),
    ]


def test_the_platform_invites_no_admin_where_somebody_runs_the_hospital(
    in_cedar: Hospital, hari: User, usha: User
) -> None:
    rosa, bina = (
        services.invite(hospital=in_cedar, name=name, email=email, role="hospital_admin", by=hari, now=now())
        for name, email in (("Rosa Lal", "rosa@cedar.example"), ("Bina Roy", "bina@cedar.example"))
    )
    Staff.objects.filter(pk=bina.pk).update(joined_at=now())
    bina.invitations.update(accepted_at=now())
    services.change_role(hospital=in_cedar, staff=Staff.objects.get(user=hari), role="nurse", by=bina.user)
    assert rosa.state == "invited"
    with schema_context("public"), pytest.raises(NotAllowedNow):
        joining.invite_admin(hospital=in_cedar, by=usha, now=now())
