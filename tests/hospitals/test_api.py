"""The API twins: the same services, permissions and refusals as the pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from hospitals.models import Department
from hospitals.services import departments, joining
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

REGISTER = "/api/hospitals/register/"


def registration(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Banyan Heart Institute",
        "registration_number": "tn/che/2021/00310",
        "email": "office@banyan.example",
        "phone_number": "044 4234 5678",
        "address": "7 Cathedral Road",
        "city": "Chennai",
        "state": "TN",
        "contact_person": "Lakshmi Iyer",
        "subdomain": "banyan",
        **fields,
    }


def test_registering_puts_a_hospital_into_the_queue(portal: Client) -> None:
    answer = portal.post(REGISTER, registration(), content_type="application/json")
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["status"], body["host"]) == ("pending", "banyan.localhost")
    hospital = Hospital.objects.get(code=body["id"])
    assert hospital.registration_number == "TN/CHE/2021/00310"
    assert str(hospital.phone_number) == "+914442345678"


def test_registering_with_a_logo(portal: Client) -> None:
    answer = portal.post(REGISTER, {**registration(), "logo": factories.picture()})
    assert answer.status_code == 201, answer.json()
    assert Hospital.objects.get(code=answer.json()["id"]).logo.endswith(".webp")


def test_without_a_subdomain_one_is_made_from_the_name(portal: Client) -> None:
    fields = registration()
    del fields["subdomain"]
    answer = portal.post(REGISTER, fields, content_type="application/json")
    assert answer.json()["subdomain"] == "banyan-heart-institute"


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"phone_number": "12"}, "phone_number", "valid phone number"),
        ({"state": "ZZ"}, "state", "not a valid choice"),
        ({"subdomain": "admin"}, "subdomain", "taken"),
        ({"subdomain": "cedar"}, "subdomain", "taken"),
        ({"subdomain": "Not A Host"}, "subdomain", "does not match"),
        ({"email": "nobody"}, "email", "valid email"),
        ({"name": ""}, "name", "blank"),
    ],
)
def test_what_cannot_be_right_is_refused_at_its_field(
    portal: Client, fields: dict[str, str], field: str, words: str
) -> None:
    answer = portal.post(REGISTER, registration(**fields), content_type="application/json")
    assert answer.status_code == 400
    assert words in answer.json()[field][0]


def test_a_registration_number_is_unique_within_its_state_only(portal: Client) -> None:
    factories.pending(registration_number="TN/CHE/2021/00310", state="TN")
    answer = portal.post(REGISTER, registration(), content_type="application/json")
    assert "registration number is on the platform already" in answer.json()["registration_number"][0]
    answer = portal.post(REGISTER, registration(state="KL"), content_type="application/json")
    assert answer.status_code == 201


def test_a_file_that_is_no_picture_is_refused(portal: Client) -> None:
    logo = SimpleUploadedFile("logo.png", b"<svg onload='alert(1)'/>", content_type="image/png")
    answer = portal.post(REGISTER, {**registration(), "logo": logo})
    assert answer.status_code == 400
    assert "not a picture we can read" in answer.json()["logo"][0]


def test_the_eleventh_registration_in_an_hour_waits(portal: Client) -> None:
    for number in range(10):
        fields = registration(registration_number=str(number), subdomain=f"banyan-{number}")
        assert portal.post(REGISTER, fields, content_type="application/json").status_code == 201
    answer = portal.post(REGISTER, registration(), content_type="application/json")
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert "Wait 60 minutes" in answer.json()["detail"]


def test_the_list_shows_open_hospitals_and_only_those(portal: Client, usha: User, lotus: Hospital) -> None:
    factories.pending(name="In the queue")
    joining.suspend(hospital=lotus, by=usha, reason="Unpaid")
    answer = portal.get("/api/hospitals/").json()
    assert [hospital["name"] for hospital in answer["results"]] == ["Cedar Hospital"]


def test_the_list_is_searched_and_paged(
    portal: Client, usha: User, cedar: Hospital, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for number in range(11):
        factories.opened(usha, name=f"Neem Clinic {number:02d}", city="Nagpur")
    with django_assert_num_queries(3):  # count, rows with their hospital, departments
        answer = portal.get("/api/hospitals/?q=neem+nagpur").json()
    assert (answer["count"], len(answer["results"])) == (11, 10)
    assert answer["next"].endswith("page=2&q=neem+nagpur")
    assert portal.get("/api/hospitals/?q=cardiology").json()["count"] == 0


def test_one_hospital_is_read_by_its_id(portal: Client, cedar: Hospital) -> None:
    answer = portal.get(f"/api/hospitals/{cedar.code}/").json()
    assert (answer["name"], answer["site"]) == ("Cedar Hospital", "http://cedar.localhost:8000/")


def test_a_hospital_that_is_not_open_is_not_found(portal: Client) -> None:
    assert portal.get(f"/api/hospitals/{factories.pending().code}/").status_code == 404


def test_the_queue_is_for_the_superadmin(portal: Client, portal_usha: Client, asha: User) -> None:
    factories.pending(name="In the queue")
    path = "/api/admin/hospitals/pending/"
    assert portal.get(path).status_code == 401
    assert browser("localhost", asha).get(path).status_code == 403
    assert [hospital["name"] for hospital in portal_usha.get(path).json()["results"]] == ["In the queue"]


def test_approving_opens_the_hospital(portal_usha: Client) -> None:
    hospital = factories.pending(slug="banyan")
    answer = portal_usha.post(f"/api/admin/hospitals/{hospital.code}/approve/")
    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert browser("banyan.localhost").get("/").status_code == 200


def test_approving_twice_says_who_was_first(portal_usha: Client) -> None:
    hospital = factories.pending()
    path = f"/api/admin/hospitals/{hospital.code}/approve/"
    portal_usha.post(path)
    answer = portal_usha.post(path)
    assert answer.status_code == 409
    assert "Hospital approved by Usha Menon" in answer.json()["detail"]


def test_rejecting_needs_a_reason(portal_usha: Client) -> None:
    hospital = factories.pending()
    path = f"/api/admin/hospitals/{hospital.code}/reject/"
    assert "reason" in portal_usha.post(path, {}, content_type="application/json").json()
    answer = portal_usha.post(path, {"reason": "No licence"}, content_type="application/json")
    assert answer.json()["status"] == "rejected"
    assert AuditLog.objects.about(hospital).newest_first()[0].reason == "No licence"


def test_suspending_and_resuming(portal_usha: Client, cedar: Hospital) -> None:
    path = f"/api/admin/hospitals/{cedar.code}"
    reason = {"reason": "Licence expired"}
    answer = portal_usha.post(f"{path}/suspend/", reason, content_type="application/json")
    assert answer.json()["status"] == "suspended"
    answer = portal_usha.post(f"{path}/resume/", {"reason": "Renewed"}, content_type="application/json")
    assert answer.json()["status"] == "approved"


def test_decisions_are_the_superadmins_alone(portal: Client, asha: User, hari: User) -> None:
    hospital = factories.pending()
    for step in ("approve", "reject", "suspend", "resume"):
        path = f"/api/admin/hospitals/{hospital.code}/{step}/"
        assert portal.post(path).status_code == 401
        for person in (asha, hari):
            assert browser("localhost", person).post(path).status_code == 403
    hospital.refresh_from_db()
    assert hospital.status == Hospital.Status.PENDING


def test_the_audit_log_is_filtered_by_thing_action_and_person(portal_usha: Client, usha: User) -> None:
    hospital = factories.pending()
    joining.reject(hospital=hospital, by=usha, reason="No licence")
    path = "/api/admin/audit-logs/"
    [row] = portal_usha.get(f"{path}?entity=tenants.hospital&entity_id={hospital.pk}&user={usha.code}").json()[
        "results"
    ]
    assert row["action"] == Action.HOSPITAL_REJECTED
    assert (row["user"], row["entity"], row["entity_id"]) == (str(usha.code), "tenants.hospital", str(hospital.pk))
    assert row["timestamp"]
    assert portal_usha.get(f"{path}?action=hospital.rejected&last=2020-01-01").json()["count"] == 0


def test_the_audit_log_costs_the_same_for_every_row(
    portal_usha: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(9):
        factories.pending()
    with django_assert_max_num_queries(5):  # session, person, count, rows with their people
        portal_usha.get("/api/admin/audit-logs/")


def test_departments_are_kept_through_the_api(cedar_hari: Client, cedar_site: Client, in_cedar: Hospital) -> None:
    added = cedar_hari.post("/api/departments/", {"name": "Cardiology"}, content_type="application/json")
    assert added.status_code == 201
    path = f"/api/departments/{added.json()['id']}/"
    changed = cedar_hari.put(path, {"name": "Heart", "description": "Hearts"}, content_type="application/json")
    assert (changed.json()["name"], changed.json()["slug"]) == ("Heart", "cardiology")
    assert cedar_site.get("/api/departments/").json()["count"] == 1
    cedar_hari.patch(path, {"is_active": False}, content_type="application/json")
    assert cedar_site.get("/api/departments/").json()["count"] == 0
    assert cedar_site.get(path).status_code == 404
    assert cedar_hari.get(path).json()["is_active"] is False
    assert cedar_hari.delete(path).status_code == 204
    with schema_context(in_cedar.schema_name):  # a request leaves the connection on the portal
        assert not Department.objects.exists()


def test_a_second_department_of_one_name_is_refused_at_the_name(
    cedar_hari: Client, in_cedar: Hospital, hari: User
) -> None:
    departments.add(hospital=in_cedar, name="Cardiology", description="", image=None, by=hari)
    answer = cedar_hari.post("/api/departments/", {"name": "cardiology"}, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (409, "name")


def test_the_stranger_changes_nothing(cedar_kiran: Client, cedar_site: Client) -> None:
    for client, status in ((cedar_kiran, 403), (cedar_site, 401)):
        assert client.post("/api/departments/", {"name": "X"}, content_type="application/json").status_code == status
        assert client.put("/api/brand/", {"name": "X"}, content_type="application/json").status_code == status
        assert client.get("/api/activity/").status_code == status


def test_the_brand_is_changed_through_the_api(cedar_hari: Client, cedar: Hospital) -> None:
    answer = cedar_hari.put("/api/brand/", {"name": "Cedar", "accent": "#ffd43b"}, content_type="application/json")
    assert (answer.json()["name"], answer.json()["accent"]) == ("Cedar", "#ffd43b")
    assert cedar_hari.get("/api/activity/").json()["results"][0]["action"] == Action.SETTINGS_CHANGED


def test_the_description_of_the_api_is_openapi_3_1(portal: Client, cedar_site: Client) -> None:
    for client in (portal, cedar_site):
        answer = client.get("/api/schema/?format=json").json()
        assert answer["openapi"].startswith("3.1")
    assert "/api/departments/" in answer["paths"]


def test_a_name_is_one_line_whatever_was_sent(portal: Client) -> None:
    fields = registration(
        name="Banyan\nBcc: everybody@example.com", contact_person="Lakshmi\r\n Iyer", city=" New\tDelhi "
    )
    answer = portal.post(REGISTER, fields, content_type="application/json").json()
    assert (answer["name"], answer["contact_person"], answer["city"]) == (
        "Banyan Bcc: everybody@example.com",
        "Lakshmi Iyer",
        "New Delhi",
    )


def test_a_department_says_what_the_caller_may_do_with_it(
    cedar_hari: Client, cedar_site: Client, cedar_kiran: Client, in_cedar: Hospital, hari: User
) -> None:
    department = departments.add(hospital=in_cedar, name="Cardiology", description="", image=None, by=hari)
    path = f"/api/departments/{department.code}/"
    assert cedar_hari.get(path).json()["may"] == ["change", "delete", "hide"]
    assert cedar_site.get(path).json()["may"] == []
    assert cedar_kiran.get(path).json()["may"] == []
    hidden = cedar_hari.patch(path, {"is_active": False}, content_type="application/json").json()
    assert hidden["may"] == ["change", "delete", "show"]


def test_a_hospital_in_the_queue_says_what_the_caller_may_do_with_it(portal: Client, portal_usha: Client) -> None:
    asked = portal.post(REGISTER, registration(), content_type="application/json").json()
    assert asked["may"] == []
    queue = portal_usha.get("/api/admin/hospitals/pending/").json()["results"]
    assert [hospital["may"] for hospital in queue if hospital["id"] == asked["id"]] == [["approve", "reject"]]
    approved = portal_usha.post(f"/api/admin/hospitals/{asked['id']}/approve/").json()
    assert approved["may"] == ["suspend"]
