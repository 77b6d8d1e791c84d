"""The API twin of the register."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import localdate

from accounts.models import User
from core.schemas import schema_context
from patients.models import Patient
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

PATH = "/api/patients/"
JSON: Any = {"content_type": "application/json"}
SUNITA = {"name": "Sunita Bose", "date_of_birth": "1990-03-07", "sex": "female", "phone_number": "+919845099999"}

Register = Callable[..., Patient]


def one(patient: Patient, step: str = "") -> str:
    return f"{PATH}{patient.code}/{step}"


def test_the_list_says_who_is_a_patient_and_what_may_be_done(cedar_meena: Client, ravi: Patient) -> None:
    answer = cedar_meena.get(PATH).json()
    assert answer["count"] == 1
    assert answer["results"] == [
        {
            "id": str(ravi.code),
            "number": "P000001",
            "name": "Ravi Kumar",
            "date_of_birth": "1984-03-27",
            "is_birth_date_estimated": False,
            "sex": "male",
            "phone_number": "+919845012345",
            "email": "ravi@example.com",
            "is_blocked": False,
            "has_account": False,
            "may": ["change"],
        }
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [("?q=98450+12345", 1), ("?q=ravi", 2), ("?q=zzz", 0), ("?show=doubles", 2), ("?show=blocked", 0)],
)
def test_the_list_is_narrowed(cedar_meena: Client, ravi: Patient, at_desk: Register, query: str, count: int) -> None:
    at_desk("Ravi Kumaar")
    assert cedar_meena.get(f"{PATH}{query}").json()["count"] == count


def test_a_look_that_there_is_not_is_refused(cedar_meena: Client) -> None:
    assert cedar_meena.get(f"{PATH}?show=nonsense").status_code == 400


def test_the_list_asks_the_same_number_of_queries(
    cedar_meena: Client, at_desk: Register, django_assert_num_queries: Any
) -> None:
    for number in range(11):
        at_desk(f"Patient {number:02}")
    cedar_meena.get(PATH)
    with django_assert_num_queries(5):  # session, person, staff row, count, rows
        assert len(cedar_meena.get(PATH).json()["results"]) == 10


def test_somebody_is_registered(cedar_meena: Client, cedar: Hospital) -> None:
    answer = cedar_meena.post(PATH, SUNITA, **JSON)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["number"], made["date_of_birth"], made["phone_number"]) == ("P000001", "1990-03-07", "+919845099999")
    assert made["clinical"] is None, "the front desk does not read it"
    assert cedar_meena.get(f"{PATH}{made['id']}/").json() == made


def test_our_own_names_and_an_age_are_understood(cedar_meena: Client) -> None:
    made = cedar_meena.post(PATH, {"name": "Sunita", "age": 45, "sex": "female", "phone": "98450 99999"}, **JSON).json()
    assert (made["date_of_birth"], made["is_birth_date_estimated"]) == (f"{localdate().year - 45}-01-01", True)
    assert made["phone_number"] == "+919845099999"


def test_candidates_are_named_until_it_is_said_to_be_somebody_else(cedar_meena: Client, ravi: Patient) -> None:
    twin = {**SUNITA, "phone_number": "98450 12345"}
    refused = cedar_meena.post(PATH, twin, **JSON)
    assert refused.status_code == 409
    assert refused.json() == {
        "detail": "This may be somebody you know. Choose them, or say that it is somebody else.",
        "candidates": [
            {
                "id": str(ravi.code),
                "number": "P000001",
                "name": "Ravi Kumar",
                "date_of_birth": "1984-03-27",
                "sex": "male",
                "phone_number": "+919845012345",
            }
        ],
    }
    assert cedar_meena.post(PATH, {**twin, "is_new": True}, **JSON).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"date_of_birth": "yesterday"}, "birth_date"),
        ({"date_of_birth": "2999-01-01"}, "birth_date"),
        ({"sex": "unknown"}, "sex"),
        ({"phone_number": "12"}, "phone"),
        ({"email": "x"}, "email"),
    ],
)
def test_the_api_keeps_the_pages_rules(cedar_meena: Client, wrong: dict[str, str], field: str) -> None:
    answer = cedar_meena.post(PATH, {**SUNITA, **wrong}, **JSON)
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_what_is_left_out_of_a_correction_stays(cedar_meena: Client, ravi: Patient) -> None:
    answer = cedar_meena.patch(one(ravi), {"address": "12 Road", "emergency_contact": "Sunita"}, **JSON)
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert (shown["address"], shown["emergency_contact"], shown["name"]) == ("12 Road", "Sunita", "Ravi Kumar")
    assert (shown["phone_number"], shown["date_of_birth"]) == ("+919845012345", "1984-03-27")


def test_a_birth_date_takes_the_place_of_an_age_and_the_other_way_round(cedar_meena: Client, ravi: Patient) -> None:
    aged = cedar_meena.patch(one(ravi), {"age": 40}, **JSON).json()
    assert (aged["date_of_birth"], aged["is_birth_date_estimated"]) == (f"{localdate().year - 40}-01-01", True)
    born = cedar_meena.patch(one(ravi), {"date_of_birth": "1985-01-31"}, **JSON).json()
    assert (born["date_of_birth"], born["is_birth_date_estimated"]) == ("1985-01-31", False)


def test_clinical_facts_are_read_and_written_by_those_who_treat(
    cedar_nila: Client, cedar_meena: Client, cedar_hari: Client, ravi: Patient
) -> None:
    facts = {"blood_group": "AB-", "allergies": ["Penicillin"], "medical_history": []}
    answer = cedar_nila.patch(one(ravi, "clinical/"), facts, **JSON)
    assert answer.status_code == 200, answer.content
    assert answer.json()["clinical"] == facts
    more = cedar_nila.patch(one(ravi, "clinical/"), {"allergies": None}, **JSON).json()
    assert more["clinical"] == {**facts, "allergies": None}
    for client in (cedar_meena, cedar_hari):
        assert client.get(one(ravi)).json()["clinical"] is None
        assert client.patch(one(ravi, "clinical/"), facts, **JSON).status_code == 403
        assert "AB-" not in client.get(one(ravi)).content.decode()


@pytest.mark.parametrize("wrong", ["Penicillin, Latex", {"a": 1}, [1, 2], ["x" * 121]])
def test_allergies_are_a_list_of_words(cedar_nila: Client, ravi: Patient, wrong: object) -> None:
    answer = cedar_nila.patch(one(ravi, "clinical/"), {"allergies": wrong}, **JSON)
    expected = 200 if isinstance(wrong, str) else 400  # a text is taken as lines, as from a page
    assert answer.status_code == expected


def test_two_entries_are_merged_and_parted(cedar_hari: Client, ravi: Patient, at_desk: Register) -> None:
    double = at_desk("Ravi Kumaar", phone="+919900112233")
    body = {"into": str(ravi.code), "take": ["phone_number", "name"]}
    merged = cedar_hari.post(one(double, "merge/"), body, **JSON)
    assert merged.status_code == 200, merged.content
    assert merged.json()["id"] == str(ravi.code)
    assert (merged.json()["name"], merged.json()["phone_number"]) == ("Ravi Kumaar", "+919900112233")
    assert cedar_hari.get(one(double)).status_code == 404
    assert cedar_hari.post(one(double, "merge/"), body, **JSON).status_code == 404
    parted = cedar_hari.post(one(double, "unmerge/"), **JSON)
    assert (parted.status_code, parted.json()["number"]) == (200, "P000002")
    assert cedar_hari.get(one(ravi)).json()["name"] == "Ravi Kumar"
    assert cedar_hari.post(one(double, "unmerge/"), **JSON).status_code == 409


@pytest.mark.parametrize(
    "body", [{}, {"into": "x"}, {"into": "01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f", "take": ["allergies"]}]
)
def test_a_merge_names_where_to(cedar_hari: Client, ravi: Patient, body: dict[str, object]) -> None:
    assert cedar_hari.post(one(ravi, "merge/"), body, **JSON).status_code == 400


def test_an_entry_is_not_merged_with_itself_nor_with_nobody(cedar_hari: Client, ravi: Patient) -> None:
    assert cedar_hari.post(one(ravi, "merge/"), {"into": str(ravi.code)}, **JSON).status_code == 422
    assert cedar_hari.post(one(ravi, "merge/"), {"into": str(uuid4())}, **JSON).status_code == 404


def test_online_booking_is_stopped_and_allowed(cedar_hari: Client, ravi: Patient) -> None:
    assert cedar_hari.get(one(ravi)).json()["may"] == ["change", "merge", "block"]
    assert cedar_hari.post(one(ravi, "block/"), {}, **JSON).status_code == 400
    blocked = cedar_hari.post(one(ravi, "block/"), {"reason": "Never comes"}, **JSON).json()
    assert (blocked["is_blocked"], blocked["may"]) == (True, ["change", "merge", "unblock"])
    assert cedar_hari.post(one(ravi, "block/"), {"reason": "Again"}, **JSON).status_code == 409
    assert cedar_hari.post(one(ravi, "unblock/"), **JSON).json()["is_blocked"] is False
    assert cedar_hari.post(one(ravi, "unblock/"), **JSON).status_code == 409


def test_the_register_is_for_those_who_work_with_patients(
    cedar_site: Client, cedar_kiran: Client, cedar_asha: Client, cedar_meena: Client, kiran: User, ravi: Patient
) -> None:
    assert cedar_site.get(PATH).status_code == 401
    elsewhere = browser("lotus.localhost", kiran)
    posts = {"merge/": {"into": str(ravi.code)}, "unmerge/": {}, "block/": {"reason": "Because"}, "unblock/": {}}
    for client, status in ((cedar_kiran, 403), (cedar_asha, 403), (elsewhere, 404)):
        assert client.get(one(ravi)).status_code == status
        assert client.patch(one(ravi), {"name": "X"}, **JSON).status_code == status
        for step, body in posts.items():
            assert client.post(one(ravi, step), body, **JSON).status_code == status, step
    for step, body in posts.items():
        assert cedar_meena.post(one(ravi, step), body, **JSON).status_code == 403
    for client in (cedar_kiran, cedar_asha):
        assert client.get(PATH).status_code == 403
        assert client.post(PATH, SUNITA, **JSON).status_code == 403
    assert elsewhere.get(PATH).json()["count"] == 0


def test_the_portal_has_no_register(portal_usha: Client) -> None:
    assert portal_usha.get(PATH).status_code == 404


def test_the_entry_of_an_account_says_so(cedar_meena: Client, in_cedar: Hospital, asha: User) -> None:
    patient = factories.patient(asha)
    assert cedar_meena.get(one(patient)).json()["has_account"] is True


def test_a_twin_who_was_born_on_another_day_is_nobody_else(cedar_meena: Client, ravi: Patient, cedar: Hospital) -> None:
    said = {"name": "Ravi Kumar", "date_of_birth": "2001-01-01", "sex": "male"}
    assert cedar_meena.post(PATH, said, **JSON).status_code == 201
    with schema_context(cedar.schema_name):
        assert Patient.objects.filter(birth_date=date(2001, 1, 1)).count() == 1
