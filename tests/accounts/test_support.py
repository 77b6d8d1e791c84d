"""Acting as support: with a reason, in everybody's sight, for half an hour, and without what is the person's alone."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import Session, Ticket, User
from accounts.permissions import Role
from core.schemas import schema_context
from hospitals.models import Staff
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.accounts.supporting import REASON, arrived, ask, cedar_log, is_in, platform_log, text
from tests.conftest import browser, come_in


@pytest.fixture
def acting(portal_usha: Client, cedar: Hospital, hari: User) -> Client:
    """Usha on Cedar's host, in Hari's name."""
    return arrived(ask(portal_usha, cedar, hari))


# --- Beginning ------------------------------------------------------------------------------------------------------


def test_the_page_of_an_open_hospital_leads_to_it(portal_usha: Client, cedar: Hospital) -> None:
    assert f'href="/platform/hospitals/{cedar.code}/support/"' in text(
        portal_usha.get(f"/platform/hospitals/{cedar.code}/")
    )


def test_the_page_of_a_hospital_in_the_queue_does_not(portal_usha: Client) -> None:
    palm = factories.pending(slug="palm")
    assert "Act for support" not in text(portal_usha.get(f"/platform/hospitals/{palm.code}/"))
    assert portal_usha.get(f"/platform/hospitals/{palm.code}/support/").status_code == 404


def test_it_names_the_admins_who_have_come_in(
    portal_usha: Client, cedar: Hospital, asha: User, join_cedar: Callable[[User, str], Staff]
) -> None:
    join_cedar(asha, Role.NURSE)
    page = text(portal_usha.get(f"/platform/hospitals/{cedar.code}/support/"))
    assert "Hari Rao (hari@cedar.example)" in page
    assert "Asha" not in page


def test_nobody_can_be_acted_for_where_nobody_has_come_in(portal_usha: Client, usha: User) -> None:
    palm = factories.opened(usha, slug="palm")
    assert "Nobody runs this hospital yet" in text(portal_usha.get(f"/platform/hospitals/{palm.code}/support/"))


def test_it_asks_for_a_reason_and_keeps_what_was_chosen(portal_usha: Client, cedar: Hospital, hari: User) -> None:
    answer = ask(portal_usha, cedar, hari, reason=" ")
    assert answer.status_code == 422
    assert "Write a reason. The hospital reads it." in text(answer)
    assert not Ticket.objects.exists()


def test_the_database_knows_no_support_without_a_reason(usha: User, hari: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.create(digest="x", user=hari, supporter=usha, reason="", place="", expires_at=now())


@pytest.mark.parametrize("who", ["asha", "hari", "kiran"])
def test_nobody_but_a_superadmin_begins_it(
    request: pytest.FixtureRequest, cedar: Hospital, hari: User, who: str
) -> None:
    client = browser("localhost", request.getfixturevalue(who))
    assert client.get(f"/platform/hospitals/{cedar.code}/support/").status_code == 403
    assert ask(client, cedar, hari).status_code == 403


def test_nor_does_a_superadmin_without_the_second_factor(usha: User, cedar: Hospital, hari: User) -> None:
    client = browser("localhost", usha)
    Session.objects.filter(user=usha).delete()
    come_in(client, usha, is_two_factor=False)
    assert ask(client, cedar, hari).status_code == 302
    assert not Ticket.objects.exists()


def test_nobody_is_acted_for_who_does_not_run_the_hospital(
    portal_usha: Client, cedar: Hospital, asha: User, join_cedar: Callable[[User, str], Staff]
) -> None:
    join_cedar(asha, Role.NURSE)
    assert ask(portal_usha, cedar, asha).status_code == 422


def test_both_logs_say_who_began_it_and_why(portal_usha: Client, cedar: Hospital, hari: User, usha: User) -> None:
    ask(portal_usha, cedar, hari)
    [here], [there] = platform_log("support.begun"), cedar_log(cedar, "support.begun")
    assert (here.thing, here.user_id, here.reason) == ("Cedar Hospital", usha.pk, REASON)
    assert (there.thing, there.user_id, there.reason) == ("Hari Rao", usha.pk, REASON)


def test_the_hospitals_admin_sees_it_on_the_activity_page(
    portal_usha: Client, cedar_hari: Client, cedar: Hospital, hari: User
) -> None:
    ask(portal_usha, cedar, hari)
    page = text(cedar_hari.get("/office/activity/"))
    assert "Support began" in page
    assert REASON in page
    assert "Usha Menon" in page


def test_the_admin_is_told_by_mail(portal_usha: Client, cedar: Hospital, hari: User) -> None:
    ask(portal_usha, cedar, hari)
    with schema_context(cedar.schema_name):
        mail = Notification.objects.get(template="support_begun")
    assert mail.to_address == hari.email
    assert "Usha Menon" in mail.text and REASON in mail.text and "30 minutes" in mail.text
    assert "http://cedar.localhost:8000/office/activity/" in mail.text


def test_the_way_in_is_a_link_that_opens_by_itself_and_no_redirect_from_a_form(
    portal_usha: Client, cedar: Hospital, hari: User
) -> None:
    answer = ask(portal_usha, cedar, hari)
    link = answer.context["way_in"]
    assert link.startswith("http://cedar.localhost:8000/arrive/")
    assert f'content="0;url={link}"' in text(answer)
    assert f'href="{link}"' in text(answer)
    assert "no-store" in answer["Cache-Control"]


def test_the_link_works_once(portal_usha: Client, cedar: Hospital, hari: User) -> None:
    answer = ask(portal_usha, cedar, hari)
    assert is_in(arrived(answer))
    assert not is_in(arrived(answer))


def test_the_link_is_good_for_a_minute(portal_usha: Client, cedar: Hospital, hari: User) -> None:
    with time_machine.travel(now(), tick=False) as clock:
        answer = ask(portal_usha, cedar, hari)
        clock.shift(61)
        assert not is_in(arrived(answer))


@pytest.mark.parametrize("host", ["lotus.localhost", "localhost"])
def test_the_link_opens_nothing_elsewhere(
    portal_usha: Client, cedar: Hospital, lotus: Hospital, hari: User, host: str
) -> None:
    client = browser(host)
    client.get(urlsplit(ask(portal_usha, cedar, hari).context["way_in"]).path)
    assert not is_in(client)


# --- What it is -----------------------------------------------------------------------------------------------------


def test_who_acts_works_as_the_admin(acting: Client, hari: User) -> None:
    answer = acting.get("/office/settings/contact/")
    assert answer.status_code == 200
    assert answer.wsgi_request.user == hari


def test_the_superadmins_own_session_on_the_portal_goes_on(acting: Client, portal_usha: Client) -> None:
    assert portal_usha.get("/platform/hospitals/").status_code == 200


def test_it_is_no_sign_in_of_the_person_themselves(acting: Client, cedar: Hospital, hari: User) -> None:
    assert User.objects.get(pk=hari.pk).last_login == hari.last_login
    assert cedar_log(cedar, "user.signed_in") == []


def test_a_hospital_that_asks_for_two_factor_lets_support_work(
    portal_usha: Client, cedar: Hospital, hari: User
) -> None:
    Hospital.objects.filter(pk=cedar.pk).update(requires_two_factor=True)
    assert arrived(ask(portal_usha, cedar, hari)).get("/office/settings/contact/").status_code == 200


def test_a_change_names_both_in_the_log(acting: Client, cedar: Hospital, hari: User, usha: User) -> None:
    acting.post("/office/departments/add/", {"name": "Cardiology", "description": "Hearts"})
    [row] = cedar_log(cedar, "department.added")
    assert (row.user_id, row.supporter_id) == (hari.pk, usha.pk)
    assert row.actor == "Usha Menon as support, for Hari Rao"


def test_a_change_of_the_settings_names_both_too(acting: Client, cedar: Hospital, usha: User) -> None:
    form = {"welcome": "We are here.", "opening_hours": "", "emergency_phone": "112"}
    assert acting.post("/office/settings/welcome/", form).status_code == 302
    [row] = cedar_log(cedar, "settings.changed")
    assert (row.supporter_id, row.actor) == (usha.pk, "Usha Menon as support, for Hari Rao")


def test_the_activity_page_marks_what_support_did(acting: Client, cedar_hari: Client) -> None:
    acting.post("/office/departments/add/", {"name": "Cardiology", "description": "Hearts"})
    page = text(cedar_hari.get("/office/activity/"))
    assert "Usha Menon as support, for Hari Rao" in page
    assert '<span class="badge warn">Support</span>' in page


def test_the_api_says_who_acted(acting: Client, portal_usha: Client, usha: User) -> None:
    acting.post("/support/end/")
    rows = portal_usha.get("/api/admin/audit-logs/").json()["results"]
    ended = next(row for row in rows if row["action"] == "support.ended")
    assert ended["supporter"] == str(usha.code)


def test_what_the_admin_does_meanwhile_is_the_admins_alone(acting: Client, cedar_hari: Client, cedar: Hospital) -> None:
    cedar_hari.post("/office/departments/add/", {"name": "Cardiology", "description": "Hearts"})
    [row] = cedar_log(cedar, "department.added")
    assert (row.supporter_id, row.actor) == (None, "Hari Rao")


def test_the_admin_finds_the_support_among_their_sign_ins(
    acting: Client, hari: User, usha: User, cedar: Hospital
) -> None:
    row = Session.objects.get(supporter=usha)
    assert (row.user, row.place, row.host) == (hari, str(cedar.code), "cedar.localhost")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/departments/",
        "/start/",
        "/office/activity/",
        "/office/settings/contact/",
        "/nowhere/",
        "/office/nowhere/",
    ],
)
def test_the_bar_stands_on_every_page(acting: Client, path: str) -> None:
    page = text(acting.get(path, follow=True))
    assert "You act for Hari Rao as support." in page
    assert 'action="/support/end/"' in page


def test_the_bar_stands_on_the_page_of_a_refusal(acting: Client) -> None:
    answer = acting.get("/account/")
    assert answer.status_code == 403
    assert "You act for Hari Rao as support." in text(answer)


def test_the_bar_says_until_when_in_the_hospitals_time(portal_usha: Client, cedar: Hospital, hari: User) -> None:
    with time_machine.travel("2026-03-01T08:32:00Z", tick=False):
        portal_usha = browser("localhost", User.objects.get(email="usha@rhms.example"))
        page = text(arrived(ask(portal_usha, cedar, hari)).get("/"))
    assert "Ends at 14:32." in page


def test_the_menu_leaves_out_what_is_closed_to_support(acting: Client, cedar_hari: Client) -> None:
    closed = {"Patients", "Appointments", "Front desk"}
    assert closed <= {item.label for item in cedar_hari.get("/office/activity/").context["menu"]}
    assert not closed & {item.label for item in acting.get("/office/activity/").context["menu"]}


def test_the_account_menu_leaves_the_account_out(acting: Client) -> None:
    assert 'href="/account/' not in text(acting.get("/office/activity/"))


def test_nobody_else_sees_the_bar(cedar_site: Client, cedar_hari: Client) -> None:
    for client in (cedar_site, cedar_hari):
        assert "support-bar" not in client.get("/").content.decode()


def test_it_costs_one_query_more_than_the_admins_own_visit(acting: Client, cedar_hari: Client) -> None:
    for client in (acting, cedar_hari):
        client.get("/office/departments/")
    with CaptureQueriesContext(connection) as own:
        cedar_hari.get("/office/departments/")
    with CaptureQueriesContext(connection) as others:
        acting.get("/office/departments/")
    assert len(others) == len(own) + 1


@pytest.mark.parametrize("address", ["/start/", "/office/activity/", "/api/activity/"])
def test_support_reads_nothing_of_patients_in_the_log(
    acting: Client, cedar_hari: Client, in_cedar: Hospital, hari: User, asha: User, address: str
) -> None:
    visit = factories.visit(in_cedar, factories.bookable_doctor(in_cedar, hari), asha)
    assert visit.reference in text(cedar_hari.get(address))
    assert visit.reference not in text(acting.get(address))
