"""What visitors of a hospital meet while it is out of service for a moment, when it is closed, and when it has left."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit import services as audit
from hospitals.services import joining
from tenants import services as tenants
from tenants.models import Hospital
from tests.conftest import browser, forget
from tests.tenants.traveller import Person

OnCommit = Callable[..., Any]


@pytest.fixture
def paused(cedar: Hospital, django_capture_on_commit_callbacks: OnCommit) -> Hospital:
    """Cedar is out of service."""
    with django_capture_on_commit_callbacks(execute=True):
        tenants.pause(hospital=cedar, why=Hospital.Pause.MOVE, now=now())
    return cedar


def test_its_visitors_read_that_it_is_back_soon_with_its_number_and_a_way_on(paused: Hospital) -> None:
    answer = browser("cedar.localhost").get("/departments/?q=heart")
    page = " ".join(answer.content.decode().split())
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "<h1>Cedar Hospital is back soon</h1>" in page
    assert f'href="{paused.phone_number.as_rfc3966}"' in page
    assert '<a class="btn primary" href="/departments/?q=heart">Try again</a>' in page
    assert 'href="http://localhost:8000/"' in page


def test_the_page_has_the_hospitals_own_look(paused: Hospital) -> None:
    visitor = browser("cedar.localhost")
    page = visitor.get("/").content.decode()
    theme = "/theme/" + page.partition('href="/theme/')[2].partition('"')[0]
    assert visitor.get(theme).status_code == 200


def test_programs_read_it_in_json(paused: Hospital) -> None:
    answer = browser("cedar.localhost").get("/api/departments/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    detail = answer.json()["detail"]
    assert detail.startswith("Cedar Hospital is back soon.")
    assert paused.phone_number.as_international in detail


@pytest.mark.parametrize(
    "path", ["/sign-in/", "/visits/", "/office/departments/", "/arrive/aaaa/", "/continue/?from=localhost", "/links/x/"]
)
def test_no_page_of_it_breaks(paused: Hospital, hari: User, path: str) -> None:
    for client in (browser("cedar.localhost"), browser("cedar.localhost", hari)):
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code == 503
            assert "is back soon" in answer.content.decode()


def test_all_other_hospitals_and_the_portal_work(paused: Hospital, lotus: Hospital) -> None:
    assert browser("lotus.localhost").get("/").status_code == 200
    assert browser("localhost").get("/hospitals/").status_code == 200


def test_afterwards_it_is_as_before(paused: Hospital, django_capture_on_commit_callbacks: OnCommit) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        tenants.unpause(hospital=paused, why=Hospital.Pause.MOVE)
    assert browser("cedar.localhost").get("/").status_code == 200


def test_it_keeps_nobody_from_the_portal(paused: Hospital, lotus: Hospital, asha: User) -> None:
    """The sign-in cannot be carried along from there: the page opens all the same."""
    person = Person()
    person.signs_in("cedar.localhost", asha)
    to_portal = "http://localhost:8000/continue/?from=cedar.localhost&next=/hospitals/"
    assert person.follows(to_portal, steps=1) == "http://localhost:8000/hospitals/"


def test_a_link_from_the_portal_to_it_ends_at_its_page(paused: Hospital, lotus: Hospital, asha: User) -> None:
    client = browser("localhost", asha)
    state = "0" * 64
    answer = client.get("/hand-over/", {"to": "cedar.localhost", "state": state, "next": "/departments/"})
    there = answer["Location"].removeprefix("http://cedar.localhost:8000")
    page = browser("cedar.localhost").get(there)
    assert "Cedar Hospital is back soon" in page.content.decode()


def test_a_suspended_hospital_is_closed_for_now_whatever_else_is_the_matter(paused: Hospital, usha: User) -> None:
    joining.suspend(hospital=paused, by=usha, reason="The licence ran out.")
    forget()
    answer = browser("cedar.localhost").get("/")
    assert answer.status_code == 503
    assert "Cedar Hospital is closed for now" in answer.content.decode()


def test_nobody_lives_at_the_address_of_a_hospital_that_has_left(cedar: Hospital, usha: User, portal: Client) -> None:
    joining.suspend(hospital=cedar, by=usha, reason="They asked for it.")
    audit.move(cedar, Hospital.Status.CLOSED, by=None)
    forget()
    for path in ("/", "/api/departments/", "/sign-in/"):
        answer = browser("cedar.localhost").get(path)
        assert answer.status_code == 404
        assert "No hospital lives at this address" in answer.content.decode()
    assert "Cedar" not in portal.get("/hospitals/").content.decode()
