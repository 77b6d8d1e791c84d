"""The superadmin's queue and decisions."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from core.codes import new_code
from core.schemas import schema_context
from hospitals.models import Invitation
from hospitals.services import joining
from notifications.models import Notification
from tenants.models import Domain, Hospital
from tests import factories
from tests.conftest import browser

FRAGMENT = {"HX-Request": "true"}


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


@pytest.fixture
def palm(db: None) -> Hospital:
    """Waits for a decision."""
    return factories.pending(name="Palm Hospital", slug="palm", contact_person="Farid Khan")


def at(hospital: Hospital, step: str = "") -> str:
    return f"/platform/hospitals/{hospital.code}/{f'{step}/' if step else ''}"


def status_of(hospital: Hospital) -> str:
    return Hospital.objects.get(pk=hospital.pk).status


DOORS = ["", "approve", "reject", "suspend", "resume", "invite"]


@pytest.mark.parametrize("step", DOORS)
def test_a_visitor_is_sent_to_the_sign_in_page(portal: Client, palm: Hospital, step: str) -> None:
    response = portal.post(at(palm, step), {"reason": "Because"}) if step else portal.get(at(palm))
    assert response["Location"] == f"/sign-in/?next={at(palm, step)}"
    assert status_of(palm) == "pending"


@pytest.mark.parametrize("step", DOORS)
def test_somebody_without_the_role_is_refused(palm: Hospital, asha: User, hari: User, step: str) -> None:
    for user in (asha, hari):
        client = browser("localhost", user)
        response = client.post(at(palm, step), {"reason": "Because"}) if step else client.get(at(palm))
        assert response.status_code == 403
    assert status_of(palm) == "pending"


@pytest.mark.parametrize("step", DOORS[1:])
def test_looking_changes_nothing(portal_usha: Client, palm: Hospital, step: str) -> None:
    assert portal_usha.get(at(palm, step)).status_code == 405


def test_the_queue_begins_with_those_who_wait_longest(portal_usha: Client, palm: Hospital) -> None:
    factories.pending(name="Rose Hospital")
    page = text(portal_usha.get("/platform/hospitals/"))
    assert page.index("Palm Hospital") < page.index("Rose Hospital")
    assert "Cedar Hospital" not in page


def test_the_tabs_count_every_status(portal_usha: Client, palm: Hospital) -> None:
    tabs = {tab.label: (tab.count, tab.current) for tab in portal_usha.get("/platform/hospitals/").context["tabs"]}
    assert tabs == {
        "Pending": (1, True),
        "Approved": (2, False),
        "Rejected": (0, False),
        "Suspended": (0, False),
        "Closed": (0, False),
    }


def test_a_tab_shows_its_hospitals(portal_usha: Client, palm: Hospital) -> None:
    page = text(portal_usha.get("/platform/hospitals/", {"status": "approved"}))
    assert "Cedar Hospital" in page
    assert "Palm Hospital" not in page


def test_a_status_that_is_none_shows_those_who_wait(portal_usha: Client, palm: Hospital) -> None:
    assert "Palm Hospital" in text(portal_usha.get("/platform/hospitals/", {"status": "nonsense"}))


@pytest.mark.parametrize("field", ["name", "registration_number", "email", "slug", "reference"])
def test_the_search_knows_what_hospitals_are_called_by(portal_usha: Client, palm: Hospital, field: str) -> None:
    factories.pending(name="Rose Hospital")
    page = text(portal_usha.get("/platform/hospitals/", {"q": getattr(palm, field)}))
    assert "Palm Hospital" in page
    assert "Rose Hospital" not in page


def test_what_is_found_elsewhere_is_counted_at_its_tab(portal_usha: Client, palm: Hospital) -> None:
    response = portal_usha.get("/platform/hospitals/", {"q": "cedar"})
    assert "Nothing here matches “cedar”" in text(response)
    approved = response.context["tabs"][1]
    assert (approved.label, approved.count, approved.url) == ("Approved", 1, "?status=approved&q=cedar")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("pending", "Nobody is waiting"),
        ("rejected", "No registration was rejected"),
        ("suspended", "No hospital is suspended"),
    ],
)
def test_an_empty_tab_says_what_will_be_there(portal_usha: Client, status: str, sentence: str) -> None:
    assert sentence in text(portal_usha.get("/platform/hospitals/", {"status": status}))


def test_htmx_gets_the_results_alone(portal_usha: Client, palm: Hospital) -> None:
    page = text(portal_usha.get("/platform/hospitals/", {"q": "palm"}, headers=FRAGMENT))
    assert "Palm Hospital" in page
    assert "<html" not in page


def test_the_queue_asks_the_same_questions_however_long_it_is(
    portal_usha: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _number in range(12):
        factories.pending()
    portal_usha.get("/platform/hospitals/")
    with django_assert_num_queries(5):  # session and person, the tabs, how many, the page
        response = portal_usha.get("/platform/hospitals/")
    assert len(response.context["hospitals"]) == 10


def test_the_page_of_a_hospital_says_everything_it_said(portal_usha: Client, palm: Hospital) -> None:
    page = text(portal_usha.get(at(palm)))
    for expected in (
        palm.registration_number,
        palm.reference,
        palm.email,
        "12 Lake Road<br>Kothrud",
        "Farid Khan",
        "palm.localhost",
        "Not confirmed",
        "Hospital registered",
    ):
        assert expected in page


def test_only_steps_that_are_possible_are_offered(portal_usha: Client, palm: Hospital, cedar: Hospital) -> None:
    def offered(hospital: Hospital) -> set[str]:
        page = text(portal_usha.get(at(hospital)))
        return {step for step in DOORS[1:] if f'action="{at(hospital, step)}"' in page}

    assert offered(palm) == {"approve", "reject"}
    assert offered(cedar) == {"suspend", "invite"}


def test_approving_opens_the_hospital_and_says_so(portal_usha: Client, palm: Hospital) -> None:
    response = portal_usha.post(at(palm, "approve"))
    assert response["Location"] == at(palm)
    page = text(portal_usha.get(at(palm)))
    assert "The hospital is open, and its admin is invited." in page
    assert "Not opened yet" in page
    assert Domain.objects.filter(domain="palm.localhost").exists()


@pytest.mark.parametrize("reason", ["", "  ", "no"])
def test_rejecting_needs_a_reason(portal_usha: Client, palm: Hospital, reason: str) -> None:
    response = portal_usha.post(at(palm, "reject"), {"reason": reason})
    page = text(response)
    assert response.status_code == 422
    assert "<title>Error:" in page
    assert 'href="#reject-reason"' in page
    assert 'id="reject-reason"' in page
    assert status_of(palm) == "pending"


def test_a_reason_that_is_too_long_is_kept(portal_usha: Client, palm: Hospital) -> None:
    response = portal_usha.post(at(palm, "reject"), {"reason": "unreadable " * 80})
    assert response.status_code == 422
    assert "Keep the reason under 500 characters." in text(response)
    assert text(response).count("unreadable") == 80


def test_rejecting_tells_the_hospital_why(portal_usha: Client, palm: Hospital) -> None:
    portal_usha.post(at(palm, "reject"), {"reason": "Not in the register"})
    assert status_of(palm) == "rejected"
    assert "Not in the register" in Notification.objects.get(template="registration_rejected").text
    assert "Not in the register" in text(portal_usha.get(at(palm)))


def test_suspending_and_opening_again_both_need_a_reason(portal_usha: Client, cedar: Hospital) -> None:
    assert portal_usha.post(at(cedar, "suspend")).status_code == 422
    portal_usha.post(at(cedar, "suspend"), {"reason": "Renovation"})
    assert status_of(cedar) == "suspended"
    assert portal_usha.post(at(cedar, "resume")).status_code == 422
    portal_usha.post(at(cedar, "resume"), {"reason": "Done"})
    assert status_of(cedar) == "approved"


def test_who_comes_second_reads_who_was_first_on_the_hospitals_own_page(
    portal_usha: Client, palm: Hospital, usha: User
) -> None:
    joining.reject(hospital=palm, by=usha, reason="Not in the register")
    response = portal_usha.post(at(palm, "approve"))
    page = text(response)
    assert response.status_code == 422
    assert "Hospital rejected by Usha Menon" in page
    assert "Rejected on" in page
    assert f'action="{at(palm, "approve")}"' not in page
    assert status_of(palm) == "rejected"


def test_a_reason_that_came_too_late_is_not_lost(portal_usha: Client, palm: Hospital, usha: User) -> None:
    joining.approve(hospital=palm, by=usha, now=now())
    page = text(portal_usha.post(at(palm, "reject"), {"reason": "The number is wrong"}))
    assert "Hospital approved by Usha Menon" in page
    assert "You had written:" in page
    assert "The number is wrong" in page
    assert '<textarea id="suspend-reason"' in page
    assert status_of(palm) == "approved"


def test_a_race_lost_inside_the_service_is_told_in_the_same_place(
    portal_usha: Client, palm: Hospital, usha: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, other = joining.reject, User.objects.create_superuser("vik@rhms.example", "x", first_name="Vik")

    def overtaken(*, hospital: Hospital, by: User, reason: str) -> None:
        real(hospital=Hospital.objects.get(pk=hospital.pk), by=other, reason="I was first")
        real(hospital=hospital, by=by, reason=reason)

    monkeypatch.setattr(joining, "reject", overtaken)
    response = portal_usha.post(at(palm, "reject"), {"reason": "I was second"})
    assert response.status_code == 422
    assert "Hospital rejected by Vik" in text(response)
    assert "I was second" in text(response)


def test_the_invitation_can_be_sent_again_until_it_is_accepted(portal_usha: Client, cedar: Hospital) -> None:
    assert "Send a new invitation" in text(portal_usha.get(at(cedar)))
    portal_usha.post(at(cedar, "invite"))
    assert Notification.objects.filter(template="invitation", to_address=cedar.email).count() == 2
    with schema_context(cedar.schema_name):
        Invitation.objects.update(accepted_at=now())
    page = text(portal_usha.get(at(cedar)))
    assert "Accepted" in page
    assert "Send a new invitation" not in page
    response = portal_usha.post(at(cedar, "invite"))
    assert response.status_code == 422
    assert "has accepted the invitation already." in text(response)


def test_an_invitation_that_is_too_old_says_so(portal_usha: Client, cedar: Hospital) -> None:
    with schema_context(cedar.schema_name):
        Invitation.objects.update(expires_at=now() - timedelta(hours=1))
    assert "Too old" in text(portal_usha.get(at(cedar)))


def test_a_hospital_that_is_not_there_is_a_404(portal_usha: Client) -> None:
    for step in DOORS[1:]:
        assert portal_usha.post(f"/platform/hospitals/{new_code()}/{step}/").status_code == 404


def test_these_rooms_are_on_the_portal_only(usha: User, cedar: Hospital) -> None:
    assert browser("cedar.localhost", usha).get("/platform/hospitals/").status_code == 404
