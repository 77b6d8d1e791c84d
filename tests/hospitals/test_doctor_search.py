"""Finding a doctor in any hospital, on the portal."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.utils.timezone import localdate, now

from accounts.models import User
from appointments.services import listing
from core.schemas import schema_context
from core.visits import VisitKind
from directory import services as directory
from directory.models import DoctorListing, FreeTime, Wanted
from hospitals.forms.search import DoctorSearch
from hospitals.models import Doctor
from hospitals.services import departments, joining
from hospitals.services.doctors import publishing
from hospitals.views.doctor_cards import cards_of
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

FRAGMENT = {"HX-Request": "true"}


def list_doctor(hospital: Hospital, by: User, name: str = "Vikram", *, is_free: bool = True, **fields: Any) -> Doctor:
    """A doctor whom the search knows, with free times."""
    with schema_context(hospital.schema_name):
        email = f"{name.lower()}@{hospital.slug}.example"
        doctor = factories.bookable_doctor(hospital, by, email, name, **fields)
        publishing.publish(hospital=hospital, doctor=doctor)
        if is_free:
            listing.refresh_times(doctor_id=doctor.pk, now=now())
    return doctor


@pytest.fixture
def rao(cedar: Hospital, hari: User) -> Doctor:
    """Dr Rao, a cardiologist of Cedar in Pune."""
    return list_doctor(cedar, hari, languages=["en", "hi"], experience_years=12)


@pytest.fixture
def lata(lotus: Hospital, kiran: User) -> Doctor:
    """Dr Lata Rao, a dermatologist of Lotus in Kochi, by video only."""
    Hospital.objects.filter(pk=lotus.pk).update(city="Kochi")
    fields: dict[str, Any] = {"fee_in_person": None, "fee_video": 300, "languages": ["ml"], "experience_years": 3}
    return list_doctor(Hospital.objects.get(pk=lotus.pk), kiran, "Lata", specialization="Dermatologist", **fields)


@pytest.fixture
def twelve(cedar: Hospital, hari: User) -> list[Doctor]:
    """Enough for a second page."""
    return [list_doctor(cedar, hari, f"Doctor{number}", is_free=number < 2) for number in range(12)]


@pytest.fixture(autouse=True)
def _in_public(db: None) -> Iterator[None]:
    with schema_context("public"):
        yield


def text(response: Any) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def found(portal: Client, **asked: Any) -> set[str]:
    """The first names of the doctors on the page."""
    return set(re.findall(r'<h2><a href="[^"]*">(\w+) Rao</a>', text(portal.get("/doctors/", asked))))


@pytest.mark.parametrize(
    "words",
    [
        "cardiology",
        "heart",
        "HEART",
        "dil",
        "chest pain",
        "Rao Vikram",
        "vik",
        "cedar",
        "pune",
        "heart in Pune",
        "Dr. Vikram",
    ],
)
def test_specialties_symptoms_names_hospitals_and_cities_are_understood(
    portal: Client, rao: Doctor, lata: Doctor, words: str
) -> None:
    assert found(portal, q=words) == {"Vikram"}


@pytest.mark.parametrize("words", ["skin doctor in Kochi", "khujli", "acne", "lotus clinic", "derma"])
def test_the_same_for_another_specialty(portal: Client, rao: Doctor, lata: Doctor, words: str) -> None:
    assert found(portal, q=words) == {"Lata"}


def test_words_that_nobody_fits_find_nobody(portal: Client, rao: Doctor, lata: Doctor) -> None:
    assert found(portal, q="heart in Kochi") == set()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"specialty": "cardiology"}, {"Vikram"}),
        ({"city": "kochi"}, {"Lata"}),
        ({"hospital": "cedar"}, {"Vikram"}),
        ({"language": "hi"}, {"Vikram"}),
        ({"language": "en"}, {"Vikram"}),
        ({"kind": "in_person"}, {"Vikram"}),
        ({"kind": "video"}, {"Vikram", "Lata"}),
        ({"kind": "chat"}, set()),
        ({"fee_to": "300"}, {"Lata"}),
        ({"fee_from": "600", "kind": "in_person"}, {"Vikram"}),
        ({"fee_to": "500", "kind": "in_person"}, set()),
        ({"experience": "10"}, {"Vikram"}),
        ({"specialty": "cardiology", "city": "Kochi"}, set()),
        ({"department": "nowhere"}, set()),
        ({}, {"Vikram", "Lata"}),
    ],
)
def test_filters_narrow_the_search_together(
    portal: Client, rao: Doctor, lata: Doctor, asked: dict[str, str], expected: set[str]
) -> None:
    assert found(portal, **asked) == expected


def test_a_department_is_found_by_its_name(portal: Client, cedar: Hospital, hari: User) -> None:
    with schema_context(cedar.schema_name):
        department = departments.add(hospital=cedar, name="Heart Centre", description="", image=None, by=hari)
    list_doctor(cedar, hari, department=department)
    assert found(portal, department="Heart Centre") == {"Vikram"}


def test_a_day_finds_who_has_a_free_time_on_it(portal: Client, cedar: Hospital, rao: Doctor) -> None:
    tomorrow = factories.at(cedar, "10:00")
    assert found(portal, day=tomorrow.date().isoformat()) == {"Vikram"}
    directory.take_off(code=rao.code, starts_at=tomorrow - timedelta(hours=10), ends_at=tomorrow + timedelta(hours=14))
    assert found(portal, day=tomorrow.date().isoformat()) == set()


def test_filters_that_make_no_sense_are_passed_over(portal: Client, rao: Doctor) -> None:
    asked = {"day": "someday", "fee_to": "much", "experience": "-1", "kind": "telepathy", "page": "x", "city": "x" * 90}
    assert found(portal, **asked) == {"Vikram"}


def test_who_is_free_first_comes_first_and_who_is_not_free_last(
    portal: Client, cedar: Hospital, hari: User, rao: Doctor
) -> None:
    list_doctor(cedar, hari, "Never", is_free=False)
    list_doctor(cedar, hari, "Soon")
    directory.show_times(
        code=rao.code,
        times=[FreeTime(factories.at(cedar, "10:00", days=5), frozenset({VisitKind.IN_PERSON}))],
        notice_minutes=0,
        stale_at=None,
    )
    page = text(portal.get("/doctors/"))
    assert page.index("Soon Rao") < page.index("Vikram Rao") < page.index("Never Rao")
    assert "No free time in the next 2 weeks" in page


def test_the_order_is_that_of_the_kind_that_is_asked_for(portal: Client, cedar: Hospital, hari: User) -> None:
    early, late = list_doctor(cedar, hari, "Early"), list_doctor(cedar, hari, "Late")
    in_person, video = frozenset({VisitKind.IN_PERSON}), frozenset({VisitKind.VIDEO})
    for doctor, kinds in ((early, [in_person, video]), (late, [video, in_person])):
        times = [FreeTime(factories.at(cedar, "10:00", days=day), kind) for day, kind in enumerate(kinds, 1)]
        directory.show_times(code=doctor.code, times=times, notice_minutes=0, stale_at=None)
    page = text(portal.get("/doctors/", {"kind": "video"}))
    assert page.index("Late Rao") < page.index("Early Rao")


def test_how_many_and_the_earliest_time_are_said(portal: Client, cedar: Hospital, rao: Doctor, lata: Doctor) -> None:
    for doctor, clock in ((rao, "11:40"), (lata, "12:00")):
        times = [FreeTime(factories.at(cedar, clock), frozenset({VisitKind.VIDEO}))]
        directory.show_times(code=doctor.code, times=times, notice_minutes=0, stale_at=None)
    assert "2 doctors, earliest tomorrow at 11:40" in text(portal.get("/doctors/"))


def test_a_card_says_what_one_needs_to_choose(portal: Client, rao: Doctor) -> None:
    page = text(portal.get("/doctors/"))
    for expected in ("Cardiology, 12 years of experience", "from ₹500", "Cedar Hospital, Pune", "English, Hindi"):
        assert expected in page
    for expected in ("Verified", "In person", "Video", "Tomorrow"):
        assert expected in page
    assert "<b>₹700</b>" in text(portal.get("/doctors/", {"kind": "in_person"}))


def test_a_time_leads_to_the_doctors_page_at_the_hospital_with_the_time_chosen(
    portal: Client, cedar: Hospital, rao: Doctor
) -> None:
    at = factories.at(cedar, "10:00")
    directory.show_times(
        code=rao.code,
        times=[FreeTime(at, frozenset({VisitKind.VIDEO}))],
        notice_minutes=0,
        stale_at=None,
    )
    [address] = re.findall(r'class="found-time" href="([^"]*)"', text(portal.get("/doctors/")))
    parts = urlsplit(address.replace("&amp;", "&"))
    assert (parts.hostname, parts.path) == ("cedar.localhost", f"/doctors/{rao.code}/")
    assert parse_qs(parts.query) == {
        "kind": ["video"],
        "at": [f"{at - timedelta(hours=5, minutes=30):%Y-%m-%dT%H:%MZ}"],
    }


def test_somebody_signed_in_is_taken_along(asha: User, cedar: Hospital, rao: Doctor) -> None:
    page = text(browser("localhost", asha).get("/doctors/"))
    address = re.findall(r'class="found-time" href="([^"]*)"', page)[0].replace("&amp;", "&")
    wanted = urlsplit(parse_qs(urlsplit(address).query)["next"][0])
    assert wanted.path == f"/doctors/{rao.code}/"
    assert set(parse_qs(wanted.query)) == {"kind", "at"}


def test_only_a_few_times_of_a_few_days_are_shown_and_the_rest_is_counted(portal: Client, rao: Doctor) -> None:
    card = portal.get("/doctors/").context["cards"][0]
    assert len(card.days) == 4
    assert [len(day.times) for day in card.days[1:]] == [3, 3, 3]
    assert [day.more for day in card.days[1:]] == ["+21 more"] * 3
    assert "?kind=" not in card.days[1].url
    assert "week=" in card.days[1].url
    assert [day.free for day in card.later] == ["24 times"] * 3


def test_times_are_those_of_the_hospitals_own_clocks(portal: Client, cedar: Hospital, rao: Doctor) -> None:
    at = factories.at(cedar, "10:00")
    times = [FreeTime(at, frozenset({VisitKind.VIDEO}))]
    directory.show_times(code=rao.code, times=times, notice_minutes=0, stale_at=None)
    assert "Times by the clocks of" not in text(portal.get("/doctors/"))
    Hospital.objects.filter(pk=cedar.pk).update(time_zone="Asia/Dubai")
    page = text(portal.get("/doctors/"))
    assert ">08:30</a>" in page
    assert "Times by the clocks of Dubai" in page


def test_a_time_that_has_passed_is_not_shown(portal: Client, cedar: Hospital, rao: Doctor) -> None:
    times = [now() - timedelta(minutes=1), now() + timedelta(minutes=30), now() + timedelta(days=1, hours=2)]
    shown = [FreeTime(time, frozenset({VisitKind.VIDEO})) for time in times]
    directory.show_times(code=rao.code, times=shown, notice_minutes=60, stale_at=None)
    [card] = portal.get("/doctors/").context["cards"]
    assert [(len(day.times), day.more) for day in card.days] == [(1, "")]
    assert not card.later


def test_a_mistyped_word_is_guessed_when_nothing_is_found(portal: Client, rao: Doctor, lata: Doctor) -> None:
    page = text(portal.get("/doctors/", {"q": "cardiolgy in pune"}))
    assert "Nothing matches “cardiolgy in pune”." in page
    assert 'Did you mean <a href="/doctors/?q=cardiology+pune">cardiology pune</a>?' in page
    assert "Vikram Rao" in page
    assert "Lata Rao" not in page


def test_nothing_is_guessed_when_nothing_is_like_it(portal: Client, rao: Doctor) -> None:
    page = text(portal.get("/doctors/", {"q": "zzzzqqq"}))
    assert "No doctor matches “zzzzqqq”" in page
    assert "Did you mean" not in page
    assert 'href="/doctors/">Clear filters' in page


def test_nobody_within_the_filters_offers_the_search_without_them(portal: Client, rao: Doctor) -> None:
    page = text(portal.get("/doctors/", {"q": "heart", "city": "Kochi", "kind": "video"}))
    assert "No doctor matches “heart”" in page
    assert '<a href="/doctors/?q=heart"> Search for “heart” without filters </a>' in page


def test_the_way_out_in_an_emergency_is_always_there(portal: Client, rao: Doctor) -> None:
    for asked in ({}, {"q": "zzzz"}):
        page = text(portal.get("/doctors/", asked))
        assert page.count('href="tel:112"') == 1


def test_an_empty_platform_says_so(portal: Client) -> None:
    assert "The first doctors are on their way" in text(portal.get("/doctors/"))


def test_the_results_are_divided_by_ten_and_filters_stay_in_the_address(portal: Client, twelve: list[Doctor]) -> None:
    first = text(portal.get("/doctors/", {"q": "heart", "city": "Pune"}))
    assert first.count('class="card found"') == 10
    assert "?q=heart&amp;city=Pune&amp;page=2" in first
    second = text(portal.get("/doctors/", {"q": "heart", "city": "Pune", "page": "2"}))
    assert second.count('class="card found"') == 2
    assert "12 doctors" in second
    assert "earliest" not in second.split("Sorted by")[0]


def test_a_search_can_be_shared(portal: Client, rao: Doctor) -> None:
    asked = {"q": "heart", "city": "Pune", "kind": "video", "fee_to": "800", "language": "hi", "experience": "5"}
    page = text(portal.get("/doctors/", asked))
    assert "Vikram Rao" in page
    for control in ('value="heart"', '<option value="Pune" selected>', '<option value="hi" selected>', 'value="800"'):
        assert control in page


def test_a_filter_that_is_set_can_be_taken_off_alone(portal: Client, rao: Doctor) -> None:
    context = portal.get("/doctors/", {"q": "heart", "city": "Pune", "kind": "video"}).context
    assert [(chip.label, chip.url) for chip in context["chosen"]] == [("Pune", "/doctors/?q=heart&kind=video")]
    assert [chip.url for chip in context["chips"] if chip.current] == ["/doctors/?q=heart&city=Pune"]


def test_what_was_typed_is_shown_as_text(portal: Client, rao: Doctor) -> None:
    for name in ("q", "city", "hospital", "department", "specialty", "day", "fee_to"):
        for typed in ("<script>alert(1)</script>", "'\"><img src=x>", "' | '~is:cardiology", "\\", "%"):
            page = portal.get("/doctors/", {name: typed})
            assert page.status_code == 200
            assert "<script>alert" not in page.content.decode()
            assert "<img src=x" not in page.content.decode()


def test_htmx_gets_the_results_alone(portal: Client, rao: Doctor) -> None:
    response = portal.get("/doctors/", {"q": "heart"}, headers=FRAGMENT)
    assert "Vikram Rao" in text(response)
    assert "<html" not in text(response)
    assert "HX-Request" in response["Vary"]


def test_a_suspended_hospitals_doctors_are_gone_at_once(
    portal: Client, usha: User, cedar: Hospital, rao: Doctor
) -> None:
    joining.suspend(hospital=cedar, by=usha, reason="Renovation")
    assert found(portal) == set()


def test_a_doctor_who_takes_no_bookings_is_not_found(portal: Client, cedar: Hospital, rao: Doctor) -> None:
    directory.withdraw_doctor(code=rao.code)
    assert found(portal) == set()


def test_a_hospital_in_a_new_city_can_be_chosen_ten_seconds_later(
    portal: Client, cedar: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr("directory.services.monotonic", lambda: moment[0])
    assert "Nagpur" not in directory.cities()
    Hospital.objects.filter(pk=cedar.pk).update(city="Nagpur")
    assert "Nagpur" not in directory.cities()
    moment[0] += 10
    assert "Nagpur" in directory.cities()
    assert 'value="Nagpur"' in portal.get("/doctors/").content.decode()


def test_a_search_asks_the_same_few_questions_however_many_are_found(
    portal: Client, twelve: list[Doctor], django_assert_num_queries: Callable[..., Any]
) -> None:
    portal.get("/doctors/")
    with django_assert_num_queries(
        3
    ):  # what begins like the word, how many, the page; the cities were asked for before
        portal.get("/doctors/", {"q": "heart", "city": "Pune", "hospital": "cedar", "kind": "video"})
    with django_assert_num_queries(6):  # also: what was meant, what begins so, and the search for that
        portal.get("/doctors/", {"q": "cardiolgy"})


def test_the_first_page_leads_to_the_search(portal: Client) -> None:
    page = text(portal.get("/"))
    assert 'method="get" action="/doctors/"' in page
    assert 'href="/doctors/?specialty=cardiology"' in page


def test_a_hospitals_page_shows_who_of_its_doctors_is_free_first(
    portal: Client, cedar: Hospital, lata: Doctor, twelve: list[Doctor]
) -> None:
    page = text(portal.get(f"/hospitals/{cedar.code}/"))
    assert page.count('class="card found"') == 3
    assert "Lata" not in page
    assert 'href="/doctors/?hospital=cedar"' in page


def test_doctors_stay_found_when_the_hospital_opens_again(
    portal: Client, usha: User, cedar: Hospital, rao: Doctor
) -> None:
    joining.suspend(hospital=cedar, by=usha, reason="Renovation")
    joining.resume(hospital=Hospital.objects.get(pk=cedar.pk), by=usha, reason="Done")
    assert found(portal) == {"Vikram"}
    assert DoctorListing.objects.published().count() == 1


def test_of_very_many_only_the_first_are_counted(
    portal: Client, twelve: list[Doctor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.pages.MOST", 11)
    monkeypatch.setattr("hospitals.views.portal_doctors.MOST", 11)
    assert "More than 11 doctors, earliest" in text(portal.get("/doctors/"))
    last = text(portal.get("/doctors/", {"page": "2"}))
    assert last.count('class="card found"') == 1
    assert "There are more doctors. Say what you need or where, to find them." in last


def test_a_card_follows_the_clock_the_kind_and_who_asks(rao: Doctor) -> None:
    shown = DoctorListing.objects.for_cards().get(code=rao.code)
    visitor: Any = RequestFactory().get("/doctors/")
    visitor.user, visitor.session = AnonymousUser(), {}
    first = shown.free(now())[0].starts_at

    def times(at: datetime | None = None, **wanted: Any) -> list[str]:
        [card] = cards_of(visitor, [shown], Wanted(**wanted), at or now())
        return [time.url for day in card.days for time in day.times]

    before = times()
    assert times() == before
    assert times(at=first + timedelta(minutes=1))[0] != before[0]
    assert all("kind=video" in url for url in times(kind=VisitKind.VIDEO))
    assert times(day=localdate() + timedelta(days=3))[0] != before[0]
    visitor.user = rao.user
    assert "/continue/?from=" in times()[0]
    visitor.user = AnonymousUser()
    assert times() == before


def test_a_card_follows_the_doctor(portal: Client, rao: Doctor) -> None:
    assert "12 years" in text(portal.get("/doctors/"))
    DoctorListing.objects.filter(code=rao.code).update(experience_years=13)
    assert "13 years" in text(portal.get("/doctors/"))


def test_filters_are_drawn_as_django_draws_them(portal: Client) -> None:
    address = "/doctors/?fee_from=-3&experience=abc&day=2026-02-03&department=a%22b&kind=video"
    fields = DoctorSearch(QueryDict(address.partition("?")[2]), cities=[])
    page = portal.get(address).content.decode()
    drawn = {_attribute(tag, "name"): _attributes(tag) for tag in re.findall(r"<input [^>]*>", page)}
    for name in ("department", "day", "fee_from", "fee_to", "experience"):
        assert drawn[name] == _attributes(str(fields[name])), name
    assert 'id="id_fee_from_error"' in page
    assert '<option value="video" selected>' in page


def _attributes(tag: str) -> dict[str, str]:
    return dict(re.findall(r'([\w-]+)="([^"]*)"', tag))


def _attribute(tag: str, name: str) -> str:
    return _attributes(tag).get(name, "")
