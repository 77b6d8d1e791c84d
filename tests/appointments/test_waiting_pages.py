"""Pages of the waitlist: joining it, one's own entries, answering an offer, and the desk's list."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from accounts.permissions import Role
from accounts.services import family
from appointments.models import Appointment, Status, WaitlistEntry
from appointments.services import day, gate, tokens, waiting
from appointments.services.tokens import Purpose
from appointments.services.waiting import Wish
from core.schemas import schema_context
from hospitals.models import BookingPolicy, Doctor
from rhms.serving import without_tokens
from tenants.models import Hospital
from tests import factories
from tests.appointments.mail import letter, link_in
from tests.conftest import browser
from tests.factories import at, person, visit
from tests.fakes.razorpay import Gateway

MINE, OFFICE = "/waitlist/", "/office/waitlist/"
Standing = WaitlistEntry.Status


def text(answer: Any) -> str:
    return str(answer.content.decode())


def queries(client: Client, address: str) -> int:
    """How many questions to the database an answer takes."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(address).status_code == 200
    return len(asked)


def today(hospital: Hospital) -> date:
    return at(hospital, "00:00", 0).date()


def days(hospital: Hospital, first: int = 0, last: int = 9) -> dict[str, str]:
    return {
        "first_date": (today(hospital) + timedelta(first)).isoformat(),
        "last_date": (today(hospital) + timedelta(last)).isoformat(),
    }


def wait(hospital: Hospital, doctor: Doctor, user: User, **fields: Any) -> WaitlistEntry:
    """`user` waits for the doctor in the next ten days."""
    with schema_context(hospital.schema_name):
        wish = Wish(today(hospital), today(hospital) + timedelta(9), [], **fields)
        return waiting.join(hospital=hospital, doctor=doctor, member=None, wish=wish, by=user, now=now())


def offered(hospital: Hospital, doctor: Doctor, user: User, **fields: Any) -> WaitlistEntry:
    """The same, and a time has become free for them."""
    entry = wait(hospital, doctor, user, **fields)
    with schema_context(hospital.schema_name):
        booked = visit(hospital, doctor, person(f"{uuid4()}@example.com"), "10:00", 2)
        day.cancel(hospital=hospital, visit=booked, by=None, reason="", now=now(), by_hospital=True)
        waiting.freed(appointment_id=booked.pk, now=now())
        return WaitlistEntry.objects.select_related("offer").get(pk=entry.pk)


def link(hospital: Hospital, entry: WaitlistEntry) -> str:
    with schema_context(hospital.schema_name):
        return f"{MINE}{tokens.make(purpose=Purpose.OFFER, code=entry.code)}/"


def standing(hospital: Hospital, entry: WaitlistEntry) -> str:
    with schema_context(hospital.schema_name):
        return str(WaitlistEntry.objects.get(pk=entry.pk).status)


@pytest.fixture
def cedar_asha(cedar: Hospital, asha: User) -> Client:
    """Asha on Cedar's site."""
    return browser("cedar.localhost", asha)


@pytest.fixture
def cedar_meena(cedar: Hospital, join_cedar: Any) -> Client:
    """Meena of the front desk."""
    meena = person("meena@cedar.example", "Meena", "Shah")
    join_cedar(meena, Role.FRONT_DESK)
    return browser("cedar.localhost", meena)


# --- Joining ---------------------------------------------------------------------------------------------------------


def test_a_visitor_signs_in_first_and_comes_back(cedar_site: Client, rao: Doctor) -> None:
    answer = cedar_site.get(f"/doctors/{rao.code}/waitlist/")
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"next=/doctors/{rao.code}/waitlist/")


def test_somebody_puts_themselves_on_the_waitlist(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    address = f"/doctors/{rao.code}/waitlist/"
    assert "Who is it for?" not in text(cedar_asha.get(address))  # there is nobody else to choose
    answer = cedar_asha.post(address, days(cedar), follow=True)
    assert "You are on the waitlist. We write to you as soon as a time is free." in text(answer)
    assert "Vikram Rao" in text(answer)


def test_somebody_waits_for_their_child(cedar_asha: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    child = family.add(
        user=asha, name="Isha", birth_date=today(cedar) - timedelta(900), sex="female", relation="child", by=asha
    )
    cedar_asha.post(f"/doctors/{rao.code}/waitlist/", {**days(cedar), "who": str(child.code)})
    with schema_context(cedar.schema_name):
        assert WaitlistEntry.objects.get().patient.name == "Isha"


def test_a_visit_one_has_is_chosen_beforehand_and_kept(
    cedar_asha: Client, cedar: Hospital, rao: Doctor, asha: User
) -> None:
    present = visit(cedar, rao, asha, "15:00", days=4)
    address = f"/doctors/{rao.code}/waitlist/"
    form = cedar_asha.get(address).context["form"]
    assert (form.initial["instead_of"], form.initial["last_date"]) == (str(present.code), today(cedar) + timedelta(4))
    cedar_asha.post(address, {**days(cedar), "instead_of": str(present.code), "kinds": ["in_person"]})
    with schema_context(cedar.schema_name):
        entry = WaitlistEntry.objects.get()
    assert (entry.instead_of_id, entry.visit_kinds) == (present.pk, ["in_person"])


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"first_date": ""}, "Choose the first day that suits you."),
        ({"last_date": "soon"}, "Enter a date."),
        ({"first_date": "2020-01-01"}, "Choose today or a later day."),
        ({"last_date": "2020-01-01"}, "Choose a day that is not before the first one."),
        ({"kinds": ["chat"]}, "Choose one of the kinds this doctor offers."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_is_kept(
    cedar_asha: Client, cedar: Hospital, rao: Doctor, sent: dict[str, Any], sentence: str
) -> None:
    answer = cedar_asha.post(f"/doctors/{rao.code}/waitlist/", {**days(cedar), "kinds": ["video"], **sent})
    assert answer.status_code == 422
    assert sentence in text(answer)
    if "kinds" not in sent:
        assert answer.context["form"]["kinds"].value() == ["video"]


def test_nobody_waits_for_another_persons_visit_or_child(
    cedar_asha: Client, cedar: Hospital, rao: Doctor, kiran: User
) -> None:
    theirs = visit(cedar, rao, kiran, "15:00", days=4)
    child = family.add(
        user=kiran, name="Tara", birth_date=today(cedar) - timedelta(900), sex="female", relation="child", by=kiran
    )
    for sent in ({"instead_of": str(theirs.code)}, {"who": str(child.code)}):
        cedar_asha.post(f"/doctors/{rao.code}/waitlist/", {**days(cedar), **sent})
    with schema_context(cedar.schema_name):
        assert [entry.instead_of for entry in WaitlistEntry.objects.all()] == [None]
        assert WaitlistEntry.objects.get().patient.name == "Asha Patel"


def test_who_waits_already_is_told_so(cedar_asha: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    wait(cedar, rao, asha)
    answer = cedar_asha.post(f"/doctors/{rao.code}/waitlist/", days(cedar))
    assert answer.status_code == 422
    assert "Asha Patel is on this doctor’s waitlist already." in text(answer)


def test_a_doctor_who_cannot_be_booked_has_no_waitlist(cedar_asha: Client, cedar: Hospital, rao: Doctor) -> None:
    Doctor.objects.update(is_available=False)
    assert cedar_asha.get(f"/doctors/{rao.code}/waitlist/").status_code == 404


# --- One's own entries -----------------------------------------------------------------------------------------------


def test_one_sees_ones_own_entries_alone(
    cedar_asha: Client, cedar: Hospital, rao: Doctor, asha: User, kiran: User
) -> None:
    assert "You are on no waitlist" in text(cedar_asha.get(MINE))
    wait(cedar, rao, asha)
    wait(cedar, rao, kiran)
    shown = text(cedar_asha.get(MINE))
    assert "For Asha Patel" in shown
    assert "Kiran" not in shown


def test_one_waits_no_longer(cedar_asha: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(cedar, rao, asha)
    assert "You are off the waitlist." in text(cedar_asha.post(f"{MINE}{entry.code}/withdraw/", follow=True))
    assert standing(cedar, entry) == Standing.WITHDRAWN
    again = cedar_asha.post(f"{MINE}{entry.code}/withdraw/")
    assert again.status_code == 422
    assert "Off the waitlist by Asha Patel" in text(again)


def test_kiran_takes_nobody_off_the_waitlist(cedar_kiran: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = wait(cedar, rao, asha)
    assert cedar_kiran.post(f"{MINE}{entry.code}/withdraw/").status_code == 404
    assert standing(cedar, entry) == Standing.WAITING


def test_an_offer_stands_in_the_list_with_the_way_to_answer(
    cedar_asha: Client, cedar: Hospital, rao: Doctor, asha: User
) -> None:
    entry = offered(cedar, rao, asha)
    shown = text(cedar_asha.get(MINE))
    assert "is yours if you take it by" in shown
    assert link(cedar, entry) in shown


def test_the_list_costs_the_same_however_long_it_is(
    cedar_asha: Client, cedar: Hospital, hari: User, asha: User
) -> None:
    with schema_context(cedar.schema_name):
        doctors = [factories.bookable_doctor(cedar, hari, f"d{n}@cedar.example", f"D{n}") for n in range(4)]
    wait(cedar, doctors[0], asha)
    cedar_asha.get(MINE)
    one = queries(cedar_asha, MINE)
    for doctor in doctors[1:]:
        wait(cedar, doctor, asha)
    assert queries(cedar_asha, MINE) == one <= 8


# --- An offer, by its link -------------------------------------------------------------------------------------------


def test_looking_at_an_offer_changes_nothing(cedar_site: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = offered(cedar, rao, asha)
    shown = text(cedar_site.get(link(cedar, entry)))
    assert "A time you wait for is free" in shown
    assert "Take this time" in shown
    assert "Asha" not in shown
    assert standing(cedar, entry) == Standing.OFFERED


def test_an_offer_is_taken_without_signing_in(cedar_site: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = offered(cedar, rao, asha)
    answer = cedar_site.post(link(cedar, entry), {"answer": "take"}, follow=True)
    assert "This time is yours" in text(answer)
    assert standing(cedar, entry) == Standing.BOOKED
    with schema_context(cedar.schema_name):
        booked = Appointment.objects.live().get()
    assert (booked.status, booked.starts_at, booked.booked_by) == (Status.CONFIRMED, at(cedar, "10:00", 2), asha)


def test_a_time_that_is_paid_first_is_kept_while_one_pays(
    cedar_site: Client, cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway
) -> None:
    with schema_context(cedar.schema_name):
        BookingPolicy.objects.update(confirmation="payment")
    entry = offered(cedar, rao, asha)
    assert "You pay online, to keep it." in text(cedar_site.get(link(cedar, entry)))
    shown = text(cedar_site.post(link(cedar, entry), {"answer": "take"}, follow=True))
    assert "Pay to keep this time" in shown
    with schema_context(cedar.schema_name):
        assert Appointment.objects.live().get().waits_for_payment
        gate.release_unpaid(hospital=cedar, now=now() + timedelta(minutes=21))
    assert "This time was not paid for" in text(cedar_site.get(link(cedar, entry)))


def test_an_offer_is_left_to_the_next(cedar_site: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = offered(cedar, rao, asha)
    answer = cedar_site.post(link(cedar, entry), {"answer": "leave"}, follow=True)
    assert "You are still on the waitlist" in text(answer)
    assert standing(cedar, entry) == Standing.WAITING


def test_the_offer_says_what_is_given_up_for_it(cedar_site: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    present = visit(cedar, rao, asha, "15:00", days=4)
    entry = offered(cedar, rao, asha, instead_of=present)
    assert "is given up for it" in text(cedar_site.get(link(cedar, entry)))
    cedar_site.post(link(cedar, entry), {"answer": "take"})
    with schema_context(cedar.schema_name):
        assert Appointment.objects.live().get().rescheduled_from == present


def test_an_answer_after_the_time_is_over_is_refused_kindly(
    cedar_site: Client, cedar: Hospital, rao: Doctor, asha: User
) -> None:
    entry = offered(cedar, rao, asha)
    with time_machine.travel(now() + timedelta(minutes=16)):
        assert "You are still on the waitlist" in text(cedar_site.get(link(cedar, entry)))
        answer = cedar_site.post(link(cedar, entry), {"answer": "take"})
    assert answer.status_code == 422
    assert "We could not hold this time any longer. You are still on the waitlist." in text(answer)


def test_an_answer_that_is_none_changes_nothing(cedar_site: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = offered(cedar, rao, asha)
    assert cedar_site.post(link(cedar, entry), {"answer": "maybe"}).status_code == 422
    assert standing(cedar, entry) == Standing.OFFERED


def test_an_offer_of_one_hospital_is_none_at_another(
    cedar_kiran: Client, cedar: Hospital, lotus: Hospital, rao: Doctor, asha: User
) -> None:
    entry = offered(cedar, rao, asha)
    assert browser("lotus.localhost").post(link(cedar, entry), {"answer": "take"}).status_code == 410
    assert cedar_kiran.post(link(lotus, entry), {"answer": "take"}).status_code == 410
    assert standing(cedar, entry) == Standing.OFFERED


def test_the_message_leads_to_the_offer_and_the_log_does_not(in_cedar: Hospital, rao: Doctor, asha: User) -> None:
    entry = offered(in_cedar, rao, asha)
    assert link_in(letter("waitlist_offer"), "Answer the offer") == link(in_cedar, entry)
    assert without_tokens(link(in_cedar, entry)) == "/waitlist/***/"


# --- The desk --------------------------------------------------------------------------------------------------------


def test_the_desk_sees_who_waits_in_the_order_of_asking(
    cedar_meena: Client, cedar: Hospital, rao: Doctor, asha: User
) -> None:
    offered(cedar, rao, asha)
    wait(cedar, rao, person("late@example.com", "Lata"))
    rows = cedar_meena.get(OFFICE).context["rows"]
    assert [row.patient.name.split()[0] for row in rows] == ["Lata", "Asha"]
    assert "A time is offered" in text(cedar_meena.get(OFFICE))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Asha", "Lata"}),
        ("q=lata", {"Lata"}),
        ("q=nobody", set()),
        ("state=closed", set()),
        ("doctor=nonsense", {"Asha", "Lata"}),
        ("doctor={rao}", {"Asha"}),
    ],
)
def test_the_desks_list_is_narrowed(
    cedar_meena: Client, cedar: Hospital, rao: Doctor, asha: User, hari: User, query: str, names: set[str]
) -> None:
    sen = factories.bookable_doctor(cedar, hari, "sen@cedar.example", "Anika")
    wait(cedar, rao, asha)
    wait(cedar, sen, person("late@example.com", "Lata"))
    answer = cedar_meena.get(f"{OFFICE}?{query.format(rao=rao.code)}")
    assert {row.patient.name.split()[0] for row in answer.context["rows"]} == names


def test_the_tabs_say_how_many_stand_behind_them(cedar_meena: Client, cedar: Hospital, rao: Doctor, asha: User) -> None:
    wait(cedar, rao, person("late@example.com", "Lata"))
    entry = wait(cedar, rao, asha)
    with schema_context(cedar.schema_name):
        waiting.withdraw(entry=entry, by=asha)
    tabs = cedar_meena.get(OFFICE).context["tabs"]
    assert [(tab.label, tab.count) for tab in tabs] == [("Waiting", 1), ("Past", 1)]


def test_the_desks_list_costs_the_same_however_long_it_is(
    cedar_meena: Client, cedar: Hospital, rao: Doctor, asha: User
) -> None:
    wait(cedar, rao, asha)
    cedar_meena.get(OFFICE)
    one = queries(cedar_meena, OFFICE)
    for number in range(5):
        wait(cedar, rao, person(f"w{number}@example.com"))
    assert queries(cedar_meena, OFFICE) == one <= 11


def test_the_desk_takes_somebody_off_the_list(
    cedar_meena: Client, cedar_kiran: Client, cedar: Hospital, rao: Doctor, asha: User
) -> None:
    entry = wait(cedar, rao, asha)
    address = f"{OFFICE}{entry.code}/remove/"
    assert cedar_kiran.post(address).status_code == 403
    assert "Asha Patel is off the waitlist." in text(cedar_meena.post(address, follow=True))
    assert standing(cedar, entry) == Standing.WITHDRAWN
    again = cedar_meena.post(address)
    assert again.status_code == 422
    assert "Off the waitlist by Meena Shah" in text(again)


@pytest.mark.parametrize("role", [Role.NURSE, Role.PHARMACIST, Role.BILLING_CLERK, Role.CONTENT_MANAGER, Role.DOCTOR])
def test_only_the_desk_and_the_admin_see_who_waits(cedar: Hospital, join_cedar: Any, role: str) -> None:
    user = person("other@cedar.example")
    join_cedar(user, role)
    assert browser("cedar.localhost", user).get(OFFICE).status_code == 403


def test_kiran_does_not_see_who_waits(cedar_kiran: Client, cedar_hari: Client) -> None:
    assert cedar_kiran.get(OFFICE).status_code == 403
    assert cedar_hari.get(OFFICE).status_code == 200
