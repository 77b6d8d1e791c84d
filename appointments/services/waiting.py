"""The waitlist: who wants an earlier time, and whom a freed time is offered to.

A freed time is held for one person at a time, for a quarter of an hour: who was never asked before who was, and of
those the longest waiting first. Nobody is asked twice about the same time, so that asking comes to an end.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.timezone import now as clock
from django.utils.translation import gettext as _

from accounts.models import FamilyMember, User
from appointments.models import Appointment, Status, WaitlistEntry
from appointments.services import booking, letters, listing, moving, taking, times, tokens
from appointments.services.tokens import Purpose
from appointments.slots import Slot
from audit import services as audit
from audit.models import Action, AuditLog
from core import schemas
from core.errors import Conflict, Gone, Invalid, NotAllowedNow
from core.visits import VisitKind
from directory import services as directory
from hospitals.models import Doctor
from patients.models import Patient
from patients.services import register
from tenants.models import Hospital

OFFER = timedelta(minutes=15)
# A time that begins sooner is not offered: nobody would get there.
_SHORTEST = timedelta(minutes=30)
_FARTHEST = timedelta(days=180)
# For so long a freed time is offered again, in case the task that should have done it was lost.
_LOOK_BACK = timedelta(minutes=15)
_FREEING = [Action.VISIT_CANCELLED, Action.VISIT_RESCHEDULED, Action.VISIT_EXPIRED]

Entry = WaitlistEntry
Standing = WaitlistEntry.Status


@dataclass(frozen=True)
class Wish:
    """What somebody waits for: days, kinds of visit (none named is any), and the visit it would take the place of."""

    first_date: date
    last_date: date
    kinds: list[VisitKind]
    instead_of: Appointment | None = None


# --- Joining and leaving ---------------------------------------------------------------------------------------------


@transaction.atomic
def join(
    *, hospital: Hospital, doctor: Doctor, member: FamilyMember | None, wish: Wish, by: User, now: datetime
) -> WaitlistEntry:
    """Put somebody, or a member of their family, on a doctor's waitlist.

    Raises Invalid for days that are over or the wrong way round, and Conflict for somebody who waits already.
    """
    _require_days(hospital, wish, now)
    replaced = wish.instead_of
    if replaced and (not replaced.is_to_come or replaced.doctor_id != doctor.pk):
        raise Invalid(_("This appointment cannot be exchanged. Choose another one."), field="instead_of")
    patient = replaced.patient if replaced else register.for_person(user=by, member=member, by=by)
    assert patient  # noqa: S101  (appointment_has_patient)
    booking.require_may_book(patient)
    try:
        with transaction.atomic():
            entry = WaitlistEntry.objects.create(
                status=Standing.WAITING,
                doctor=doctor,
                patient=patient,
                added_by=by,
                first_date=wish.first_date,
                last_date=wish.last_date,
                visit_kinds=wish.kinds,
                instead_of=replaced,
                created_at=now,
            )
    except IntegrityError:
        raise Conflict(
            _("%(name)s is on this doctor’s waitlist already.") % {"name": patient.name}, field="who"
        ) from None
    audit.record(action=Action.WAITLIST_WAITING, target=entry, by=by, new=entry.status)
    return entry


def _require_days(hospital: Hospital, wish: Wish, now: datetime) -> None:
    today = now.astimezone(times.zone_of(hospital)).date()
    if wish.first_date < today:
        raise Invalid(_("Choose today or a later day."), field="first_date")
    if wish.last_date < wish.first_date:
        raise Invalid(_("Choose a day that is not before the first one."), field="last_date")
    if wish.last_date > today + _FARTHEST:
        raise Invalid(_("Choose a day within the next 180 days."), field="last_date")


@transaction.atomic
def withdraw(*, entry: WaitlistEntry, by: User) -> None:
    """Take somebody off the waitlist; a time that was just offered to them goes to the next."""
    row = Entry.objects.filter(pk=entry.pk).locked().select_related("offer").get()
    audit.move(row, Standing.WITHDRAWN, by=by)
    _give_up(row.offer, by=by)


# --- Offering a freed time -------------------------------------------------------------------------------------------


def freed(*, appointment_id: int, now: datetime) -> None:
    """A time is free again: offer it to who waits for it, and show in the search what is free. Safe to run twice."""
    visit = Appointment.objects.select_related("doctor__user", "doctor__schedule").filter(pk=appointment_id).first()
    if visit is None:
        return
    hospital = Hospital.objects.get(schema_name=schemas.active())
    offer(hospital=hospital, visit=visit, now=now)
    listing.refresh_times(doctor_id=visit.doctor_id, now=now)


def offer(*, hospital: Hospital, visit: Appointment, now: datetime) -> WaitlistEntry | None:
    """Hold the time that `visit` has given up for the next who waits for it; None if nobody does or it is taken."""
    for entry in Entry.objects.filter(offer=visit, status=Standing.OFFERED):
        _let_wait(entry, by=None)
    if visit.is_live or visit.busy is None:
        return None
    slots = _worth_offering(hospital, visit.doctor, visit.starts_at, visit.ends_at, now)
    # They have just given it up: it is not for them.
    return _ask(hospital, visit.doctor, slots[0], besides=visit.patient_id, now=now) if slots else None


def opened(*, doctor_id: int, since: datetime, until: datetime, now: datetime) -> None:
    """A doctor has hours where there were none: offer each of their times to one who waits."""
    doctor = Doctor.objects.select_related("user", "schedule").filter(pk=doctor_id).first()
    if doctor is None:
        return
    hospital = Hospital.objects.get(schema_name=schemas.active())
    for slot in _worth_offering(hospital, doctor, since, until, now):
        _ask(hospital, doctor, slot, besides=None, now=now)


def _worth_offering(hospital: Hospital, doctor: Doctor, since: datetime, until: datetime, now: datetime) -> list[Slot]:
    """Free slots of that stretch, as long as somebody waits and could still come."""
    if hospital.status != Hospital.Status.APPROVED or not Doctor.objects.bookable().filter(pk=doctor.pk).exists():
        return []
    if not Entry.objects.filter(doctor=doctor, status=Standing.WAITING).exists():
        return []
    zone = times.zone_of(hospital)
    first, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    # The offer must not outlast the shortest notice: who accepts in the last minute can still book.
    earliest = now + max(_SHORTEST, OFFER + timedelta(minutes=times.schedule_of(doctor).notice_minutes))
    free = times.free_slots(hospital=hospital, doctor=doctor, first=first, last=last, now=now)
    return [slot for slot in free if max(since, earliest) <= slot.starts_at < until]


def _ask(hospital: Hospital, doctor: Doctor, slot: Slot, *, besides: int | None, now: datetime) -> WaitlistEntry | None:
    for entry in _waiting_for(hospital, doctor, slot, besides):
        kind = _kind_for(entry, slot)
        if kind and _hold(hospital, entry, slot.starts_at, kind, now=now):
            return entry
    return None


def _waiting_for(hospital: Hospital, doctor: Doctor, slot: Slot, besides: int | None) -> Iterator[WaitlistEntry]:
    """Who may be asked about the time, in fair order; not the patient with the primary key `besides`."""
    day = slot.starts_at.astimezone(times.zone_of(hospital)).date()
    asked = Appointment.objects.filter(doctor=doctor, starts_at=slot.starts_at, status=Status.EXPIRED)
    waiting = (
        Entry.objects.filter(doctor=doctor, status=Standing.WAITING, first_date__lte=day, last_date__gte=day)
        .filter(patient__is_blocked=False)
        .exclude(code__in=asked.filter(holder__isnull=False).values("holder"))
        .exclude(patient=besides)
        .select_related("patient__user", "instead_of", "doctor__user", "doctor__schedule")
        .in_fair_order()
    )
    for entry in waiting:
        present = present_visit(entry)
        is_earlier = present is None or (present.is_to_come and slot.starts_at < present.starts_at)
        if is_earlier and not _is_busy_then(entry.patient, slot, present):
            yield entry


def present_visit(entry: WaitlistEntry) -> Appointment | None:
    """The visit they would give up for an earlier one, wherever it was moved since."""
    visit = entry.instead_of
    while visit is not None and visit.status == Status.RESCHEDULED:
        visit = Appointment.objects.select_related("doctor__user", "patient__user").get(rescheduled_from=visit)
    return visit


def _is_busy_then(patient: Patient, slot: Slot, present: Appointment | None) -> bool:
    if patient.user is None:
        return False
    person = patient.family_member or patient.user.code
    rival = directory.rival_of(person=person, starts_at=slot.starts_at, ends_at=slot.ends_at)
    return rival is not None and (present is None or rival.appointment != present.code)


def _kind_for(entry: WaitlistEntry, slot: Slot) -> VisitKind | None:
    """The first kind of visit that they want and that the slot is for."""
    wanted: Iterable[str] = [entry.instead_of.kind] if entry.instead_of else entry.visit_kinds or entry.doctor.kinds
    return next((VisitKind(kind) for kind in wanted if kind in slot.kinds), None)


@transaction.atomic
def _hold(hospital: Hospital, entry: WaitlistEntry, starts_at: datetime, kind: VisitKind, *, now: datetime) -> bool:
    """Hold the time and write to them; False if somebody was faster, or they have just left or been asked."""
    row = Entry.objects.filter(pk=entry.pk, status=Standing.WAITING).locked().first()
    if row is None:
        return False
    times.keep_hours(entry.doctor)
    try:
        slot = times.offered_slot(hospital=hospital, doctor=entry.doctor, starts_at=starts_at, kind=kind, now=now)
    except Invalid:  # the hours were changed at this very moment
        return False
    visit = taking.fresh(doctor=entry.doctor, slot=slot, kind=kind, status=Status.HELD)
    visit.holder, visit.held_until, visit.created_at = entry.code, now + OFFER, now
    if not taking.take(hospital, visit, slot, now=now):
        return False
    audit.record(action=Action.VISIT_HELD, target=visit, by=None, new=visit.status)
    audit.move(entry, Standing.OFFERED, by=None, also={"offer": visit, "asked_at": now})
    letters.offered(hospital=hospital, entry=entry, visit=visit, present=present_visit(entry))
    taking.tell_search(visit, now=now)
    return True


# --- Answering -------------------------------------------------------------------------------------------------------


def behind(*, token: str) -> WaitlistEntry:
    """Whom a link in an offer was written to. Raises Gone for one that is not whole or another hospital's."""
    slip = tokens.read(token)
    found = Entry.objects.select_related("doctor__user", "doctor__schedule", "patient__user", "offer", "instead_of")
    entry = found.filter(code=slip.code).first() if slip and slip.purpose == Purpose.OFFER else None
    if entry is None:
        raise Gone(
            _("This link is not complete, or another hospital wrote it. Copy the whole address from our message.")
        )
    return entry


def is_offer_open(entry: WaitlistEntry, now: datetime) -> bool:
    """Whether a time is held for them now."""
    hold = entry.offer
    is_held = hold is not None and hold.status == Status.HELD and hold.held_until is not None
    return entry.status == Standing.OFFERED and is_held and hold.held_until > now  # type: ignore[union-attr, operator]


@transaction.atomic
def accept(*, hospital: Hospital, entry: WaitlistEntry, by: User | None, now: datetime) -> Appointment:
    """Take the time that is offered, in place of the visit they have or as a new one. Doing it twice books once.

    `by` is None for somebody who used the link of their message without signing in.
    """
    row = _locked(entry)
    if row.status == Standing.BOOKED and row.offer:
        return row.offer
    hold = row.offer
    if hold is None or not is_offer_open(row, now):
        raise _offer_over(row)
    person = by or row.patient.user
    assert person  # noqa: S101  (who joins has an account)
    present = present_visit(row)
    if present and present.is_to_come:
        visit = moving.move(
            hospital=hospital,
            visit=present,
            starts_at=hold.starts_at,
            by=by,
            now=now,
            by_hospital=False,
            actor=row.patient.name,
            holder=row.code,
        )
    else:
        asked = booking.Booking(patient=row.patient)
        visit = booking.book_held(hospital=hospital, visit=hold, holder=row.code, booking=asked, by=person, now=now)
    audit.move(row, Standing.BOOKED, by=by, data=_who(row, by), also={"offer": visit})
    return visit


@transaction.atomic
def decline(*, entry: WaitlistEntry, by: User | None) -> None:
    """Not this time: they wait on, and the next one is asked. Doing it twice changes nothing."""
    row = _locked(entry)
    if row.status == Standing.OFFERED:
        _let_wait(row, by=by)
    elif row.status != Standing.WAITING:
        raise _offer_over(row)


def answer(*, hospital: Hospital, entry: WaitlistEntry, is_wanted: bool, by: User | None, now: datetime) -> None:
    """Take the time that is offered, or do not."""
    if is_wanted:
        accept(hospital=hospital, entry=entry, by=by, now=now)
    else:
        decline(entry=entry, by=by)


def _locked(entry: WaitlistEntry) -> WaitlistEntry:
    people = ("doctor__user", "doctor__schedule", "patient__user", "offer__doctor__user", "instead_of__patient__user")
    return Entry.objects.filter(pk=entry.pk).locked().select_related(*people).get()


def _offer_over(entry: WaitlistEntry) -> NotAllowedNow:
    if entry.status in (Standing.WAITING, Standing.OFFERED):
        return NotAllowedNow(_("We could not hold this time any longer. You are still on the waitlist."))
    return NotAllowedNow(audit.already(entry))


def _who(entry: WaitlistEntry, by: User | None) -> dict[str, str] | None:
    return None if by else {"by": str(entry.patient)}


@transaction.atomic
def _let_wait(entry: WaitlistEntry, *, by: User | None) -> None:
    """They did not take it: they wait on, and the time is given up, so that the next one is asked."""
    row = Entry.objects.filter(pk=entry.pk, status=Standing.OFFERED).locked().select_related("offer").first()
    if row is None:
        return
    hold = row.offer
    audit.move(row, Standing.WAITING, by=by, also={"offer": None})
    _give_up(hold, by=by)


def _give_up(hold: Appointment | None, *, by: User | None) -> None:
    if hold is None or hold.holder is None:
        return
    booking.release(visit=hold, holder=hold.holder, by=by)


# --- What the clock brings -------------------------------------------------------------------------------------------


def go_round(*, hospital: Hospital, now: datetime) -> None:
    """Pass on what nobody answered, close wishes whose days are over, and offer what became free a moment ago."""
    over = Q(offer__held_until__lte=now) | ~Q(offer__status=Status.HELD)
    for entry in Entry.objects.filter(over, status=Standing.OFFERED).select_related("offer"):
        _let_wait(entry, by=None)
    today = now.astimezone(times.zone_of(hospital)).date()
    for entry in Entry.objects.filter(status=Standing.WAITING, last_date__lt=today):
        _lapse(entry)
    for entry in Entry.objects.filter(status=Standing.WAITING, instead_of__isnull=False).select_related("instead_of"):
        present = present_visit(entry)
        if present and not present.is_to_come:  # there is nothing to exchange any more
            _lapse(entry)
    doctors = Entry.objects.filter(status=Standing.WAITING).values("doctor")
    if not doctors.exists():
        return
    rows = AuditLog.objects.filter(
        action__in=_FREEING, entity=Appointment._meta.label_lower, timestamp__gte=clock() - _LOOK_BACK
    )
    ids = [int(pk) for pk in rows.order_by("pk").values_list("entity_id", flat=True)]
    lately = Appointment.objects.filter(pk__in=ids, doctor__in=doctors, starts_at__gt=now)
    for visit in lately.select_related("doctor__user", "doctor__schedule").order_by("pk"):
        offer(hospital=hospital, visit=visit, now=now)


@transaction.atomic
def _lapse(entry: WaitlistEntry) -> None:
    row = Entry.objects.filter(pk=entry.pk, status=Standing.WAITING).locked().first()
    if row is not None:
        audit.move(row, Standing.LAPSED, by=None)
