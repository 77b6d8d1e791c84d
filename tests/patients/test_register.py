"""The register: who is in it, under which number, and how one is found."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import localdate

from accounts.models import FamilyMember, User
from accounts.services import family
from audit.models import Action, AuditLog
from core.errors import Invalid, NotAllowedNow
from patients.models import Patient
from patients.services import register
from patients.services.register import PossibleDouble
from tenants.models import Hospital

Register = Callable[..., Patient]


@pytest.fixture
def tara(asha: User) -> FamilyMember:
    """Asha's daughter."""
    return family.add(
        user=asha, name="Tara Patel", birth_date=date(2019, 5, 2), sex="female", relation="child", by=asha
    )


def numbers(words: str) -> set[str]:
    return set(Patient.objects.matching(words).values_list("name", flat=True))


def test_a_person_gets_one_entry_with_what_is_known_of_them(in_cedar: Hospital, asha: User) -> None:
    patient = register.for_person(user=asha, member=None, by=asha)
    assert (patient.number, patient.name, patient.email, patient.user) == ("P000001", "Asha Patel", asha.email, asha)
    assert register.for_person(user=asha, member=None, by=asha) == patient
    assert AuditLog.objects.about(patient).get().action == Action.PATIENT_ADDED


def test_a_member_of_the_family_has_an_entry_of_their_own(in_cedar: Hospital, asha: User, tara: FamilyMember) -> None:
    oneself = register.for_person(user=asha, member=None, by=asha)
    child = register.for_person(user=asha, member=tara, by=asha)
    assert (child.name, child.birth_date, child.sex) == ("Tara Patel", date(2019, 5, 2), "female")
    assert child != oneself
    assert register.for_person(user=asha, member=tara, by=asha) == child


def test_numbers_follow_one_another_without_a_gap(at_desk: Register, in_cedar: Hospital) -> None:
    made = [at_desk(f"Person {letter}").number for letter in "ABC"]
    assert made == ["P000001", "P000002", "P000003"]


def test_a_refused_registration_uses_no_number(ravi: Patient, at_desk: Register, hari: User) -> None:
    with pytest.raises(PossibleDouble):
        register.register(details={"name": "Ravi Kumar", "birth_date": ravi.birth_date}, by=hari)
    assert at_desk("Somebody Else").number == "P000002"


@pytest.mark.parametrize(
    "said",
    [
        {"name": "Somebody Else", "phone": "+919845012345"},
        {"name": "Ravi Kumr", "birth_date": date(1984, 3, 27)},
        {"name": "kumar ravi", "birth_date": date(1984, 3, 27)},
        {"name": "RAVI KUMAR", "birth_date": None},
    ],
)
def test_somebody_who_may_be_known_is_not_registered_unasked(
    ravi: Patient, hari: User, said: dict[str, object]
) -> None:
    with pytest.raises(PossibleDouble, match="This may be somebody you know") as refusal:
        register.register(details=said, by=hari)
    assert refusal.value.matches == [ravi]
    assert Patient.objects.count() == 1
    assert register.register(details=said, by=hari, is_new=True).number == "P000002"


@pytest.mark.parametrize(
    "said",
    [
        {"name": "Ravi Kumar", "birth_date": date(1990, 1, 1)},
        {"name": "Sunita Bose", "birth_date": date(1984, 3, 27)},
        {"name": "Sunita Bose", "phone": "+919845099999"},
    ],
)
def test_somebody_else_is_registered_at_once(ravi: Patient, hari: User, said: dict[str, object]) -> None:
    assert register.register(details=said, by=hari).number == "P000002"


def test_an_entry_of_the_desk_has_no_account_whatever_address_was_typed(at_desk: Register, asha: User) -> None:
    entry = at_desk("Asha Patel", email=asha.email)
    assert entry.user is None
    assert list(Patient.objects.of(asha)) == []
    assert register.for_person(user=asha, member=None, by=asha) != entry


def test_nobody_is_born_tomorrow(at_desk: Register) -> None:
    with pytest.raises(Invalid) as refusal:
        at_desk(birth_date=localdate() + timedelta(days=1))
    assert refusal.value.field == "birth_date"


@pytest.mark.parametrize(
    "words",
    ["ravi", "KUMAR", "kum ravi", "P000001", "p000001", "1", "000001", "ravi@example", "98450 12345", "098450-12345",
     "+91 98450 12345", "(98450) 12345", "9845012345", "12345", "ravi 98450", "ravi 12 345"],
)  # fmt: skip
def test_a_patient_is_found_however_one_asks(ravi: Patient, at_desk: Register, words: str) -> None:
    at_desk("Sunita Bose", phone="+918026654321")
    assert numbers(words) == {"Ravi Kumar"}


@pytest.mark.parametrize("words", ["ravi bose", "98450 54321", "P000009", "%", "_", "\\"])
def test_nobody_is_found_by_what_does_not_fit(ravi: Patient, words: str) -> None:
    assert numbers(words) == set()


def test_a_change_is_written_down_without_what_was_said(ravi: Patient, hari: User) -> None:
    register.change(
        patient=ravi, details={"phone": "+919900112233", "name": "Ravi Kumar", "address": "12 Road"}, by=hari
    )
    row = AuditLog.objects.about(ravi).get(action=Action.PATIENT_CHANGED)
    assert row.data == {"fields": "phone, address"}
    assert (row.thing, row.reason) == (ravi.number, "")
    assert str(Patient.objects.get(pk=ravi.pk).phone) == "+919900112233"


def test_a_change_that_changes_nothing_is_not_written_down(ravi: Patient, hari: User) -> None:
    register.change(patient=ravi, details={"name": " Ravi  Kumar ", "phone": "+91 98450 12345"}, by=hari)
    assert not AuditLog.objects.about(ravi).filter(action=Action.PATIENT_CHANGED).exists()


def test_not_asked_is_another_thing_than_none_known(ravi: Patient, hari: User) -> None:
    assert ravi.allergies is None
    register.change(patient=ravi, details={"allergies": []}, by=hari)
    assert Patient.objects.get(pk=ravi.pk).allergies == []


def test_somebody_is_blocked_with_a_reason_and_let_in_again(ravi: Patient, hari: User) -> None:
    register.block(patient=ravi, reason="Never comes", by=hari)
    assert AuditLog.objects.about(ravi).get(action=Action.PATIENT_BLOCKED).reason == "Never comes"
    with pytest.raises(NotAllowedNow):
        register.block(patient=Patient.objects.get(pk=ravi.pk), reason="Again", by=hari)
    register.unblock(patient=ravi, by=hari)
    assert not Patient.objects.get(pk=ravi.pk).is_blocked
    with pytest.raises(NotAllowedNow):
        register.unblock(patient=ravi, by=hari)


@pytest.mark.parametrize(
    ("born", "estimated", "age"),
    [
        (timedelta(days=0), False, "0 months"),
        (timedelta(days=45), False, "1 month"),
        (timedelta(days=10 * 365 + 5), False, "10 years"),
        (timedelta(days=10 * 365 + 5), True, "about 10 years"),
    ],
)
def test_the_age_is_said_in_words(born: timedelta, estimated: bool, age: str) -> None:
    patient = Patient(birth_date=localdate() - born, is_birth_date_estimated=estimated, sex="female")
    assert patient.age == age
    assert patient.age_and_sex == f"{age}, female"


def test_nothing_is_said_of_an_age_that_nobody_knows() -> None:
    assert (Patient().age, Patient(sex="male").age_and_sex) == ("", "Male")


def test_the_database_keeps_one_entry_a_person(in_cedar: Hospital, asha: User) -> None:
    register.for_person(user=asha, member=None, by=asha)
    with pytest.raises(IntegrityError), transaction.atomic():
        Patient.objects.create(number="P000009", user=asha, name="Asha again")


def test_who_left_the_family_is_no_longer_looked_after(in_cedar: Hospital, asha: User, tara: FamilyMember) -> None:
    oneself = register.for_person(user=asha, member=None, by=asha)
    child = register.for_person(user=asha, member=tara, by=asha)
    assert list(Patient.objects.looked_after_by(asha)) == [oneself, child]
    family.remove(member=tara, by=asha)
    assert list(Patient.objects.looked_after_by(asha)) == [oneself]


def test_only_those_are_taken_for_doubles_who_look_alike(at_desk: Register) -> None:
    at_desk("Ravi Kumar")
    at_desk("Ravi Kumaar")
    at_desk("Sunita Bose", phone="+919845012345")
    at_desk("Sunil Bose", phone="+919845012345", birth_date=date(1999, 1, 1))
    at_desk("Farid Khan", phone="+919845012345", birth_date=date(1970, 1, 1))
    found = Patient.objects.maybe_double().by_name().values_list("name", flat=True)
    assert list(found) == ["Ravi Kumaar", "Ravi Kumar", "Sunil Bose", "Sunita Bose"]


def test_a_merged_entry_is_nobodys_any_more(ravi: Patient, at_desk: Register, asha: User) -> None:
    other = at_desk("Ravi K", phone=ravi.phone)
    Patient.objects.filter(pk=other.pk).update(merged_into=ravi)
    assert list(Patient.objects.visible_to(asha, None)) == []
    assert list(Patient.objects.current()) == [ravi]
    assert list(Patient.objects.maybe_double()) == []
