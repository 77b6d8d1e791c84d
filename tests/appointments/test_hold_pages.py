"""Holding a time without an account: the browser is the holder."""

from datetime import timedelta

from django.conf import settings
from django.test import Client

from accounts.models import User
from appointments.models import Appointment, Status
from core.schemas import schema_context
from hospitals.models import Doctor
from tenants.models import Hospital
from tests.accounts.supporting import arrived, ask
from tests.appointments.patients_way import choose, only_visit, said, value, visits
from tests.conftest import browser
from tests.factories import at, visit


def test_a_visitor_holds_a_time_and_is_asked_who_they_are(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    response = choose(cedar_site, cedar, rao)
    assert (response.status_code, response["Location"]) == (302, "/book/")
    assert only_visit(cedar).status == Status.HELD
    page = said(cedar_site.get("/book/"))
    assert "We hold this time until" in page
    assert "Who are you?" in page


def test_the_cookie_of_a_hold_is_of_this_host_and_hidden_from_scripts(
    cedar_site: Client, rao: Doctor, cedar: Hospital
) -> None:
    choose(cedar_site, cedar, rao)
    cookie = cedar_site.cookies["holder"]
    assert cookie["httponly"]
    assert (cookie["domain"], cookie["samesite"]) == ("", "Lax")
    assert settings.SESSION_COOKIE_NAME not in cedar_site.cookies


def test_a_cookie_that_was_tampered_with_holds_nothing(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    choose(cedar_site, cedar, rao)
    cedar_site.cookies["holder"] = cedar_site.cookies["holder"].value[:-2] + "xx"
    assert "You have not chosen a time yet" in said(cedar_site.get("/book/"))


def test_choosing_another_time_gives_the_first_one_up(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    choose(cedar_site, cedar, rao, "10:00")
    choose(cedar_site, cedar, rao, "11:00")
    assert [held.status for held in visits(cedar)] == [Status.EXPIRED, Status.HELD]
    assert "11:00" in said(cedar_site.get("/book/"))


def test_a_time_taken_in_between_comes_back_with_the_next_one_chosen(
    cedar_site: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    visit(cedar, rao, asha, "10:00")
    response = choose(cedar_site, cedar, rao, "10:00")
    assert response.status_code in (409, 422)
    page = said(response)
    assert "10:00 has just been taken. The next free time is" in page
    assert f'value="{value(cedar, "10:00")}"' not in page
    chosen = response.context["week"].chosen
    assert chosen is not None
    assert f"{chosen.starts_at:%H:%M}" in page


def test_the_links_of_a_page_with_a_taken_time_lead_to_the_doctors_page(
    cedar_site: Client, rao: Doctor, cedar: Hospital, asha: User
) -> None:
    visit(cedar, rao, asha, "10:00")
    page = said(choose(cedar_site, cedar, rao, "10:00"))
    assert f'href="/doctors/{rao.code}/?kind=in_person&amp;week=' in page
    assert 'href="?' not in page


def test_sending_no_time_says_so(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    response = cedar_site.post(f"/doctors/{rao.code}/hold/", {"kind": "in_person"})
    assert response.status_code == 422
    assert "Choose a time." in said(response)
    assert visits(cedar) == []


def test_a_time_outside_the_hours_is_refused(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    response = choose(cedar_site, cedar, rao, "08:00")
    assert response.status_code == 422
    assert visits(cedar) == []


def test_a_hold_is_made_ten_minutes_longer_once(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    choose(cedar_site, cedar, rao)
    first = only_visit(cedar).held_until
    assert first
    cedar_site.post("/book/extend/")
    longer = only_visit(cedar)
    assert longer.held_until
    assert longer.held_until > first
    assert longer.is_hold_extended
    assert "10 minutes longer" not in said(cedar_site.get("/book/"))
    assert cedar_site.post("/book/extend/").status_code == 422


def test_another_browser_can_neither_extend_nor_release_it(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    choose(cedar_site, cedar, rao)
    until = only_visit(cedar).held_until
    stranger = browser("cedar.localhost")
    stranger.post("/book/extend/")
    stranger.post("/book/release/")
    assert only_visit(cedar).held_until == until
    assert only_visit(cedar).status == Status.HELD


def test_choosing_another_time_gives_it_back_at_once(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    choose(cedar_site, cedar, rao)
    response = cedar_site.post("/book/release/")
    assert response["Location"].startswith(f"/doctors/{rao.code}/?kind=in_person&week=")
    assert only_visit(cedar).status == Status.EXPIRED


def test_a_hold_that_ran_out_says_what_is_free_instead(cedar_site: Client, rao: Doctor, cedar: Hospital) -> None:
    choose(cedar_site, cedar, rao)
    with schema_context(cedar.schema_name):
        Appointment.objects.update(held_until=at(cedar, "10:00") - timedelta(days=2))
    page = said(cedar_site.get("/book/"))
    assert "We do not hold this time any more" in page
    assert f"/doctors/{rao.code}/?kind=in_person&amp;at={value(cedar, '10:00')}" in page


def test_nobody_holds_a_time_as_support(portal_usha: Client, rao: Doctor, cedar: Hospital, hari: User) -> None:
    client = arrived(ask(portal_usha, cedar, hari))
    assert choose(client, cedar, rao).status_code == 403
    assert client.get("/book/").status_code == 403
    assert visits(cedar) == []
