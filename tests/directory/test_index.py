"""The index of doctors: what is written into it and how it is looked through."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.codes import new_code
from core.pages import LongPaginator
from directory import services as directory
from directory.models import DoctorListing, SearchWord, Wanted
from directory.services import ListedDoctor
from tenants.models import Hospital

ANIKA = ListedDoctor(
    code=new_code(),
    name="Anika Sen",
    specialization="Interventional cardiologist",
    department="Heart Centre",
    qualifications="MBBS, DM",
    experience_years=14,
    languages=["en", "bn"],
    fee_in_person=Decimal(700),
    fee_video=Decimal(500),
    fee_chat=None,
    photo_thumb="",
)


@pytest.fixture
def anika(cedar: Hospital) -> DoctorListing:
    """Dr Sen, in the index."""
    directory.publish_doctor(hospital=cedar, doctor=ANIKA)
    return DoctorListing.objects.get(code=ANIKA.code)


def finds(**wanted: object) -> bool:
    return DoctorListing.objects.published().wanted(Wanted(**wanted)).exists()  # type: ignore[arg-type]  # of each field


def test_a_doctor_is_found_by_every_name_and_mark(anika: DoctorListing) -> None:
    for words in ("anika", "sen", "interventional", "centre", "cedar", "pune", "heart", "anika sen cedar pune"):
        assert finds(words=words), words
    assert finds(specialty="cardiology", city="PUNE", language="bn", department="heart centre")
    assert not finds(specialty="dermatology")


def test_publishing_again_replaces_what_was_said(cedar: Hospital, anika: DoctorListing) -> None:
    directory.publish_doctor(hospital=cedar, doctor=replace(ANIKA, specialization="Dermatologist", department=""))
    assert finds(specialty="dermatology")
    assert not finds(specialty="cardiology")
    assert not finds(words="interventional")
    assert DoctorListing.objects.count() == 1


def test_publishing_keeps_the_free_times_and_has_them_worked_out_anew(cedar: Hospital, anika: DoctorListing) -> None:
    DoctorListing.objects.update(free_times=[8], stale_at=None)
    directory.publish_doctor(hospital=cedar, doctor=ANIKA)
    anika.refresh_from_db()
    assert anika.free_times == [8]
    assert anika.stale_at is not None


def test_names_with_quotes_and_without_letters_are_harmless(cedar: Hospital) -> None:
    for name in ("O'Brien \\ 'x' & | !", "~is:cardiology", "पूजा शर्मा", "...", "Dr.Rao.in"):
        directory.publish_doctor(hospital=cedar, doctor=replace(ANIKA, code=new_code(), name=name, specialization=""))
        assert finds(words=name)
    assert DoctorListing.objects.count() == 5


def test_a_name_cannot_pretend_to_be_a_mark(cedar: Hospital) -> None:
    doctor = replace(ANIKA, name="~is:dermatology", specialization="", department="")
    directory.publish_doctor(hospital=cedar, doctor=doctor)
    assert not finds(specialty="dermatology")


def test_words_are_learnt_once(cedar: Hospital, anika: DoctorListing) -> None:
    before = SearchWord.objects.count()
    assert SearchWord.objects.filter(word__in=["anika", "cardiology", "dil"]).count() == 3
    directory.publish_doctor(hospital=cedar, doctor=replace(ANIKA, code=new_code()))
    assert SearchWord.objects.count() == before


def test_a_few_words_that_begin_so_are_looked_for_by_name(anika: DoctorListing) -> None:
    beginning_with = SearchWord.objects.beginning_with
    assert beginning_with(["anik", "zzz", "an"]) == {"anik": ["anika"], "zzz": []}
    assert finds(words="anik")
    assert not finds(words="zzz anika")
    SearchWord.objects.bulk_create(SearchWord(word=f"anika{number}") for number in range(50))
    assert beginning_with(["anik", "zzz"]) == {}
    assert finds(words="anik")


def test_what_nobody_can_be_is_an_empty_page(anika: DoctorListing) -> None:
    nobody = DoctorListing.objects.published().wanted(Wanted(experience=99_999)).earliest_first()
    for rows in (nobody, DoctorListing.objects.none().earliest_first()):
        assert list(LongPaginator(rows, 10).get_page(1)) == []


def test_no_beginning_asks_for_no_words(anika: DoctorListing) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert SearchWord.objects.beginning_with(["an"]) == {}
    assert len(queries) == 0


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cardiolgy", "cardiology"),
        ("cardiolgy in pune", "cardiology pune"),
        ("anikka sen", "anika sen"),
        ("anika", ""),
        ("qqqqzzz", ""),
        ("in the", ""),
        ("", ""),
        ("100%_'", ""),
    ],
)
def test_what_was_mistyped_is_guessed(anika: DoctorListing, typed: str, meant: str) -> None:
    assert directory.meant(typed) == meant


def test_guessing_takes_one_query(anika: DoctorListing) -> None:
    with CaptureQueriesContext(connection) as queries:
        directory.meant("cardiolgy in punne by anikka")
    assert len(queries) == 1


def test_fees_are_compared_for_the_kind_that_is_wanted(anika: DoctorListing) -> None:
    assert finds(fee_to=Decimal(500))
    assert finds(fee_to=Decimal(500), kind="video")
    assert not finds(fee_to=Decimal(500), kind="in_person")
    assert not finds(fee_from=Decimal(600))
    assert not finds(kind="chat")


def test_a_withdrawn_doctor_is_not_found_until_published_again(cedar: Hospital, anika: DoctorListing) -> None:
    directory.withdraw_doctor(code=ANIKA.code)
    assert not finds(words="anika")
    directory.publish_doctor(hospital=cedar, doctor=ANIKA)
    assert finds(words="anika")
