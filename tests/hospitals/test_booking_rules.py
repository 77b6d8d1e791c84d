"""The rules patients book under, and the words in which they read them."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from hospitals.models import BookingPolicy
from hospitals.services import settings
from tenants.models import Hospital
from tests.conftest import browser

PAGE = "/office/settings/booking/"
API = "/api/settings/booking/"
JSON: Any = {"content_type": "application/json"}
RULES = {
    "confirmation": "doctor",
    "free_cancellation_hours": "24",
    "late_cancellation_percent": "50",
    "no_show_percent": "100",
    "no_show_limit": "3",
    "check_in_minutes": "45",
}


def policy(hospital: Hospital) -> BookingPolicy:
    with schema_context(hospital.schema_name):
        return BookingPolicy.objects.get()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({}, ["Free to cancel until the visit begins."]),
        (
            {"late_cancellation_percent": 50},
            ["Free to cancel until 24 hours before. Later, 50% of the fee."],
        ),
        (
            {"late_cancellation_percent": 100, "free_cancellation_hours": 1},
            ["Free to cancel until 1 hour before. Later, the whole fee."],
        ),
        (
            {"late_cancellation_percent": 50, "free_cancellation_hours": 0, "no_show_percent": 25},
            ["Free to cancel until the visit begins.", "A missed visit costs 25% of the fee."],
        ),
        (
            {"confirmation": "doctor", "no_show_percent": 100},
            [
                "The hospital confirms your visit and writes to you then.",
                "Free to cancel until the visit begins.",
                "A missed visit costs the whole fee.",
            ],
        ),
        (
            {"confirmation": "payment"},
            ["Your visit is confirmed when it is paid.", "Free to cancel until the visit begins."],
        ),
    ],
)
def test_patients_read_the_rules_in_plain_words(rules: dict[str, Any], words: list[str]) -> None:
    assert settings.policy_sentences(BookingPolicy(**rules)) == words


def test_of_a_free_visit_nothing_is_kept() -> None:
    rules = BookingPolicy(confirmation="payment", late_cancellation_percent=50, no_show_percent=50)
    assert settings.policy_sentences(rules, is_free=True) == ["Free to cancel until the visit begins."]


def test_the_admin_sets_the_rules(cedar_hari: Client, cedar: Hospital) -> None:
    response = cedar_hari.post(PAGE, RULES, follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    page = response.content.decode()
    assert "Your booking rules are saved." in page
    assert "Free to cancel until 24 hours before. Later, 50% of the fee." in page
    assert policy(cedar).confirmation == "doctor"
    with schema_context(cedar.schema_name):
        row = AuditLog.objects.about(policy(cedar)).get(action=Action.SETTINGS_CHANGED)
    assert row.data["check_in_minutes"] == ["30", "45"]
    assert "When the doctor or the front desk confirms it" in cedar_hari.get("/office/activity/").content.decode()


def test_the_preview_shows_the_words_and_saves_nothing(cedar_hari: Client, cedar: Hospital) -> None:
    page = cedar_hari.post(PAGE, {**RULES, "preview": "1"}).content.decode()
    assert "A missed visit costs the whole fee." in page
    assert policy(cedar).no_show_percent == 0


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("late_cancellation_percent", "101"),
        ("no_show_percent", "-1"),
        ("free_cancellation_hours", "a day"),
        ("no_show_limit", ""),
        ("check_in_minutes", "100000"),
        ("confirmation", "never"),
    ],
)
def test_what_is_wrong_is_refused_at_its_field_and_the_rest_is_kept(
    cedar_hari: Client, cedar: Hospital, name: str, typed: str
) -> None:
    response = cedar_hari.post(PAGE, {**RULES, name: typed})
    assert (response.status_code, list(response.context["form"].errors)) == (422, [name])
    assert policy(cedar).late_cancellation_percent == 0


def test_looking_at_the_rules_and_saving_them_unchanged_counts(cedar_hari: Client, cedar: Hospital) -> None:
    def is_done() -> bool:
        steps = cedar_hari.get("/start/").context["steps"]
        return bool({step.title: step.done for step in steps}["Set your booking rules"])

    assert not is_done()
    present = policy(cedar)
    cedar_hari.post(PAGE, {name: getattr(present, name) for name in RULES})
    assert is_done()
    with schema_context(cedar.schema_name):
        assert not AuditLog.objects.about(present).filter(action=Action.SETTINGS_CHANGED).exists()


def test_the_api_reads_and_changes_them(cedar_hari: Client, cedar: Hospital) -> None:
    said = cedar_hari.get(API).json()
    assert (said["confirmation"], said["free_cancellation_hours"]) == ("automatic", 24)
    assert said["sentences"] == ["Free to cancel until the visit begins."]
    answer = cedar_hari.put(API, {**RULES, "no_show_percent": 10}, **JSON)
    assert answer.status_code == 200, answer.content
    assert answer.json()["no_show_percent"] == policy(cedar).no_show_percent == 10
    answer = cedar_hari.put(API, {**RULES, "no_show_percent": 101}, **JSON)
    assert (answer.status_code, list(answer.json())) == (400, ["no_show_percent"])


def test_only_the_hospitals_admin_sets_them(
    cedar_site: Client, cedar_kiran: Client, cedar: Hospital, usha: User
) -> None:
    assert cedar_site.get(PAGE)["Location"] == f"/sign-in/?next={PAGE}"
    assert cedar_site.get(API).status_code == 401
    for client in (cedar_kiran, browser("cedar.localhost", usha)):
        assert client.post(PAGE, RULES).status_code == 403
        assert client.put(API, RULES, **JSON).status_code == 403
    assert policy(cedar).confirmation == "automatic"
