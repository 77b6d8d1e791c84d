"""From the portal to a hospital and back without signing in twice, and nobody else's sign-in by the same way."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import Session, Ticket, User
from accounts.services import sessions, tickets
from accounts.sessions import SECOND_FACTOR, SessionStore
from audit.models import AuditLog
from core.schemas import schema_context
from hospitals.services import joining
from tenants.models import Domain, Hospital
from tests.conftest import browser
from tests.tenants.traveller import Person

COOKIE = "arrival"
STATE = "what only this browser's cookie knows"


@pytest.fixture
def person(db: None, cedar: Hospital, lotus: Hospital) -> Person:
    return Person()


TO_CEDAR = "http://cedar.localhost:8000/continue/?from=localhost&next=/departments/"
TO_PORTAL = "http://localhost:8000/continue/?from=cedar.localhost&next=/hospitals/"


def ticket_for(
    user: User, hospital: Hospital | None, *, is_two_factor: bool = False, at: datetime | None = None
) -> str:
    place = str(hospital.code) if hospital else ""
    state = tickets.digest_of(STATE)
    return tickets.issue(user=user, place=place, state=state, is_two_factor=is_two_factor, now=at or now())


def shown(host: str, token: str, state: str = STATE) -> Client:
    """A browser that holds the state and shows the ticket."""
    client = browser(host)
    client.cookies[COOKIE] = state
    client.get(f"/arrive/{token}/")
    return client


def is_in(client: Client) -> bool:
    return bool(client.get("/").wsgi_request.user.is_authenticated)


def test_who_is_signed_in_on_the_portal_arrives_signed_in_at_the_hospital(person: Person, asha: User) -> None:
    person.signs_in("localhost", asha)
    assert person.follows(TO_CEDAR) == "http://cedar.localhost:8000/departments/"
    assert person.at("cedar.localhost").get("/").wsgi_request.user == asha


def test_the_log_of_the_hospital_says_how_they_came(person: Person, asha: User, cedar: Hospital) -> None:
    person.signs_in("localhost", asha)
    person.follows(TO_CEDAR)
    with schema_context(cedar.schema_name):
        row = AuditLog.objects.newest_first()[0]
    assert (row.action, row.user_id, row.data["by"]) == ("user.signed_in", asha.pk, "ticket")


def test_the_way_back_works_as_well(person: Person, asha: User) -> None:
    person.signs_in("cedar.localhost", asha)
    assert person.follows(TO_PORTAL) == "http://localhost:8000/hospitals/"
    assert person.at("localhost").get("/").wsgi_request.user == asha


def test_a_visitor_arrives_as_a_visitor(person: Person) -> None:
    assert person.follows(TO_CEDAR, steps=2) == "http://cedar.localhost:8000/departments/"
    assert not person.is_signed_in("cedar.localhost")
    assert not Ticket.objects.exists()


def test_who_is_signed_in_there_already_goes_straight_on(person: Person, asha: User, hari: User) -> None:
    person.signs_in("localhost", asha)
    person.signs_in("cedar.localhost", hari)
    assert person.opens(TO_CEDAR)["Location"] == "/departments/"
    assert person.at("cedar.localhost").get("/").wsgi_request.user == hari


def test_the_session_gets_a_key_of_its_own(person: Person, asha: User) -> None:
    person.signs_in("localhost", asha)
    person.follows(TO_CEDAR)
    keys = {
        person.at(host).cookies[django_settings.SESSION_COOKIE_NAME].value for host in ("localhost", "cedar.localhost")
    }
    assert len(keys) == 2
    assert Session.objects.filter(user=asha).count() == 2


def test_the_cookie_of_the_way_is_for_this_host_and_no_script(person: Person, asha: User) -> None:
    cookie = person.opens(TO_CEDAR).cookies[COOKIE]
    assert (cookie["domain"], cookie["httponly"], cookie["samesite"]) == ("", True, "Lax")
    assert cookie["max-age"] == 120


def test_over_https_no_other_host_of_the_domain_can_set_it(person: Person, asha: User, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    person.signs_in("localhost", asha)
    cookie = person.opens(TO_CEDAR).cookies["__Host-arrival"]  # browsers take this name from the host itself only
    assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")
    assert person.follows(TO_CEDAR) == "http://cedar.localhost:8000/departments/"
    assert person.is_signed_in("cedar.localhost")


def test_the_cookies_are_gone_after_the_arrival(person: Person, asha: User) -> None:
    person.signs_in("localhost", asha)
    person.follows(TO_CEDAR)
    assert person.at("cedar.localhost").cookies[COOKIE].value == ""


@pytest.mark.parametrize("path", ["/continue/", "/hand-over/", "/arrive/x/"])
def test_no_step_of_the_way_is_kept_in_a_cache(person: Person, path: str) -> None:
    answer = person.at("cedar.localhost").get(path, {"to": "localhost"})
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["/continue/", "/hand-over/", "/arrive/x/"])
def test_no_step_of_the_way_takes_a_form(person: Person, path: str) -> None:
    assert person.at("cedar.localhost").post(path).status_code == 405


# --- The second factor and the powers -------------------------------------------------------------------------------


@pytest.mark.parametrize("is_two_factor", [True, False])
def test_the_second_factor_counts_there_only_if_it_was_used_here(
    person: Person, hari: User, is_two_factor: bool
) -> None:
    person.signs_in("localhost", hari, is_two_factor=is_two_factor)
    person.follows(TO_CEDAR)
    row = Session.objects.get(user=hari, host="cedar.localhost")
    assert SessionStore().decode(row.session_data)[SECOND_FACTOR] is is_two_factor


def test_a_hospital_that_asks_for_two_factor_lets_nobody_work_who_came_without(
    person: Person, hari: User, cedar: Hospital
) -> None:
    Hospital.objects.filter(pk=cedar.pk).update(requires_two_factor=True)
    person.signs_in("localhost", hari)
    person.follows(TO_CEDAR)
    assert person.at("cedar.localhost").get("/office/settings/").status_code == 302


def test_a_superadmin_is_a_patient_at_the_hospital(person: Person, usha: User) -> None:
    person.signs_in("localhost", usha, is_two_factor=True)
    person.follows(TO_CEDAR)
    assert person.at("cedar.localhost").get("/").wsgi_request.user == usha
    assert person.at("cedar.localhost").get("/office/settings/").status_code == 403


def test_a_superadmin_is_not_carried_to_the_portal(person: Person, usha: User) -> None:
    person.signs_in("cedar.localhost", usha, is_two_factor=True)
    assert person.follows(TO_PORTAL, steps=2) == "http://localhost:8000/hospitals/"
    assert not person.is_signed_in("localhost")


def test_the_admin_of_another_hospital_is_a_patient_here(person: Person, kiran: User) -> None:
    person.signs_in("localhost", kiran)
    person.follows(TO_CEDAR)
    assert person.at("cedar.localhost").get("/office/settings/").status_code == 403


# --- Where the way may lead -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x", "x"])
@pytest.mark.parametrize("path", ["/continue/", "/arrive/x/"])
def test_a_next_page_on_another_host_becomes_the_first_page(person: Person, path: str, wanted: str) -> None:
    assert person.at("cedar.localhost").get(path, {"next": wanted})["Location"] == "/"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example/", "/\\evil.example", "@evil.example"])
def test_the_host_somebody_comes_from_sends_them_to_ours_only(person: Person, asha: User, wanted: str) -> None:
    query = {"to": "cedar.localhost", "state": tickets.digest_of(STATE), "next": wanted}
    assert person.at("localhost").get("/hand-over/", query)["Location"] == "http://cedar.localhost:8000/"
    person.signs_in("localhost", asha)
    answer = person.at("localhost").get("/hand-over/", query)
    assert answer["Location"].startswith("http://cedar.localhost:8000/arrive/")
    assert answer["Location"].endswith("/?next=%2F")


@pytest.mark.parametrize("host", ["evil.example", "nobody.localhost", "localhost", "", "cedar.localhost@evil.example"])
def test_no_ticket_is_written_for_a_host_that_is_not_ours(person: Person, asha: User, host: str) -> None:
    person.signs_in("localhost", asha)
    query = {"to": host, "state": tickets.digest_of(STATE)}
    assert person.at("localhost").get("/hand-over/", query).status_code == 404
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("host", ["evil.example", "nobody.localhost", "cedar.localhost", "lotus.localhost", ""])
def test_a_hospital_asks_nobody_but_the_portal(person: Person, host: str) -> None:
    answer = person.at("cedar.localhost").get("/continue/", {"from": host, "next": "/departments/"})
    assert answer["Location"] == "/departments/"


def test_no_way_leads_from_one_hospital_to_another(person: Person, asha: User) -> None:
    person.signs_in("cedar.localhost", asha)
    query = {"to": "lotus.localhost", "state": tickets.digest_of(STATE)}
    assert person.at("cedar.localhost").get("/hand-over/", query).status_code == 404


def test_it_works_on_a_hospitals_own_domain(person: Person, asha: User, cedar: Hospital) -> None:
    Domain.objects.create(tenant=cedar, domain="www.cedar.example", is_primary=False)
    person.signs_in("localhost", asha)
    arrived = person.follows("http://www.cedar.example:8000/continue/?from=localhost&next=/")
    assert arrived == "http://www.cedar.example:8000/"
    assert person.is_signed_in("www.cedar.example")
    assert not person.is_signed_in("cedar.localhost")


def test_and_from_a_hospitals_own_domain_back(person: Person, asha: User, cedar: Hospital) -> None:
    Domain.objects.create(tenant=cedar, domain="www.cedar.example", is_primary=False)
    person.signs_in("www.cedar.example", asha)
    person.follows("http://localhost:8000/continue/?from=www.cedar.example&next=/")
    assert person.is_signed_in("localhost")


def test_no_ticket_is_written_for_a_suspended_hospital(
    person: Person, asha: User, usha: User, cedar: Hospital, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    person.signs_in("localhost", asha)
    with django_capture_on_commit_callbacks(execute=True):
        joining.suspend(hospital=cedar, by=usha, reason="Unpaid")
    query = {"to": "cedar.localhost", "state": tickets.digest_of(STATE)}
    assert person.at("localhost").get("/hand-over/", query).status_code == 404
    assert not Ticket.objects.exists()


def test_a_ticket_opens_nothing_at_a_hospital_that_was_suspended_meanwhile(
    asha: User, usha: User, cedar: Hospital, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    token = ticket_for(asha, cedar)
    with django_capture_on_commit_callbacks(execute=True):
        joining.suspend(hospital=cedar, by=usha, reason="Unpaid")
    client = browser("cedar.localhost")
    client.cookies[COOKIE] = STATE
    assert client.get(f"/arrive/{token}/").status_code == 503
    assert not Session.objects.filter(user=asha).exists()


# --- What a ticket is worth -----------------------------------------------------------------------------------------


def test_a_ticket_signs_in_the_browser_that_asked_for_it(asha: User, cedar: Hospital) -> None:
    assert is_in(shown("cedar.localhost", ticket_for(asha, cedar)))


def test_only_the_digest_of_a_ticket_is_kept(asha: User, cedar: Hospital) -> None:
    token = ticket_for(asha, cedar)
    kept = Ticket.objects.values().get()
    assert token not in str(kept)
    assert kept["digest"] == tickets.digest_of(token)


def test_a_ticket_works_once(asha: User, cedar: Hospital) -> None:
    token = ticket_for(asha, cedar)
    shown("cedar.localhost", token)
    assert not is_in(shown("cedar.localhost", token))


def test_a_ticket_slipped_to_another_person_signs_them_in_as_nobody(kiran: User, cedar: Hospital) -> None:
    token = ticket_for(kiran, cedar)
    victim = browser("cedar.localhost")
    victim.get(f"/arrive/{token}/")
    assert not is_in(victim)


def test_nor_does_the_state_of_another_browser_help(kiran: User, cedar: Hospital) -> None:
    assert not is_in(shown("cedar.localhost", ticket_for(kiran, cedar), state="another"))


def test_a_ticket_that_strayed_is_used_up(asha: User, cedar: Hospital) -> None:
    token = ticket_for(asha, cedar)
    shown("cedar.localhost", token, state="another")
    assert not is_in(shown("cedar.localhost", token))


@pytest.mark.parametrize("host", ["lotus.localhost", "localhost"])
def test_a_ticket_for_one_hospital_opens_nothing_elsewhere(
    asha: User, cedar: Hospital, lotus: Hospital, host: str
) -> None:
    token = ticket_for(asha, cedar)
    assert not is_in(shown(host, token))
    assert not is_in(shown("cedar.localhost", token))


def test_a_ticket_for_the_portal_opens_no_hospital(asha: User, cedar: Hospital) -> None:
    assert not is_in(shown("cedar.localhost", ticket_for(asha, None)))


def test_a_ticket_lasts_a_minute(asha: User, cedar: Hospital) -> None:
    written = now()
    token = ticket_for(asha, cedar, at=written)
    with time_machine.travel(written + timedelta(seconds=60), tick=False):
        assert not is_in(shown("cedar.localhost", token))
    token = ticket_for(asha, cedar, at=written)
    with time_machine.travel(written + timedelta(seconds=59), tick=False):
        assert is_in(shown("cedar.localhost", token))


def test_a_newer_ticket_takes_the_place_of_an_earlier_one(asha: User, cedar: Hospital) -> None:
    first, second = ticket_for(asha, cedar), ticket_for(asha, cedar)
    assert not is_in(shown("cedar.localhost", first))
    assert is_in(shown("cedar.localhost", second))


def test_a_ticket_of_somebody_who_was_made_inactive_opens_nothing(asha: User, cedar: Hospital) -> None:
    token = ticket_for(asha, cedar)
    User.objects.filter(pk=asha.pk).update(is_active=False)
    shown("cedar.localhost", token)
    assert not Session.objects.filter(user=asha).exists()


def test_signing_out_everywhere_ends_a_ticket_that_is_under_way(asha: User, cedar: Hospital) -> None:
    token = ticket_for(asha, cedar)
    sessions.end_all(user=asha, now=now())
    assert not is_in(shown("cedar.localhost", token))


def test_a_state_that_is_no_digest_gets_no_ticket(person: Person, asha: User) -> None:
    person.signs_in("localhost", asha)
    answer = person.at("localhost").get("/hand-over/", {"to": "cedar.localhost", "state": ""})
    assert answer["Location"] == "http://cedar.localhost:8000/"
    assert not Ticket.objects.exists()


def test_a_ticket_that_is_no_good_leads_on_with_a_sentence(person: Person) -> None:
    answer = person.at("cedar.localhost").get("/arrive/used/", {"next": "/departments/"}, follow=True)
    assert answer.redirect_chain == [("/departments/", 302)]
    assert "Sign in to go on." in answer.content.decode()


def test_the_whole_way_costs_few_queries(person: Person, asha: User) -> None:
    person.signs_in("localhost", asha)
    person.at("cedar.localhost").get("/")
    with CaptureQueriesContext(connection) as spent:
        person.follows(TO_CEDAR)
    assert len(spent) < 30
