"""Holding a time and booking it. Who gets a time is decided by the database, in the INSERT (models.Appointment)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import FamilyMember, User
from appointments.models import Appointment, Status, TokenCounter
from appointments.services import letters, paying, taking, times
from appointments.services.claiming import claim
from audit import services as audit
from audit.models import Action
from core import throttle
from core.errors import DomainError, Invalid, NotAllowedNow
from core.prepared import prepared
from core.queue import after_commit
from core.visits import VisitKind
from hospitals.models import BookingPolicy, Doctor, Staff
from patients.models import Patient
from patients.services import register
from tenants.models import Hospital

HOLD = timedelta(minutes=10)
_A_YEAR = timedelta(days=365)


class HoldOver(times.SlotTaken):
    """The time was not held any longer, and somebody else has it."""

    def __init__(self, *, next_free_at: datetime | None = None) -> None:
        super().__init__(
            _("We could not hold this time any longer, and it is no longer free. Choose another one."),
            next_free_at=next_free_at,
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
    """Keep a time for somebody for ten minutes. What the same holder held here before is given up then.

    `holder` is the code of a person or of a visitor's browser; `address`, of visitors, limits how many they may hold.
    Raises Invalid for a time that is not offered, SlotTaken, with the next one, for a time that somebody else has: then
    they keep what they held.
    """
    present = Appointment.objects.held(now).filter(holder=holder, doctor=doctor, starts_at=starts_at, kind=kind)
    found = present.first()
    if found:
        return found
    who = str(by.code) if by else address
    if who:  # a hold lasts as long as the window: nobody blocks more of a hospital's times than this
        throttle.hit("holds", "20/10minutes", str(hospital.code), who)
    with transaction.atomic():
        times.keep_hours(doctor)
        slot = times.offered_slot(hospital=hospital, doctor=doctor, starts_at=starts_at, kind=kind, now=now)
        visit = taking.fresh(doctor=doctor, slot=slot, kind=kind, status=Status.HELD)
        visit.holder, visit.held_until = holder, now + HOLD
        taken = not taking.take(hospital, visit, slot, now=now, holder=holder)
        if taken:
            transaction.set_rollback(True)
        else:
            audit.record(action=Action.VISIT_HELD, target=visit, by=by, actor=_visitor(by), new=visit.status)
            # Only now: two who swap what they hold would otherwise wait for each other.
            for earlier in Appointment.objects.filter(status=Status.HELD, holder=holder).exclude(pk=visit.pk).locked():
                taking.give_up(earlier, by=by)
            taking.tell_search(visit, now=now)
    if taken:
        raise times.taken_refusal(
            hospital=hospital, doctor=doctor, starts_at=starts_at, kind=kind, now=now, holder=holder
        )
    return visit


@transaction.atomic
def extend(*, visit: Appointment, holder: UUID, by: User | None, now: datetime) -> None:
    """Hold ten minutes longer: once, and only for who holds it."""
    mine = Appointment.objects.filter(pk=visit.pk, status=Status.HELD, holder=holder, is_hold_extended=False)
    if not mine.update(held_until=now + HOLD, is_hold_extended=True):
        raise NotAllowedNow(_("This time cannot be held any longer. Book it now, or choose another one."))
    visit.held_until, visit.is_hold_extended = now + HOLD, True
    audit.record(action=Action.VISIT_HOLD_EXTENDED, target=visit, by=by, actor=_visitor(by))
    after_commit("appointments.refresh_times", doctor_id=visit.doctor_id)


@transaction.atomic
def release(*, visit: Appointment, holder: UUID, by: User | None) -> None:
    """Give a held time up, so that others can have it at once. Doing it twice changes nothing."""
    for mine in Appointment.objects.filter(pk=visit.pk, status=Status.HELD, holder=holder).locked():
        taking.give_up(mine, by=by)


@transaction.atomic
def release_run_out(*, now: datetime) -> int:
    """Give up all holds of the hospital whose time is over; return how many. One that is being booked is passed over."""
    over = list(Appointment.objects.run_out(now).locked(skip_locked=True))
    for visit in over:
        taking.give_up(visit, by=None)
    return len(over)


# --- Booking ---------------------------------------------------------------------------------------------------------


def book_held(
    *, hospital: Hospital, visit: Appointment, holder: UUID, booking: Booking, by: User, now: datetime
) -> Appointment:
    """Make a visit of a held time; doing it twice answers the same visit.

    Even a hold that has run out still counts as long as nobody else wanted the time. Raises HoldOver when somebody has
    it, Invalid when the doctor cannot be booked then any more, and Conflict when the patient has another visit at that
    time, at whatever hospital.
    """
    require_may_book(booking.patient)
    slot: dict[str, Any] = {
        "hospital": hospital,
        "doctor": visit.doctor,
        "starts_at": visit.starts_at,
        "kind": VisitKind(visit.kind),
    }
    with transaction.atomic():
        times.keep_hours(visit.doctor)
        mine = Appointment.objects.filter(pk=visit.pk, holder=holder).locked().first()
        if mine is None:
            raise HoldOver
        if mine.status == Status.HELD:
            times.offered_slot(**slot, now=now, any_notice=True)
            to, columns = _terms(visit.fee, visit.kind, visit.starts_at, booking, by=by, now=now)
            # The hold itself is what is booked once: it needs no key.
            audit.move(visit, to, by=by, also=columns | {"idempotency_key": ""})
            _after_booking(hospital, visit, by=by, now=now)
            return visit
        if mine.status != Status.EXPIRED and mine.booked_by_id == by.pk:
            return mine
    try:
        return book(**slot, booking=booking, by=by, now=now)
    except times.SlotTaken as refusal:
        raise HoldOver(next_free_at=refusal.next_free_at) from None


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
    slot: dict[str, Any] = {"hospital": hospital, "doctor": doctor, "starts_at": starts_at, "kind": kind}
    try:
        return _book(**slot, booking=booking, by=by, now=now, any_notice=any_notice)
    except DomainError:
        # Perhaps because the same request was here before, or is at this moment. The database keeps keys apart, so that
        # nobody has to look first.
        done = _done(booking, by)
        if done:
            return _same(done, doctor, starts_at, kind, booking)
        raise


def _book(
    *,
    hospital: Hospital,
    doctor: Doctor,
    starts_at: datetime,
    kind: VisitKind,
    booking: Booking,
    by: User,
    now: datetime,
    any_notice: bool,
) -> Appointment:
    if not any_notice:
        require_may_book(booking.patient)
    with transaction.atomic():
        times.keep_hours(doctor)
        slot = times.offered_slot(
            hospital=hospital, doctor=doctor, starts_at=starts_at, kind=kind, now=now, any_notice=any_notice
        )
        to, columns = _terms(doctor.fees[kind], kind, starts_at, booking, by=by, now=now)
        visit = taking.fresh(doctor=doctor, slot=slot, kind=kind, status=to, **columns)
        taken = not taking.take(hospital, visit, slot, now=now, holder=by.code)
        if taken:
            transaction.set_rollback(True)
        else:
            audit.record(action=Action(f"appointment.{to}"), target=visit, by=by, new=to)
            _after_booking(hospital, visit, by=by, now=now)
    if not taken:
        return visit
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
    if not Staff.objects.working().filter(user=doctor.user_id).exists():
        raise Invalid(_("This doctor does not work here any more. Choose another doctor."), field="doctor")
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
    paying.charge(hospital=hospital, visit=visit, by=by, now=now)
    return visit


# --- The parts -------------------------------------------------------------------------------------------------------


def require_may_book(patient: Patient) -> None:
    """Refuse a patient whom the hospital lets book at the front desk only."""
    if patient.is_blocked:
        raise NotAllowedNow(_("You cannot book online at this hospital. Call the front desk, they will help you."))


def _terms(
    fee: Decimal,
    kind: str,
    starts_at: datetime,
    booking: Booking,
    *,
    by: User,
    now: datetime,
) -> tuple[Status, dict[str, Any]]:
    """The state a new visit is in, and the rules it is booked under."""
    [policy] = _policies()
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
    if not at_desk:
        pay_until = paying.pay_until(policy=policy, kind=kind, fee=fee, starts_at=starts_at, now=now)
        if pay_until:
            return Status.PENDING, columns | {"pay_until": pay_until}
    waits = policy.confirmation != BookingPolicy.Confirmation.AUTOMATIC and not at_desk
    if policy.confirmation == BookingPolicy.Confirmation.PAYMENT and not fee:
        waits = False  # nothing to pay
    if policy.no_show_limit and not at_desk and not waits:
        missed = booking.patient.appointments.filter(status=Status.NO_SHOW, starts_at__gte=now - _A_YEAR).count()
        waits = missed >= policy.no_show_limit
    return (Status.PENDING if waits else Status.CONFIRMED), columns


@prepared
def _policies() -> QuerySet[BookingPolicy]:
    return BookingPolicy.objects.all()


def _after_booking(hospital: Hospital, visit: Appointment, *, by: User, now: datetime) -> None:
    claim(hospital, visit, by=by)
    if visit.waits_for_payment:  # nobody is written to before it is paid
        paying.bill(hospital=hospital, visit=visit, by=by, now=now)
    else:
        letters.booked(hospital=hospital, visit=visit, by=by, now=now)
    taking.tell_search(visit, now=now)


def _visitor(by: User | None) -> str:
    return "" if by else _("A visitor")


def _done(booking: Booking, by: User) -> Appointment | None:
    """What this person's idempotency key has led to."""
    key = booking.idempotency_key
    return Appointment.objects.filter(booked_by=by, idempotency_key=key).first() if key else None


def _same(done: Appointment, doctor: Doctor, starts_at: datetime, kind: VisitKind, booking: Booking) -> Appointment:
    """What an idempotency key led to, if the same was asked for."""
    then = (done.doctor_id, done.starts_at, done.kind, done.patient_id, done.reason)
    if then != (doctor.pk, starts_at, kind, booking.patient.pk, booking.reason):
        raise Invalid(_("This idempotency key was used for another visit. Use a new one for every booking."))
    return done
