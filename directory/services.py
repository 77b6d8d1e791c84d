"""Keeping the index true. Called by hospitals in the transaction of the change."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction
from psycopg2.extras import DateTimeTZRange

from accounts.models import User
from core.visits import VisitKind
from directory.models import DepartmentListing, DoctorListing, HospitalListing, TakenTime
from tenants.models import Hospital


@dataclass(frozen=True)
class ListedDepartment:
    """What the portal needs to know of a department."""

    code: UUID
    name: str
    slug: str


@transaction.atomic
def publish(*, hospital: Hospital, departments: Callable[[], Iterable[ListedDepartment]]) -> HospitalListing:
    """Show the hospital with its departments on the portal, replacing what was shown before.

    `departments` reads them. It is called once the listing is locked: of two changes at once the second then sees what
    the first has committed, and neither is lost.
    """
    HospitalListing.objects.get_or_create(hospital=hospital)
    listing = HospitalListing.objects.locked().get(hospital=hospital)
    shown = sorted(departments(), key=lambda department: department.name.lower())
    words = [hospital.name, hospital.city, hospital.get_state_display(), *(d.name for d in shown)]
    listing.is_published = True
    listing.search_text = " ".join(words).lower()
    listing.save(update_fields=["is_published", "search_text"])
    DepartmentListing.objects.filter(listing=listing).delete()
    DepartmentListing.objects.bulk_create(
        DepartmentListing(listing=listing, code=d.code, name=d.name, slug=d.slug) for d in shown
    )
    return listing


def withdraw(*, hospital: Hospital) -> None:
    """Take the hospital off the portal; `publish` brings it back."""
    HospitalListing.objects.filter(hospital=hospital).update(is_published=False)


# --- Doctors ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ListedDoctor:
    """What the portal needs to know of a doctor. A fee of None means that this kind of visit is not offered."""

    code: UUID
    name: str
    specialization: str
    department: str
    qualifications: str
    experience_years: int | None
    languages: list[str]
    fee_in_person: Decimal | None
    fee_video: Decimal | None
    fee_chat: Decimal | None
    photo_thumb: str


@dataclass(frozen=True)
class FreeTime:
    """A time that can be booked, and the kinds of visit it can be booked for."""

    starts_at: datetime
    kinds: frozenset[VisitKind]


def publish_doctor(*, hospital: Hospital, doctor: ListedDoctor) -> None:
    """Show a doctor in the search, in the transaction of the change. Free times that are shown already stay."""
    columns = {field.name: getattr(doctor, field.name) for field in fields(doctor) if field.name != "code"}
    fees = {kind: getattr(doctor, f"fee_{kind}") for kind in VisitKind}
    offered = {kind: fee for kind, fee in fees.items() if fee is not None}
    words = [doctor.name, doctor.specialization, doctor.department, hospital.name, hospital.city]
    columns |= {
        "hospital": hospital,
        "city": hospital.city,
        "kinds": [str(kind) for kind in offered],
        "lowest_fee": min(offered.values(), default=None),
        "search_text": " ".join(words).lower(),
        "is_published": True,
    }
    DoctorListing.objects.update_or_create(code=doctor.code, defaults=columns)


def withdraw_doctor(*, code: UUID) -> None:
    """Take a doctor out of the search; `publish_doctor` brings them back."""
    DoctorListing.objects.filter(code=code).update(is_published=False)


def show_times(*, code: UUID, times: list[FreeTime], stale_at: datetime | None) -> None:
    """Say when a doctor is free next, `times` in order, and when that has to be worked out anew."""
    firsts = {kind: next((t.starts_at for t in times if kind in t.kinds), None) for kind in VisitKind}
    DoctorListing.objects.filter(code=code).update(
        free_times=[f"{t.starts_at:%Y-%m-%dT%H:%MZ} {' '.join(sorted(t.kinds))}" for t in times],
        next_free_at=times[0].starts_at if times else None,
        stale_at=stale_at,
        **{f"next_{kind}_at": first for kind, first in firsts.items()},
    )


# --- When a person has a visit, anywhere -----------------------------------------------------------------------------


def claim_time(
    *, user: User, person: UUID, hospital: Hospital, appointment: UUID, starts_at: datetime, ends_at: datetime
) -> bool:
    """Note a person's visit, unless they have another one at that time, at whatever hospital; tell whether it was."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TakenTime._meta.db_table} "  # noqa: S608
            "(user_id, person, hospital_id, appointment, period, is_live) VALUES (%s, %s, %s, %s, tstzrange(%s, %s), true) "
            "ON CONFLICT DO NOTHING RETURNING id",
            [user.pk, person, hospital.pk, appointment, starts_at, ends_at],
        )
        return cursor.fetchone() is not None


def rival_of(*, person: UUID, starts_at: datetime, ends_at: datetime) -> TakenTime | None:
    """The visit of the person that overlaps this time, if there is one."""
    period = DateTimeTZRange(starts_at, ends_at)
    return (
        TakenTime.objects.select_related("hospital").filter(person=person, is_live=True, period__overlap=period).first()
    )


def end_time(*, appointment: UUID) -> None:
    """The visit no longer takes the person's time: it is over, or will not be."""
    TakenTime.objects.filter(appointment=appointment, is_live=True).update(is_live=False)
