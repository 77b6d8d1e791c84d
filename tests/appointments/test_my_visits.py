"""One's visits: at one hospital, and on the portal at all of them."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Status
from appointments.services import day, everywhere
from core.schemas import schema_context
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.accounts.supporting import arrived, ask
from tests.appointments.patients_way import said
from tests.conftest import browser
from tests.factories import visit

LIST = "/visits/"


@pytest.fixture
def cedar_asha(cedar: Hospital, asha: User) -> Client:
    """Asha on Cedar's site."""
    return browser("cedar.localhost", asha)


@pytest.fixture
def portal_asha(asha: User) -> Client:
    """Asha on the portal."""
    return browser("localhost", asha)


@pytest.fixture
def das(lotus: Hospital, kiran: User) -> Doctor:
    """A doctor of Lotus."""
    with schema_context(lotus.schema_name):
        return factories.bookable_doctor(lotus, kiran, "das@lotus.example", "Mira")


def cancelled(hospital: Hospital, one: Appointment, by: User) -> Appointment:
    day.cancel(hospital=hospital, visit=one, by=by, reason="", now=now(), by_hospital=False)
    return one


def test_visits_to_come_stand_first_and_the_others_below(
    cedar_asha: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    later, gone, sooner = visit(cedar, rao, asha, "11:00", 3), visit(cedar, rao, asha, "12:00"), visit(cedar, rao, asha)
    cancelled(cedar, gone, asha)
    context = cedar_asha.get(LIST).context
    assert [one for one, _may in context["coming"]] == [sooner, later]
    assert list(context["past"]) == [gone]


def test_the_list_is_ones_own(
    cedar_kiran: Client, cedar_hari: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    booked = visit(cedar, rao, asha)
    for client in (cedar_kiran, cedar_hari):
        page = said(client.get(LIST))
        assert str(booked.code) not in page
        assert "No appointments coming up" in page


def test_the_main_step_is_to_check_in_when_it_is_time(
    cedar_asha: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    booked = visit(cedar, rao, asha)
    Appointment.objects.update(starts_at=now(), ends_at=factories.at(cedar, "23:59"))
    assert f'action="/visits/{booked.code}/check-in/"' in said(cedar_asha.get(LIST))


def test_earlier_visits_come_ten_on_a_page_with_the_same_number_of_questions(
    cedar_asha: Client, rao: Doctor, cedar: Hospital, asha: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        cancelled(cedar, visit(cedar, rao, asha, f"{9 + number % 8:02}:00", 1 + number // 8), asha)
    for number in range(3):
        visit(cedar, rao, asha, f"{9 + number:02}:20")
    assert len(cedar_asha.get(LIST).context["past"]) == 10
    assert len(cedar_asha.get(f"{LIST}?page=2").context["past"]) == 2
    with django_assert_max_num_queries(9):
        cedar_asha.get(LIST)


def test_htmx_gets_the_earlier_visits_alone(cedar_asha: Client, rao: Doctor, cedar: Hospital, asha: User) -> None:
    cancelled(cedar, visit(cedar, rao, asha), asha)
    part = said(cedar_asha.get(LIST, headers={"HX-Request": "true"}))
    assert "Cancelled" in part
    assert "<h1" not in part


@pytest.mark.parametrize("host", ["localhost", "cedar.localhost"])
def test_a_visitor_is_asked_to_sign_in(cedar: Hospital, host: str) -> None:
    assert browser(host).get(LIST)["Location"] == f"/sign-in/?next={LIST}"


def test_support_sees_no_list(portal_usha: Client, cedar: Hospital, hari: User) -> None:
    assert arrived(ask(portal_usha, cedar, hari)).get(LIST).status_code == 403


# --- On the portal ---------------------------------------------------------------------------------------------------


def test_the_portal_shows_the_visits_of_all_hospitals_the_earliest_first(
    portal_asha: Client, rao: Doctor, das: Doctor, cedar: Hospital, lotus: Hospital, asha: User
) -> None:
    visit(cedar, rao, asha, "10:00", 2)
    with schema_context(lotus.schema_name):
        visit(lotus, das, asha, "10:00", 1)
    found = portal_asha.get(LIST).context["coming"]
    assert [one.hospital.slug for one, _url in found] == ["lotus", "cedar"]
    page = said(portal_asha.get(LIST))
    assert "Mira Rao at Lotus Clinic" in page
    assert "Vikram Rao at Cedar Hospital" in page


def test_a_link_from_the_portal_carries_the_sign_in_along(
    portal_asha: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    booked = visit(cedar, rao, asha)
    [(_one, url)] = portal_asha.get(LIST).context["coming"]
    assert "cedar.localhost" in url
    assert f"%2Fvisits%2F{booked.code}%2F" in url


def test_times_are_by_each_hospitals_own_clocks(
    portal_asha: Client, rao: Doctor, das: Doctor, cedar: Hospital, lotus: Hospital, asha: User
) -> None:
    Hospital.objects.filter(pk=lotus.pk).update(time_zone="Asia/Dubai")
    lotus.refresh_from_db()
    with schema_context(lotus.schema_name):
        visit(lotus, das, asha, "10:00", 2)
    assert "10:00 +04" in said(portal_asha.get(LIST))


def test_what_is_over_or_was_called_off_stands_below(
    portal_asha: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    cancelled(cedar, visit(cedar, rao, asha), asha)
    context = portal_asha.get(LIST).context
    assert context["coming"] == []
    assert [one.visit.status for one, _url in context["past_visits"]] == [Status.CANCELLED]


def test_the_portal_shows_nobody_elses_visits(rao: Doctor, cedar: Hospital, asha: User, kiran: User) -> None:
    booked = visit(cedar, rao, asha)
    page = said(browser("localhost", kiran).get(LIST))
    assert str(booked.code) not in page
    assert "No appointments coming up" in page


def test_the_portal_asks_once_for_the_times_and_once_in_each_hospital(
    rao: Doctor, das: Doctor, cedar: Hospital, lotus: Hospital, asha: User
) -> None:
    for hour in (9, 11, 13):
        visit(cedar, rao, asha, f"{hour:02}:00")
    with schema_context(lotus.schema_name):
        for hour in (10, 12):
            visit(lotus, das, asha, f"{hour:02}:00")
    with schema_context("public"), CaptureQueriesContext(connection) as asked:
        found = everywhere.coming(user=asha, now=now())
        assert [(one.visit.doctor.name, one.visit.patient.name) for one in found if one.visit.patient]
    assert len(found) == 5
    assert (
        len([query for query in asked if query["sql"].startswith("SELECT")]) == 5
    )  # the times; in each hospital visits, and whether they can be paid
