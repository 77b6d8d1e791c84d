"""What a hospital knows of oneself and one's family: seen and corrected by oneself alone."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from accounts.models import FamilyMember, User
from accounts.services import family
from audit.models import Action, AuditLog
from core.schemas import schema_context
from patients.models import Patient
from patients.services import register
from tenants.models import Hospital
from tests import factories
from tests.accounts.supporting import arrived, ask
from tests.conftest import browser

ME = "/me/"
API = "/api/patients/me/"
JSON: Any = {"content_type": "application/json"}
ASHA = {
    "name": "Asha Patel",
    "birth_date_day": "2",
    "birth_date_month": "11",
    "birth_date_year": "1988",
    "sex": "female",
    "phone": "98450 77777",
    "email": "asha@example.com",
    "allergies": "Penicillin",
    "conditions_none": "on",
    "blood_group": "B+",
}


@pytest.fixture
def tara(asha: User) -> FamilyMember:
    """Asha's daughter."""
    return family.add(
        user=asha, name="Tara Patel", birth_date=date(2019, 5, 2), sex="female", relation="child", by=asha
    )


@pytest.fixture
def own(in_cedar: Hospital, asha: User) -> Patient:
    """Asha as a patient of Cedar."""
    return factories.patient(asha)


@pytest.fixture
def child(own: Patient, asha: User, tara: FamilyMember) -> Patient:
    """Tara as a patient of Cedar."""
    return register.for_person(user=asha, member=tara, by=asha)


def as_it_is(patient: Patient, hospital: Hospital) -> Patient:
    with schema_context(hospital.schema_name):
        return Patient.objects.get(pk=patient.pk)


def test_who_was_never_here_reads_what_will_stand_here(cedar_asha: Client, cedar: Hospital) -> None:
    page = cedar_asha.get(ME).content.decode()
    assert "You are not a patient of Cedar Hospital yet" in page
    with schema_context(cedar.schema_name):
        assert not Patient.objects.exists(), "looking makes nobody a patient"


def test_one_sees_oneself_and_ones_family(cedar_asha: Client, own: Patient, child: Patient) -> None:
    page = cedar_asha.get(ME).content.decode()
    for words in ("Asha Patel", "Tara Patel", "2 May 2019", own.number, child.number, "Not asked yet"):
        assert words in page


def test_the_page_asks_the_same_number_of_queries(
    cedar_asha: Client, own: Patient, child: Patient, asha: User, django_assert_num_queries: Any
) -> None:
    cedar_asha.get(ME)
    with django_assert_num_queries(4):  # session, person, staff row, rows
        assert len(cedar_asha.get(ME).context["rows"]) == 2


def test_one_corrects_what_is_known(cedar_asha: Client, own: Patient, cedar: Hospital, asha: User) -> None:
    assert cedar_asha.post(f"{ME}{own.code}/", ASHA).status_code == 302
    patient = as_it_is(own, cedar)
    assert (patient.birth_date, patient.allergies, patient.conditions) == (date(1988, 11, 2), ["Penicillin"], [])
    assert (patient.blood_group, str(patient.phone)) == ("B+", "+919845077777")
    with schema_context(cedar.schema_name):
        row = AuditLog.objects.about(patient).get(action=Action.PATIENT_CHANGED)
        assert row.user == asha
        assert "Penicillin" not in str(row.data)


def test_a_form_that_is_wrong_keeps_what_was_typed(cedar_asha: Client, own: Patient) -> None:
    answer = cedar_asha.post(f"{ME}{own.code}/", {**ASHA, "email": "nonsense", "address": "12 Lake Road"})
    assert answer.status_code == 422
    page = answer.content.decode()
    for kept in ("nonsense", "12 Lake Road", "Penicillin", 'value="1988"'):
        assert kept in page


def test_nobody_takes_back_when_they_were_born(cedar_asha: Client, child: Patient, cedar: Hospital) -> None:
    blank = {name: value for name, value in ASHA.items() if not name.startswith("birth_date")}
    assert cedar_asha.post(f"{ME}{child.code}/", blank).status_code == 302
    assert as_it_is(child, cedar).birth_date == date(2019, 5, 2)


def test_who_left_the_family_is_not_shown_and_not_changed(
    cedar_asha: Client, own: Patient, child: Patient, tara: FamilyMember, asha: User
) -> None:
    family.remove(member=tara, by=asha)
    assert "Tara" not in cedar_asha.get(ME).content.decode()
    assert cedar_asha.get(f"{ME}{child.code}/").status_code == 404
    assert cedar_asha.get(f"{API}{child.code}/").status_code == 404


def test_nobody_elses_details_are_here(
    cedar_site: Client, cedar_kiran: Client, cedar_hari: Client, own: Patient, kiran: User
) -> None:
    assert cedar_site.get(ME).status_code == 302
    assert cedar_site.get(API).status_code == 401
    for client in (cedar_kiran, cedar_hari, browser("lotus.localhost", kiran)):
        assert client.get(f"{ME}{own.code}/").status_code == 404
        assert client.post(f"{ME}{own.code}/", ASHA).status_code == 404
        assert client.get(f"{API}{own.code}/").status_code == 404
        assert client.put(f"{API}{own.code}/", {"name": "X"}, **JSON).status_code == 404
        assert client.get(API).status_code == 404
        assert "Asha" not in client.get(ME).content.decode()


def test_the_api_says_that_one_is_no_patient_yet(cedar_asha: Client) -> None:
    answer = cedar_asha.get(API)
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "You are not a patient here yet. Book a visit, or send your details.",
    )


def test_saying_who_one_is_makes_one_a_patient(cedar_asha: Client, cedar: Hospital, asha: User) -> None:
    said = {
        "date_of_birth": "1988-11-02",
        "sex": "female",
        "phone_number": "98450 77777",
        "emergency_contact": "Ravi Patel",
        "emergency_contact_phone": "98450 88888",
        "blood_group": "B+",
        "allergies": ["Penicillin"],
        "medical_history": [],
    }
    answer = cedar_asha.put(API, said, **JSON)
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert shown["name"] == "Asha Patel"
    assert {name: shown[name] for name in said} == {
        **said,
        "phone_number": "+919845077777",
        "emergency_contact_phone": "+919845088888",
    }
    assert (shown["number"], shown["family"], shown["family_member"]) == ("P000001", [], None)
    again = cedar_asha.put(API, {"birth_date": "1988-11-03"}, **JSON).json()
    assert again == {**shown, "date_of_birth": "1988-11-03"}
    with schema_context(cedar.schema_name):
        assert Patient.objects.get().user == asha


def test_the_api_shows_and_corrects_the_family(cedar_asha: Client, own: Patient, child: Patient) -> None:
    [shown] = cedar_asha.get(API).json()["family"]
    assert (shown["id"], shown["name"], shown["family_member"]) == (
        str(child.code),
        "Tara Patel",
        str(child.family_member),
    )
    corrected = cedar_asha.put(f"{API}{child.code}/", {"allergies": []}, **JSON)
    assert (corrected.status_code, corrected.json()["allergies"]) == (200, [])
    assert cedar_asha.get(f"{API}{child.code}/").json() == corrected.json()


def test_the_api_keeps_the_pages_rules(cedar_asha: Client, own: Patient) -> None:
    answer = cedar_asha.put(API, {"email": "x", "date_of_birth": "2999-01-01"}, **JSON)
    assert (answer.status_code, set(answer.json())) == (400, {"email", "birth_date"})


def test_support_sees_nobodys_details(portal_usha: Client, cedar: Hospital, hari: User) -> None:
    supporter = arrived(ask(portal_usha, cedar, hari))
    for path in (ME, API, "/office/patients/", "/api/patients/"):
        assert supporter.get(path).status_code == 403, path
