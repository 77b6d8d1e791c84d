"""Holding a time and booking it. Who gets a time is decided by the database, in the INSERT (models.Appointment)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from psycopg2.extras import DateTimeTZRange, NumericRange

from accounts.models import FamilyMember, User
from appointments.models import Appointment, Schedule, Status, TokenCounter
from appointments.services import letters, times
from appointments.slots import Slot
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import Conflict, Invalid, NotAllowedNow
from core.queue import after_commit
from core.visits import VisitKind
from directory import services as directory
from hospitals.models import BookingPolicy, Doctor
from patients.models import Patient
from patients.services import register
from tenants.models import Hospital

HOLD = timedelta(minutes=10)
_A_YEAR = timedelta(days=365)


class HoldOver(Conflict):
    """The time was not held any longer, and somebody else has it."""

    def __init__(self) -> None:
        super().__init__(
            _("We could not hold this time any longer, and it is no longer free. Choose another one."),
            field="starts_at",
        )


@dataclass(frozen=True)
class Booking:
    """Whom a visit is for and why. `idempotency_key` is the client's: asked twice with one key, the visit is booked once."""

    patient: Patient
    reason: str = ""
    source: Appointment.Source = Appointment.Source.WEB
    idempotency_key: str = ""


# --- Holding ---------------------------------------------------------------------------------------------------------


def hold(
    *,
    hospital: Hospital,
    doctor: Doctor,
    starts_at: datetime,
    kind: VisitKind,
    holder: UUID,
    by: User | None,
    now: datetime,
    address: str = "",
) -> Appointment:
    """Keep a time for somebody for ten minutes. What the same holder held here before is given up.

    `holder` is the code of a person or of a visitor's browser; `address`, of visitors, limits how many they may hold.
    Raises Invalid for a time that is not offered, SlotTaken, with the next one, for a time that somebody else has.
    """
    if by is None:
        throttle.hit("holds of visitors", "40/hour", address)
    present = Appointment.objects.held(now).filter(holder=holder, doctor=doctor, starts_at=starts_at, kind=kind)
    found = present.first()
    if found:
        return found
    slot = times.offered_slot(hospital=hospital, doctor=doctor, starts_at=starts_at, kind=kind, now=now)
    with transaction.atomic():
        for earlier in Appointment.objects.filter(status=Status.HELD, holder=holder).locked():
            _give_up(earlier, by=by)
        visit = fresh(doctor=doctor, slot=slot, kind=kind, status=Status.HELD)
        visit.holder, visit.held_until = holder, now + HOLD
        taken = not take(hospital, visit, slot, now=now)
        if not taken:
            audit.record(
                action=Action.VISIT_HELD, target=visit, by=by, actor="" if by else _("A visitor"), new=visit.status
            )
            after_commit("appointments.refresh_times", doctor_id=doctor.pk)
    if taken:  # what was held before stays given up: it was another time that they wanted
        raise times.taken_refusal(
            hospital=hospital, doctor=doctor, starts_at=starts_at, kind=kind, now=now, holder=holder
        )
    return visit


def held_by(*, holder: UUID, now: datetime) -> Appointment | None:
    """The time somebody holds here, found again when they come back."""
    held = Appointment.objects.held(now).filter(holder=holder)
    return held.select_related("doctor__user", "department").order_by("-pk").first()


@transaction.atomic
def extend(*, visit: Appointment, holder: UUID, by: User | None, now: datetime) -> None:
    """Hold ten minutes longer: once, and only for who holds it."""
    mine = Appointment.objects.filter(pk=visit.pk, status=Status.HELD, holder=holder, is_hold_extended=False)
    if not mine.update(held_until=now + HOLD, is_hold_extended=True):
        raise NotAllowedNow(_("This time cannot be held any longer. Book it now, or choose another one."))
    visit.held_until, visit.is_hold_extended = now + HOLD, True
    audit.record(action=Action.VISIT_HOLD_EXTENDED, target=visit, by=by, actor="" if by else _("A visitor"))
    after_commit("appointments.refresh_times", doctor_id=visit.doctor_id)


@transaction.atomic
def release(*, visit: Appointment, holder: UUID, by: User | None) -> None:
    """Give a held time up, so that others can have it at once. Doing it twice changes nothing."""
    for mine in Appointment.objects.filter(pk=visit.pk, status=Status.HELD, holder=holder).locked():
        _give_up(mine, by=by)


@transaction.atomic
def release_run_out(*, now: datetime) -> int:
    """Give up all holds of the hospital whose time is over; return how many. Bookers do not wait for it."""
    over = list(Appointment.objects.run_out(now).locked())
    for visit in over:
        _give_up(visit, by=None)
    return len(over)


def _give_up(visit: Appointment, *, by: User | None) -> None:
    audit.move(visit, Status.EXPIRED, by=by)
    after_commit("appointments.time_freed", appointment_id=visit.pk)


# --- Booking ---------------------------------------------------------------------------------------------------------


def book_held(
    *, hospital: Hospital, visit: Appointment, holder: UUID, booking: Booking, by: User, now: datetime
) -> Appointment:
    """Make a visit of a held time. Even a hold that has run out still counts as long as nobody else wanted the time.

    Raises HoldOver, and Conflict when the patient has another visit at that time, at whatever hospital.
    """
    with transaction.atomic():
        if visit.holder != holder or visit.status != Status.HELD:
            raise HoldOver
        _require_may_book(booking.patient)
        to, columns = _terms(hospital, visit.doctor, visit.kind, visit.starts_at, booking, by=by, now=now)
        won = Appointment.objects.filter(pk=visit.pk, status=Status.HELD, holder=holder).locked().first()
        if won is None:
            raise HoldOver
        audit.move(visit, to, by=by, also=columns)
        _after_booking(hospital, visit, by=by)
    return visit


def book(
    *,
    hospital: Hospital,
    doctor: Doctor,
    starts_at: datetime,
    kind: VisitKind,
    booking: Booking,
    by: User,
    now: datetime,
    any_notice: bool = False,
) -> Appointment:
    """Book a time that was not held before, in one step: for the API and the front desk (`any_notice`).

    Raises Invalid for a time that is not offered, SlotTaken, with the next one, for a time that somebody else has, and
    Conflict when the patient has another visit then. With an idempotency key that was used, answers what it led to.
    """
    if booking.idempotency_key:
        done = Appointment.objects.filter(booked_by=by, idempotency_key=booking.idempotency_key).first()
        if done:
            return _same(done, doctor, starts_at)
    if not any_notice:
        _require_may_book(booking.patient)
    slot = times.offered_slot(
        hospital=hospital, doctor=doctor, starts_at=starts_at, kind=kind, now=now, any_notice=any_notice
    )
    with transaction.atomic():
        to, columns = _terms(hospital, doctor, kind, starts_at, booking, by=by, now=now)
        visit = fresh(doctor=doctor, slot=slot, kind=kind, status=to, **columns)
        taken = not take(hospital, visit, slot, now=now)
        if not taken:
            audit.record(action=Action(f"appointment.{to}"), target=visit, by=by, new=to)
            _after_booking(hospital, visit, by=by)
    if not taken:
        return visit
    if booking.idempotency_key:  # perhaps by the same request, sent twice at once
        done = Appointment.objects.filter(booked_by=by, idempotency_key=booking.idempotency_key).first()
        if done:
            return _same(done, doctor, starts_at)
    raise times.taken_refusal(hospital=hospital, doctor=doctor, starts_at=starts_at, kind=kind, now=now, holder=by.code)


def patient_of(*, user: User, member: FamilyMember | None) -> Patient:
    """The person's entry here, or their family member's, made at the first booking."""
    return register.for_person(user=user, member=member, by=user)


@transaction.atomic
def walk_in(
    *, hospital: Hospital, doctor: Doctor, patient: Patient, reason: str, by: User, now: datetime
) -> Appointment:
    """Take somebody into today's queue who has no booking: they get a token at once and wait between the booked."""
    kind = VisitKind.IN_PERSON
    if kind not in doctor.kinds:
        raise Invalid(_("This doctor does not see patients in person. Choose another doctor."), field="doctor")
    today = now.astimezone(times.zone_of(hospital)).date()
    visit = Appointment(
        doctor=doctor,
        department_id=doctor.department_id,
        patient=patient,
        kind=kind,
        source=Appointment.Source.WALK_IN,
        status=Status.CHECKED_IN,
        starts_at=now,
        ends_at=now + timedelta(minutes=times.schedule_of(doctor).slot_minutes),
        fee=doctor.fees[kind],
        reason=reason,
        booked_at=now,
        booked_by=by,
        token=TokenCounter.take(doctor, today),
        token_date=today,
        checked_in_at=now,
    )
    visit.save(force_insert=True)
    audit.record(action=Action.VISIT_CHECKED_IN, target=visit, by=by, new=visit.status)
    return visit


# --- The parts -------------------------------------------------------------------------------------------------------


def fresh(*, doctor: Doctor, slot: Slot, kind: VisitKind, status: str, **columns: Any) -> Appointment:
    """A visit in this slot that is not written yet."""
    columns.setdefault("fee", doctor.fees[kind])
    return Appointment(
        doctor=doctor,
        department_id=doctor.department_id,
        kind=kind,
        status=status,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        busy=DateTimeTZRange(slot.busy_from, slot.busy_until),
        **columns,
    )


def take(hospital: Hospital, visit: Appointment, slot: Slot, *, now: datetime) -> bool:
    """Write the visit into a free place of its slot; tell whether there was one. Holds that ran out do not count."""
    if not _is_day_open(hospital, visit, now=now):
        return False
    if _insert(visit, _places(slot)):
        return True
    in_the_way = Appointment.objects.run_out(now).filter(doctor=visit.doctor, busy__overlap=visit.busy)
    over = list(in_the_way.locked())
    for rival in over:
        _give_up(rival, by=None)
    return bool(over) and _insert(visit, _places(slot))


def _places(slot: Slot) -> list[NumericRange]:
    """What a visit in this slot may take: all of an ordinary one; of one that is shared, each place in turn."""
    if slot.capacity == 1:
        return [NumericRange(1, None)]
    return [NumericRange(place, place + 1) for place in range(1, slot.capacity + 1)]


def _insert(visit: Appointment, places: Iterable[NumericRange]) -> bool:
    for place in places:
        visit.places = place
        if Appointment.objects.insert_if_free(visit):
            return True
    return False


def _is_day_open(hospital: Hospital, visit: Appointment, *, now: datetime) -> bool:
    """Whether the doctor's day is not full. With a limit, bookers of one doctor go one after another."""
    schedule = times.schedule_of(visit.doctor)
    if schedule.max_per_day is None:
        return True
    Schedule.objects.select_for_update(of=("self",)).get(pk=schedule.pk)
    zone = times.zone_of(hospital)
    since, until = times.instants_of(visit.starts_at.astimezone(zone).date(), zone)
    live = Appointment.objects.live().between(since, until).filter(doctor=visit.doctor, busy__isnull=False)
    return live.exclude(pk__in=Appointment.objects.run_out(now).values("pk")).count() < schedule.max_per_day


def _require_may_book(patient: Patient) -> None:
    if patient.is_blocked:
        raise NotAllowedNow(_("You cannot book online at this hospital. Call the front desk, they will help you."))


def _terms(
    hospital: Hospital,
    doctor: Doctor,
    kind: str,
    starts_at: datetime,
    booking: Booking,
    *,
    by: User,
    now: datetime,
) -> tuple[Status, dict[str, Any]]:
    """The state a new visit is in, and the rules it is booked under."""
    policy = BookingPolicy.objects.get()
    columns = {
        "patient": booking.patient,
        "reason": booking.reason,
        "source": booking.source,
        "idempotency_key": booking.idempotency_key,
        "booked_at": now,
        "booked_by": by,
        "free_cancellation_until": starts_at - policy.free_cancellation,
        "late_cancellation_percent": policy.late_cancellation_percent,
        "no_show_percent": policy.no_show_percent,
    }
    at_desk = booking.source == Appointment.Source.DESK
    waits = policy.confirmation != BookingPolicy.Confirmation.AUTOMATIC and not at_desk
    if policy.confirmation == BookingPolicy.Confirmation.PAYMENT and not doctor.fees.get(VisitKind(kind)):
        waits = False  # nothing to pay
    if policy.no_show_limit and not at_desk and not waits:
        missed = booking.patient.appointments.filter(status=Status.NO_SHOW, starts_at__gte=now - _A_YEAR).count()
        waits = missed >= policy.no_show_limit
    return (Status.PENDING if waits else Status.CONFIRMED), columns


def _after_booking(hospital: Hospital, visit: Appointment, *, by: User) -> None:
    claim(hospital, visit)
    letters.booked(hospital=hospital, visit=visit)
    after_commit("appointments.refresh_times", doctor_id=visit.doctor_id)


def claim(hospital: Hospital, visit: Appointment) -> None:
    """Note the visit among the person's visits at all hospitals. Raises Conflict when they have another one then."""
    patient = visit.patient
    if patient is None or patient.user is None:
        return
    person = patient.family_member or patient.user.code
    period = {"starts_at": visit.starts_at, "ends_at": visit.ends_at}
    if directory.claim_time(user=patient.user, person=person, hospital=hospital, appointment=visit.code, **period):
        return
    rival = directory.rival_of(person=person, **period)
    zone = times.zone_of(hospital)
    if rival is None:
        raise Conflict(_("This visit was booked at this very moment. Look at it again."))
    raise Conflict(
        _("%(name)s has another visit at that time: %(hospital)s at %(time)s. Move or cancel that one first.")
        % {
            "name": patient.name,
            "hospital": rival.hospital.name,
            "time": f"{cast(datetime, rival.period.lower).astimezone(zone):%H:%M}",
        },
        field="starts_at",
    )


def _same(done: Appointment, doctor: Doctor, starts_at: datetime) -> Appointment:
    """What an idempotency key led to, if the same was asked for."""
    if done.doctor_id != doctor.pk or done.starts_at != starts_at:
        raise Invalid(_("This idempotency key was used for another visit. Use a new one for every booking."))
    return done
