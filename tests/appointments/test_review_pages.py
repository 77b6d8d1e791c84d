"""From a held time to a visit: who books, the code, who it is for, and booked once."""

from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import FamilyMember, User
from appointments.models import Appointment, Status
from core.schemas import schema_context
from hospitals.models import BookingPolicy, Doctor
from tenants.models import Hospital
from tests import factories
from tests.accounts.mail import code_for, sent, wrong
from tests.accounts.supporting import arrived, ask
from tests.accounts.test_two_factor import turned_on
from tests.appointments.patients_way import choose, only_visit, said, visits
from tests.conftest import browser

NITA = "nita@example.com"
CHILD = {
    "name": "Ravi Patel",
    "relation": "child",
    "birth_date_day": "3",
    "birth_date_month": "2",
    "birth_date_year": "2019",
}


@pytest.fixture
def held(cedar_site: Client, rao: Doctor, cedar: Hospital) -> Client:
    """A visitor who holds tomorrow at ten."""
    choose(cedar_site, cedar, rao)
    return cedar_site


@pytest.fixture
def asha_held(rao: Doctor, cedar: Hospital, asha: User) -> Client:
    """Asha, signed in, who holds tomorrow at ten."""
    client = browser("cedar.localhost", asha)
    choose(client, cedar, rao)
    return client


def say_who(client: Client, email: str = NITA, **fields: str) -> Any:
    return client.post("/book/who/", {"name": "Nita Shah", "email": email, **fields})


def book(client: Client, who: str = "self", **fields: str) -> Any:
    return client.post("/book/confirm/", {"who": who, **fields})


def asked_for(page: str) -> str:
    """What the page says, up to its first secret."""
    return page.split("<main")[1].split('name="csrfmiddlewaretoken"')[0]


# --- Without an account ----------------------------------------------------------------------------------------------


def test_a_visitor_comes_in_with_a_code_and_is_back_at_the_held_time(held: Client, cedar: Hospital) -> None:
    assert say_who(held, phone="98450 12345")["Location"] == "/book/code/"
    assert "We sent 6 digits to" in said(held.get("/book/code/"))
    response = held.post("/book/code/", {"code": code_for(NITA, cedar)})
    assert response["Location"] == "/book/"
    page = said(held.get("/book/"))
    assert "Nita Shah (you)" in page
    user = User.objects.get(email=NITA)
    assert (user.get_full_name(), str(user.phone)) == ("Nita Shah", "+919845012345")
    assert user.email_verified_at is not None
    assert not user.has_usable_password()


def test_a_wrong_code_opens_nothing(held: Client, cedar: Hospital) -> None:
    say_who(held)
    response = held.post("/book/code/", {"code": wrong(code_for(NITA, cedar))})
    assert response.status_code == 422
    assert "This code is not right" in said(response)
    assert "Who are you?" in said(held.get("/book/"))


def test_a_new_code_takes_the_place_of_the_first(held: Client, cedar: Hospital) -> None:
    say_who(held)
    first = code_for(NITA, cedar)
    assert held.post("/book/code/again/")["Location"] == "/book/code/"
    assert code_for(NITA, cedar) != first or len(sent("code", to=NITA, hospital=cedar)) == 2
    assert held.post("/book/code/", {"code": code_for(NITA, cedar)})["Location"] == "/book/"


def test_no_session_is_begun_before_somebody_says_who_they_are(held: Client) -> None:
    held.get("/book/")
    assert settings.SESSION_COOKIE_NAME not in held.cookies


def test_with_and_without_an_account_the_pages_say_the_same(held: Client, rao: Doctor, cedar: Hospital) -> None:
    other = browser("cedar.localhost")
    choose(other, cedar, rao)
    pages = []
    for client, email in ((held, "asha@example.com"), (other, "nobody@example.com")):
        answer = say_who(client, email)
        pages.append((answer.status_code, answer["Location"], said(client.get("/book/code/")).replace(email, "")))
    assert pages[0][:2] == pages[1][:2]
    assert asked_for(pages[0][2]) == asked_for(pages[1][2])


def test_with_and_without_an_account_the_work_is_the_same(held: Client, rao: Doctor, cedar: Hospital) -> None:
    counts = []
    for email in ("asha@example.com", "nobody@example.com"):
        client = browser("cedar.localhost")
        with CaptureQueriesContext(connection) as asked:
            say_who(client, email)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_who_has_an_account_is_signed_in_to_it_and_not_renamed(held: Client, cedar: Hospital, asha: User) -> None:
    say_who(held, asha.email, phone="98450 12345")
    held.post("/book/code/", {"code": code_for(asha.email, cedar)})
    assert "Asha Patel (you)" in said(held.get("/book/"))
    asha.refresh_from_db()
    assert asha.get_full_name() == "Asha Patel"
    assert asha.has_usable_password()


def test_a_claim_that_was_never_confirmed_opens_nothing(held: Client) -> None:
    say_who(held)
    user = User.objects.get(email=NITA)
    assert user.email_verified_at is None
    assert not user.has_usable_password()
    assert user.get_full_name() == ""


def test_codes_are_not_sent_without_end(held: Client, cedar: Hospital) -> None:
    answers = [say_who(held).status_code for _ in range(6)]
    assert answers[-1] == 429
    assert len(sent("code", to=NITA, hospital=cedar)) <= 4


def test_a_second_factor_is_asked_for_on_the_way(held: Client, cedar: Hospital, hari: User) -> None:
    turned_on(hari)
    say_who(held, hari.email)
    answer = held.post("/book/code/", {"code": code_for(hari.email, cedar)})
    assert answer["Location"] == "/sign-in/second/?next=%2Fbook%2F"
    assert "Who are you?" in said(held.get("/book/"))


def test_signing_in_by_password_leads_back_to_the_held_time(held: Client, asha: User) -> None:
    assert 'href="/sign-in/?next=/book/"' in said(held.get("/book/"))
    answer = held.post("/sign-in/?next=/book/", {"email": asha.email, "password": factories.PASSWORD})
    assert answer["Location"] == "/book/"
    assert "Asha Patel (you)" in said(held.get("/book/"))


# --- Who it is for ---------------------------------------------------------------------------------------------------


def test_one_books_for_oneself(asha_held: Client, cedar: Hospital, asha: User) -> None:
    answer = book(asha_held, reason="Chest pain")
    visit = only_visit(cedar)
    assert answer["Location"] == f"/visits/{visit.code}/?booked"
    assert (visit.status, visit.reason) == (Status.CONFIRMED, "Chest pain")
    assert visit.patient
    assert visit.patient.user == asha
    assert "Your appointment is booked" in said(asha_held.get(answer["Location"]))
    assert sent("visit_booked", to=asha.email, hospital=cedar)


def test_one_books_for_a_member_of_ones_family(asha_held: Client, cedar: Hospital, asha: User) -> None:
    ravi = FamilyMember.objects.create(
        user=asha, name="Ravi Patel", birth_date=date(2019, 2, 3), sex="male", relation="child"
    )
    assert "Ravi Patel" in said(asha_held.get("/book/"))
    book(asha_held, who=str(ravi.code))
    patient = only_visit(cedar).patient
    assert patient
    assert (patient.name, patient.family_member) == ("Ravi Patel", ravi.code)


def test_somebody_new_is_added_to_the_family_with_the_booking(asha_held: Client, cedar: Hospital, asha: User) -> None:
    assert book(asha_held, who="new", sex="male", **CHILD).status_code == 302
    ravi = FamilyMember.objects.get(user=asha)
    patient = only_visit(cedar).patient
    assert patient
    assert (patient.name, patient.family_member, patient.birth_date) == ("Ravi Patel", ravi.code, date(2019, 2, 3))


def test_somebody_new_needs_a_name_and_what_else_is_asked(asha_held: Client, cedar: Hospital) -> None:
    answer = book(asha_held, who="new", name="Ravi Patel", reason="Cough")
    assert answer.status_code == 422
    page = said(answer)
    assert "Enter the date of birth." in page
    assert 'value="Ravi Patel"' in page
    assert 'value="Cough"' in page
    assert only_visit(cedar).status == Status.HELD


def test_what_stands_in_the_fields_for_somebody_new_is_passed_over_for_oneself(
    asha_held: Client, cedar: Hospital, asha: User
) -> None:
    assert book(asha_held, name="Half a name", birth_date_day="99").status_code == 302
    assert not FamilyMember.objects.filter(user=asha).exists()


def test_nobody_books_for_anothers_family(asha_held: Client, cedar: Hospital, kiran: User) -> None:
    stranger = FamilyMember.objects.create(
        user=kiran, name="Tara Das", birth_date=date(2015, 5, 5), sex="female", relation="child"
    )
    assert book(asha_held, who=str(stranger.code)).status_code == 422
    assert only_visit(cedar).status == Status.HELD


def test_a_booking_that_is_refused_adds_nobody_to_the_family(asha_held: Client, rao: Doctor, cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        Appointment.objects.update(held_until=factories.at(cedar, "10:00", -1))
    choose(browser("cedar.localhost"), cedar, rao)
    assert book(asha_held, who="new", sex="male", **CHILD).status_code == 409
    assert not FamilyMember.objects.exists()


# --- Booked, once ----------------------------------------------------------------------------------------------------


def test_sent_twice_it_is_booked_once(asha_held: Client, cedar: Hospital, asha: User) -> None:
    first, second = book(asha_held), book(asha_held)
    assert only_visit(cedar).status == Status.CONFIRMED
    assert second["Location"] == f"/visits/{only_visit(cedar).code}/"
    assert first.status_code == 302
    assert len(sent("visit_booked", to=asha.email, hospital=cedar)) == 1


def test_back_after_booking_leads_to_the_visit(asha_held: Client, cedar: Hospital) -> None:
    book(asha_held)
    assert asha_held.get("/book/")["Location"] == f"/visits/{only_visit(cedar).code}/"


def test_a_hold_that_ran_out_is_still_booked_if_nobody_wanted_the_time(asha_held: Client, cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        Appointment.objects.update(held_until=factories.at(cedar, "10:00", -1))
    assert book(asha_held).status_code == 302
    assert only_visit(cedar).status == Status.CONFIRMED


def test_a_hold_that_somebody_else_took_over_says_what_is_free(asha_held: Client, rao: Doctor, cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        Appointment.objects.update(held_until=factories.at(cedar, "10:00", -1))
    choose(browser("cedar.localhost"), cedar, rao)
    answer = book(asha_held)
    assert answer.status_code == 409
    page = said(answer)
    assert "We do not hold this time any more" in page
    assert "Nothing is booked." in page
    assert [visit.status for visit in visits(cedar)] == [Status.EXPIRED, Status.HELD]


def test_two_visits_of_a_person_at_one_time_are_refused_with_the_other_one_named(
    asha_held: Client, cedar: Hospital, asha: User, hari: User
) -> None:
    with schema_context(cedar.schema_name):
        other = factories.bookable_doctor(cedar, hari, "sen@cedar.example", "Anika")
        factories.visit(cedar, other, asha, "10:00")
    answer = book(asha_held)
    assert answer.status_code == 422
    assert "Asha Patel has another visit at that time: Cedar Hospital at 10:00." in said(answer)


def test_a_hospital_that_confirms_itself_is_asked(asha_held: Client, cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        BookingPolicy.objects.update(confirmation=BookingPolicy.Confirmation.DOCTOR)
    assert "Ask for this time" in said(asha_held.get("/book/"))
    answer = book(asha_held)
    assert only_visit(cedar).status == Status.PENDING
    assert "We have your request" in said(asha_held.get(answer["Location"]))


def test_a_visit_that_costs_nothing_says_so(asha_held: Client, cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        Appointment.objects.update(fee=0)
    page = said(asha_held.get("/book/"))
    assert "Book this time" in page
    assert "Free of charge" in page


def test_a_visitor_does_not_book_without_the_code(held: Client, cedar: Hospital) -> None:
    assert book(held)["Location"] == "/sign-in/?next=/book/confirm/"
    assert only_visit(cedar).status == Status.HELD


def test_nobody_books_what_another_browser_holds(held: Client, cedar: Hospital, kiran: User) -> None:
    answer = book(browser("cedar.localhost", kiran))
    assert answer.status_code in (409, 422)
    assert only_visit(cedar).status == Status.HELD


def test_somebody_from_another_hospital_is_a_patient_here(rao: Doctor, cedar: Hospital, kiran: User) -> None:
    client = browser("cedar.localhost", kiran)
    choose(client, cedar, rao)
    assert book(client).status_code == 302
    patient = only_visit(cedar).patient
    assert patient
    assert patient.user == kiran


def test_nobody_books_as_support(portal_usha: Client, asha_held: Client, cedar: Hospital, hari: User) -> None:
    client = arrived(ask(portal_usha, cedar, hari))
    client.cookies["holder"] = asha_held.cookies["holder"].value
    assert book(client).status_code == 403
    assert only_visit(cedar).status == Status.HELD
