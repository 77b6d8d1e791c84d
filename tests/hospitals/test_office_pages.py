"""The office's first page and its activity log."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from audit import services as audit
from audit.models import Action, AuditLog
from core.pictures import judge
from hospitals.models import Settings, Staff
from hospitals.services import departments, settings
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.factories import picture

START = "/start/"
ACTIVITY = "/office/activity/"


def state_of(client: Client) -> dict[str, bool]:
    """The checklist as Hari sees it."""
    return {step.title: step.done for step in client.get(START).context["steps"]}


def test_a_new_hospital_has_everything_to_do(cedar_hari: Client) -> None:
    assert set(state_of(cedar_hari).values()) == {False}
    assert b"0 of 9 done" in cedar_hari.get(START).content


def test_each_step_is_done_when_it_is_true(
    cedar_hari: Client, in_cedar: Hospital, hari: User, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        settings.change_brand(
            hospital=in_cedar, name="Cedar Hospital", accent="#7a3ff2", logo=judge(picture()), by=hari
        )
        settings.change_welcome(
            settings=Settings.objects.get(), welcome="Welcome.", emergency_phone="112", opening_hours="", by=hari
        )
        departments.add(hospital=in_cedar, name="Cardiology", description="", image=None, by=hari)
    assert state_of(cedar_hari) == {
        "Add your logo": True,
        "Choose your colour": True,
        "Check your contact details": False,
        "Welcome your patients": True,
        "Add your departments": True,
        "Invite your colleagues": False,
        "Set your booking rules": False,
        "Set up payments": False,
        "Give your doctors fees and hours": False,
        "Use a domain of your own": False,
    }


def test_looking_at_the_contact_and_saving_it_unchanged_counts(
    cedar_hari: Client, in_cedar: Hospital, hari: User
) -> None:
    settings.change_contact(
        hospital=in_cedar,
        email=in_cedar.email,
        phone_number=str(in_cedar.phone_number),
        address=in_cedar.address,
        city=in_cedar.city,
        state=in_cedar.state,
        time_zone=in_cedar.time_zone,
        by=hari,
    )
    assert state_of(cedar_hari)["Check your contact details"]


def test_the_page_greets_by_the_hour_of_the_hospital(cedar_hari: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour, words in ((9, "Good morning, Hari"), (13, "Good afternoon, Hari"), (21, "Good evening, Hari")):
        there = datetime(2026, 11, 21, hour, 15, tzinfo=ZoneInfo("Asia/Kolkata"))
        monkeypatch.setattr("hospitals.views.office.timezone.localtime", lambda moment=there: moment)
        assert words in cedar_hari.get(START).content.decode()


def test_the_page_shows_what_happened_last(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    departments.add(hospital=in_cedar, name="Cardiology", description="", image=None, by=hari)
    page = cedar_hari.get(START).content.decode()
    assert "Department added" in page
    assert "Cardiology" in page


def test_a_pharmacist_gets_a_calm_page(asha: User, join_cedar: Callable[[User, str], Staff]) -> None:
    join_cedar(asha, "pharmacist")
    response = browser("cedar.localhost", asha).get(START)
    page = response.content.decode()
    assert "Nothing is waiting for you" in page
    assert "Set up your site" not in page
    assert "Recent activity" not in page


@pytest.mark.parametrize(("role", "begins"), [("nurse", "/office/desk/"), ("front_desk", "/office/desk/")])
def test_who_runs_the_queue_begins_at_the_desk(
    asha: User, join_cedar: Callable[[User, str], Staff], role: str, begins: str
) -> None:
    join_cedar(asha, role)
    assert browser("cedar.localhost", asha).get(START)["Location"] == begins


def test_a_doctor_begins_with_today(in_cedar: Hospital, hari: User) -> None:
    rao = factories.bookable_doctor(in_cedar, hari)
    site = browser("cedar.localhost", rao.user)
    assert site.get(START)["Location"] == "/doctor/today/"
    assert 'href="/doctor/today/"' in site.get("/doctor/today/").content.decode()


def test_an_admin_who_is_no_doctor_has_no_day_of_their_own(cedar_hari: Client) -> None:
    assert 'href="/doctor/today/"' not in cedar_hari.get(START).content.decode()


@pytest.mark.parametrize("address", [START, ACTIVITY])
def test_a_visitor_is_sent_to_sign_in(cedar_site: Client, address: str) -> None:
    assert cedar_site.get(address)["Location"] == f"/sign-in/?next={address}"


@pytest.mark.parametrize("address", [ACTIVITY])
def test_the_stranger_and_the_superadmin_are_turned_away(cedar_kiran: Client, usha: User, address: str) -> None:
    assert cedar_kiran.get(address).status_code == 403
    assert browser("cedar.localhost", usha).get(address).status_code == 403


def test_who_has_no_work_here_is_led_to_the_public_page(cedar_kiran: Client, usha: User) -> None:
    assert cedar_kiran.get(START)["Location"] == "/"
    assert browser("cedar.localhost", usha).get(START)["Location"] == "/"


def test_somebody_who_left_is_turned_away(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    Staff.objects.filter(user=hari).update(is_active=False)
    assert cedar_hari.get(ACTIVITY).status_code == 403
    assert cedar_hari.get(START)["Location"] == "/"


def test_a_nurse_does_not_read_the_activity(asha: User, join_cedar: Callable[[User, str], Staff]) -> None:
    join_cedar(asha, "nurse")
    assert browser("cedar.localhost", asha).get(ACTIVITY).status_code == 403


@pytest.fixture
def three_rows(in_cedar: Hospital, hari: User, asha: User) -> None:
    """Something by Hari, something by Asha, and something of long ago."""
    with transaction.atomic():
        for by, action, days in (
            (hari, Action.SETTINGS_CHANGED, 0),
            (asha, Action.USER_SIGNED_OUT, 0),
            (hari, Action.DOMAIN_REMOVED, 40),
        ):
            row = AuditLog(
                user=by,
                actor=str(by),
                action=action,
                entity="tenants.hospital",
                entity_id="1",
                thing=f"{action} by {by}",
                timestamp=timezone.now() - timedelta(days=days),
            )
            row.save()


def things(client: Client, query: str) -> set[str]:
    rows = client.get(f"{ACTIVITY}?{query}").context["rows"]
    return {row.thing for row in rows if " by " in row.thing}


def test_the_log_is_narrowed_by_person_action_and_thing(cedar_hari: Client, three_rows: None) -> None:
    assert things(cedar_hari, "person=asha") == {"user.signed_out by Asha Patel"}
    assert things(cedar_hari, "action=domain.removed") == {"domain.removed by Hari Rao"}
    assert things(cedar_hari, "thing=settings") == {"settings.changed by Hari Rao"}


def test_the_log_is_narrowed_by_days(cedar_hari: Client, three_rows: None) -> None:
    day = (timezone.localtime() - timedelta(days=30)).date().isoformat()
    assert things(cedar_hari, f"last={day}") == {"domain.removed by Hari Rao"}
    assert things(cedar_hari, f"first={day}") == {"settings.changed by Hari Rao", "user.signed_out by Asha Patel"}


def test_a_day_is_a_day_of_the_hospital(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    late = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)  # already 2 March in India
    AuditLog.objects.create(
        user=hari,
        actor="Hari Rao",
        action="user.signed_in",
        entity="x",
        entity_id="1",
        thing="late by Hari",
        timestamp=late,
    )
    assert things(cedar_hari, "first=2026-03-02&last=2026-03-02") == {"late by Hari"}


def test_filters_without_a_match_say_so_and_can_be_cleared(cedar_hari: Client) -> None:
    page = cedar_hari.get(f"{ACTIVITY}?person=nobody").content.decode()
    assert "Nothing matches these filters" in page
    assert "Clear filters" in page


def test_a_date_that_is_none_is_said_at_the_field(cedar_hari: Client) -> None:
    response = cedar_hari.get(f"{ACTIVITY}?first=yesterday")
    assert response.status_code == 422
    assert "first" in response.context["form"].errors


def test_what_changed_is_shown_in_words(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    settings.change_brand(hospital=in_cedar, name="Cedar Hospital", accent="#7a3ff2", logo=None, by=hari)
    page = cedar_hari.get(ACTIVITY).content.decode()
    assert "Accent colour" in page
    assert "#7a3ff2" in page


def test_htmx_gets_only_the_rows(cedar_hari: Client) -> None:
    response = cedar_hari.get(ACTIVITY, headers={"HX-Request": "true"})
    assert b"<html" not in response.content
    assert b"Hospital opened" in response.content


def test_pages_keep_the_filters_and_the_number_of_queries(
    cedar_hari: Client, in_cedar: Hospital, hari: User, django_assert_num_queries: Any
) -> None:
    with transaction.atomic():
        for _ in range(15):
            audit.record(action=Action.USER_SIGNED_IN, target=hari, by=hari)
    page = cedar_hari.get(f"{ACTIVITY}?action=user.signed_in").content.decode()
    assert "?action=user.signed_in&amp;page=2" in page
    with django_assert_num_queries(5):  # session, person, staff row, count, rows
        cedar_hari.get(f"{ACTIVITY}?action=user.signed_in")
    with django_assert_num_queries(17):
        cedar_hari.get(START)


def test_another_hospitals_log_is_another_log(kiran: User, in_cedar: Hospital, hari: User) -> None:
    departments.add(hospital=in_cedar, name="Cardiology", description="", image=None, by=hari)
    assert b"Cardiology" not in browser("lotus.localhost", kiran).get(ACTIVITY).content
