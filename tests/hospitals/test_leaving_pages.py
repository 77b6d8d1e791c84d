"""What the superadmin sees of a hospital that is out of service, is to be deleted, or has left; and the API's twin."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit import services as audit
from audit.models import Action, AuditLog
from hospitals.services import joining
from tenants import services as tenants
from tenants.models import Hospital
from tests.accounts.supporting import arrived, ask
from tests.conftest import browser
from tests.hospitals.test_review_pages import at, status_of, text

DIGEST = "5f" * 32
Pause = Hospital.Pause
QUEUE = "/platform/hospitals/"
API = "/api/admin/hospitals/"


@pytest.fixture
def paused(cedar: Hospital) -> Hospital:
    """Cedar's upgrade failed."""
    tenants.pause(hospital=cedar, why=Pause.UPGRADE, note='relation "bed" exists <already>', now=now())
    return cedar


@pytest.fixture
def suspended(cedar: Hospital, usha: User) -> Hospital:
    """Cedar is closed for now."""
    joining.suspend(hospital=cedar, by=usha, reason="The licence ran out.")
    return cedar


@pytest.fixture
def leaving(suspended: Hospital) -> Hospital:
    """Cedar's data is to be deleted."""
    with transaction.atomic():
        suspended.deletion_due_at, suspended.deletion_archive = now() + timedelta(days=30), DIGEST
        suspended.save(update_fields=["deletion_due_at", "deletion_archive"])
        audit.record(action=Action.HOSPITAL_DELETION_PLANNED, target=suspended, by=None)
    return suspended


@pytest.fixture
def closed(leaving: Hospital) -> Hospital:
    """Cedar has left."""
    audit.move(leaving, Hospital.Status.CLOSED, by=None, also={"deletion_due_at": None, "schema_version": ""})
    return leaving


def listed(client: Client, **asked: str) -> list[str]:
    return [one["name"] for one in client.get(API, asked).json()["results"]]


def row_of(client: Client, hospital: Hospital) -> dict[str, Any]:
    row: dict[str, Any]
    [row] = [one for one in client.get(API).json()["results"] if one["id"] == str(hospital.code)]
    return row


# --- Out of service --------------------------------------------------------------------------------------------------


def test_a_failed_upgrade_says_since_when_what_went_wrong_and_what_to_run(
    portal_usha: Client, paused: Hospital
) -> None:
    page = text(portal_usha.get(at(paused)))
    for expected in (
        "Out of service since",
        "Its upgrade to this release failed",
        "<code>manage.py migrate_hospitals --only cedar</code>",
        "relation &quot;bed&quot; exists &lt;already&gt;",
        "Hospital out of service",
    ):
        assert expected in page


@pytest.mark.parametrize(
    ("why", "sentence"),
    [(Pause.MOVE, "It moves to another database"), (Pause.RESTORE, "It is being restored from an archive")],
)
def test_the_other_reasons_have_their_own_words(
    portal_usha: Client, cedar: Hospital, why: Hospital.Pause, sentence: str
) -> None:
    tenants.pause(hospital=cedar, why=why, now=now())
    page = text(portal_usha.get(at(cedar)))
    assert sentence in page
    assert "What went wrong" not in page


def test_nothing_is_read_from_a_schema_that_nobody_may_enter(portal_usha: Client, paused: Hospital) -> None:
    response = portal_usha.get(at(paused))
    assert response.context["invitation"] is None
    assert "Act for support" not in text(response)


def test_the_list_marks_who_is_out_of_service_and_can_show_them_alone(portal_usha: Client, paused: Hospital) -> None:
    response = portal_usha.get(QUEUE, {"status": "approved"})
    assert text(response).count('<span class="badge bad">Out of service</span>') == 1
    tab = response.context["tabs"][-1]
    assert (tab.label, tab.count, tab.url) == ("Out of service", 1, "?status=out-of-service")
    assert [one.name for one in portal_usha.get(QUEUE + tab.url).context["hospitals"]] == ["Cedar Hospital"]


def test_with_everybody_in_service_there_is_no_such_tab_but_its_address_says_so(
    portal_usha: Client, cedar: Hospital
) -> None:
    assert [tab.label for tab in portal_usha.get(QUEUE).context["tabs"]][-1] == "Closed"
    page = text(portal_usha.get(QUEUE, {"status": "out-of-service"}))
    assert "Every hospital is in service" in page


def test_the_queue_asks_no_more_for_all_that(
    portal_usha: Client, paused: Hospital, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    portal_usha.get(QUEUE)
    with django_assert_max_num_queries(6):
        portal_usha.get(QUEUE, {"status": "out-of-service"})


def test_a_new_invitation_waits_until_the_hospital_is_back(portal_usha: Client, paused: Hospital) -> None:
    response = portal_usha.post(at(paused, "invite"))
    assert response.status_code == 422
    assert "Cedar Hospital is out of service. Bring it back into service first." in text(response)


def test_support_waits_too(portal_usha: Client, paused: Hospital) -> None:
    response = portal_usha.get(at(paused, "support"))
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert "Cedar Hospital is back soon" in text(response)


def test_it_can_be_suspended_which_ends_support_there(
    portal_usha: Client, cedar: Hospital, hari: User, usha: User
) -> None:
    arrived(ask(portal_usha, cedar, hari))
    tenants.pause(hospital=cedar, why=Pause.UPGRADE, now=now())
    assert portal_usha.post(at(cedar, "suspend"), {"reason": "The court says so"}).status_code == 302
    assert status_of(cedar) == "suspended"
    assert AuditLog.objects.filter(action=Action.SUPPORT_ENDED).exists()


def test_it_is_opened_again_only_when_it_is_in_service(portal_usha: Client, suspended: Hospital) -> None:
    tenants.pause(hospital=suspended, why=Pause.RESTORE, now=now())
    assert "Bring it back into service first." in text(portal_usha.post(at(suspended, "resume"), {"reason": "Done"}))
    assert status_of(suspended) == "suspended"
    assert row_of(portal_usha, suspended)["may"] == []


# --- The database of a hospital --------------------------------------------------------------------------------------


def test_a_schema_that_is_behind_is_marked(portal_usha: Client, cedar: Hospital) -> None:
    assert "Up to date" in text(portal_usha.get(at(cedar)))
    Hospital.objects.filter(pk=cedar.pk).update(schema_version="older")
    page = text(portal_usha.get(at(cedar)))
    assert "Behind this release" in page
    assert row_of(portal_usha, cedar)["is_up_to_date"] is False


def test_the_cell_is_told_where_there_are_several(portal_usha: Client, cedar: Hospital, settings: Any) -> None:
    assert "<dt>Cell</dt>" not in text(portal_usha.get(at(cedar)))
    settings.CELLS = ["north"]
    assert "<dt>Cell</dt> <dd><bdi>default</bdi></dd>" in text(portal_usha.get(at(cedar)))


# --- To be deleted ---------------------------------------------------------------------------------------------------


def test_a_planned_deletion_is_told_with_its_archive(portal_usha: Client, leaving: Hospital) -> None:
    page = text(portal_usha.get(at(leaving)))
    assert "Its data is deleted after" in page
    assert DIGEST in page
    assert "by The platform, after an archive was made." in page
    assert "Deleted after" in text(portal_usha.get(QUEUE, {"status": "suspended"}))


def test_calling_it_off_keeps_the_data_and_the_hospital_closed(portal_usha: Client, leaving: Hospital) -> None:
    assert f'action="{at(leaving, "call-off")}"' in text(portal_usha.get(at(leaving)))
    assert portal_usha.post(at(leaving, "call-off"))["Location"] == at(leaving)
    page = text(portal_usha.get(at(leaving)))
    assert "The deletion is called off." in page
    assert "Its data is deleted after" not in page
    leaving.refresh_from_db()
    assert (leaving.status, leaving.deletion_due_at, leaving.deletion_archive) == ("suspended", None, "")
    row = AuditLog.objects.about(leaving).newest_first().first()
    assert row is not None
    assert (row.action, row.actor) == ("hospital.deletion_called_off", "Usha Menon")


def test_opening_it_again_calls_it_off(portal_usha: Client, leaving: Hospital) -> None:
    assert "The planned deletion is called off." in text(portal_usha.get(at(leaving)))
    portal_usha.post(at(leaving, "resume"), {"reason": "They stay"})
    leaving.refresh_from_db()
    assert (leaving.status, leaving.deletion_due_at) == ("approved", None)
    assert AuditLog.objects.filter(action=Action.HOSPITAL_DELETION_CALLED_OFF, reason="They stay").exists()


def test_where_nothing_is_planned_there_is_nothing_to_call_off(portal_usha: Client, suspended: Hospital) -> None:
    assert "Call off" not in text(portal_usha.get(at(suspended)))
    response = portal_usha.post(at(suspended, "call-off"))
    assert response.status_code == 422
    assert "No deletion of Cedar Hospital is planned." in text(response)


def test_only_the_superadmin_calls_it_off(leaving: Hospital, hari: User, asha: User, portal: Client) -> None:
    for user in (hari, asha):
        assert browser("localhost", user).post(at(leaving, "call-off")).status_code == 403
    assert portal.post(at(leaving, "call-off"))["Location"].startswith("/sign-in/")
    leaving.refresh_from_db()
    assert leaving.deletion_due_at is not None


def test_the_hospitals_own_status_page_says_until_when_it_can_object(portal: Client, leaving: Hospital) -> None:
    page = text(portal.get(joining.status_link(leaving)))
    assert "Your data is deleted after" in page
    assert "Your data is kept." not in page


# --- Closed ----------------------------------------------------------------------------------------------------------


def test_a_closed_hospital_says_when_by_whom_and_which_archive(portal_usha: Client, closed: Hospital) -> None:
    response = portal_usha.get(at(closed))
    page = text(response)
    assert "by The platform. Its data was deleted." in page
    assert DIGEST in page
    assert response.context["invitation"] is None
    for gone in ("Act for support", "Send a new invitation", f'action="{at(closed)}', "Up to date", "Behind this"):
        assert gone not in page


def test_closed_hospitals_have_a_tab(portal_usha: Client, closed: Hospital) -> None:
    assert "Cedar Hospital" in text(portal_usha.get(QUEUE, {"status": "closed"}))


def test_no_step_leads_out_of_closed(portal_usha: Client, closed: Hospital) -> None:
    for step in ("approve", "reject", "suspend", "resume", "invite", "call-off"):
        assert portal_usha.post(at(closed, step), {"reason": "Because"}).status_code == 422
        assert portal_usha.get(at(closed)).status_code == 200
    assert status_of(closed) == "closed"


def test_its_status_page_tells_that_it_has_left(portal: Client, closed: Hospital) -> None:
    page = text(portal.get(joining.status_link(closed)))
    assert "Cedar Hospital has left the platform" in page
    assert "Register again" in page


# --- The API ---------------------------------------------------------------------------------------------------------


def test_the_api_tells_the_same(portal_usha: Client, paused: Hospital) -> None:
    row = row_of(portal_usha, paused)
    assert (row["pause"], row["is_up_to_date"], row["cell"]) == ("upgrade", True, "default")
    assert row["pause_note"].startswith('relation "bed"')
    assert listed(portal_usha, is_out_of_service="true") == ["Cedar Hospital"]
    assert listed(portal_usha, is_out_of_service="false") == ["Lotus Clinic"]


def test_the_api_calls_off_too(portal_usha: Client, leaving: Hospital) -> None:
    assert row_of(portal_usha, leaving)["may"] == ["resume", "call_off_deletion"]
    answer = portal_usha.post(f"{API}{leaving.code}/call-off-deletion/")
    assert (answer.status_code, answer.json()["deletion_due_at"], answer.json()["may"]) == (200, None, ["resume"])
    assert portal_usha.post(f"{API}{leaving.code}/call-off-deletion/").status_code == 409


def test_the_api_shows_closed_hospitals(portal_usha: Client, closed: Hospital) -> None:
    row = row_of(portal_usha, closed)
    assert (row["status"], row["may"], row["is_up_to_date"]) == ("closed", [], None)
    assert listed(portal_usha, status="closed") == ["Cedar Hospital"]
