"""One's own visit: what the page says, and what can be done with it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import day
from core.schemas import schema_context
from hospitals.models import BookingPolicy, Doctor
from tenants.models import Hospital
from tests import factories
from tests.accounts.supporting import arrived, ask
from tests.appointments.patients_way import only_visit, said, value, visits
from tests.conftest import browser
from tests.factories import at, visit


@pytest.fixture
def booked(in_cedar: Hospital, rao: Doctor, asha: User) -> Appointment:
    """Asha's visit, tomorrow at ten."""
    return visit(in_cedar, rao, asha, "10:00", reason="Chest pain")


@pytest.fixture
def cedar_asha(cedar: Hospital, asha: User) -> Client:
    """Asha on Cedar's site."""
    return browser("cedar.localhost", asha)


def page_of(visit: Appointment, step: str = "") -> str:
    return f"/visits/{visit.code}/" + (f"{step}/" if step else "")


def changed(hospital: Hospital, **columns: Any) -> None:
    """The visit as it is at another time or in another state."""
    with schema_context(hospital.schema_name):
        Appointment.objects.update(**columns)


def soon(hospital: Hospital, minutes: int) -> None:
    """The visit begins in so many minutes."""
    starts = now() + timedelta(minutes=minutes)
    changed(hospital, starts_at=starts, ends_at=starts + timedelta(minutes=20))


# --- What the page says ----------------------------------------------------------------------------------------------


def test_the_page_says_when_where_for_whom_and_what_it_costs(cedar_asha: Client, booked: Appointment) -> None:
    page = said(cedar_asha.get(page_of(booked)))
    for words in ("10:00", "Vikram Rao", "For Asha Patel", "Chest pain", "Cedar Hospital", "₹700", booked.reference):
        assert words in page
    assert "<h1>Your appointment</h1>" in page


def test_the_rules_are_those_the_visit_was_booked_under(
    cedar_asha: Client, booked: Appointment, cedar: Hospital
) -> None:
    changed(cedar, late_cancellation_percent=50, no_show_percent=100)
    until = at(cedar, "10:00", 0)
    page = said(cedar_asha.get(page_of(booked)))
    assert f"Free to cancel until {until:%a} {until.day} {until:%b} at 10:00. Later, 50% of the fee." in page


def test_the_title_does_not_say_what_one_is_treated_for(cedar_asha: Client, booked: Appointment) -> None:
    page = said(cedar_asha.get(page_of(booked)))
    title = page[page.index("<title>") : page.index("</title>")]
    assert title.split(">")[1].strip() == "Your appointment | Cedar Hospital"


def test_the_qr_code_is_a_picture_of_ones_own(cedar_asha: Client, booked: Appointment, cedar_kiran: Client) -> None:
    response = cedar_asha.get(f"{page_of(booked)}qr.svg")
    assert response["Content-Type"] == "image/svg+xml"
    assert b"<svg" in response.content
    assert "private" in response["Cache-Control"]
    assert cedar_kiran.get(f"{page_of(booked)}qr.svg").status_code == 404


@pytest.mark.parametrize("step", ["", "move", "cancel"])
def test_anothers_visit_is_nowhere_to_be_found(cedar_kiran: Client, booked: Appointment, step: str) -> None:
    assert cedar_kiran.get(page_of(booked, step)).status_code == 404


@pytest.mark.parametrize("step", ["move", "cancel", "check-in", "comes"])
def test_nobody_does_anything_with_anothers_visit(
    cedar_kiran: Client, booked: Appointment, cedar: Hospital, step: str
) -> None:
    assert cedar_kiran.post(page_of(booked, step), {}).status_code == 404
    assert only_visit(cedar).status == Status.CONFIRMED


def test_who_works_here_sees_a_patients_visit_on_the_pages_of_their_work_alone(
    cedar_hari: Client, booked: Appointment
) -> None:
    assert cedar_hari.get(page_of(booked)).status_code == 404


def test_the_visit_is_not_found_at_another_hospital(booked: Appointment, lotus: Hospital, asha: User) -> None:
    assert browser("lotus.localhost", asha).get(page_of(booked)).status_code == 404


def test_a_visitor_is_asked_to_sign_in(cedar_site: Client, booked: Appointment) -> None:
    assert cedar_site.get(page_of(booked))["Location"] == f"/sign-in/?next={page_of(booked)}"


def test_support_sees_no_visit(portal_usha: Client, booked: Appointment, cedar: Hospital, hari: User) -> None:
    client = arrived(ask(portal_usha, cedar, hari))
    for path in ("/visits/", page_of(booked), f"{page_of(booked)}qr.svg", f"{page_of(booked)}calendar.ics"):
        assert client.get(path).status_code == 403


def test_a_mere_hold_has_no_page(cedar_asha: Client, booked: Appointment, cedar: Hospital) -> None:
    cedar_asha.post(f"/doctors/{booked.doctor.code}/hold/", {"starts_at": value(cedar, "11:00"), "kind": "in_person"})
    held = visits(cedar)[-1]
    assert held.status == Status.HELD
    assert cedar_asha.get(page_of(held)).status_code == 404


def test_the_page_asks_the_database_little(
    cedar_asha: Client, booked: Appointment, django_assert_max_num_queries: Any
) -> None:
    cedar_asha.get(page_of(booked))
    with django_assert_max_num_queries(8):
        cedar_asha.get(page_of(booked))


# --- Moving ----------------------------------------------------------------------------------------------------------


def test_a_visit_is_moved_and_the_old_one_says_where_to(
    cedar_asha: Client, booked: Appointment, cedar: Hospital
) -> None:
    assert value(cedar, "11:00") in said(
        cedar_asha.get(page_of(booked, "move") + f"?week={at(cedar, '11:00'):%Y-%m-%d}")
    )
    answer = cedar_asha.post(page_of(booked, "move"), {"starts_at": value(cedar, "11:00")})
    old, new = visits(cedar)
    assert (old.status, new.status, new.starts_at) == (Status.RESCHEDULED, Status.CONFIRMED, at(cedar, "11:00"))
    assert answer["Location"] == f"/visits/{new.code}/?moved"
    assert "Your appointment is moved" in said(cedar_asha.get(answer["Location"]))
    assert f'href="/visits/{new.code}/"' in said(cedar_asha.get(page_of(old)))


def test_a_move_to_a_time_that_was_taken_leaves_the_visit_and_offers_the_next(
    cedar_asha: Client, booked: Appointment, rao: Doctor, cedar: Hospital
) -> None:
    with schema_context(cedar.schema_name):
        visit(cedar, rao, factories.person("b@example.com"), "11:00")
    answer = cedar_asha.post(page_of(booked, "move"), {"starts_at": value(cedar, "11:00")})
    assert answer.status_code == 422
    assert "11:00 has just been taken. The next free time is" in said(answer)
    assert answer.context["week"].chosen is not None
    assert visits(cedar)[0].status == Status.CONFIRMED


def test_a_visit_that_has_begun_is_not_moved(cedar_asha: Client, booked: Appointment, cedar: Hospital) -> None:
    soon(cedar, -5)
    assert cedar_asha.get(page_of(booked, "move"))["Location"] == page_of(booked)
    answer = cedar_asha.post(page_of(booked, "move"), {"starts_at": value(cedar, "11:00", 2)})
    assert answer.status_code == 422
    assert only_visit(cedar).status == Status.CONFIRMED


# --- Cancelling ------------------------------------------------------------------------------------------------------


def test_cancelling_in_time_costs_nothing(cedar_asha: Client, booked: Appointment, cedar: Hospital) -> None:
    assert "Cancelling now costs nothing." in said(cedar_asha.get(page_of(booked, "cancel")))
    answer = cedar_asha.post(page_of(booked, "cancel"), {"reason": "I am well again"}, follow=True)
    assert "Your appointment is cancelled." in said(answer)
    assert only_visit(cedar).status == Status.CANCELLED
    assert only_visit(cedar).kept_fee == 0


def test_cancelling_late_says_before_what_it_costs(cedar_asha: Client, booked: Appointment, cedar: Hospital) -> None:
    changed(cedar, late_cancellation_percent=50, free_cancellation_until=now() - timedelta(hours=1))
    assert "Cancelling now costs ₹350" in said(cedar_asha.get(page_of(booked, "cancel")))
    cedar_asha.post(page_of(booked, "cancel"), {})
    assert only_visit(cedar).kept_fee == 350
    assert "a fee of ₹350 is due" in said(cedar_asha.get(page_of(booked)))


def test_a_visit_is_cancelled_once(cedar_asha: Client, booked: Appointment, cedar: Hospital) -> None:
    cedar_asha.post(page_of(booked, "cancel"), {})
    answer = cedar_asha.post(page_of(booked, "cancel"), {})
    assert answer.status_code == 422
    assert "cancelled by Asha Patel" in said(answer)
    assert cedar_asha.get(page_of(booked, "cancel"))["Location"] == page_of(booked)


def test_a_visit_the_hospital_cancelled_says_that_nothing_is_charged(
    cedar_asha: Client, booked: Appointment, cedar: Hospital, hari: User
) -> None:
    with schema_context(cedar.schema_name):
        day.cancel(hospital=cedar, visit=booked, by=hari, reason="Dr Rao is ill", now=now(), by_hospital=True)
    page = said(cedar_asha.get(page_of(booked)))
    assert "The hospital had to cancel this appointment. Nothing is charged." in page
    assert "Book a new appointment" in page


# --- Coming ----------------------------------------------------------------------------------------------------------


def test_one_says_that_one_will_come(cedar_asha: Client, booked: Appointment, cedar: Hospital) -> None:
    assert "I will come" in said(cedar_asha.get(page_of(booked)))
    cedar_asha.post(page_of(booked, "comes"))
    assert only_visit(cedar).patient_confirmed_at is not None
    page = said(cedar_asha.get(page_of(booked)))
    assert "You have told us that you will come." in page
    assert page_of(booked, "comes") not in page


def test_a_day_before_nobody_checks_in(cedar_asha: Client, booked: Appointment, cedar: Hospital) -> None:
    page = said(cedar_asha.get(page_of(booked)))
    assert "You can check in here from" in page
    assert page_of(booked, "check-in") not in page
    assert cedar_asha.post(page_of(booked, "check-in")).status_code == 422
    assert only_visit(cedar).status == Status.CONFIRMED


def test_at_its_time_one_checks_in_and_gets_a_token(cedar_asha: Client, booked: Appointment, cedar: Hospital) -> None:
    soon(cedar, 0)
    assert page_of(booked, "check-in") in said(cedar_asha.get(page_of(booked)))
    assert cedar_asha.post(page_of(booked, "check-in"))["Location"] == page_of(booked)
    assert (only_visit(cedar).status, only_visit(cedar).token) == (Status.CHECKED_IN, 1)
    page = said(cedar_asha.get(page_of(booked)))
    assert "Your token" in page
    assert "You are next." in page


def test_a_visit_that_waits_to_be_confirmed_is_not_checked_in(
    cedar_asha: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    BookingPolicy.objects.update(confirmation=BookingPolicy.Confirmation.DOCTOR)
    pending = visit(cedar, rao, asha)
    soon(cedar, 0)
    assert page_of(pending, "check-in") not in said(cedar_asha.get(page_of(pending)))
    answer = cedar_asha.post(page_of(pending, "check-in"))
    assert "The hospital has not confirmed this visit yet." in said(answer)


def test_who_arrived_earlier_is_called_earlier(
    cedar_asha: Client, booked: Appointment, rao: Doctor, cedar: Hospital
) -> None:
    beni = factories.person("beni@example.com", "Beni")
    first = visit(cedar, rao, beni, "10:20")
    soon(cedar, 0)
    browser("cedar.localhost", beni).post(page_of(first, "check-in"))
    cedar_asha.post(page_of(booked, "check-in"))
    assert "1 person before you." in said(cedar_asha.get(page_of(booked)))


def test_the_queue_is_asked_for_anew_and_says_nothing_when_nothing_changed(
    cedar_asha: Client, booked: Appointment, cedar: Hospital, hari: User
) -> None:
    soon(cedar, 0)
    cedar_asha.post(page_of(booked, "check-in"))
    seen = cedar_asha.get(page_of(booked)).context["state"]
    again = page_of(booked) + f"?seen={seen}"
    assert cedar_asha.get(again, headers={"HX-Request": "true"}).status_code == 204
    with schema_context(cedar.schema_name):
        day.call(visit=Appointment.objects.get(), by=hari, now=now())
    part = said(cedar_asha.get(again, headers={"HX-Request": "true"}))
    assert "The doctor sees you now." in part
    assert "<html" not in part
    assert "hx-trigger" not in part


def test_a_visit_that_is_over_offers_nothing_but_a_new_one(
    cedar_asha: Client, booked: Appointment, cedar: Hospital, hari: User
) -> None:
    soon(cedar, -60)
    with schema_context(cedar.schema_name):
        day.miss(hospital=cedar, visit=Appointment.objects.get(), by=hari, now=now())
    page = said(cedar_asha.get(page_of(booked)))
    assert "Did not attend" in page
    assert "Book a new appointment" in page
    assert page_of(booked, "cancel") not in page
    assert "qr.svg" not in page
