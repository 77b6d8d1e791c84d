"""The office's staff: who works here, as what, and who is invited."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import Passkey, User
from audit.models import Action, AuditLog
from core.schemas import schema_context
from hospitals.models import Invitation, Staff
from hospitals.services import staff as services
from tenants.models import Hospital
from tests import factories
from tests.conftest import browser
from tests.hospitals.staff import INDEX, address, as_it_is, letters, link_in

INVITE = f"{INDEX}invite/"
NILA = {"name": "Nila Iyer", "email": "nila@cedar.example", "role": "nurse"}

Join = Callable[[User, str], Staff]


def test_the_list_shows_who_works_here_and_how_they_stand(cedar_hari: Client, meena: Staff, nila: Staff) -> None:
    page = cedar_hari.get(INDEX).content.decode()
    for words in ("Hari Rao", "Meena Shah", "Front desk", "Nila Iyer", "Invited", "Active"):
        assert words in page


def test_the_list_shows_who_signs_in_with_two_factors(cedar_hari: Client, meena: Staff) -> None:
    assert [row.has_two_factor for row in cedar_hari.get(INDEX).context["rows"]] == [False, False]
    Passkey.objects.create(user=meena.user, name="Key", relying_party="localhost", credential=b"1", public_key=b"1")
    assert {row.user.first_name: row.has_two_factor for row in cedar_hari.get(INDEX).context["rows"]} == {
        "Hari": False,
        "Meena": True,
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=active", ["Hari", "Meena"]),
        ("state=invited", ["Nila"]),
        ("state=deactivated", []),
        ("role=nurse", ["Nila"]),
        ("state=active&role=nurse", []),
        ("q=MEE+cedar", ["Meena"]),
        ("state=nonsense&role=nonsense", ["Hari", "Meena", "Nila"]),
    ],
)
def test_the_list_is_narrowed(cedar_hari: Client, meena: Staff, nila: Staff, query: str, names: list[str]) -> None:
    rows = cedar_hari.get(f"{INDEX}?{query}").context["rows"]
    assert [row.user.first_name for row in rows] == names


def test_the_tabs_and_roles_say_how_many_stand_behind_them(cedar_hari: Client, meena: Staff, nila: Staff) -> None:
    context = cedar_hari.get(f"{INDEX}?state=active").context
    assert [(item.label, item.count) for item in context["tabs"]] == [
        ("All", 3),
        ("Active", 2),
        ("Invited", 1),
        ("Deactivated", 0),
    ]
    assert [(item.label, item.count) for item in context["roles"]] == [
        ("Every role", 2),
        ("Hospital admin", 1),
        ("Front desk", 1),
    ]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("q=zzz", "Nobody here matches “zzz”"),
        ("role=pharmacist", "Nobody has this role here"),
        ("state=invited", "No invitation is open"),
        ("state=deactivated", "Nobody is deactivated"),
    ],
)
def test_an_empty_list_says_why(cedar_hari: Client, query: str, words: str) -> None:
    assert words in cedar_hari.get(f"{INDEX}?{query}").content.decode()


def test_htmx_gets_only_the_rows(cedar_hari: Client) -> None:
    response = cedar_hari.get(INDEX, headers={"HX-Request": "true"})
    assert b"Hari Rao" in response.content
    assert b"<html" not in response.content


def test_the_list_has_ten_on_a_page_and_the_same_number_of_queries(
    cedar_hari: Client, join_cedar: Join, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        join_cedar(factories.person(f"nurse{number}@cedar.example", f"Nurse{number:02}"), "nurse")
    assert len(cedar_hari.get(INDEX).context["rows"]) == 10
    assert len(cedar_hari.get(f"{INDEX}?page=2").context["rows"]) == 3
    with django_assert_num_queries(6):  # session, person, staff row, tabs, count, rows
        cedar_hari.get(INDEX)


@pytest.mark.parametrize("path", [INDEX, INVITE])
def test_staff_are_the_admins_alone(
    cedar_site: Client, cedar_kiran: Client, meena: Staff, usha: User, asha: User, path: str
) -> None:
    assert cedar_site.get(path)["Location"] == f"/sign-in/?next={path}"
    assert cedar_kiran.get(path).status_code == 403
    for user in (meena.user, usha, asha):
        assert browser("cedar.localhost", user).get(path).status_code == 403


@pytest.mark.parametrize("step", ["", "role/", "deactivate/", "activate/", "invitation/", "invitation/take-back/"])
def test_the_stranger_opens_no_door_of_a_person(
    cedar_kiran: Client, kiran: User, meena: Staff, cedar: Hospital, step: str
) -> None:
    act = cedar_kiran.post if step else cedar_kiran.get
    assert act(address(meena, step), {"role": "nurse"}).status_code == 403
    elsewhere = browser("lotus.localhost", kiran)  # where he is an admin, there is nobody of this name
    act = elsewhere.post if step else elsewhere.get
    assert act(address(meena, step), {"role": "nurse"}).status_code == 404
    assert (as_it_is(meena, cedar).role, as_it_is(meena, cedar).is_active) == ("front_desk", True)


def test_an_invited_colleague_gets_a_letter_with_the_hospitals_brand(cedar_hari: Client, cedar: Hospital) -> None:
    response = cedar_hari.post(INVITE, {**NILA, "email": "Nila@Cedar.example"}, follow=True)
    assert response.redirect_chain == [(INDEX, 302)]
    assert "The invitation to nila@cedar.example is on its way." in response.content.decode()
    [letter] = letters(cedar, "staff_invited")
    assert (letter.to_address, letter.subject, letter.is_secret) == (
        "nila@cedar.example",
        "Cedar Hospital invites you",
        True,
    )
    assert "Hari Rao invites you to work with Cedar Hospital as: Nurse." in letter.text
    assert "http://cedar.localhost:8000/invitation/" in letter.text
    with schema_context(cedar.schema_name):
        row = Staff.objects.get(user__email="nila@cedar.example")
        assert (row.role, row.state) == ("nurse", "invited")
        assert set(AuditLog.objects.about(row).values_list("action", flat=True)) == {
            Action.STAFF_INVITED,
            Action.INVITATION_SENT,
        }


def test_doctors_and_superadmins_are_not_invited_here(cedar_hari: Client, cedar: Hospital) -> None:
    for role in ("doctor", "superadmin", "owner"):
        response = cedar_hari.post(INVITE, {**NILA, "role": role})
        assert response.status_code == 422
        assert response.context["form"].errors["role"] == ["Choose one of the roles."]
    assert letters(cedar, "staff_invited") == []


def test_what_was_typed_stays_when_something_is_missing(cedar_hari: Client) -> None:
    response = cedar_hari.post(INVITE, {"name": "Nila Iyer", "email": "nila@", "role": ""})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"email", "role"}
    assert 'value="Nila Iyer"' in response.content.decode()


def test_who_is_here_already_is_refused_at_the_address_with_what_to_do(
    cedar_hari: Client, meena: Staff, nila: Staff, cedar: Hospital, hari: User
) -> None:
    def refusal(email: str) -> str:
        response = cedar_hari.post(INVITE, {**NILA, "email": email})
        assert response.status_code == 422
        return str(response.context["form"].errors["email"][0])

    assert refusal("MEENA@cedar.example") == "Meena Shah is staff here already."
    assert refusal("nila@cedar.example").startswith("Nila Iyer is invited already.")
    with schema_context(cedar.schema_name):
        services.deactivate(hospital=cedar, staff=meena, by=hari, now=now())
    assert "Open their page in the list of staff to activate them again." in refusal("meena@cedar.example")


def test_a_known_person_is_invited_and_keeps_their_name(cedar_hari: Client, asha: User, cedar: Hospital) -> None:
    cedar_hari.post(INVITE, {**NILA, "email": asha.email, "name": "Somebody Else"})
    [letter] = letters(cedar, "staff_invited")
    assert letter.to_name == "Somebody Else", "what they call themselves is theirs to tell"
    asha.refresh_from_db()
    assert str(asha) == "Asha Patel"
    assert "You have an account already. Accept with the password you use." in letter.text


def test_an_account_the_platform_has_closed_is_not_invited(cedar_hari: Client, asha: User, cedar: Hospital) -> None:
    User.objects.filter(pk=asha.pk).update(is_active=False)
    response = cedar_hari.post(INVITE, {**NILA, "email": asha.email})
    assert "The platform has closed the account" in response.context["form"].errors["email"][0]
    assert letters(cedar, "staff_invited") == []


def test_the_page_of_a_person_says_since_when_and_what_happened(
    cedar_hari: Client, cedar: Hospital, meena: Staff, hari: User
) -> None:
    with schema_context(cedar.schema_name):
        services.change_role(hospital=cedar, staff=meena, role="nurse", by=hari)
    browser("cedar.localhost").post("/sign-in/", {"email": "meena@cedar.example", "password": factories.PASSWORD})
    response = cedar_hari.get(address(meena))
    page = response.content.decode()
    assert "Meena Shah" in page
    assert "Role changed" in page
    assert "From Front desk to Nurse" in page
    assert response.context["signed_in_at"] is not None


def test_the_page_of_a_person_asks_the_same_number_of_queries(
    cedar_hari: Client, cedar: Hospital, meena: Staff, hari: User, django_assert_max_num_queries: Any
) -> None:
    with schema_context(cedar.schema_name):
        for role in ("nurse", "pharmacist", "front_desk") * 4:
            services.change_role(hospital=cedar, staff=meena, role=role, by=hari)
    cedar_hari.get(address(meena))
    # session, person, staff row; the row, admins, sign-in, doctor twice, app, passkey, invitation, history
    with django_assert_max_num_queries(13):
        cedar_hari.get(address(meena))


def test_the_page_says_that_the_platform_has_closed_an_account(cedar_hari: Client, meena: Staff) -> None:
    User.objects.filter(pk=meena.user_id).update(is_active=False)
    assert "The platform has closed this account" in cedar_hari.get(address(meena)).content.decode()


def test_somebody_of_no_hospital_is_not_found(cedar_hari: Client) -> None:
    assert cedar_hari.get(f"{INDEX}01932c07-6a2e-7cc0-8b1a-0a1b2c3d4e5f/").status_code == 404


def test_an_invitation_is_sent_again_and_the_first_link_dies(
    cedar_hari: Client, cedar_site: Client, nila: Staff, cedar: Hospital
) -> None:
    [first] = letters(cedar, "staff_invited")
    cedar_hari.post(address(nila, "invitation/"))
    [_first, second] = letters(cedar, "staff_invited")
    assert cedar_site.get(link_in(first)).status_code == 410
    assert cedar_site.get(link_in(second)).status_code == 200


def test_the_page_says_when_an_invitation_was_not_opened_in_time(
    cedar_hari: Client, nila: Staff, in_cedar: Hospital
) -> None:
    assert "The link works until" in cedar_hari.get(address(nila)).content.decode()
    with schema_context(in_cedar.schema_name):
        Invitation.objects.filter(staff=nila).update(expires_at=now() - timedelta(hours=1))
    assert "It was not opened before" in cedar_hari.get(address(nila)).content.decode()


def test_an_invitation_taken_back_opens_nothing_and_can_be_given_anew(
    cedar_hari: Client, cedar_site: Client, nila: Staff, cedar: Hospital
) -> None:
    [letter] = letters(cedar, "staff_invited")
    response = cedar_hari.post(address(nila, "invitation/take-back/"), follow=True)
    assert "The invitation is taken back." in response.content.decode()
    refused = cedar_site.post(link_in(letter), {"password": "a-fresh-river-9"})
    assert refused.status_code == 410
    assert "This invitation was taken back." in refused.content.decode()
    assert cedar_hari.post(INVITE, {**NILA, "role": "pharmacist"}).status_code == 302
    assert (as_it_is(nila, cedar).state, as_it_is(nila, cedar).role) == ("invited", "pharmacist")


def test_who_has_come_in_has_no_invitation_to_take_back(cedar_hari: Client, meena: Staff, cedar: Hospital) -> None:
    for step in ("invitation/", "invitation/take-back/"):
        response = cedar_hari.post(address(meena, step))
        assert response.status_code == 422
        assert "Meena Shah has come in already." in response.content.decode()
    assert as_it_is(meena, cedar).state == "active"


def test_one_person_is_not_flooded_with_invitations(cedar_hari: Client, nila: Staff) -> None:
    answers = [cedar_hari.post(address(nila, "invitation/")).status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]


def test_the_role_of_an_invited_person_is_changed_without_a_letter(
    cedar_hari: Client, cedar_site: Client, nila: Staff, cedar: Hospital
) -> None:
    cedar_hari.post(address(nila, "role/"), {"role": "pharmacist"})
    assert letters(cedar, "staff_role_changed") == []
    [letter] = letters(cedar, "staff_invited")
    assert "Pharmacist" in cedar_site.get(link_in(letter)).content.decode()


def test_the_menu_and_the_start_page_lead_to_the_staff(cedar_hari: Client, meena: Staff) -> None:
    page = cedar_hari.get("/start/").content.decode()
    assert f'href="{INDEX}"' in page
    assert f'href="{INDEX}?state=active"' in page
    assert f'href="{INDEX}"' not in browser("cedar.localhost", meena.user).get("/start/").content.decode()


def test_inviting_colleagues_is_a_step_of_the_set_up(cedar_hari: Client, cedar: Hospital) -> None:
    def step() -> Any:
        return next(s for s in cedar_hari.get("/start/").context["steps"] if s.title == "Invite your colleagues")

    assert (step().done, step().url) == (False, INVITE)
    cedar_hari.post(INVITE, NILA)
    assert (step().done, step().url) == (True, INDEX)
