"""What patients and doctors are written about visits, and what never stands in a message."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from accounts.services import family
from appointments.models import Appointment, Status, WaitlistEntry
from appointments.services import booking, day, letters, moving, times
from core.schemas import schema_context
from core.visits import VisitKind
from hospitals.models import BookingPolicy, Department, Doctor
from notifications.models import ABOUT_VISITS, Notification
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.accounts.supporting import arrived, ask, text
from tests.appointments.mail import letter, link_in
from tests.appointments.money import pay_at_desk
from tests.conftest import browser
from tests.factories import at, visit

Payment = Appointment.PaymentStatus


def move(hospital: Hospital, old: Appointment, clock: str, by: User | None = None, days: int = 1) -> Appointment:
    return moving.move(
        hospital=hospital, visit=old, starts_at=at(hospital, clock, days), by=by, now=now(), by_hospital=False
    )


def cancel(hospital: Hospital, booked: Appointment, *, by: User | None = None, by_hospital: bool = False) -> None:
    day.cancel(hospital=hospital, visit=booked, by=by, reason="", now=now(), by_hospital=by_hospital)


# --- To patients -----------------------------------------------------------------------------------------------------


def test_a_booking_is_answered_with_all_one_needs_to_come(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha, days=3)
    message = letter("visit_booked")
    starts = at(in_cedar, "10:00", 3)
    assert message.to_address == asha.email
    assert message.subject == f"Your appointment at Cedar Hospital, {starts:%a} {starts.day} {starts:%b} 10:00"
    for words in (f"{starts:%A} {starts.day} {starts:%B}, 10:00", "Vikram Rao", "In person", booked.reference):
        assert words in message.text
        assert words in message.html
    assert "12 Lake Road, Kothrud, Pune" in message.text
    assert link_in(message, "See your appointment") == f"/visits/{booked.code}/"


def test_a_visit_by_video_names_no_place(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booking.book(
        hospital=in_cedar,
        doctor=rao,
        starts_at=at(in_cedar, "10:00"),
        kind=VisitKind.VIDEO,
        booking=booking.Booking(patient=factories.patient(asha)),
        by=asha,
        now=now(),
    )
    assert "Lake Road" not in letter("visit_booked").text


def test_times_are_those_of_the_hospitals_clocks(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    Hospital.objects.update(time_zone="America/New_York")
    in_cedar.refresh_from_db()
    visit(in_cedar, rao, asha, "09:20", days=3)
    assert ", 09:20" in letter("visit_booked").text


def test_a_booking_that_waits_says_so_and_its_confirmation_follows(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    BookingPolicy.objects.update(confirmation=BookingPolicy.Confirmation.DOCTOR)
    booked = visit(in_cedar, rao, asha)
    assert "as soon as the hospital has confirmed it" in letter("visit_pending").text
    day.confirm(hospital=in_cedar, visit=booked, by=hari)
    assert "has confirmed your appointment" in letter("visit_confirmed").text


def test_a_move_names_the_old_time_and_the_new_one(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    move(in_cedar, visit(in_cedar, rao, asha, "10:00", days=3), "11:20", by=asha, days=4)
    message = letter("visit_moved")
    assert ", 10:00, and is now on" in message.text
    assert message.subject.endswith("11:20")


def test_a_visit_the_hospital_cancels_comes_with_an_apology_and_a_way_on(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    cancel(in_cedar, visit(in_cedar, rao, asha), by=hari, by_hospital=True)
    message = letter("visit_cancelled")
    assert "Cedar Hospital had to cancel your appointment." in message.text
    assert "Nothing is charged." in message.text
    assert link_in(message, "Book another time") == f"/doctors/{rao.code}/"


def test_a_visit_the_patient_cancels_is_confirmed_to_them(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    cancel(in_cedar, visit(in_cedar, rao, asha), by=asha)
    assert "Your appointment is cancelled, and its time is free for others." in letter("visit_cancelled").text


@pytest.mark.parametrize(
    ("paid", "percent", "sentence"),
    [
        (Payment.UNPAID, 0, "Nothing is charged."),
        (Payment.UNPAID, 50, "By the rules of this booking a fee of ₹350 is due."),
        (Payment.PAID, 0, "You get ₹700 back."),
        (Payment.PAID, 50, "By the rules of this booking the hospital keeps ₹350. You get ₹350 back."),
        (Payment.PAID, 100, "By the rules of this booking the hospital keeps the fee of ₹700."),
    ],
)
def test_a_late_cancellation_says_what_it_costs(
    in_cedar: Hospital, rao: Doctor, asha: User, paid: str, percent: int, sentence: str
) -> None:
    BookingPolicy.objects.update(late_cancellation_percent=percent, free_cancellation_hours=72)
    booked = visit(in_cedar, rao, asha)
    if paid == Payment.PAID:
        booked = pay_at_desk(in_cedar, booked, by=asha)
    cancel(in_cedar, booked, by=asha)
    assert sentence in letter("visit_cancelled").text


def test_a_free_visit_never_speaks_of_money_back(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    Doctor.objects.update(fee_in_person=0)
    rao.refresh_from_db()
    booked = visit(in_cedar, rao, asha)
    cancel(in_cedar, booked, by=asha)
    assert "Nothing is charged." in letter("visit_cancelled").text


def test_somebody_who_did_not_come_is_told(in_cedar: Hospital, rao: Doctor, asha: User, hari: User) -> None:
    BookingPolicy.objects.update(no_show_percent=20)
    booked = visit(in_cedar, rao, asha)
    day.miss(hospital=in_cedar, visit=booked, by=hari, now=booked.ends_at)
    assert "a fee of ₹140 is due" in letter("visit_missed").text


def test_the_letter_says_until_when_cancelling_is_free(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    BookingPolicy.objects.update(late_cancellation_percent=50)
    visit(in_cedar, rao, asha, days=3)
    until = at(in_cedar, "10:00", 2)
    assert (
        f"Until {until:%A} {until.day} {until:%B}, 10:00 you can cancel it free of charge."
        in letter("visit_booked").text
    )


def test_a_childs_letters_go_to_whose_account_it_is(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    child = family.add(
        user=asha,
        name="Isha Patel",
        birth_date=now().date() - timedelta(days=900),
        sex="female",
        relation="child",
        by=asha,
    )
    patient = booking.patient_of(user=asha, member=child)
    Patient.objects.filter(pk=patient.pk).update(email="")
    patient.refresh_from_db()
    booking.book(
        hospital=in_cedar,
        doctor=rao,
        starts_at=at(in_cedar, "10:00"),
        kind=VisitKind.IN_PERSON,
        booking=booking.Booking(patient=patient),
        by=asha,
        now=now(),
    )
    message = letter("visit_booked")
    assert (message.to_address, message.to_name) == (asha.email, "Isha Patel")


def test_a_patient_without_an_address_is_written_nothing(in_cedar: Hospital, rao: Doctor, hari: User) -> None:
    walked = Patient.objects.create(number="P900001", name="Lata Rao")
    booking.book(
        hospital=in_cedar,
        doctor=rao,
        starts_at=at(in_cedar, "10:00", 3),
        kind=VisitKind.IN_PERSON,
        booking=booking.Booking(patient=walked, source=Appointment.Source.DESK),
        by=hari,
        now=now(),
    )
    assert not Notification.objects.filter(template__startswith="visit_").exists()


def test_a_patient_of_the_desk_gets_no_link_that_asks_for_an_account(
    in_cedar: Hospital, rao: Doctor, hari: User
) -> None:
    lata = Patient.objects.create(number="P900001", name="Lata Rao", email="lata@example.com")
    booking.book(
        hospital=in_cedar,
        doctor=rao,
        starts_at=at(in_cedar, "10:00", 3),
        kind=VisitKind.IN_PERSON,
        booking=booking.Booking(patient=lata, source=Appointment.Source.DESK),
        by=hari,
        now=now(),
    )
    message = letter("visit_booked")
    assert "/visits/" not in message.text + message.html
    assert "/v/" in link_in(message, "Choose another time")


def test_letters_with_links_that_need_no_sign_in_are_not_kept(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit(in_cedar, rao, asha)
    for message in Notification.objects.all():
        assert message.is_secret == ("/v/" in message.text)


# --- To doctors ------------------------------------------------------------------------------------------------------


def test_a_doctor_is_told_of_a_visit_of_tomorrow_without_a_name(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    visit(in_cedar, rao, asha)
    message = letter("visit_doctor", rao.user.email)
    assert "You have a new appointment at Cedar Hospital" in message.text
    assert ", 10:00" in message.text
    for word in ("Asha", "Patel", asha.email):
        assert word not in message.subject + message.text + message.html


def test_a_doctor_is_told_of_a_later_visit_by_the_morning_list_alone(
    in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    booked = visit(in_cedar, rao, asha, days=2)
    cancel(in_cedar, booked, by=asha)
    assert not Notification.objects.filter(to_address=rao.user.email).exists()


def test_a_doctor_is_told_when_a_visit_of_tomorrow_is_cancelled(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha)
    Notification.objects.all().delete()
    cancel(in_cedar, booked, by=asha)
    assert "was cancelled" in letter("visit_doctor").text


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [(3, 1, "was moved to this time"), (1, 3, "was moved away from this time"), (1, 1, "was moved to this time")],
)
def test_a_doctor_is_told_once_when_a_visit_comes_or_goes_tomorrow(
    in_cedar: Hospital, rao: Doctor, asha: User, before: int, after: int, sentence: str
) -> None:
    booked = visit(in_cedar, rao, asha, days=before)
    Notification.objects.all().delete()
    move(in_cedar, booked, "11:00", by=asha, days=after)
    assert sentence in letter("visit_doctor").text


def test_both_doctors_are_told_when_a_visit_goes_from_one_to_the_other(
    in_cedar: Hospital, rao: Doctor, asha: User, hari: User
) -> None:
    sen = factories.bookable_doctor(in_cedar, hari, "sen@cedar.example", "Anika")
    booked = visit(in_cedar, rao, asha)
    Notification.objects.all().delete()
    moving.move(
        hospital=in_cedar, visit=booked, starts_at=booked.starts_at, by=hari, now=now(), by_hospital=True, doctor=sen
    )
    assert "moved away" in letter("visit_doctor", rao.user.email).text
    assert "new appointment" in letter("visit_doctor", sen.user.email).text


def test_a_doctor_is_told_of_every_booking_that_waits_for_them(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    BookingPolicy.objects.update(confirmation=BookingPolicy.Confirmation.DOCTOR)
    visit(in_cedar, rao, asha, days=9)
    assert "waits to be confirmed by you or the front desk" in letter("visit_doctor").text


def test_a_doctor_is_not_told_what_they_did_themselves(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    booked = visit(in_cedar, rao, asha)
    Notification.objects.all().delete()
    cancel(in_cedar, booked, by=rao.user, by_hospital=True)
    assert not Notification.objects.filter(to_address=rao.user.email).exists()


# --- What all have in common -----------------------------------------------------------------------------------------


def test_all_messages_of_a_booking_are_one_statement(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    with CaptureQueriesContext(connection) as queries:
        visit(in_cedar, rao, asha)
    written = [query["sql"] for query in queries if 'INSERT INTO "notifications_notification"' in query["sql"]]
    assert len(written) == 1
    assert Notification.objects.filter(template__startswith="visit_").count() == 2


_CANARIES = ["CANARYHEART", "CANARYPSYCHIATRY", "CANARYULCER", "CANARYBIO", "CANARYWHY"]


@pytest.fixture
def sensitive(in_cedar: Hospital, rao: Doctor, asha: User) -> Appointment:
    """A visit with clinical words wherever they can stand."""
    ward = Department.objects.create(name="CANARYPSYCHIATRY", slug="canary")
    words = {"specialization": "CANARYHEART", "bio": "CANARYBIO", "qualifications": "CANARYHEART", "department": ward}
    Doctor.objects.filter(pk=rao.pk).update(**words)
    rao.refresh_from_db()
    booked = visit(in_cedar, rao, asha, reason="CANARYULCER")
    return Appointment.objects.with_people().get(pk=booked.pk)


def _every_letter(hospital: Hospital, booked: Appointment, hari: User) -> dict[str, Callable[[], None]]:
    """What writes each message, by its template."""
    old = booked
    entry = WaitlistEntry(doctor=booked.doctor, patient=booked.patient, instead_of=booked)
    hold = Appointment(doctor=booked.doctor, kind=booked.kind, starts_at=booked.starts_at, ends_at=booked.ends_at)
    hold.status, hold.held_until = Status.HELD, now()
    pending = Appointment.objects.get(pk=booked.pk)
    pending.status = Status.PENDING
    today = booked.starts_at.astimezone(times.zone_of(hospital)).date()
    about: dict[str, Any] = {"hospital": hospital, "visit": booked}
    return {
        "visit_booked": lambda: letters.booked(**about, by=hari, now=now()),
        "visit_pending": lambda: letters.booked(hospital=hospital, visit=pending, by=hari, now=now()),
        "visit_confirmed": lambda: letters.confirmed(**about),
        "visit_moved": lambda: letters.moved(**about, old=old, by=hari, now=now()),
        "visit_cancelled": lambda: letters.cancelled(**about, by=hari, now=now()),
        "visit_too_late": lambda: letters.too_late(**about, now=now()),
        "visit_missed": lambda: letters.missed(**about),
        "visit_reminder_day": lambda: letters.remind_day(**about, now=now()),
        "visit_reminder_hour": lambda: letters.remind_hour(**about, now=now()),
        "waitlist_offer": lambda: letters.offered(hospital=hospital, entry=entry, visit=hold, present=old),
        "morning_list": lambda: letters.morning_list(
            hospital=hospital, doctor=booked.doctor, visits=[booked], day=today
        ),
    }


def test_no_message_says_what_somebody_is_treated_for(in_cedar: Hospital, sensitive: Appointment, hari: User) -> None:
    for template, write in _every_letter(in_cedar, sensitive, hari).items():
        with transaction.atomic():
            write()
        assert Notification.objects.filter(template=template).exists(), template
    day.cancel(hospital=in_cedar, visit=sensitive, by=hari, reason="CANARYWHY", now=now(), by_hospital=True)
    for message in Notification.objects.all():
        shown = " ".join([message.subject, message.text, message.html]).upper()
        assert [word for word in _CANARIES if word in shown] == [], message.template


def test_no_message_to_a_doctor_names_the_patient(in_cedar: Hospital, sensitive: Appointment, hari: User) -> None:
    for write in _every_letter(in_cedar, sensitive, hari).values():
        with transaction.atomic():
            write()
    to_doctor = Notification.objects.filter(to_address=sensitive.doctor.user.email)
    assert {message.template for message in to_doctor} == {"visit_doctor", "morning_list"}
    for message in to_doctor:
        assert "Asha" not in message.subject + message.text + message.html


def test_every_message_about_a_visit_is_tried(in_cedar: Hospital, sensitive: Appointment, hari: User) -> None:
    files = Path(settings.BASE_DIR, "templates", "emails").glob("*.txt")
    about_visits = {path.stem for path in files if path.stem.startswith(("visit_", "waitlist_", "morning_"))}
    assert about_visits - {"visit_base", "visit_doctor"} == set(_every_letter(in_cedar, sensitive, hari))


def test_support_sees_no_message_that_tells_of_a_patient(
    portal_usha: Client, cedar: Hospital, hari: User, sensitive: Appointment
) -> None:
    support = arrived(ask(portal_usha, cedar, hari))
    with schema_context(cedar.schema_name):
        code = Notification.objects.get(template="visit_booked").code
        Notification.objects.filter(code=code).update(state="failed")
    assert "asha" not in text(support.get("/office/outbox/")).lower()
    assert support.get(f"/office/outbox/{code}/").status_code == 404
    assert support.post(f"/office/outbox/{code}/retry/").status_code == 404
    assert "asha" not in text(support.get("/api/messages/")).lower()
    assert "asha@example.com" in text(browser("cedar.localhost", hari).get("/office/outbox/"))


def test_whatever_tells_of_visits_is_kept_from_support() -> None:
    stems = {path.stem for path in Path(settings.BASE_DIR, "templates", "emails").glob("*.txt")}
    from_here = set(re.findall(r'"(\w+)"', Path(letters.__file__).read_text())) & stems
    assert from_here
    assert {template for template in from_here if not template.startswith(ABOUT_VISITS)} == set()
