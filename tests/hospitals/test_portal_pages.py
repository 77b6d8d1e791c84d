"""The portal as patients see it: the first page, the list, one hospital."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core.codes import new_code
from directory import services as directory
from directory.services import ListedDepartment
from hospitals.services import joining
from tenants.models import Hospital
from tests import factories

FRAGMENT = {"HX-Request": "true"}
NOT_THERE = "/hospitals/00000000-0000-7000-8000-000000000000/"


def list_departments(hospital: Hospital, *names: str) -> None:
    """Let the portal know these departments."""
    slugs = [(name, name.lower().replace(" ", "-")) for name in names]
    directory.publish(
        hospital=hospital,
        departments=lambda: [ListedDepartment(code=new_code(), name=name, slug=slug) for name, slug in slugs],
    )


@pytest.fixture
def twelve_in_kochi(usha: User) -> list[Hospital]:
    """Enough for a second page."""
    return [factories.opened(usha, name=f"Harbour {number:02d}", city="Kochi", state="KL") for number in range(12)]


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def test_the_first_page_shows_open_hospitals_and_the_way_to_register(portal: Client, cedar: Hospital) -> None:
    page = text(portal.get("/"))
    assert "Cedar Hospital" in page
    assert f"/hospitals/{cedar.code}/" in page
    assert 'href="/register/"' in page


def test_the_first_page_leads_to_the_list_of_hospitals(portal: Client, twelve_in_kochi: list[Hospital]) -> None:
    assert '<a href="/hospitals/"> See all 14 hospitals </a>' in text(portal.get("/"))


def test_the_first_page_without_hospitals_says_so(portal: Client, usha: User, cedar: Hospital, lotus: Hospital) -> None:
    for hospital in (cedar, lotus):
        joining.suspend(hospital=hospital, by=usha, reason="Renovation")
    assert "The first hospitals are on their way" in text(portal.get("/"))


def test_the_list_says_how_many_there_are(portal: Client) -> None:
    assert "2 hospitals, by name." in text(portal.get("/hospitals/"))


@pytest.mark.parametrize(
    "words", ["cedar", "CEDAR", "cedar pune", "maharashtra cedar", "cardiology", "Cardiology in Pune"]
)
def test_words_are_looked_for_in_name_city_state_and_departments(portal: Client, cedar: Hospital, words: str) -> None:
    list_departments(cedar, "Cardiology")
    page = text(portal.get("/hospitals/", {"q": words}))
    assert "Cedar Hospital" in page
    assert "Lotus Clinic" not in page
    assert f"1 hospital matches “{words}”." in page


def test_a_city_narrows_the_list_and_is_marked(portal: Client, twelve_in_kochi: list[Hospital]) -> None:
    response = portal.get("/hospitals/", {"city": "kochi"})
    page = text(response)
    assert "12 hospitals in kochi." in page
    assert "Cedar Hospital" not in page
    chips = [(chip.label, chip.url, chip.count) for chip in response.context["cities"] if chip.current]
    assert chips == [("Kochi", "/hospitals/?city=Kochi", 12)]


def test_the_list_is_divided_by_ten(portal: Client, twelve_in_kochi: list[Hospital]) -> None:
    first, second = (text(portal.get("/hospitals/", {"city": "Kochi", "page": page})) for page in (1, 2))
    assert first.count('class="card link hospital"') == 10
    assert second.count('class="card link hospital"') == 2
    assert "Harbour 11" in second
    assert "?city=Kochi&amp;page=2" in first


@pytest.mark.parametrize("page", ["0", "99", "nonsense"])
def test_a_page_that_is_not_there_gives_the_nearest_one(portal: Client, page: str) -> None:
    response = portal.get("/hospitals/", {"page": page})
    assert response.status_code == 200
    assert "Cedar Hospital" in text(response)


def test_nothing_found_says_for_what_and_how_to_get_back(portal: Client) -> None:
    page = text(portal.get("/hospitals/", {"q": "kidney"}))
    assert "No hospital matches “kidney”" in page
    assert 'href="/hospitals/">Clear filters' in page


def test_nothing_found_in_a_city_offers_the_others(portal: Client) -> None:
    page = text(portal.get("/hospitals/", {"q": "lotus", "city": "Kochi"}))
    assert "No hospital in Kochi matches “lotus”" in page
    assert "See 1 hospital in another city" in page


def test_what_was_typed_is_shown_as_text(portal: Client) -> None:
    page = portal.get("/hospitals/", {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page


def test_htmx_gets_the_results_alone(portal: Client) -> None:
    response = portal.get("/hospitals/", {"q": "cedar"}, headers=FRAGMENT)
    page = text(response)
    assert "Cedar Hospital" in page
    assert "<html" not in page
    assert "HX-Request" in response["Vary"]


def test_a_suspended_hospital_is_gone_at_once(portal: Client, usha: User, cedar: Hospital) -> None:
    joining.suspend(hospital=cedar, by=usha, reason="Renovation")
    assert "Cedar Hospital" not in text(portal.get("/hospitals/"))
    assert portal.get(f"/hospitals/{cedar.code}/").status_code == 404


def test_a_pending_hospital_has_no_page(portal: Client) -> None:
    assert portal.get(f"/hospitals/{factories.pending().code}/").status_code == 404
    assert portal.get(NOT_THERE).status_code == 404


def test_a_hospitals_page_says_where_it_is_and_leads_to_its_site(portal: Client, cedar: Hospital) -> None:
    list_departments(cedar, "Eye care", "Cardiology")
    page = text(portal.get(f"/hospitals/{cedar.code}/"))
    for expected in ("12 Lake Road<br>Kothrud", "Pune, Maharashtra", "tel:+91-98450-12345", "cedar.localhost"):
        assert expected in page
    assert 'href="http://cedar.localhost:8000/departments/cardiology/"' in page
    assert page.index("Cardiology") < page.index("Eye care")


def test_a_hospital_without_departments_says_that_they_follow(portal: Client, cedar: Hospital) -> None:
    assert "Cedar Hospital has just opened and is still adding its departments." in text(
        portal.get(f"/hospitals/{cedar.code}/")
    )


def test_names_are_not_escaped_twice(portal: Client, usha: User) -> None:
    hospital = factories.opened(usha, name="Mother & Child's")
    for address in ("/hospitals/", f"/hospitals/{hospital.code}/"):
        page = portal.get(address).content.decode()
        assert "Mother &amp; Child&#x27;s" in page
        assert "&amp;amp;" not in page


def test_the_list_asks_the_same_questions_however_long_it_is(
    portal: Client, twelve_in_kochi: list[Hospital], django_assert_num_queries: Callable[..., Any]
) -> None:
    for hospital in twelve_in_kochi[:5]:
        list_departments(hospital, "Cardiology", "Eye care")
    portal.get("/hospitals/")
    with django_assert_num_queries(4):  # the schema, the cities, how many, the page, its departments
        portal.get("/hospitals/")
    with django_assert_num_queries(3):  # the schema, how many, the first six, their departments
        portal.get("/")
