"""Specialties: what doctors call themselves, and the words of those who look for them."""

import pytest

from directory.expressions import expression, mark, wanted_words
from directory.specialties import SPECIALTIES, of_specialization, words_of


def slugs(text: str) -> list[str]:
    return [specialty.slug for specialty in of_specialization(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Consultant Interventional Cardiologist", ["cardiology"]),
        ("Cardiology", ["cardiology"]),
        ("Obstetrics & Gynaecology", ["gynaecology"]),
        ("Spine surgeon", ["spine-surgery"]),
        ("Surgeon", ["general-surgery"]),
        ("Paediatric cardiologist", ["paediatrics", "cardiology"]),
        ("ENT", ["ent"]),
        ("Ear, nose and throat", ["ent"]),
        ("Chest physician", ["pulmonology"]),
        ("Orthopedic Surgeon (joint replacement)", ["orthopaedics", "general-surgery"]),
        ("Something else", []),
        ("", []),
    ],
)
def test_a_doctors_own_words_name_specialties(text: str, expected: list[str]) -> None:
    assert slugs(text) == expected


def test_a_symptom_is_no_specialty_of_a_doctor() -> None:
    assert slugs("Heart") == []


@pytest.mark.parametrize(
    ("words", "specialty"),
    [
        ("heart", "cardiology"),
        ("dil", "cardiology"),
        ("chest pain", "cardiology"),
        ("haddi", "orthopaedics"),
        ("skin doctor", "dermatology"),
        ("root canal", "dentistry"),
        ("sugar", "endocrinology"),
        ("lady doctor", "gynaecology"),
        ("my child", "paediatrics"),
        ("x-ray", "radiology"),
    ],
)
def test_plain_words_and_hindi_mean_specialties(words: str, specialty: str) -> None:
    assert f"'~is:{specialty}'" in expression(words)


def test_words_match_whatever_begins_with_them() -> None:
    assert expression("Rao") == "((('rao':*)))"
    known = {"ra": ["rao", "raju"], "zz": []}
    assert expression("ra pune", known=known) == "(((('rao' | 'raju'))) & (('pune':*)))"
    assert expression("zz", known=known) == "(((('zz'))))"


def test_every_word_counts_and_small_ones_do_not() -> None:
    assert wanted_words("A skin doctor in Pune") == ["skin", "pune"]
    assert expression("the doctor in") == ""


def test_a_phrase_is_understood_before_its_words() -> None:
    assert "cardiac-surgery" not in expression("heart")
    assert expression("open heart") == "((('open':* & 'heart':*) | '~is:cardiac-surgery'))"


def test_symptoms_of_different_specialties_find_either() -> None:
    said = expression("fever child Pune")
    assert "('~is:general-medicine' | '~is:infectious-diseases' | '~is:paediatrics')" in said
    assert said.count("'pune':*") == 2


def test_marks_cannot_be_typed() -> None:
    assert expression("~is:cardiology ' | !") == "((('is':*)) & (('cardiology':*) | '~is:cardiology'))"


def test_marks_are_the_same_however_a_name_is_written() -> None:
    assert mark("in", "New Delhi") == mark("in", " new  delhi") == "~in:new-delhi"
    assert mark("in", "पुणे") != mark("in", "")


def test_words_have_no_capitals_and_no_punctuation() -> None:
    assert words_of("Dr. O'Brien-Rao, M.D.") == ["dr", "o", "brien", "rao", "m", "d"]


def test_no_two_specialties_share_an_address() -> None:
    assert len({specialty.slug for specialty in SPECIALTIES}) == len(SPECIALTIES) >= 40
    assert all(specialty.slug == mark("is", specialty.slug)[4:] for specialty in SPECIALTIES)
