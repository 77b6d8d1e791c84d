"""The doctors of a hospital, as patients choose among them on its own site."""

from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Availability
from appointments.services import listing
from hospitals.models import Department, Doctor
from hospitals.services import departments
from hospitals.services.doctors import publishing, reviewing
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

LIST = "/doctors/"


@pytest.fixture
def cardiology(in_cedar: Hospital, hari: User) -> Department:
    """A department of Cedar. The test works in Cedar's schema."""
    return departments.add(hospital=in_cedar, name="Cardiology", description="Heart", image=None, by=hari)


def shown(hospital: Hospital, by: User, first_name: str, department: Department, **fields: Any) -> Doctor:
    """A doctor whom patients find, with free times."""
    email = f"{first_name.lower()}@cedar.example"
    doctor = factories.bookable_doctor(hospital, by, email, first_name, **fields)
    reviewing.change_department(hospital=hospital, doctor=doctor, department=department, by=by)
    listing.refresh_times(doctor_id=doctor.pk, now=now())
    return doctor


@pytest.fixture
def rao(in_cedar: Hospital, hari: User, cardiology: Department) -> Doctor:
    """Dr Rao, a cardiologist for visits in person and by video."""
    return shown(in_cedar, hari, "Vikram", cardiology, experience_years=12, languages=["en", "hi"])


def names(client: Client, query: str = "") -> list[str]:
    return [card.doctor.name for card in client.get(f"{LIST}{query}").context["cards"]]


def test_a_card_says_what_patients_choose_by(cedar_site: Client, rao: Doctor) -> None:
    response = cedar_site.get(LIST)
    page = " ".join(response.content.decode().split())
    for words in ("Vikram Rao", "Verified", "Cardiology, 12 years of experience", "English, Hindi", "₹700", "₹500"):
        assert words in page
    assert f'href="/doctors/{rao.code}/"' in page
    [card] = response.context["cards"]
    assert card.next_free_at is not None
    assert "Next free time" in page


def test_who_is_free_first_comes_first(
    cedar_site: Client, in_cedar: Hospital, hari: User, cardiology: Department, rao: Doctor
) -> None:
    busy = shown(in_cedar, hari, "Anil", cardiology)
    Availability.objects.filter(doctor=busy).delete()
    listing.refresh_times(doctor_id=busy.pk, now=now())
    assert names(cedar_site) == ["Vikram Rao", "Anil Rao"]
    assert b"No free time in the next days" in cedar_site.get(LIST).content


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=vikram", 1),
        ("?q=heart", 1),
        ("?q=teeth", 0),
        ("?department=cardiology", 1),
        ("?department=radiology", 0),
        ("?kind=video", 1),
        ("?kind=chat", 0),
        ("?kind=telepathy", 1),
        ("?q=vikram&kind=video&department=cardiology", 1),
    ],
)
def test_the_list_is_narrowed_by_the_address(cedar_site: Client, rao: Doctor, query: str, found: int) -> None:
    assert len(names(cedar_site, query)) == found


def test_for_one_kind_of_visit_its_own_fee_is_shown_and_asked_for(cedar_site: Client, rao: Doctor) -> None:
    page = cedar_site.get(f"{LIST}?kind=in_person").content.decode()
    assert "₹700" in page
    assert "₹500" not in page
    assert f'href="/doctors/{rao.code}/?kind=in_person"' in page


def test_a_visit_without_a_fee_is_free_of_charge(
    cedar_site: Client, in_cedar: Hospital, hari: User, cardiology: Department
) -> None:
    shown(in_cedar, hari, "Vikram", cardiology, fee_in_person=0, fee_video=None)
    assert b"free</b>" in cedar_site.get(LIST).content


def test_nothing_found_says_so_safely_and_leads_back(cedar_site: Client, rao: Doctor) -> None:
    page = cedar_site.get(f"{LIST}?q=<b>teeth").content.decode()
    assert "No doctor here matches “&lt;b&gt;teeth”" in page
    assert f'href="{LIST}"' in page


@pytest.mark.parametrize("query", ["?kind=chat", "?department=radiology"])
def test_a_filter_that_leaves_nobody_says_so(cedar_site: Client, rao: Doctor, query: str) -> None:
    assert b"No doctor here offers this" in cedar_site.get(f"{LIST}{query}").content


def test_a_hospital_without_doctors_says_that_they_follow(cedar_site: Client) -> None:
    assert b"Our doctors follow soon" in cedar_site.get(LIST).content
    assert b"Find a doctor" not in cedar_site.get("/").content


def test_the_home_page_leads_to_the_doctors(cedar_site: Client, rao: Doctor) -> None:
    page = cedar_site.get("/").content.decode()
    assert "Find a doctor" in page
    assert f'href="{LIST}"' in page


def test_a_departments_page_shows_its_doctors(cedar_site: Client, rao: Doctor) -> None:
    assert b"Vikram Rao" in cedar_site.get("/departments/cardiology/").content


def test_who_cannot_be_booked_is_not_shown(cedar_site: Client, in_cedar: Hospital, rao: Doctor) -> None:
    Doctor.objects.update(is_available=False)
    publishing.republish(hospital=in_cedar)
    assert names(cedar_site) == []


def test_the_doctors_of_another_hospital_are_not_here(rao: Doctor, lotus: Hospital) -> None:
    assert names(browser("lotus.localhost")) == []


def test_htmx_gets_only_the_results(cedar_site: Client, rao: Doctor) -> None:
    response = cedar_site.get(f"{LIST}?kind=video", headers={"HX-Request": "true"})
    assert b"<html" not in response.content
    assert b"Vikram Rao" in response.content


def test_the_list_has_ten_on_a_page_and_the_same_number_of_queries(
    cedar_site: Client, in_cedar: Hospital, hari: User, cardiology: Department, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        shown(in_cedar, hari, f"Doctor{number:02}", cardiology)
    assert len(names(cedar_site)) == 10
    assert len(names(cedar_site, "?page=2")) == 2
    with django_assert_num_queries(5):  # what begins like the word, count, rows, free times, departments
        cedar_site.get(f"{LIST}?q=heart&kind=video")
    with django_assert_num_queries(5):  # department, settings, count, rows, free times
        cedar_site.get("/departments/cardiology/")
