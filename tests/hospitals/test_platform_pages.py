"""The superadmin's log and outbox, and where signing in leads on the portal."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import pytest_django
from django.db import transaction
from django.test import Client
from django.utils.timezone import localdate

from accounts.models import User
from audit.models import Action, AuditLog
from core.codes import new_code
from hospitals.services import joining
from notifications import services as notifications
from notifications.models import Notification, State
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser

FRAGMENT = {"HX-Request": "true"}


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def write(subject: str = "Hello", *, is_secret: bool = False, to_address: str = "hari@cedar.example") -> Notification:
    """A message in the platform's outbox."""
    with transaction.atomic():
        return notifications.notify(
            to_address=to_address,
            to_name="Hari Rao",
            template="registration_received",
            subject=subject,
            brand_name="RHMS",
            accent="#0b6e6e",
            context={"hospital_name": "Cedar Hospital", "link": "http://localhost:8000/register/status/abc/"},
            is_secret=is_secret,
        )


@pytest.fixture
def failed(db: None) -> Notification:
    """A message that nobody wanted."""
    row = write("The lost letter")
    Notification.objects.filter(pk=row.pk).update(
        state=State.FAILED, attempts=7, last_error="SMTPRecipientsRefused: 550 No such user"
    )
    return row


ROOMS = ["/platform/log/", "/platform/outbox/"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_visitor_is_sent_to_the_sign_in_page(portal: Client, room: str) -> None:
    assert portal.get(room)["Location"] == f"/sign-in/?next={room}"


@pytest.mark.parametrize("room", ROOMS)
def test_somebody_without_the_role_is_refused(asha: User, hari: User, room: str) -> None:
    for user in (asha, hari):
        assert browser("localhost", user).get(room).status_code == 403


def test_a_message_is_for_the_superadmin_only(portal: Client, asha: User, failed: Notification) -> None:
    address = f"/platform/outbox/{failed.code}/"
    assert portal.get(address)["Location"] == f"/sign-in/?next={address}"
    assert browser("localhost", asha).get(address).status_code == 403
    assert browser("localhost", asha).post(f"{address}retry/").status_code == 403
    failed.refresh_from_db()
    assert failed.state == State.FAILED


def test_work_starts_at_the_queue_for_the_superadmin_and_at_home_for_others(portal_usha: Client, asha: User) -> None:
    assert portal_usha.get("/start/")["Location"] == "/platform/hospitals/"
    assert browser("localhost", asha).get("/start/")["Location"] == "/"


def test_the_log_says_who_did_what_to_what(portal_usha: Client, cedar: Hospital, usha: User) -> None:
    joining.suspend(hospital=cedar, by=usha, reason="Renovation")
    page = text(portal_usha.get("/platform/log/"))
    for expected in ("Hospital suspended", "Cedar Hospital", "Usha Menon", "Renovation"):
        assert expected in page


def rows_of(portal_usha: Client, **filters: str) -> list[AuditLog]:
    return list(portal_usha.get("/platform/log/", filters).context["rows"])


def test_the_log_is_narrowed_by_person(portal_usha: Client) -> None:
    assert {row.actor for row in rows_of(portal_usha, person="usha")} == {"Usha Menon"}


def test_the_log_is_narrowed_by_action(portal_usha: Client) -> None:
    assert {row.action for row in rows_of(portal_usha, action="hospital.approved")} == {Action.HOSPITAL_APPROVED}


def test_the_log_is_narrowed_by_thing(portal_usha: Client) -> None:
    assert {row.thing for row in rows_of(portal_usha, thing="cedar hosp")} == {"Cedar Hospital"}


def test_the_log_is_narrowed_by_day_both_ends_included(portal_usha: Client) -> None:
    today, tomorrow = str(localdate()), str(localdate() + timedelta(days=1))
    assert rows_of(portal_usha, first=today, last=today)
    assert not rows_of(portal_usha, first=tomorrow)


def test_filters_work_together_and_stay_on_the_next_page(portal_usha: Client) -> None:
    for _number in range(12):
        factories.pending(contact_person="Farid Khan")
    page = text(portal_usha.get("/platform/log/", {"person": "farid", "action": "hospital.pending"}))
    assert "12 entries" in page
    assert "?person=farid&amp;action=hospital.pending&amp;page=2" in page
    assert 'value="farid"' in page


def test_a_day_that_is_none_is_refused_at_the_field_and_the_rest_is_kept(portal_usha: Client) -> None:
    response = portal_usha.get("/platform/log/", {"first": "yesterday", "person": "usha"})
    assert response.status_code == 422
    assert "first" in response.context["form"].errors
    assert 'value="usha"' in text(response)
    assert response.context["rows"]


def test_no_match_says_so_and_leads_back(portal_usha: Client) -> None:
    page = text(portal_usha.get("/platform/log/", {"person": "nobody at all"}))
    assert "Nothing matches these filters" in page
    assert 'href="/platform/log/">Clear filters' in page


@pytest.mark.parametrize("room", ROOMS)
def test_htmx_gets_the_results_alone(portal_usha: Client, room: str) -> None:
    page = text(portal_usha.get(room, headers=FRAGMENT))
    assert "<table" in page
    assert "<html" not in page


def test_the_log_shows_nothing_that_hospitals_do_inside(portal_usha: Client, cedar: Hospital) -> None:
    assert not rows_of(portal_usha, action=Action.STAFF_ADDED)


def test_the_outbox_shows_messages_newest_first(portal_usha: Client) -> None:
    write("An early letter")
    write("A late letter")
    page = text(portal_usha.get("/platform/outbox/"))
    assert page.index("A late letter") < page.index("An early letter")


def test_the_outbox_is_narrowed_by_state_and_words(portal_usha: Client, failed: Notification) -> None:
    write("Another letter", to_address="kiran@lotus.example")
    page = text(portal_usha.get("/platform/outbox/", {"state": "failed"}))
    assert "The lost letter" in page
    assert "Another letter" not in page
    assert "SMTPRecipientsRefused: 550 No such user" in page
    found = portal_usha.get("/platform/outbox/", {"q": "another lotus"})
    assert [row.subject for row in found.context["rows"]] == ["Another letter"]
    assert {tab.label: tab.count for tab in found.context["tabs"]}["All"] == 1


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("waiting", "is tried again after 1, 5, 15 and 60 minutes"), ("failed", "the mail server refused the address")],
)
def test_the_outbox_explains_its_states(portal_usha: Client, state: str, sentence: str) -> None:
    assert sentence in text(portal_usha.get("/platform/outbox/", {"state": state}))


def test_what_the_outbox_explains_is_what_the_messenger_does() -> None:
    assert [int(wait.total_seconds() / 60) for wait in notifications.BACKOFF] == [1, 5, 15, 60, 240, 720]


def test_an_empty_outbox_says_so(portal_usha: Client) -> None:
    assert "No message has failed" in text(portal_usha.get("/platform/outbox/", {"state": "failed"}))
    assert "No message here matches “zebra”" in text(portal_usha.get("/platform/outbox/", {"q": "zebra"}))
    Notification.objects.all().delete()
    assert "No messages yet" in text(portal_usha.get("/platform/outbox/"))


def test_a_message_is_shown_with_its_delivery(portal_usha: Client, failed: Notification) -> None:
    page = text(portal_usha.get(f"/platform/outbox/{failed.code}/"))
    for expected in ("The lost letter", "hari@cedar.example", "Hari Rao", "SMTPRecipientsRefused", "Send it again"):
        assert expected in page
    assert portal_usha.get(f"/platform/outbox/{new_code()}/").status_code == 404


def test_in_the_demo_the_link_in_a_message_can_be_followed(
    portal_usha: Client, failed: Notification, settings: pytest_django.Settings
) -> None:
    address = f"/platform/outbox/{failed.code}/"
    link = '<a href="http://localhost:8000/register/status/abc/"'
    assert link not in text(portal_usha.get(address))
    settings.DEBUG = True
    assert link in text(portal_usha.get(address))


def test_a_one_time_link_is_shown_in_the_demo_only(portal_usha: Client, settings: pytest_django.Settings) -> None:
    address = f"/platform/outbox/{write('Your key', is_secret=True).code}/"
    page = text(portal_usha.get(address))
    assert "register/status/abc" not in page
    assert "Only the person it was sent to may read it." in page
    settings.DEBUG = True
    assert "register/status/abc" in text(portal_usha.get(address))


def test_a_failed_message_is_sent_again(portal_usha: Client, failed: Notification, usha: User) -> None:
    response = portal_usha.post(f"/platform/outbox/{failed.code}/retry/")
    assert response["Location"] == f"/platform/outbox/{failed.code}/"
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == (State.WAITING, 0)
    assert AuditLog.objects.about(failed).get().user == usha


def test_a_letter_that_this_release_cannot_draw_has_a_page_and_is_sent_again(
    portal_usha: Client, failed: Notification
) -> None:
    Notification.objects.filter(pk=failed.pk).update(template="of_a_later_release")
    page = text(portal_usha.get(f"/platform/outbox/{failed.code}/"))
    assert "It cannot be shown: this release does not know how to write it." in page
    assert "Send it again" in page
    assert portal_usha.post(f"/platform/outbox/{failed.code}/retry/").status_code == 302


def test_a_message_that_has_not_failed_is_not_sent_again(portal_usha: Client) -> None:
    response = portal_usha.post(f"/platform/outbox/{write().code}/retry/")
    assert response.status_code == 422
    assert "Only a failed message can be sent again." in text(response)


def test_a_message_whose_key_is_no_longer_kept_names_the_way_out(portal_usha: Client, failed: Notification) -> None:
    Notification.objects.filter(pk=failed.pk).update(is_secret=True, facts={})
    page = text(portal_usha.get(f"/platform/outbox/{failed.code}/"))
    assert "Send it again" not in page
    assert "Send a new invitation" in text(portal_usha.post(f"/platform/outbox/{failed.code}/retry/"))


def test_both_lists_ask_the_same_questions_however_long_they_are(
    portal_usha: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _number in range(12):
        factories.pending()
    portal_usha.get("/platform/log/")
    with django_assert_num_queries(4):  # session and person, how many, the page
        portal_usha.get("/platform/log/")
    with django_assert_num_queries(5):  # the same, and the tabs
        portal_usha.get("/platform/outbox/")
