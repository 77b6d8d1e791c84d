"""The register on the pages of who works with patients."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localdate, now

from accounts.models import User
from audit.models import AuditLog
from core.schemas import schema_context
from hospitals.models import Doctor
from patients.models import Patient
from patients.services import merging
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

INDEX = "/office/patients/"
SUNITA = {
    "name": "Sunita Bose",
    "birth_date_day": "7",
    "birth_date_month": "3",
    "birth_date_year": "1990",
    "sex": "female",
    "phone": "98450 99999",
}

Register = Callable[..., Patient]


def address(patient: Patient, step: str = "") -> str:
    return f"{INDEX}{patient.code}/{step}"


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


@pytest.fixture
def kept(cedar: Hospital) -> Callable[[Patient], Patient]:
    """The entry as it is now."""

    def read(patient: Patient) -> Patient:
        with schema_context(cedar.schema_name):
            return Patient.objects.select_related("user").get(pk=patient.pk)

    return read


def test_the_list_shows_who_is_a_patient(cedar_meena: Client, ravi: Patient) -> None:
    page = text(cedar_meena, INDEX)
    for words in ("Ravi Kumar", "P000001", "male", "+91 98450 12345"):
        assert words in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=98450+12345", ["Ravi Kumar"]),
        ("q=P000002", ["Ravi Kumaar"]),
        ("q=zzz", []),
        ("show=doubles", ["Ravi Kumaar", "Ravi Kumar"]),
        ("show=blocked", ["Sunita Bose"]),
        ("show=nonsense", ["Ravi Kumaar", "Ravi Kumar", "Sunita Bose"]),
        ("show=blocked&q=ravi", []),
    ],
)
def test_the_list_is_narrowed(
    cedar_meena: Client, ravi: Patient, at_desk: Register, query: str, names: list[str]
) -> None:
    at_desk("Ravi Kumaar")
    Patient.objects.filter(pk=at_desk("Sunita Bose", birth_date=date(1990, 3, 7)).pk).update(is_blocked=True)
    assert [row.name for row in cedar_meena.get(f"{INDEX}?{query}").context["rows"]] == names


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "No patients yet"),
        ("q=zzz", "No patient matches “zzz”"),
        ("show=doubles", "No two entries look alike"),
        ("show=blocked", "Everybody may book online"),
    ],
)
def test_an_empty_list_says_why(cedar_meena: Client, query: str, words: str) -> None:
    assert words in text(cedar_meena, f"{INDEX}?{query}")


def test_the_list_asks_the_same_number_of_queries(
    cedar_meena: Client, at_desk: Register, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        at_desk(f"Patient {number:02}")
    cedar_meena.get(INDEX)
    with django_assert_num_queries(5):  # session, person, staff row, count, rows
        assert len(cedar_meena.get(INDEX).context["rows"]) == 10


def test_somebody_is_registered_at_the_desk(cedar_meena: Client, in_cedar: Hospital, meena: User) -> None:
    answer = cedar_meena.post(f"{INDEX}add/", SUNITA, follow=True)
    assert "Sunita Bose is registered as P000001." in answer.content.decode()
    with schema_context(in_cedar.schema_name):
        patient = Patient.objects.get()
        assert (patient.name, patient.birth_date, str(patient.phone)) == (
            "Sunita Bose",
            date(1990, 3, 7),
            "+919845099999",
        )
        assert patient.user is None
        assert AuditLog.objects.about(patient).get().user == meena


def test_who_knows_only_their_age_is_registered_by_it(cedar_meena: Client, in_cedar: Hospital) -> None:
    cedar_meena.post(f"{INDEX}add/", {"name": "Sunita Bose", "age": "45", "sex": "female"})
    with schema_context(in_cedar.schema_name):
        patient = Patient.objects.get()
        assert (patient.birth_date, patient.is_birth_date_estimated) == (date(localdate().year - 45, 1, 1), True)
        assert patient.age == "about 45 years"


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"name": ""}, "name", "Enter the name."),
        ({"sex": ""}, "sex", "Choose the sex."),
        ({"phone": "12"}, "phone", "Enter a phone number, like 98450 12345."),
        ({"birth_date_month": "13"}, "birth_date", "Enter a day, a month and a year, like 27 3 1984."),
        ({"birth_date_year": ""}, "birth_date", "Enter a day, a month and a year, like 27 3 1984."),
        ({"birth_date_year": "2999"}, "birth_date", "A date of birth is in the past. Check the year."),
        ({"birth_date_year": "1790"}, "birth_date", "Nobody is that old. Check the year."),
        ({"age": "30"}, "age", "Enter the date of birth or the age, not both."),
        ({"age": "x"}, "age", "Enter the age in whole years."),
        (
            {"birth_date_day": "", "birth_date_month": "", "birth_date_year": ""},
            "birth_date",
            "Enter the date of birth, or the age.",
        ),
    ],
)
def test_what_cannot_be_right_is_said_at_its_field(
    cedar_meena: Client, wrong: dict[str, str], field: str, sentence: str
) -> None:
    answer = cedar_meena.post(f"{INDEX}add/", {**SUNITA, **wrong})
    assert answer.status_code == 422
    assert answer.context["form"].errors[field] == [sentence]
    typed = {**SUNITA, **wrong}["birth_date_year"]
    assert f'value="{typed}"' in answer.content.decode() or not typed


def test_who_may_be_known_is_shown_before_they_are_registered_twice(
    cedar_meena: Client, ravi: Patient, cedar: Hospital
) -> None:
    ravi_again = {**SUNITA, "name": "Ravi Kumarr", "phone": "098450 12345"}
    answer = cedar_meena.post(f"{INDEX}add/", ravi_again)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This may be somebody you know" in page
    assert f'href="{address(ravi)}"' in page
    assert 'value="Ravi Kumarr"' in page
    assert cedar_meena.post(f"{INDEX}add/", {**ravi_again, "is_new": "true"}).status_code == 302
    with schema_context(cedar.schema_name):
        assert Patient.objects.count() == 2


def test_the_page_of_a_patient_shows_who_they_are_and_their_visits(
    cedar_meena: Client, in_cedar: Hospital, rao: Doctor, asha: User
) -> None:
    visit = factories.visit(in_cedar, rao, asha, reason="Secret pain")
    assert visit.patient
    page = text(cedar_meena, address(visit.patient))
    for words in ("Asha Patel", asha.email, "Vikram Rao", "10:00", "Confirmed", "Patient registered"):
        assert words in page
    assert "Secret pain" not in page


def test_the_page_of_a_patient_asks_the_same_number_of_queries(
    cedar_hari: Client, in_cedar: Hospital, rao: Doctor, asha: User, django_assert_num_queries: Any
) -> None:
    patient = factories.patient(asha)
    factories.visit(in_cedar, rao, asha, "10:00")
    cedar_hari.get(address(patient))
    for hours in (range(11, 11), range(11, 16)):
        with schema_context(in_cedar.schema_name):
            for hour in hours:
                factories.visit(in_cedar, rao, asha, f"{hour}:00")
        with django_assert_num_queries(9):  # session, person, staff row; merged, patient, history, doubles,
            cedar_hari.get(address(patient))  # merges, visits


def test_clinical_facts_are_for_those_who_treat(
    cedar_hari: Client, cedar_meena: Client, cedar_nila: Client, in_cedar: Hospital, rao: Doctor, ravi: Patient
) -> None:
    Patient.objects.filter(pk=ravi.pk).update(allergies=["Penicillin"], conditions=["Diabetes"], blood_group="AB-")
    for client in (cedar_hari, cedar_meena):
        page = text(client, address(ravi))
        assert not any(word in page for word in ("Penicillin", "Diabetes", "AB−", "Allergies and conditions"))
        assert client.get(address(ravi, "clinical/")).status_code == 403
    for client in (cedar_nila, browser("cedar.localhost", rao.user)):
        page = text(client, address(ravi))
        assert all(word in page for word in ("Penicillin", "Diabetes", "AB−"))


def test_a_nurse_writes_down_that_there_is_no_allergy(
    cedar_nila: Client, ravi: Patient, kept: Callable[[Patient], Patient]
) -> None:
    assert "Not asked yet" in text(cedar_nila, address(ravi))
    facts = {
        "allergies": "",
        "allergies_none": "on",
        "conditions": "Diabetes\r\n\r\ndiabetes\r\n Asthma ",
        "blood_group": "O+",
    }
    assert cedar_nila.post(address(ravi, "clinical/"), facts).status_code == 302
    now_known = kept(ravi)
    assert (now_known.allergies, now_known.conditions, now_known.blood_group) == ([], ["Diabetes", "Asthma"], "O+")
    assert "None known" in text(cedar_nila, address(ravi))


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"allergies": "Latex", "allergies_none": "on"}, "Write what is known, or tick that there is none: not both."),
        ({"allergies": "x" * 121}, "Keep each line under 120 characters."),
        ({"allergies": "\n".join(f"Thing {n}" for n in range(31))}, "Write at most 30 lines."),
    ],
)
def test_a_list_that_cannot_be_right_is_refused_and_kept(
    cedar_nila: Client, ravi: Patient, facts: dict[str, str], sentence: str
) -> None:
    answer = cedar_nila.post(address(ravi, "clinical/"), facts)
    assert answer.status_code == 422
    assert answer.context["form"].errors["allergies"] == [sentence]
    assert facts["allergies"][:20] in answer.content.decode()


def test_a_correction_shows_what_is_known_and_keeps_the_rest(
    cedar_meena: Client, ravi: Patient, kept: Callable[[Patient], Patient]
) -> None:
    page = text(cedar_meena, address(ravi, "edit/"))
    assert 'value="Ravi Kumar"' in page
    assert 'value="1984"' in page
    form = {**SUNITA, "name": "Ravi K. Kumar", "sex": "male", "address": "1 Road\r\nPune"}
    assert cedar_meena.post(address(ravi, "edit/"), form).status_code == 302
    changed = kept(ravi)
    assert (changed.name, changed.address, changed.birth_date) == ("Ravi K. Kumar", "1 Road\nPune", date(1990, 3, 7))


def test_an_age_that_was_guessed_is_shown_as_an_age(
    cedar_meena: Client, ravi: Patient, kept: Callable[[Patient], Patient]
) -> None:
    Patient.objects.filter(pk=ravi.pk).update(
        birth_date=date(localdate().year - 45, 1, 1), is_birth_date_estimated=True
    )
    form = cedar_meena.get(address(ravi, "edit/")).context["form"]
    assert (form["age"].value(), form["birth_date"].value()) == (45, None)
    cedar_meena.post(address(ravi, "edit/"), {**SUNITA, "age": ""})
    assert (kept(ravi).birth_date, kept(ravi).is_birth_date_estimated) == (date(1990, 3, 7), False)


def test_online_booking_is_stopped_with_a_reason_and_allowed_again(cedar_hari: Client, ravi: Patient) -> None:
    answer = cedar_hari.post(address(ravi, "block/"), {"reason": ""})
    assert answer.status_code == 422
    assert "Write a reason." in answer.content.decode()
    done = cedar_hari.post(address(ravi, "block/"), {"reason": "Never comes"}, follow=True).content.decode()
    assert "Ravi Kumar cannot book online any more." in done
    assert "Never comes" in done
    assert cedar_hari.post(address(ravi, "block/"), {"reason": "Again"}).status_code == 422
    assert "can book online again" in cedar_hari.post(address(ravi, "unblock/"), follow=True).content.decode()
    assert cedar_hari.post(address(ravi, "unblock/")).status_code == 422


def test_the_page_names_who_may_be_the_same_person(cedar_hari: Client, ravi: Patient, at_desk: Register) -> None:
    double = at_desk("Ravi Kumaar")
    link = f'href="{address(ravi, "merge/")}?with={double.code}"'
    assert link in text(cedar_hari, address(ravi))
    assert link in text(cedar_hari, address(ravi, "merge/"))
    assert link in text(cedar_hari, address(ravi, "merge/?q=P000002"))
    assert "No other patient matches “P000001”" in text(cedar_hari, address(ravi, "merge/?q=P000001"))


def test_two_entries_are_compared_merged_and_parted(
    cedar_hari: Client, ravi: Patient, at_desk: Register, kept: Callable[[Patient], Patient]
) -> None:
    double = at_desk("Ravi Kumaar", phone="+919900112233")
    path = address(ravi, f"merge/?with={double.code}")
    form = cedar_hari.get(path).context["form"]
    assert list(form.fields) == ["name", "phone"], "only where the two differ"
    done = cedar_hari.post(path, {"name": "kept", "phone": "gone"}, follow=True).content.decode()
    assert "P000002 is merged into P000001." in done
    assert (kept(ravi).name, str(kept(ravi).phone)) == ("Ravi Kumar", "+919900112233")
    assert cedar_hari.get(address(double)).headers["Location"] == address(ravi)
    assert cedar_hari.get(path).status_code == 404
    parted = cedar_hari.post(address(double, "unmerge/"), follow=True)
    assert "P000002 is an entry of its own again." in parted.content.decode()
    assert str(kept(ravi).phone) == "+919845012345"
    assert cedar_hari.post(address(double, "unmerge/")).status_code == 404


def test_a_merge_that_is_refused_says_why(
    cedar_hari: Client, in_cedar: Hospital, asha: User, kiran: User, ravi: Patient, at_desk: Register, hari: User
) -> None:
    hers, his = factories.patient(asha), factories.patient(kiran)
    assert "Both have an account" in text(cedar_hari, address(hers, f"merge/?with={his.code}"))
    answer = cedar_hari.post(address(hers, f"merge/?with={his.code}"), {"name": "kept", "email": "kept"})
    assert answer.status_code == 422
    assert "Both entries have an account" in answer.content.decode()
    assert cedar_hari.post(address(hers, f"merge/?with={his.code}"), {}).status_code == 422
    with schema_context(in_cedar.schema_name):
        double, third = at_desk("Ravi Kumaar"), at_desk("R Kumar", phone=ravi.phone)
        merging.merge(kept=double, gone=third, by=hari, now=now())
        merging.merge(kept=ravi, gone=double, by=hari, now=now())
    refused = cedar_hari.post(address(third, "unmerge/"))
    assert refused.status_code == 422
    assert "P000004 was merged into another entry later." in refused.content.decode()
    with schema_context(in_cedar.schema_name):
        assert Patient.objects.get(pk=third.pk).merged_into == double


@pytest.mark.parametrize("other", ["", "nonsense", "01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f"])
def test_somebody_who_is_not_there_is_not_merged(cedar_hari: Client, ravi: Patient, other: str) -> None:
    assert cedar_hari.get(address(ravi, f"merge/?with={other}")).status_code == 404


def test_an_entry_is_not_compared_with_itself(cedar_hari: Client, ravi: Patient) -> None:
    assert cedar_hari.get(address(ravi, f"merge/?with={ravi.code}")).status_code == 404


def test_the_desk_neither_merges_nor_blocks(cedar_meena: Client, ravi: Patient) -> None:
    page = text(cedar_meena, address(ravi))
    assert "Merge with another entry" not in page
    assert "Stop online booking" not in page
    assert cedar_meena.get(address(ravi, "merge/")).status_code == 403
    for step in ("unmerge/", "block/", "unblock/"):
        assert cedar_meena.post(address(ravi, step)).status_code == 403


def test_a_doctor_reads_the_register_and_leaves_contacts_to_the_desk(
    in_cedar: Hospital, rao: Doctor, ravi: Patient
) -> None:
    doctor = browser("cedar.localhost", rao.user)
    assert "Register a patient" not in text(doctor, INDEX)
    assert doctor.get(f"{INDEX}add/").status_code == 403
    assert doctor.get(address(ravi, "edit/")).status_code == 403
    assert doctor.get(address(ravi, "clinical/")).status_code == 200


def test_the_register_is_for_those_who_work_with_patients(
    cedar_site: Client, cedar_kiran: Client, cedar_asha: Client, ravi: Patient, kiran: User, join_cedar: Any
) -> None:
    pharmacist = browser("cedar.localhost", join_cedar(factories.person("farid@cedar.example"), "pharmacist").user)
    assert cedar_site.get(INDEX).status_code == 302
    for client in (cedar_kiran, cedar_asha, pharmacist):
        for path in (INDEX, f"{INDEX}add/", *(address(ravi, step) for step in ("", "edit/", "clinical/", "merge/"))):
            assert client.get(path).status_code == 403, path
    elsewhere = browser("lotus.localhost", kiran)
    for step in ("", "edit/", "merge/"):
        assert elsewhere.get(address(ravi, step)).status_code == 404
    for step in ("unmerge/", "block/", "unblock/"):
        assert elsewhere.post(address(ravi, step), {"reason": "Because"}).status_code == 404
    assert "Ravi" not in elsewhere.get(INDEX).content.decode()


def test_a_merge_is_recorded_by_who_made_it(cedar_hari: Client, ravi: Patient, at_desk: Register) -> None:
    double = at_desk("Ravi Kumaar")
    cedar_hari.post(address(ravi, f"merge/?with={double.code}"), {"name": "kept"})
    assert "Double entries merged" in text(cedar_hari, address(ravi))


def test_names_cannot_carry_markup(cedar_hari: Client, at_desk: Register) -> None:
    wicked = at_desk("<script>alert(1)</script> Kumar", address="<b>x</b>")
    other = at_desk("Ravi Kumar")
    for path in (INDEX, address(wicked), address(wicked, "edit/"), address(other, f"merge/?with={wicked.code}")):
        assert "<script>alert" not in text(cedar_hari, path)
