"""The office's departments."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from audit.models import Action, AuditLog
from core.pictures import judge
from core.schemas import schema_context
from directory.models import DepartmentListing
from hospitals.models import Department, Staff
from hospitals.services import departments
from tenants.models import Hospital
from tests.conftest import browser
from tests.factories import picture

INDEX = "/office/departments/"
ADD = f"{INDEX}add/"


@pytest.fixture
def cardiology(in_cedar: Hospital, hari: User) -> Department:
    """Cedar's first department."""
    return departments.add(
        hospital=in_cedar, name="Cardiology", description="Heart", image=judge(picture(colour="red")), by=hari
    )


def address(department: Department, step: str = "") -> str:
    return f"{INDEX}{department.code}/{step}"


def test_without_departments_the_page_offers_to_add_the_first(cedar_hari: Client) -> None:
    page = cedar_hari.get(INDEX).content.decode()
    assert "No departments yet" in page
    assert f'href="{ADD}"' in page


def test_the_list_shows_hidden_ones_too(
    cedar_hari: Client, cardiology: Department, cedar: Hospital, hari: User
) -> None:
    departments.deactivate(hospital=cedar, department=cardiology, by=hari)
    page = cedar_hari.get(INDEX).content.decode()
    assert "Cardiology" in page
    assert "Hidden" in page


def test_search_narrows_the_list_and_says_when_nothing_matches(cedar_hari: Client, cardiology: Department) -> None:
    assert b"Cardiology" in cedar_hari.get(f"{INDEX}?q=HEART").content
    page = cedar_hari.get(f"{INDEX}?q=teeth").content.decode()
    assert "No department matches “teeth”" in page
    assert "Show all departments" in page


def test_htmx_gets_only_the_rows(cedar_hari: Client, cardiology: Department) -> None:
    response = cedar_hari.get(INDEX, headers={"HX-Request": "true"})
    assert b"Cardiology" in response.content
    assert b"<html" not in response.content


def test_the_list_has_ten_on_a_page_and_the_same_number_of_queries(
    cedar_hari: Client, in_cedar: Hospital, hari: User, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        departments.add(hospital=in_cedar, name=f"Ward {number:02}", description="", image=None, by=hari)
    assert b"Ward 10" not in cedar_hari.get(INDEX).content
    with django_assert_num_queries(5):  # session, person, staff row, count, rows
        cedar_hari.get(INDEX)


def test_a_department_is_added_and_stands_on_the_portal(cedar_hari: Client, cedar: Hospital) -> None:
    response = cedar_hari.post(
        ADD, {"name": "Cardiology", "description": "Heart\r\nand vessels", "image": picture()}, follow=True
    )
    assert response.redirect_chain == [(INDEX, 302)]
    assert b"Cardiology is added." in response.content
    assert DepartmentListing.objects.filter(name="Cardiology", listing__hospital=cedar).exists()


def test_a_line_ends_as_the_database_keeps_it(cedar_hari: Client, in_cedar: Hospital) -> None:
    cedar_hari.post(ADD, {"name": "Cardiology", "description": "Heart\r\nand vessels"})
    with schema_context(in_cedar.schema_name):
        assert Department.objects.get().description == "Heart\nand vessels"


def test_a_second_department_of_the_same_name_is_refused_at_the_name(
    cedar_hari: Client, cardiology: Department
) -> None:
    response = cedar_hari.post(ADD, {"name": "CARDIOLOGY", "description": "Typed with care"})
    assert response.status_code == 422
    assert response.context["form"].errors["name"] == ["There is a department with this name already."]
    assert "Typed with care" in response.content.decode()


def test_a_chosen_image_survives_a_fault_in_another_field(cedar_hari: Client, in_cedar: Hospital) -> None:
    refused = cedar_hari.post(ADD, {"name": "", "image": picture("ward.png")})
    assert refused.status_code == 422
    assert b"ward.png" in refused.content
    _picture, token = refused.context["form"].fields["image"].widget.kept
    cedar_hari.post(ADD, {"name": "Cardiology", "image_kept": token})
    with schema_context(in_cedar.schema_name):
        assert Department.objects.get().image


def test_what_is_not_a_picture_is_refused_at_the_image(cedar_hari: Client) -> None:
    svg = SimpleUploadedFile("logo.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", content_type="image/png")
    response = cedar_hari.post(ADD, {"name": "Cardiology", "image": svg})
    assert response.status_code == 422
    assert "image" in response.context["form"].errors


def test_correcting_a_name_keeps_image_and_address(
    cedar_hari: Client, cardiology: Department, in_cedar: Hospital
) -> None:
    response = cedar_hari.post(address(cardiology), {"name": "Heart centre", "description": "Heart"}, follow=True)
    assert b"Heart centre is saved." in response.content
    with schema_context(in_cedar.schema_name):
        changed = Department.objects.get()
        assert (changed.slug, changed.image) == ("cardiology", cardiology.image)
        row = AuditLog.objects.newest_first().filter(action=Action.DEPARTMENT_CHANGED).first()
        assert row is not None
        assert row.data == {"name": ["Cardiology", "Heart centre"]}


def test_a_refused_name_does_not_change_the_heading(
    cedar_hari: Client, cardiology: Department, in_cedar: Hospital, hari: User
) -> None:
    departments.add(hospital=in_cedar, name="Radiology", description="", image=None, by=hari)
    response = cedar_hari.post(address(cardiology), {"name": "Radiology", "description": ""})
    assert response.status_code == 422
    assert "<h1>Cardiology" in " ".join(response.content.decode().split()).replace("<h1> ", "<h1>")


def test_hiding_takes_it_off_the_site_and_showing_brings_it_back(
    cedar_hari: Client, cedar_site: Client, cardiology: Department
) -> None:
    response = cedar_hari.post(address(cardiology, "deactivate/"), follow=True)
    assert b"Cardiology is hidden from patients." in response.content
    assert cedar_site.get("/departments/cardiology/").status_code == 404
    response = cedar_hari.post(address(cardiology, "activate/"), follow=True)
    assert b"Patients see Cardiology again." in response.content
    assert cedar_site.get("/departments/cardiology/").status_code == 200


def test_deleting_asks_first_without_javascript_too(cedar_hari: Client, cardiology: Department) -> None:
    page = cedar_hari.get(address(cardiology)).content.decode()
    assert "Delete Cardiology?" in page
    assert '<details class="confirm"' in page
    assert f'action="{address(cardiology, "delete/")}"' in page


def test_deleting_removes_it_here_and_from_the_portal(
    cedar_hari: Client, cardiology: Department, in_cedar: Hospital
) -> None:
    response = cedar_hari.post(address(cardiology, "delete/"), follow=True)
    assert b"Cardiology is deleted." in response.content
    with schema_context(in_cedar.schema_name):
        assert not Department.objects.exists()
        assert AuditLog.objects.filter(action=Action.DEPARTMENT_DELETED, thing="Cardiology").exists()
        assert not DepartmentListing.objects.filter(name="Cardiology").exists()


@pytest.mark.parametrize("step", ["activate/", "deactivate/", "delete/"])
def test_steps_are_not_links(cedar_hari: Client, cardiology: Department, step: str) -> None:
    assert cedar_hari.get(address(cardiology, step)).status_code == 405


@pytest.mark.parametrize("step", ["", "activate/", "deactivate/", "delete/"])
def test_an_unknown_code_is_not_found(cedar_hari: Client, step: str) -> None:
    assert cedar_hari.post(f"{INDEX}{uuid4()}/{step}").status_code == 404


def test_a_visitor_is_sent_to_sign_in(cedar_site: Client) -> None:
    assert cedar_site.get(ADD)["Location"] == f"/sign-in/?next={ADD}"


def test_the_stranger_may_not_look_or_change(cedar_kiran: Client, cardiology: Department) -> None:
    for page in (INDEX, ADD, address(cardiology)):
        assert cedar_kiran.get(page).status_code == 403
    for step in ("activate/", "deactivate/", "delete/"):
        assert cedar_kiran.post(address(cardiology, step)).status_code == 403


def test_the_superadmin_has_no_business_here(usha: User, cardiology: Department) -> None:
    client = browser("cedar.localhost", usha)
    assert client.get(INDEX).status_code == 403
    assert client.post(address(cardiology, "delete/")).status_code == 403


def test_a_content_manager_edits_and_a_doctor_does_not(
    asha: User, join_cedar: Callable[[User, str], Staff], cedar: Hospital
) -> None:
    staff = join_cedar(asha, "content_manager")
    client = browser("cedar.localhost", asha)
    assert client.get(INDEX).status_code == 200
    with schema_context(cedar.schema_name):
        Staff.objects.filter(pk=staff.pk).update(role="doctor")
    assert client.get(INDEX).status_code == 403


def test_a_department_of_another_hospital_cannot_be_reached(
    cardiology: Department, kiran: User, in_cedar: Hospital
) -> None:
    lotus_kiran = browser("lotus.localhost", kiran)
    assert lotus_kiran.post(address(cardiology, "delete/")).status_code == 404
    with schema_context(in_cedar.schema_name):
        assert Department.objects.filter(pk=cardiology.pk).exists()
