"""The API about doctors: registering, applying, deciding, inviting, importing."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from core.schemas import schema_context
from hospitals.models import Department, Doctor, Staff
from hospitals.services.doctors import reviewing
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.accounts.mail import code_for
from tests.conftest import browser
from tests.hospitals.doctors import applied, begun, cardiology, details, pdf, photo
from tests.hospitals.test_doctor_import import row, text

JSON: Any = {"content_type": "application/json"}
REGISTER = "/api/auth/register/"
QUEUE = "/api/doctors/applications/"
OWN = "/api/doctors/application/"
PASSWORD = "correct-horse-7"


def newcomer(**fields: Any) -> dict[str, Any]:
    return {
        "email": "Sen@example.com",
        "first_name": "Anika",
        "last_name": "Sen",
        "password": PASSWORD,
        "password2": PASSWORD,
        "phone": "98450 12345",
        **fields,
    }


@pytest.fixture
def department(in_cedar: Hospital, hari: User) -> Department:
    """Cedar's first department."""
    return cardiology(in_cedar, hari)


@pytest.fixture
def doctor(in_cedar: Hospital, asha: User, department: Department) -> Doctor:
    """Asha's application at Cedar."""
    return applied(in_cedar, asha, department=department)


@pytest.fixture
def cedar_asha(cedar: Hospital, asha: User) -> Client:
    """Asha, who is a doctor, on Cedar's site."""
    return browser("cedar.localhost", asha)


def doctors(cedar: Hospital) -> list[tuple[str, str, str]]:
    with schema_context(cedar.schema_name):
        rows = Doctor.objects.select_related("user").order_by("pk")
        return [(one.user.email, one.status, one.licence_number) for one in rows]


@pytest.mark.parametrize("host", ["localhost", "cedar.localhost"])
def test_a_patient_registers_anywhere(cedar: Hospital, host: str) -> None:
    answer = browser(host).post(REGISTER, newcomer(), **JSON)
    assert answer.status_code == 201, answer.json()
    assert answer.json()["email"] == "Sen@example.com"
    user = User.objects.get(email="sen@example.com")
    assert (str(user), str(user.phone), user.email_verified_at) == ("Anika Sen", "+919845012345", None)
    assert doctors(cedar) == []


def test_a_doctor_registers_with_the_hospital(cedar_site: Client, cedar: Hospital) -> None:
    answer = cedar_site.post(REGISTER, newcomer(role="doctor", licence_number="mmc/1", experience_years=3), **JSON)
    assert answer.status_code == 201, answer.json()
    assert doctors(cedar) == [("sen@example.com", "incomplete", "MMC/1")]
    with schema_context(cedar.schema_name):
        assert Notification.objects.filter(to_address="sen@example.com", template="code").count() == 1
        assert not Staff.objects.filter(user__email="sen@example.com").exists()


def test_a_newcomer_confirms_the_address_and_applies_with_a_token(cedar_site: Client, cedar: Hospital) -> None:
    cedar_site.post(REGISTER, newcomer(role="doctor", licence_number="mmc/1"), **JSON)
    assert (
        cedar_site.post("/api/auth/login/", {"email": "sen@example.com", "password": PASSWORD}, **JSON).status_code
        > 400
    )
    proof = {"email": "sen@example.com", "password": PASSWORD, "code": code_for("sen@example.com", cedar)}
    pair = cedar_site.post("/api/auth/verify/", proof, **JSON).json()
    token = {"Authorization": f"Bearer {pair['access']}"}
    mine = cedar_site.get(OWN, headers=token).json()
    assert (mine["status"], mine["licence_number"], mine["name"]) == ("incomplete", "MMC/1", "Anika Sen")
    assert cedar_site.get(QUEUE, headers=token).status_code == 403


def test_a_doctor_does_not_register_on_the_portal(portal: Client) -> None:
    answer = portal.post(REGISTER, newcomer(role="doctor"), **JSON)
    assert (answer.status_code, answer.json()) == (
        422,
        {"detail": "Register on the hospital's own address.", "field": "role"},
    )
    assert not User.objects.filter(email="sen@example.com").exists()


@pytest.mark.parametrize("role", ["admin", "hospital_admin", "superadmin", "nurse", "front_desk", "Doctor ", "x"])
@pytest.mark.parametrize("host", ["localhost", "cedar.localhost"])
def test_nobody_gives_themselves_another_role(cedar: Hospital, host: str, role: str) -> None:
    answer = browser(host).post(REGISTER, newcomer(role=role.replace(" ", "s")), **JSON)
    assert (answer.status_code, answer.json()["field"]) == (422, "role")
    assert not User.objects.filter(email="sen@example.com").exists()


def test_a_registration_cannot_smuggle_power_in(cedar_site: Client, cedar: Hospital) -> None:
    smuggled = {
        "is_superuser": True,
        "is_staff": True,
        "email_verified_at": "2026-01-01T00:00:00Z",
        "status": "approved",
    }
    cedar_site.post(REGISTER, newcomer(role="doctor", **smuggled), **JSON)
    user = User.objects.get(email="sen@example.com")
    assert (user.is_superuser, user.is_staff, user.email_verified_at) == (False, False, None)
    assert doctors(cedar)[0][1] == "incomplete"


def test_both_passwords_must_be_the_same(portal: Client) -> None:
    answer = portal.post(REGISTER, newcomer(password2="correct-horse-8"), **JSON)
    assert (answer.status_code, answer.json()["field"]) == (422, "password2")


def test_a_weak_password_is_refused_at_its_field(portal: Client) -> None:
    answer = portal.post(REGISTER, newcomer(password="12345", password2="12345"), **JSON)
    assert (answer.status_code, answer.json()["field"]) == (422, "password")


def test_a_username_is_no_address_of_somebody_else(portal: Client, asha: User) -> None:
    answer = portal.post(REGISTER, newcomer(username=asha.email), **JSON)
    assert answer.status_code == 400
    assert "username" in answer.json()


def test_a_known_address_gets_the_same_answer_and_no_application(
    cedar_site: Client, cedar: Hospital, asha: User
) -> None:
    new = cedar_site.post(REGISTER, newcomer(role="doctor"), **JSON)
    known = cedar_site.post(REGISTER, newcomer(role="doctor", email=asha.email), **JSON)
    assert known.status_code == new.status_code == 201
    assert known.json() == {
        "email": asha.email,
        "detail": new.json()["detail"].replace("Sen@example.com", asha.email),
    }
    assert [email for email, _status, _licence in doctors(cedar)] == ["sen@example.com"]
    asha.refresh_from_db()
    assert asha.first_name == "Asha"


def test_a_taken_licence_is_refused_whether_the_address_is_known_or_not(
    cedar_site: Client, in_cedar: Hospital, asha: User
) -> None:
    applied(in_cedar, factories.person("rao@example.com"), licence_number="MMC/1")
    for email in (asha.email, "new@example.com"):
        answer = cedar_site.post(REGISTER, newcomer(role="doctor", email=email, licence_number="mmc/1"), **JSON)
        assert (answer.status_code, answer.json()["field"]) == (409, "licence_number")


def test_what_was_said_before_the_address_was_confirmed_is_said_anew(cedar_site: Client, cedar: Hospital) -> None:
    for licence in ("MMC/1", "MMC/1", "MMC/2"):
        answer = cedar_site.post(REGISTER, newcomer(role="doctor", licence_number=licence), **JSON)
        assert answer.status_code == 201, answer.json()
    assert doctors(cedar) == [("sen@example.com", "incomplete", "MMC/2")]


def test_a_doctor_applies_through_the_api(cedar_asha: Client, cedar: Hospital, department: Department) -> None:
    assert cedar_asha.get(OWN).status_code == 404
    said = {**vars(details()), "department": str(department.code)}
    answer = cedar_asha.put(OWN, said, **JSON)
    assert answer.status_code == 200, answer.json()
    assert answer.json()["may"] == ["add_document", "change", "remove_document", "send", "discard"]
    refused = cedar_asha.post(f"{OWN}send/")
    assert (refused.status_code, refused.json()["field"]) == (422, "document")
    added = cedar_asha.post(f"{OWN}documents/", {"kind": "licence", "document": pdf()})
    assert added.status_code == 201, added.json()
    assert b"".join(cedar_asha.get(added.json()["url"])).startswith(b"%PDF-")
    other = cedar_asha.post(f"{OWN}documents/", {"kind": "degree", "document": photo()}).json()
    assert other["content_type"] == "image/webp"
    assert cedar_asha.delete(f"{OWN}documents/{other['id']}/").status_code == 204
    sent = cedar_asha.post(f"{OWN}send/").json()
    assert (sent["status"], sent["may"], len(sent["documents"])) == ("pending", ["add_document"], 1)
    assert sent["department"] == {"id": str(department.code), "name": "Cardiology"}
    assert cedar_asha.post(f"{OWN}send/").status_code == 409
    assert cedar_asha.put(OWN, said | {"specialization": "Surgery"}, **JSON).status_code == 409
    assert cedar_asha.delete(f"{OWN}documents/{added.json()['id']}/").status_code == 409


def test_the_api_keeps_the_pages_rules_for_details_and_documents(cedar_asha: Client) -> None:
    answer = cedar_asha.put(OWN, {"experience_years": 99}, **JSON)
    assert answer.json() == {"experience_years": ["Enter the years as a whole number from 0 to 80."]}
    answer = cedar_asha.post(f"{OWN}documents/", {"kind": "licence"})
    assert (answer.status_code, answer.json()) == (400, {"document": ["Choose the file."]})


def test_a_doctor_removes_only_their_own_documents(cedar_asha: Client, in_cedar: Hospital, asha: User) -> None:
    rao = factories.person("rao@example.com", "Vikram", "Rao")
    document = begun(in_cedar, rao).documents.get()
    assert cedar_asha.delete(f"{OWN}documents/{document.code}/").status_code == 404
    assert cedar_asha.get(f"/api/doctors/documents/{document.code}/").status_code == 404


def test_the_queue_is_read_with_what_the_admin_may_do(cedar_hari: Client, doctor: Doctor) -> None:
    answer = cedar_hari.get(f"{QUEUE}?status=pending&q=asha").json()
    assert answer["count"] == 1
    [one] = answer["results"]
    assert (one["id"], one["name"], one["may"]) == (str(doctor.code), "Asha Patel", ["approve", "reject", "ask"])
    assert cedar_hari.get(f"{QUEUE}?status=rejected").json()["count"] == 0
    assert cedar_hari.get(f"{QUEUE}{doctor.code}/").json() == one


def test_the_queue_needs_the_same_number_of_queries_for_one_and_for_ten(
    cedar_hari: Client, in_cedar: Hospital, department: Department, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        user = factories.person(f"doctor{number}@example.com")
        applied(in_cedar, user, licence_number=f"MMC/{number}", department=department)
    cedar_hari.get(QUEUE)
    with django_assert_num_queries(6):  # session, person, staff row, count, rows, documents
        assert len(cedar_hari.get(QUEUE).json()["results"]) == 10


def test_the_admin_decides_through_the_api(
    cedar_hari: Client, cedar: Hospital, doctor: Doctor, department: Department
) -> None:
    one = f"{QUEUE}{doctor.code}/"
    asked = cedar_hari.post(f"{one}ask/", {"answer": "Send the back."}, **JSON).json()
    assert (asked["status"], asked["answer"], asked["may"]) == ("more_asked", "Send the back.", ["approve", "reject"])
    assert cedar_hari.post(f"{one}approve/", {}, **JSON).json() == {"department": ["Choose a department."]}
    assert cedar_hari.post(f"{one}approve/", {"department": "x"}, **JSON).status_code == 400
    answer = cedar_hari.post(f"{one}approve/", {"department": str(department.code)}, **JSON).json()
    assert (answer["is_verified"], answer["may"]) == (True, ["change_department"])
    second = cedar_hari.post(f"{one}reject/", {"reason": "Too late"}, **JSON)
    assert second.status_code == 409
    assert "Doctor approved by Hari Rao" in second.json()["detail"]
    with schema_context(cedar.schema_name):
        other = cardiology(cedar, doctor.user, name="Radiology")
    moved = cedar_hari.patch(one, {"department": str(other.code)}, **JSON).json()
    assert moved["department"]["name"] == "Radiology"


def test_a_token_of_this_hospital_opens_the_queue_and_one_of_another_does_not(
    cedar_site: Client, cedar: Hospital, lotus: Hospital, doctor: Doctor, hari: User
) -> None:
    for host, status in (("cedar.localhost", 200), ("lotus.localhost", 401), ("localhost", 401)):
        pair = browser(host).post("/api/auth/login/", {"email": hari.email, "password": PASSWORD}, **JSON).json()
        answer = cedar_site.get(QUEUE, headers={"Authorization": f"Bearer {pair['access']}"})
        assert answer.status_code == status


def test_a_rejection_has_its_reason(cedar_hari: Client, doctor: Doctor) -> None:
    assert cedar_hari.post(f"{QUEUE}{doctor.code}/reject/", {}, **JSON).status_code == 400
    answer = cedar_hari.post(f"{QUEUE}{doctor.code}/reject/", {"reason": "Not yours."}, **JSON).json()
    assert (answer["status"], answer["answer"], answer["may"]) == ("rejected", "Not yours.", [])


def test_a_doctor_is_invited_through_the_api(cedar_hari: Client, cedar: Hospital, department: Department) -> None:
    data = {**vars(details()), "department": str(department.code), "email": "rao@example.com", "name": "Vikram Rao"}
    answer = cedar_hari.post("/api/doctors/invite/", data, **JSON)
    assert answer.status_code == 201, answer.json()
    assert (answer.json()["status"], answer.json()["email"]) == ("approved", "rao@example.com")
    assert cedar_hari.post("/api/doctors/invite/", data, **JSON).json()["field"] == "email"
    assert cedar_hari.post("/api/doctors/invite/", {}, **JSON).status_code == 400


def test_a_list_is_looked_at_and_imported_through_the_api(
    cedar_hari: Client, cedar: Hospital, department: Department
) -> None:
    path = "/api/doctors/import/"
    looked = cedar_hari.post(path, {"csv": text(row(1), row(2, email="x"))}, **JSON).json()
    assert (looked["doctors"], looked["is_done"]) == (1, False)
    assert looked["faults"] == [
        {"row": 3, "field": "email", "sentence": "Enter an e-mail address, like rao@example.com."}
    ]
    refused = cedar_hari.post(path, {"csv": text(row(1), row(2, email="x")), "dry_run": False}, **JSON)
    assert (refused.status_code, refused.json()["field"]) == (422, "csv")
    assert doctors(cedar) == []
    done = cedar_hari.post(path, {"csv": text(row(1)), "dry_run": False}, **JSON).json()
    assert done == {"doctors": 1, "faults": [], "is_done": True}
    assert len(doctors(cedar)) == 1


def test_the_stranger_and_other_staff_get_nowhere(
    cedar_site: Client,
    cedar_kiran: Client,
    doctor: Doctor,
    kiran: User,
    usha: User,
    cedar: Hospital,
    join_cedar: Callable[[User, str], Staff],
) -> None:
    one = f"{QUEUE}{doctor.code}/"
    farid = factories.person("farid@cedar.example", "Farid", "Khan")
    join_cedar(farid, "pharmacist")
    for client, status in (
        (cedar_site, 401),
        (cedar_kiran, 403),
        (browser("cedar.localhost", farid), 403),
        (browser("cedar.localhost", usha), 403),
    ):
        assert client.get(QUEUE).status_code == status
        assert client.get(one).status_code == status
        assert client.patch(one, {}, **JSON).status_code == status
        for path in (f"{one}approve/", f"{one}ask/", f"{one}reject/", "/api/doctors/invite/", "/api/doctors/import/"):
            assert client.post(path, {}, **JSON).status_code == status
    lotus_kiran = browser("lotus.localhost", kiran)
    assert lotus_kiran.get(one).status_code == 404
    assert lotus_kiran.post(f"{one}reject/", {"reason": "Because"}, **JSON).status_code == 404
    assert cedar_kiran.get(OWN).status_code == 404
    assert cedar_kiran.get(f"/api/doctors/documents/{uuid4()}/").status_code == 404
    assert cedar_site.get(OWN).status_code == 401
    assert doctors(cedar)[0][1] == "pending"


def test_a_doctors_profile_says_whether_the_hospital_has_approved_them(
    in_cedar: Hospital, asha: User, hari: User
) -> None:
    doctor = applied(in_cedar, asha)
    client = browser("cedar.localhost", asha)
    waiting = client.get("/api/auth/register/profile/").json()
    assert (waiting["role"], waiting["is_approved"]) == ("doctor", False)
    elsewhere = browser("lotus.localhost", asha).get("/api/auth/profile/").json()
    assert (elsewhere["role"], elsewhere["is_approved"]) == ("patient", None)

    with schema_context(in_cedar.schema_name):
        department = cardiology(in_cedar, hari)
        reviewing.approve(hospital=in_cedar, doctor=doctor, department=department, by=hari, now=now())
    verified = client.get("/api/auth/profile/").json()
    assert (verified["role"], verified["is_approved"]) == ("doctor", True)
