"""An invitation does not tell a hospital who somebody is: until they come in, they are called as they were invited."""

from typing import Any

from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import AuditLog
from core.schemas import schema_context
from hospitals.models import Doctor, Staff
from hospitals.services import invitations, staff
from hospitals.services.doctors import inviting
from hospitals.services.doctors.inviting import Invited
from notifications.models import Notification
from tenants.models import Hospital
from tests.hospitals.doctors import cardiology, details

SECRETS = ["Asha", "Patel", "98450", "On</span>"]


def invite_colleague(cedar: Hospital, asha: User, hari: User) -> Staff:
    User.objects.filter(pk=asha.pk).update(phone="+919845098450")
    return staff.invite(hospital=cedar, name="New nurse", email=asha.email, role="nurse", by=hari, now=now())


def invite_doctor(cedar: Hospital, asha: User, hari: User) -> Doctor:
    User.objects.filter(pk=asha.pk).update(phone="+919845098450")
    who = Invited(asha.email, "New doctor", "", details(department=cardiology(cedar, hari)))
    return inviting.invite(hospital=cedar, invited=who, by=hari, now=now())


def said(client: Client, *paths: str) -> str:
    answers = [client.get(path) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    return "".join(answer.content.decode() for answer in answers)


def test_a_colleague_is_called_as_they_were_invited(
    cedar_hari: Client, in_cedar: Hospital, asha: User, hari: User
) -> None:
    row = invite_colleague(in_cedar, asha, hari)
    pages = said(
        cedar_hari,
        "/office/staff/",
        f"/office/staff/{row.code}/",
        "/api/staff/",
        f"/api/staff/{row.code}/",
        "/office/activity/",
        "/office/outbox/",
        "/start/",
    )
    assert "New nurse" in pages
    assert not [secret for secret in SECRETS if secret in pages]
    with schema_context(in_cedar.schema_name):
        assert not AuditLog.objects.filter(thing__contains="Patel").exists()
        assert not Notification.objects.filter(to_name__contains="Patel").exists()


def test_a_doctor_is_called_as_they_were_invited(
    cedar_hari: Client, in_cedar: Hospital, asha: User, hari: User
) -> None:
    doctor = invite_doctor(in_cedar, asha, hari)
    pages = said(
        cedar_hari,
        "/office/doctors/?status=all",
        f"/office/doctors/{doctor.code}/",
        f"/api/doctors/applications/{doctor.code}/",
        "/office/staff/",
        "/office/activity/",
        "/office/outbox/",
    )
    assert "New doctor" in pages
    assert not [secret for secret in SECRETS if secret in pages]


def test_nobody_is_found_by_a_name_that_is_not_shown(
    cedar_hari: Client, in_cedar: Hospital, asha: User, hari: User
) -> None:
    invite_colleague(in_cedar, asha, hari)
    assert cedar_hari.get("/api/staff/?q=patel").json()["count"] == 0
    assert cedar_hari.get("/api/staff/?q=new+nurse").json()["count"] == 1


def test_who_comes_in_brings_their_name(cedar_hari: Client, in_cedar: Hospital, asha: User, hari: User) -> None:
    invite_doctor(in_cedar, asha, hari)
    row = Staff.objects.get(user=asha)
    _invitation, token = invitations.issue(staff=row, now=now())
    client: Any = Client(HTTP_HOST="cedar.localhost")
    answer = client.post(f"/invitation/{token}/", {"password": "correct-horse-7"})
    assert answer.status_code == 302
    pages = said(cedar_hari, "/office/staff/", "/office/doctors/?status=all")
    assert "Asha Patel" in pages
    assert "New doctor" not in pages
