"""The portal while a hospital is out of service for a moment: search, booking, one's visits."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from appointments.services import everywhere
from core.schemas import schema_context
from directory.models import TakenTime
from hospitals.models import Doctor
from tenants import services as tenants
from tenants.models import Hospital
from tests import factories
from tests.appointments.patients_way import said
from tests.conftest import browser
from tests.factories import visit


@pytest.fixture
def portal_asha(asha: User) -> Client:
    """Asha on the portal."""
    return browser("localhost", asha)


@pytest.fixture
def das(lotus: Hospital, kiran: User) -> Doctor:
    """A doctor of Lotus."""
    with schema_context(lotus.schema_name):
        return factories.bookable_doctor(lotus, kiran, "das@lotus.example", "Mira")


def pause(hospital: Hospital) -> None:
    tenants.pause(hospital=hospital, why=Hospital.Pause.UPGRADE, note="out of memory", now=now())


def test_ones_visits_there_are_told_by_their_times_and_all_others_as_ever(
    portal_asha: Client, rao: Doctor, das: Doctor, cedar: Hospital, lotus: Hospital, asha: User
) -> None:
    booked = visit(cedar, rao, asha, "10:00", 2)
    with schema_context(lotus.schema_name):
        visit(lotus, das, asha, "11:00", 2)
    pause(cedar)
    response = portal_asha.get("/visits/")
    page = said(response)
    assert [one.hospital.slug for one, _url in response.context["coming"]] == ["lotus"]
    assert "Cedar Hospital is back soon" in page
    assert "Your appointments there stand as booked:" in page
    [away] = response.context["out_of_service"]
    [time] = away.times
    assert time.endswith("10:00 IST")
    assert f"<li>{time}</li>" in page
    assert f'href="{cedar.phone_number.as_rfc3966}"' in page
    assert str(booked.code) not in page
    assert "out of memory" not in page


def test_who_has_visits_only_there_is_not_told_that_they_have_none(
    portal_asha: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    visit(cedar, rao, asha, "10:00", 2)
    pause(cedar)
    assert "No other appointments coming up" in said(portal_asha.get("/visits/"))


def test_of_earlier_visits_there_it_says_that_they_come_back(
    portal_asha: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    visit(cedar, rao, asha, "10:00", 2)
    TakenTime.objects.update(is_live=False)
    pause(cedar)
    assert "Your earlier appointments there are shown again in a few minutes." in said(portal_asha.get("/visits/"))


def test_with_every_hospital_in_service_nothing_is_said(
    portal_asha: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    visit(cedar, rao, asha)
    assert portal_asha.get("/visits/").context["out_of_service"] == []
    assert "X-Out-Of-Service" not in portal_asha.get("/api/appointments/")


def test_the_api_leaves_them_out_and_names_the_hospital(
    portal_asha: Client, rao: Doctor, das: Doctor, cedar: Hospital, lotus: Hospital, asha: User
) -> None:
    visit(cedar, rao, asha, "10:00", 2)
    with schema_context(lotus.schema_name):
        there = visit(lotus, das, asha, "11:00", 2)
    pause(cedar)
    answer = portal_asha.get("/api/appointments/")
    assert [one["id"] for one in answer.json()["results"]] == [str(there.code)]
    assert answer["X-Out-Of-Service"] == str(cedar.code)


def test_the_api_books_nothing_there_and_says_when_to_ask_again(
    portal_asha: Client, rao: Doctor, cedar: Hospital
) -> None:
    pause(cedar)
    wanted = {"hospital_id": str(cedar.code), "doctor_id": str(rao.code)}
    for answer in (
        portal_asha.post("/api/appointments/", wanted, content_type="application/json"),
        portal_asha.get("/api/appointments/", {"hospital_id": str(cedar.code)}),
    ):
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
        assert answer.json()["detail"].startswith("Cedar Hospital is back soon.")


def test_it_is_found_as_ever_and_its_page_says_that_it_is_back_soon(portal: Client, cedar: Hospital) -> None:
    pause(cedar)
    assert "Cedar Hospital" in said(portal.get("/hospitals/"))
    assert "Cedar Hospital is back soon" in said(portal.get(f"/hospitals/{cedar.code}/"))


def test_a_visit_that_is_long_over_is_no_coming_one(rao: Doctor, cedar: Hospital, asha: User) -> None:
    visit(cedar, rao, asha, "10:00", 2)
    pause(cedar)
    [away] = everywhere.out_of_service(user=asha, now=now() + timedelta(days=9))
    assert away.times == []
