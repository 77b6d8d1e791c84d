"""Hospitals that are out of service for a moment, are to be deleted, or have left; and every page that tells of it."""

from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.utils.timezone import now

from accounts.models import User
from audit import services as audit
from audit.models import Action
from core.hosts import hospital_url, portal_url
from hospitals.services import joining
from tenants import hosts
from tenants import services as tenants
from tenants.models import Hospital
from tests import factories
from tests.journeys.stops import Stop, opened

_NOTE = """\
psycopg2.errors.DuplicateColumn: column "sent_at" of relation "appointments_reminder" already exists

appointments.0042_reminder_sent_at, statement 1 of 2:
ALTER TABLE "appointments_reminder" ADD COLUMN "sent_at" timestamp with time zone NULL"""
_ARCHIVE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def paused() -> Hospital:
    """One whose upgrade failed."""
    hospital = _opened("Peepal Children’s Hospital")
    tenants.pause(hospital=hospital, why=Hospital.Pause.UPGRADE, note=_NOTE, now=now())
    Hospital.objects.filter(pk=hospital.pk).update(schema_version="older")
    return hospital


def leaving() -> Hospital:
    """One that is to be deleted in a month."""
    hospital = _opened("Gulmohar Nursing Home")
    joining.suspend(hospital=hospital, by=_usha(), reason="They asked to leave the platform.")
    with transaction.atomic():
        hospital.deletion_due_at, hospital.deletion_archive = now() + timedelta(days=30), _ARCHIVE
        hospital.save(update_fields=["deletion_due_at", "deletion_archive"])
        audit.record(action=Action.HOSPITAL_DELETION_PLANNED, target=hospital, by=None)
    return hospital


def closed() -> Hospital:
    """One that has left."""
    hospital = leaving()
    with transaction.atomic():
        audit.move(hospital, Hospital.Status.CLOSED, by=None, also={"deletion_due_at": None})
        hosts.changed(hospital)
    return hospital


def _usha() -> User:
    return User.objects.get(email="usha@rhms.example")


def _opened(name: str) -> Hospital:
    hospital = factories.pending(name=name)
    joining.approve(hospital=hospital, by=_usha(), now=now())
    return hospital


def visitors_of_the_portal() -> Iterator[Stop]:
    """What everybody, and the hospital itself, sees of them on the portal."""
    yield Stop("hospital, out of service", portal_url("hospital_detail", paused().code))
    yield Stop("status, leaving", joining.status_link(leaving()))
    gone = closed()
    yield Stop("status, closed", joining.status_link(gone))
    yield Stop("error 404, a hospital that has left", hospital_url(gone.slug, "home"), status=404)


def superadmin() -> Iterator[Stop]:
    """What the superadmin sees of them."""
    wrong, going, gone = (portal_url("queue_detail", hospital.code) for hospital in (paused(), leaving(), closed()))
    yield Stop("queue, closed", portal_url("queue") + "?status=closed")
    yield Stop("queue, out of service", portal_url("queue") + "?status=out-of-service")
    yield Stop("queue, leaving", portal_url("queue") + "?status=suspended&q=Gulmohar")
    yield Stop("queue, hospital out of service", wrong)
    yield Stop("queue, what went wrong", wrong, act=opened(".disclosure > summary", ".platform-error"))
    yield Stop("queue, hospital to be deleted", going)
    yield Stop("queue, calling the deletion off", going, act=opened("[data-dialog=call-off]", "dialog#call-off"))
    yield Stop("queue, hospital closed", gone)


def visitors_of_a_hospital() -> Iterator[Stop]:
    """What visitors of its site see."""
    yield Stop("error 503, out of service", hospital_url(paused().slug, "home"), status=503)
