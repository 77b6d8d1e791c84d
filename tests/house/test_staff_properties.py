"""Whatever people do to each other's roles, in whatever order: somebody runs the hospital, and nobody has too much."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.permissions import ROLES, Permission, Role, granted
from accounts.sessions import SessionStore, Visit
from core.errors import DomainError
from hospitals.middleware import staff_of_request
from hospitals.models import Doctor, Staff
from hospitals.services import invitations
from hospitals.services import staff as services
from tenants.models import Hospital
from tests import factories

HARI, RAO, MEENA, KIRAN = "hari@cedar.example", "rao@cedar.example", "meena@cedar.example", "kiran@lotus.example"
PEOPLE = [HARI, RAO, MEENA, KIRAN]
AN_ADMIN = ""  # whoever is one at that moment
STEPS = ["invite", "accept", "change_role", "change_role", "deactivate", "activate", "take_back", "resend_invitation"]
ROLES_TRIED = [Role.HOSPITAL_ADMIN, Role.DOCTOR, Role.NURSE, Role.CONTENT_MANAGER, Role.SUPERADMIN]
FOR_ANYBODY = {Permission.PUBLIC, Permission.SIGNED_IN, Permission.OWN_ACCOUNT}

plans = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.sampled_from([AN_ADMIN, AN_ADMIN, *PEOPLE]),  # who does it
        st.sampled_from([AN_ADMIN, *PEOPLE]),  # to whom
        st.sampled_from(ROLES_TRIED),
    ),
    max_size=12,
)


def ask(hospital: Hospital, user: User) -> Any:
    """A request of this person at the hospital's host, as the middleware prepares it."""
    request: Any = HttpRequest()
    request.hospital, request.user, request.META["HTTP_HOST"] = hospital, user, hospital.host
    request.session = SessionStore()
    request.session.visit = Visit(place=str(hospital.code), host=hospital.host)
    staff_of_request(lambda _request: HttpResponse())(request)
    return request


def powers(hospital: Hospital, user: User) -> set[Permission]:
    """What they may do now."""
    request = ask(hospital, user)
    return {permission for permission in Permission if granted(request, user, permission)} - FOR_ANYBODY


class Cedar:
    """A hospital in which everybody tries everything; a door lets only through whom it is for."""

    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital
        self.links: dict[int, str] = {}

    def find(self, email: str) -> User:
        if email == AN_ADMIN:
            return Staff.objects.working().admins().select_related("user").order_by("-pk")[0].user
        return User.objects.get(email=email)

    def act(self, step: str, by: User, whom: User, role: str) -> None:
        """Try it; what was done must hold at once."""
        row = Staff.objects.filter(user=whom).select_related("user").first()
        if step == "accept":
            self.accept(by)
        elif Permission.STAFF_EDIT not in powers(self.hospital, by):
            return
        elif step == "invite":
            services.invite(hospital=self.hospital, name="Somebody", email=whom.email, role=role, by=by, now=now())
        elif row is None:
            return
        elif step == "change_role":
            services.change_role(hospital=self.hospital, staff=row, role=role, by=by)
            assert Staff.objects.get(pk=row.pk).role == role
        elif step == "take_back":
            services.take_back(staff=row, by=by, now=now())
            assert powers(self.hospital, whom) == set()
        else:
            verb: Callable[..., None] = getattr(services, step)
            verb(hospital=self.hospital, staff=row, by=by, now=now())
            assert step != "deactivate" or powers(self.hospital, whom) == set()

    def accept(self, by: User) -> None:
        """The person opens the newest link that was sent to them, however old it is."""
        row = Staff.objects.filter(user=by).first()
        link = self.links.get(by.pk)
        if row and row.state == "invited":
            _invitation, link = invitations.issue(staff=row, now=now())
            self.links[by.pk] = link
        if link:
            request = ask(self.hospital, by)
            request.user = AnonymousUser()
            invitations.accept(request=request, token=link, password=factories.PASSWORD, now=now())

    def check(self) -> None:
        rows = {row.user_id: row for row in Staff.objects.all()}
        assert any(row.role == Role.HOSPITAL_ADMIN and row.is_active and row.joined_at for row in rows.values()), (
            "nobody runs the hospital"
        )
        for user in User.objects.filter(email__in=PEOPLE):
            row = rows.get(user.pk)
            has = powers(self.hospital, user)
            if row is None or not row.is_active or row.joined_at is None:
                assert has == set(), user
                continue
            assert has == ROLES[Role(row.role)] - FOR_ANYBODY, user
            if row.role == Role.DOCTOR:
                assert Doctor.objects.verified().filter(user=user).exists()


@pytest.fixture
def cedar_with_two_admins(in_cedar: Hospital, hari: User) -> Hospital:
    """Hari and Dr Rao run it; Meena has an account only, and Kiran his own hospital."""
    factories.person(MEENA, "Meena", "Shah")
    rao = factories.verified_doctor(by=hari, email=RAO)
    services.change_role(hospital=in_cedar, staff=rao, role="hospital_admin", by=hari)
    return in_cedar


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans)
def test_no_order_of_steps_leaves_a_hospital_without_an_admin_or_somebody_with_too_much(
    cedar_with_two_admins: Hospital, plan: list[tuple[str, str, str, str]]
) -> None:
    cache.clear()  # no example waits for the tries of another
    with transaction.atomic():
        cedar = Cedar(cedar_with_two_admins)
        cedar.check()
        for step, by, whom, role in plan:
            try:
                with transaction.atomic():
                    cedar.act(step, cedar.find(by), cedar.find(whom), role)
            except DomainError:
                continue
            cedar.check()
        transaction.set_rollback(True)
