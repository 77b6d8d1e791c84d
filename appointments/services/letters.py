"""What patients and doctors are written about visits.

No message says what somebody is treated for: neither department nor specialization nor reason stands in one, and what
staff wrote about a change is read on the visit's page, signed in. A doctor's letters do not name the patient.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import User
from appointments.models import Appointment, WaitlistEntry
from appointments.services import paying, weeks
from appointments.services.times import zone_of
from appointments.services.tokens import Purpose, address
from core.hosts import hospital_url
from core.money import shown
from core.visits import VisitKind
from hospitals.models import Doctor
from notifications import services as notifications
from notifications.services import Fact, Letter
from tenants.models import Hospital

_DAY = timedelta(days=1)
_INSTEAD = 3


# --- To patients, and to doctors with the same statement -------------------------------------------------------------


def booked(*, hospital: Hospital, visit: Appointment, by: User | None, now: datetime) -> None:
    """The visit is booked; whether it is confirmed, or has to be."""
    words = _words(hospital, visit)
    if visit.status == Appointment.Status.PENDING:
        subject = _("We have received your booking: %(hospital)s, %(day)s %(time)s") % words
        to_patient = _to_patient(
            hospital, visit, "visit_pending", subject, _changing(hospital, visit, now), is_secret=True
        )
        asked = _("A booking waits for you: %(day)s %(time)s") % words
        to_doctor = _to_doctor(hospital, visit, asked, "pending", by=by)
    else:
        subject = _("Your appointment at %(hospital)s, %(day)s %(time)s") % words
        to_patient = _to_patient(
            hospital, visit, "visit_booked", subject, _changing(hospital, visit, now), is_secret=True
        )
        to_doctor = _soon(hospital, visit, _("Booked: %(day)s %(time)s") % words, "booked", by=by, now=now)
    _write(hospital, [*to_patient, *to_doctor])


def confirmed(*, hospital: Hospital, visit: Appointment) -> None:
    """The hospital has confirmed the visit."""
    subject = _("Confirmed: your appointment at %(hospital)s, %(day)s %(time)s") % _words(hospital, visit)
    _write(
        hospital, _to_patient(hospital, visit, "visit_confirmed", subject, _changing(hospital, visit), is_secret=True)
    )


def moved(*, hospital: Hospital, visit: Appointment, old: Appointment, by: User | None, now: datetime) -> None:
    """The visit has another time."""
    words = _words(hospital, visit)
    subject = _("Moved: your appointment at %(hospital)s is now %(day)s %(time)s") % words
    before = {"old_when": _when(hospital, old.starts_at), **_changing(hospital, visit, now)}
    letters = _to_patient(hospital, visit, "visit_moved", subject, before, is_secret=True)
    away = _("Moved away: %(day)s %(time)s") % _words(hospital, old)
    if old.doctor_id != visit.doctor_id:
        letters += _soon(hospital, old, away, "moved_away", by=by, now=now)
        letters += _soon(hospital, visit, _("Booked: %(day)s %(time)s") % words, "booked", by=by, now=now)
    elif _is_soon(hospital, visit, now):
        letters += _to_doctor(hospital, visit, _("Moved to %(day)s %(time)s") % words, "moved", by=by)
    else:
        letters += _soon(hospital, old, away, "moved_away", by=by, now=now)
    _write(hospital, letters)


def cancelled(*, hospital: Hospital, visit: Appointment, by: User | None, now: datetime) -> None:
    """The visit will not be: who cancelled it, what that costs, and how to find another time."""
    words = _words(hospital, visit)
    subject = _("Cancelled: your appointment at %(hospital)s, %(day)s %(time)s") % words
    context: Mapping[str, Fact] = {
        "by_hospital": visit.cancelled_by_hospital,
        "money": money_of(visit),
        "link": _again(hospital, visit),
    }
    letters = _to_patient(hospital, visit, "visit_cancelled", subject, context)
    letters += _soon(hospital, visit, _("Cancelled: %(day)s %(time)s") % words, "cancelled", by=by, now=now)
    _write(hospital, letters)


def missed(*, hospital: Hospital, visit: Appointment) -> None:
    """The patient did not come."""
    subject = _("You missed your appointment at %(hospital)s, %(day)s %(time)s") % _words(hospital, visit)
    context = {"money": money_of(visit), "link": _again(hospital, visit)}
    _write(hospital, _to_patient(hospital, visit, "visit_missed", subject, context))


def too_late(*, hospital: Hospital, visit: Appointment, now: datetime) -> None:
    """The payment came when the time had gone to somebody else: it goes back, and these times are free."""
    subject = _("Your payment came too late: %(hospital)s, %(day)s %(time)s") % _words(hospital, visit)
    context = {
        "money": money_of(visit),
        "instead": [
            (_when(hospital, time.starts_at), _time(hospital, visit, time)) for time in _free(hospital, visit, now)
        ],
        "link": _again(hospital, visit),
    }
    _write(hospital, _to_patient(hospital, visit, "visit_too_late", subject, context))


def remind_day(*, hospital: Hospital, visit: Appointment, now: datetime) -> None:
    """A day before the visit: that it is coming, and whether they will come."""
    subject = _("Reminder: %(hospital)s, %(day)s %(time)s") % _words(hospital, visit)
    has_answered = visit.patient_confirmed_at is not None
    context = {
        **_changing(hospital, visit, now),
        "has_answered": has_answered,
        "link": "" if has_answered else address(hospital=hospital, purpose=Purpose.COMES, code=visit.code),
    }
    _write(hospital, _to_patient(hospital, visit, "visit_reminder_day", subject, context, is_secret=True))


def remind_hour(*, hospital: Hospital, visit: Appointment, now: datetime) -> None:
    """An hour before the visit."""
    subject = _("Soon: your appointment at %(hospital)s, %(day)s %(time)s") % _words(hospital, visit)
    _write(
        hospital, _to_patient(hospital, visit, "visit_reminder_hour", subject, {"link": _visit_page(hospital, visit)})
    )


def offered(*, hospital: Hospital, entry: WaitlistEntry, visit: Appointment, present: Appointment | None) -> None:
    """A time has become free and is held for somebody who waits, perhaps in place of their `present` visit."""
    assert visit.held_until  # noqa: S101  (appointment_hold_has_holder)
    words = _words(hospital, visit)
    context = {
        "until": f"{visit.held_until.astimezone(zone_of(hospital)):%H:%M}",
        "old_when": _when(hospital, present.starts_at) if present else "",
        "link": address(hospital=hospital, purpose=Purpose.OFFER, code=entry.code),
    }
    subject = _("A time is free at %(hospital)s: %(day)s %(time)s") % words
    visit.patient = entry.patient  # for the letter alone: a hold has no patient yet
    letters = _to_patient(hospital, visit, "waitlist_offer", subject, context, is_secret=True)
    visit.patient = None
    _write(hospital, letters)


# --- To doctors alone ------------------------------------------------------------------------------------------------


def morning_list(*, hospital: Hospital, doctor: Doctor, visits: Sequence[Appointment], day: date) -> None:
    """A doctor's day, in the morning: times and kinds of visit, no names."""
    zone = zone_of(hospital)
    context = {
        "hospital_name": hospital.name,
        "day": date_format(day, "l j F"),
        "visits": [(f"{visit.starts_at.astimezone(zone):%H:%M}", visit.get_kind_display()) for visit in visits],
        "link": _todays_page(hospital),
    }
    subject = _("Your day at %(hospital)s, %(day)s") % {"hospital": hospital.name, "day": date_format(day, "D j M")}
    _write(hospital, [Letter(doctor.user.email, doctor.name, "morning_list", subject, context)])


# --- The parts -------------------------------------------------------------------------------------------------------


def _write(hospital: Hospital, letters: Sequence[Letter]) -> None:
    if letters:
        notifications.notify_all(letters=letters, brand_name=hospital.name, accent=hospital.accent)


def _to_patient(
    hospital: Hospital,
    visit: Appointment,
    template: str,
    subject: str,
    context: Mapping[str, Fact],
    *,
    is_secret: bool = False,
) -> list[Letter]:
    """A letter to the patient, or to whose account it is; none for somebody without an e-mail address."""
    patient = visit.patient
    to_address = patient.email or (patient.user.email if patient.user else "") if patient else ""
    if not patient or not to_address:
        return []
    when = _when(hospital, visit.starts_at)
    details = [
        (_("When"), when),
        (_("Doctor"), visit.doctor.name),
        (_("Kind of visit"), str(VisitKind(visit.kind).label)),
    ]
    if visit.kind == VisitKind.IN_PERSON:
        details.append((_("Where"), ", ".join([*hospital.address.split("\n"), hospital.city])))
    if visit.status != Appointment.Status.HELD:
        details.append((_("Reference"), visit.reference))
    about = {
        "hospital_name": hospital.name,
        "hospital_phone": str(hospital.phone_number),
        "doctor_name": visit.doctor.name,
        "when": when,
        "details": details,
        **context,
    }
    return [Letter(to_address, patient.name, template, subject, about, is_secret=is_secret)]


def _to_doctor(hospital: Hospital, visit: Appointment, subject: str, news: str, *, by: User | None) -> list[Letter]:
    """A short notice to the doctor, unless it was the doctor who did it."""
    doctor = visit.doctor
    if by is not None and by.pk == doctor.user_id:
        return []
    context = {
        "hospital_name": hospital.name,
        "news": news,
        "when": _when(hospital, visit.starts_at),
        "kind": str(VisitKind(visit.kind).label),
        "link": _todays_page(hospital),
    }
    return [Letter(doctor.user.email, doctor.name, "visit_doctor", subject, context)]


def _soon(
    hospital: Hospital, visit: Appointment, subject: str, news: str, *, by: User | None, now: datetime
) -> list[Letter]:
    """The same for a visit of today or tomorrow only: later ones the doctor sees in the morning."""
    return _to_doctor(hospital, visit, subject, news, by=by) if _is_soon(hospital, visit, now) else []


def _is_soon(hospital: Hospital, visit: Appointment, now: datetime) -> bool:
    zone = zone_of(hospital)
    return visit.ends_at > now and visit.starts_at.astimezone(zone).date() <= now.astimezone(zone).date() + _DAY


def _words(hospital: Hospital, visit: Appointment) -> dict[str, str]:
    starts = visit.starts_at.astimezone(zone_of(hospital))
    return {"hospital": hospital.name, "day": date_format(starts, "D j M"), "time": f"{starts:%H:%M}"}


def _when(hospital: Hospital, moment: datetime) -> str:
    return date_format(moment.astimezone(zone_of(hospital)), "l j F, H:i")


def _changing(hospital: Hospital, visit: Appointment, now: datetime | None = None) -> Mapping[str, Fact]:
    """The visit's page, the links by which somebody moves or cancels it, and until when that costs nothing."""
    until = visit.free_cancellation_until if visit.late_cancellation_percent and visit.fee else None
    return {
        "link": _visit_page(hospital, visit),
        "move_link": address(hospital=hospital, purpose=Purpose.MOVE, code=visit.code),
        "cancel_link": address(hospital=hospital, purpose=Purpose.CANCEL, code=visit.code),
        "free_until": _when(hospital, until) if until and now and until > now else "",
    }


def _visit_page(hospital: Hospital, visit: Appointment) -> str:
    """The visit's page, for somebody with an account; nothing for a patient of the front desk."""
    if visit.patient is None or visit.patient.user_id is None:
        return ""
    return hospital_url(hospital.slug, "visit_detail", visit.code)


def _again(hospital: Hospital, visit: Appointment) -> str:
    """Where another time of the same doctor is found."""
    return hospital_url(hospital.slug, "doctor_page", visit.doctor.code)


def _free(hospital: Hospital, visit: Appointment, now: datetime) -> list[weeks.Time]:
    """Times of the same doctor that can be had instead."""
    if not Doctor.objects.bookable().filter(pk=visit.doctor_id).exists():
        return []
    wanted, kind = max(visit.starts_at, now), VisitKind(visit.kind)
    return weeks.times_like(hospital=hospital, doctor=visit.doctor, kind=kind, wanted=wanted, now=now, limit=_INSTEAD)


def _time(hospital: Hospital, visit: Appointment, time: weeks.Time) -> str:
    """The doctor's page with this time chosen."""
    return f"{_again(hospital, visit)}?{urlencode({'kind': visit.kind, 'at': time.value})}"


def _todays_page(hospital: Hospital) -> str:
    return hospital_url(hospital.slug, "today")


def money_of(visit: Appointment) -> str:
    """What is charged or paid back for a visit that was cancelled or missed."""
    money = paying.money_of(visit)
    words = {"kept": shown(money.kept), "back": shown(money.refund), "due": shown(money.due)}
    if money.due:
        return _("By the rules of this booking a fee of %(due)s is due.") % words
    if money.refund and money.kept:
        return _("By the rules of this booking the hospital keeps %(kept)s. You get %(back)s back.") % words
    if money.refund:
        return _("You get %(back)s back.") % words
    if money.kept:
        return _("By the rules of this booking the hospital keeps the fee of %(kept)s.") % words
    return _("Nothing is charged.")
