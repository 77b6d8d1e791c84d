"""Links in messages: come, move, cancel, without signing in."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import day, links, reminders, tokens
from appointments.services.tokens import Purpose
from audit.models import Action, AuditLog
from core.errors import Gone
from core.schemas import schema_context
from hospitals.models import BookingPolicy, Doctor
from rhms.serving import without_tokens
from tenants.models import Hospital
from tests.appointments.mail import letter, link_in
from tests.conftest import browser
from tests.factories import at, person, visit


@pytest.fixture
def booked(in_cedar: Hospital, rao: Doctor, asha: User) -> Appointment:
    """Asha's visit in three days, at ten."""
    return visit(in_cedar, rao, asha, days=3)


@pytest.fixture
def again(cedar: Hospital) -> Callable[[Appointment], Appointment]:
    """The visit as it stands in the database now."""

    def read(visit: Appointment) -> Appointment:
        with schema_context(cedar.schema_name):
            return Appointment.objects.get(pk=visit.pk)

    return read


def path(hospital: Hospital, visit: Appointment, purpose: Purpose) -> str:
    with schema_context(hospital.schema_name):
        return f"/v/{tokens.make(purpose=purpose, code=visit.code)}/"


def text(answer: Any) -> str:
    return str(answer.content.decode())


# --- What they do ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [Purpose.COMES, Purpose.MOVE, Purpose.CANCEL])
def test_looking_at_a_link_changes_nothing(
    cedar_site: Client, cedar: Hospital, booked: Appointment, again: Any, purpose: Purpose
) -> None:
    before = again(booked)
    answer = cedar_site.get(path(cedar, booked, purpose))
    assert answer.status_code == 200
    assert cedar_site.head(path(cedar, booked, purpose)).status_code == 200
    after = again(booked)
    assert (after.status, after.patient_confirmed_at) == (before.status, None)


def test_one_button_says_that_one_comes(cedar_site: Client, cedar: Hospital, booked: Appointment, again: Any) -> None:
    address = path(cedar, booked, Purpose.COMES)
    assert "Will you come, Asha?" in text(cedar_site.get(address))
    answer = cedar_site.post(address, follow=True)
    assert "You have told us that you will come" in text(answer)
    assert again(booked).patient_confirmed_at
    with schema_context(cedar.schema_name):
        row = AuditLog.objects.get(action=Action.VISIT_PATIENT_CONFIRMED)
    assert (row.user_id, row.actor) == (None, "Asha Patel")


def test_one_button_cancels(cedar_site: Client, cedar: Hospital, booked: Appointment, again: Any) -> None:
    address = path(cedar, booked, Purpose.CANCEL)
    assert "Cancelling now costs nothing" in text(cedar_site.get(address))
    answer = cedar_site.post(address, follow=True)
    assert "Your appointment is cancelled" in text(answer)
    assert again(booked).status == Status.CANCELLED
    with schema_context(cedar.schema_name):
        assert "is free for others" in letter("visit_cancelled").text


def test_cancelling_late_says_what_it_costs_before_it_is_done(
    cedar_site: Client, cedar: Hospital, rao: Doctor, asha: User
) -> None:
    BookingPolicy.objects.update(late_cancellation_percent=50, free_cancellation_hours=96)
    late = visit(cedar, rao, asha, days=3)
    assert "Cancelling now costs ₹350" in text(cedar_site.get(path(cedar, late, Purpose.CANCEL)))


def test_another_time_is_chosen_without_signing_in(
    cedar_site: Client, cedar: Hospital, booked: Appointment, again: Any
) -> None:
    address = path(cedar, booked, Purpose.MOVE)
    new = at(cedar, "11:00", 3)
    shown = text(cedar_site.get(f"{address}?week={new:%Y-%m-%d}"))
    assert "11:00" in shown
    answer = cedar_site.post(address, {"starts_at": new.isoformat()}, follow=True)
    assert "Your appointment has another time" in text(answer)
    assert "11:00" in text(answer)
    assert again(booked).status == Status.RESCHEDULED
    with schema_context(cedar.schema_name):
        assert Appointment.objects.get(rescheduled_from=booked).starts_at == new


def test_a_time_that_was_taken_leaves_the_visit_where_it_is(
    cedar_site: Client, cedar: Hospital, rao: Doctor, booked: Appointment, again: Any
) -> None:
    visit(cedar, rao, person("b@example.com"), "11:00", days=3)
    answer = cedar_site.post(path(cedar, booked, Purpose.MOVE), {"starts_at": at(cedar, "11:00", 3).isoformat()})
    assert answer.status_code == 422
    assert "11:00 has just been taken. The next free time is" in text(answer)
    assert again(booked).status == Status.CONFIRMED


@pytest.mark.parametrize("sent", [{}, {"starts_at": "soon"}, {"starts_at": "2020-01-01T10:00Z"}])
def test_a_move_needs_one_of_the_times(
    cedar_site: Client, cedar: Hospital, booked: Appointment, again: Any, sent: dict[str, str]
) -> None:
    assert cedar_site.post(path(cedar, booked, Purpose.MOVE), sent).status_code == 422
    assert again(booked).status == Status.CONFIRMED


# --- Once, until the visit, at one hospital --------------------------------------------------------------------------


def test_a_link_that_was_used_says_what_became_of_the_visit(
    cedar_site: Client, cedar: Hospital, booked: Appointment
) -> None:
    address = path(cedar, booked, Purpose.CANCEL)
    cedar_site.post(address)
    cedar_site.post(address)  # pressed twice
    with schema_context(cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.VISIT_CANCELLED).count() == 1
        letter("visit_cancelled")
    assert "Your appointment is cancelled" in text(cedar_site.get(address))


def test_a_cancelled_visit_is_neither_moved_nor_expected(
    cedar_site: Client, cedar: Hospital, booked: Appointment, again: Any
) -> None:
    cedar_site.post(path(cedar, booked, Purpose.CANCEL))
    for purpose in (Purpose.MOVE, Purpose.COMES):
        answer = cedar_site.post(
            path(cedar, booked, purpose), {"starts_at": at(cedar, "11:00", 3).isoformat()}, follow=True
        )
        assert "Your appointment is cancelled" in text(answer)
    assert again(booked).status == Status.CANCELLED


def test_an_old_link_does_not_touch_a_visit_that_was_moved(
    cedar_site: Client, cedar: Hospital, booked: Appointment
) -> None:
    cedar_site.post(path(cedar, booked, Purpose.MOVE), {"starts_at": at(cedar, "11:00", 3).isoformat()})
    answer = cedar_site.post(path(cedar, booked, Purpose.CANCEL), follow=True)
    assert "Your appointment has another time" in text(answer)
    with schema_context(cedar.schema_name):
        assert Appointment.objects.get(rescheduled_from=booked).status == Status.CONFIRMED


@pytest.mark.parametrize("purpose", [Purpose.COMES, Purpose.MOVE, Purpose.CANCEL])
def test_a_link_ends_when_the_visit_begins(
    cedar_site: Client, cedar: Hospital, booked: Appointment, again: Any, purpose: Purpose
) -> None:
    address = path(cedar, booked, purpose)
    with time_machine.travel(booked.starts_at):
        answer = cedar_site.post(address)
    assert answer.status_code == 410
    assert "This link no longer works" in text(answer)
    assert "Book another time" in text(answer)
    assert again(booked).status == Status.CONFIRMED


def test_a_link_of_one_hospital_is_none_at_another(cedar: Hospital, lotus: Hospital, booked: Appointment) -> None:
    address = path(cedar, booked, Purpose.CANCEL)
    assert browser("lotus.localhost").post(address).status_code == 410
    with schema_context(lotus.schema_name), pytest.raises(Gone):
        links.behind(token=address.split("/")[2], now=now())


def test_kiran_gets_nowhere_with_a_link_he_made_up(
    cedar_kiran: Client, cedar: Hospital, lotus: Hospital, booked: Appointment, again: Any
) -> None:
    forged = path(lotus, booked, Purpose.CANCEL)
    assert cedar_kiran.post(forged).status_code == 410
    assert cedar_kiran.post(f"/v/x{booked.code}.abc/").status_code == 410
    assert again(booked).status == Status.CONFIRMED


def test_a_link_for_one_thing_is_not_turned_into_another(
    cedar_site: Client, cedar: Hospital, booked: Appointment, again: Any
) -> None:
    comes = path(cedar, booked, Purpose.COMES)
    assert cedar_site.post(comes.replace("/v/c", "/v/x")).status_code == 410
    assert again(booked).status == Status.CONFIRMED


def test_an_offers_link_is_no_visits_link(cedar_site: Client, cedar: Hospital, booked: Appointment) -> None:
    assert cedar_site.get(path(cedar, booked, Purpose.OFFER)).status_code == 410


# --- What the page shows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [Purpose.COMES, Purpose.MOVE, Purpose.CANCEL])
def test_the_page_says_no_more_than_it_must(
    cedar_site: Client, cedar: Hospital, rao: Doctor, asha: User, purpose: Purpose
) -> None:
    told = visit(cedar, rao, asha, days=3, reason="CANARYULCER")
    shown = text(cedar_site.get(path(cedar, told, purpose)))
    assert "Vikram Rao" in shown
    for word in ("Patel", asha.email, "CANARYULCER", "Cardiology", "P000001"):
        assert word not in shown


def test_the_page_is_kept_nowhere_and_found_by_nobody(cedar_site: Client, cedar: Hospital, booked: Appointment) -> None:
    answer = cedar_site.get(path(cedar, booked, Purpose.CANCEL))
    assert answer["X-Robots-Tag"] == "noindex"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


def test_no_session_is_begun_by_a_link(cedar_site: Client, cedar: Hospital, booked: Appointment) -> None:
    cedar_site.post(path(cedar, booked, Purpose.COMES))
    assert "sessionid" not in cedar_site.cookies


def test_the_access_log_does_not_keep_the_link(cedar: Hospital, booked: Appointment) -> None:
    address = path(cedar, booked, Purpose.CANCEL)
    assert without_tokens(address) == "/v/***/"


def test_the_links_stand_in_the_letters(cedar_site: Client, in_cedar: Hospital, booked: Appointment) -> None:
    assert link_in(letter("visit_booked"), "Choose another time") == path(in_cedar, booked, Purpose.MOVE)
    assert link_in(letter("visit_booked"), "Cancel the appointment") == path(in_cedar, booked, Purpose.CANCEL)
    reminders.send_due(hospital=in_cedar, now=at(in_cedar, "10:05", 2))
    assert link_in(letter("visit_reminder_day"), "I will come") == path(in_cedar, booked, Purpose.COMES)


def test_somebody_who_said_they_come_is_not_asked_again(in_cedar: Hospital, booked: Appointment, asha: User) -> None:
    day.patient_comes(visit=booked, by=asha, now=now())
    reminders.send_due(hospital=in_cedar, now=at(in_cedar, "10:05", 2))
    message = letter("visit_reminder_day")
    assert "you have told us that you will come" in message.text
    assert "I will come:" not in message.text
