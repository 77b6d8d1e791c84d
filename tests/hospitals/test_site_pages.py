"""What patients and visitors see on a hospital's own site."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core.pictures import judge
from hospitals.models import Department, Settings
from hospitals.services import departments, settings
from tenants.models import Hospital
from tests.factories import picture


def add(hospital: Hospital, by: User, name: str, description: str = "", *, image: bool = False) -> Department:
    """A department of `hospital`, in whose schema the test works."""
    return departments.add(
        hospital=hospital, name=name, description=description, image=judge(picture()) if image else None, by=by
    )


def image_address(department: Department) -> str:
    return f"/departments/{department.slug}/image/{department.image_name}"


def test_the_home_page_says_who_this_is_and_how_to_reach_it(cedar_site: Client) -> None:
    page = cedar_site.get("/").content.decode()
    assert "<h1>Cedar Hospital</h1>" in page
    assert "tel:+91-98450-12345" in page
    assert "mailto:hari@cedar.example" in page
    assert "Kothrud" in page
    assert 'href="tel:112"' in page
    assert 'href="/sign-in/"' in page


def test_a_hospital_without_departments_says_that_they_follow(cedar_site: Client) -> None:
    assert b"Departments follow soon" in cedar_site.get("/").content
    assert b"Departments follow soon" in cedar_site.get("/departments/").content


def test_the_home_page_shows_welcome_text_and_opening_hours(cedar_site: Client, in_cedar: Hospital, hari: User) -> None:
    settings.change_welcome(
        settings=Settings.objects.get(),
        welcome="Open since <1994>.",
        emergency_phone="020 2612 3456",
        opening_hours="Day and night",
        by=hari,
    )
    page = cedar_site.get("/").content.decode()
    assert "Open since &lt;1994&gt;." in page
    assert "Day and night" in page
    assert "tel:+91-20-2612-3456" in page


def test_the_home_page_shows_six_departments_and_leads_to_all(
    cedar_site: Client, in_cedar: Hospital, hari: User
) -> None:
    for number in range(7):
        add(in_cedar, hari, f"Ward {number}")
    page = cedar_site.get("/").content.decode()
    assert "Ward 5" in page
    assert "Ward 6" not in page
    assert "All 7 departments" in page


def test_patients_do_not_see_hidden_departments(cedar_site: Client, in_cedar: Hospital, hari: User) -> None:
    hidden = add(in_cedar, hari, "Radiology")
    departments.deactivate(hospital=in_cedar, department=hidden, by=hari)
    assert b"Radiology" not in cedar_site.get("/").content
    assert b"Radiology" not in cedar_site.get("/departments/").content
    assert cedar_site.get("/departments/radiology/").status_code == 404


def test_a_department_of_another_hospital_is_not_here(in_cedar: Hospital, hari: User, lotus: Hospital) -> None:
    add(in_cedar, hari, "Cardiology")
    assert Client(HTTP_HOST="lotus.localhost").get("/departments/cardiology/").status_code == 404


def test_the_list_finds_by_name_and_description(cedar_site: Client, in_cedar: Hospital, hari: User) -> None:
    add(in_cedar, hari, "Cardiology", "Heart and vessels")
    add(in_cedar, hari, "Orthopaedics", "Bones")
    page = cedar_site.get("/departments/?q=heart").content.decode()
    assert "Cardiology" in page
    assert "Orthopaedics" not in page


def test_a_search_without_results_says_so_and_leads_back(cedar_site: Client, in_cedar: Hospital, hari: User) -> None:
    add(in_cedar, hari, "Cardiology")
    page = cedar_site.get("/departments/?q=<teeth>").content.decode()
    assert "No department matches “&lt;teeth&gt;”" in page
    assert "Show all departments" in page


def test_the_list_has_ten_on_a_page(cedar_site: Client, in_cedar: Hospital, hari: User) -> None:
    for number in range(12):
        add(in_cedar, hari, f"Ward {number:02}")
    first = cedar_site.get("/departments/").content.decode()
    assert "Ward 09" in first
    assert "Ward 10" not in first
    assert "Ward 10" in cedar_site.get("/departments/?page=2").content.decode()


def test_htmx_gets_only_the_results(cedar_site: Client) -> None:
    response = cedar_site.get("/departments/", headers={"HX-Request": "true"})
    assert b"<html" not in response.content
    assert b"Departments follow soon" in response.content
    assert "HX-Request" in response["Vary"]


def test_a_department_has_a_page(cedar_site: Client, in_cedar: Hospital, hari: User) -> None:
    department = add(in_cedar, hari, "Cardiology", "Heart\n\nand vessels", image=True)
    page = cedar_site.get("/departments/cardiology/").content.decode()
    assert "<p>Heart</p>" in page
    assert image_address(department) in page


def test_an_image_is_cached_for_ever(cedar_site: Client, in_cedar: Hospital, hari: User) -> None:
    response = cedar_site.get(image_address(add(in_cedar, hari, "Cardiology", image=True)))
    assert response["Content-Type"] == "image/webp"
    assert "immutable" in response["Cache-Control"]
    assert b"".join(response).startswith(b"RIFF")
    response.close()


def test_an_image_answers_only_to_its_own_name(cedar_site: Client, in_cedar: Hospital, hari: User) -> None:
    add(in_cedar, hari, "Cardiology", image=True)
    assert cedar_site.get("/departments/cardiology/image/000000000000.webp").status_code == 404
    assert cedar_site.get("/departments/cardiology/image/webp").status_code == 404


def test_the_image_of_a_hidden_department_is_for_those_who_edit_it(
    cedar_site: Client, cedar_hari: Client, cedar_kiran: Client, in_cedar: Hospital, hari: User
) -> None:
    hidden = add(in_cedar, hari, "Radiology", image=True)
    departments.deactivate(hospital=in_cedar, department=hidden, by=hari)
    assert cedar_site.get(image_address(hidden)).status_code == 404
    assert cedar_kiran.get(image_address(hidden)).status_code == 404
    response = cedar_hari.get(image_address(hidden))
    assert response.status_code == 200
    assert response["Cache-Control"].startswith("private")
    response.close()


@pytest.mark.parametrize(("address", "queries"), [("/", 4), ("/departments/", 2), ("/departments/?q=ward", 2)])
def test_pages_ask_the_database_the_same_however_many_departments_there_are(
    cedar_site: Client,
    in_cedar: Hospital,
    hari: User,
    django_assert_num_queries: Any,
    address: str,
    queries: int,
) -> None:
    for number in range(12):
        add(in_cedar, hari, f"Ward {number:02}", image=number % 2 == 0)
    cedar_site.get(address)  # from now on the host is known
    with django_assert_num_queries(queries):
        cedar_site.get(address)
