"""The people somebody looks after: on their account's pages, in the API, and in nobody else's sight."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import localdate

from accounts.forms.family import FamilyForm
from accounts.models import FamilyMember, User
from accounts.services import family
from audit.models import Action, AuditLog
from core.errors import Conflict, Invalid, Missing, NotAllowedNow
from tenants.models import Hospital
from tests.accounts.supporting import arrived, ask
from tests.conftest import browser

PAGE = "/account/family/"
API = "/api/auth/family/"
JSON: Any = {"content_type": "application/json"}
TARA: dict[str, Any] = {"name": "Tara Patel", "birth_date": date(2019, 5, 2), "sex": "female", "relation": "child"}
TYPED = {
    "name": "Tara Patel",
    "birth_date_day": "2",
    "birth_date_month": "05",
    "birth_date_year": "2019",
    "sex": "female",
    "relation": "child",
}
SENT = {"name": "Tara Patel", "date_of_birth": "2019-05-02", "sex": "female", "relation": "child"}


@pytest.fixture
def tara(asha: User) -> FamilyMember:
    """Asha's daughter."""
    return family.add(user=asha, by=asha, **TARA)


@pytest.fixture
def portal_asha(asha: User) -> Client:
    """Asha on the portal."""
    return browser("localhost", asha)


def test_somebody_is_added_on_the_page(portal_asha: Client, asha: User) -> None:
    assert "Nobody here yet" in portal_asha.get(PAGE).content.decode()
    answer = portal_asha.post(PAGE, TYPED, follow=True).content.decode()
    assert "You can now book for Tara Patel." in answer
    assert "Child, born 2 May 2019" in answer
    member = FamilyMember.objects.of(asha).get()
    assert (member.name, member.birth_date, member.sex, member.relation) == (
        "Tara Patel",
        date(2019, 5, 2),
        "female",
        "child",
    )


@pytest.mark.parametrize("host", ["localhost", "cedar.localhost"])
def test_the_family_is_the_same_on_every_host(cedar: Hospital, asha: User, tara: FamilyMember, host: str) -> None:
    page = browser(host, asha).get(PAGE).content.decode()
    assert "Tara Patel" in page
    assert 'aria-current="page">Family' in page


@pytest.mark.parametrize(
    ("wrong", "field", "sentence"),
    [
        ({"name": ""}, "name", "Enter the name."),
        ({"relation": ""}, "relation", "Choose who they are to you."),
        ({"sex": ""}, "sex", "Choose the sex."),
        ({"birth_date_day": "31", "birth_date_month": "2"}, "birth_date", "Enter a day, a month and a year, like 27 3 1984."),
        ({"birth_date_year": "2999"}, "birth_date", "A date of birth is in the past. Check the year."),
        ({"birth_date_day": "", "birth_date_month": "", "birth_date_year": ""}, "birth_date", "Enter the date of birth."),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_said_at_its_field(
    portal_asha: Client, wrong: dict[str, str], field: str, sentence: str
) -> None:
    answer = portal_asha.post(PAGE, {**TYPED, **wrong})
    assert answer.status_code == 422
    assert answer.context["form"].errors == {field: [sentence]}
    kept = "Child" if field == "name" else "Tara Patel"
    assert kept in answer.content.decode()
    assert not FamilyMember.objects.exists()


def test_nobody_is_in_the_family_twice(portal_asha: Client, tara: FamilyMember) -> None:
    answer = portal_asha.post(PAGE, {**TYPED, "name": "TARA  patel"})
    assert (answer.status_code, answer.context["form"].errors["name"]) == (
        422,
        ["TARA patel is in your family already."],
    )


def test_who_was_removed_can_be_added_again(tara: FamilyMember, asha: User) -> None:
    family.remove(member=tara, by=asha)
    assert family.add(user=asha, by=asha, **TARA) != tara


def test_a_family_has_at_most_twenty_members(portal_asha: Client, asha: User) -> None:
    for number in range(family.LARGEST):
        family.add(user=asha, by=asha, **{**TARA, "name": f"Child {number}"})
    assert "Your family is full" in portal_asha.get(PAGE).content.decode()
    with pytest.raises(NotAllowedNow, match="at most 20 people"):
        family.add(user=asha, by=asha, **TARA)
    assert portal_asha.post(PAGE, TYPED).status_code == 422


def test_nobody_is_born_tomorrow(asha: User, tara: FamilyMember) -> None:
    tomorrow = localdate() + timedelta(days=1)
    with pytest.raises(Invalid):
        family.add(user=asha, by=asha, **{**TARA, "birth_date": tomorrow})
    with pytest.raises(Invalid):
        family.change(member=tara, by=asha, **{**TARA, "birth_date": tomorrow})


def test_somebody_is_corrected(portal_asha: Client, tara: FamilyMember) -> None:
    form = portal_asha.get(f"{PAGE}{tara.code}/").content.decode()
    assert 'value="Tara Patel"' in form
    assert 'value="2019"' in form
    answer = portal_asha.post(f"{PAGE}{tara.code}/", {**TYPED, "name": "Tara A. Patel"}, follow=True)
    assert "What you said of Tara A. Patel is saved." in answer.content.decode()
    assert portal_asha.post(f"{PAGE}{tara.code}/", {**TYPED, "name": ""}).status_code == 422


def test_a_correction_that_makes_two_of_one_is_refused(asha: User, tara: FamilyMember) -> None:
    other = family.add(user=asha, by=asha, **{**TARA, "name": "Dev Patel"})
    with pytest.raises(Conflict):
        family.change(member=other, by=asha, **TARA)
    other.refresh_from_db()
    assert other.name == "Dev Patel"


def test_somebody_is_removed_and_the_row_stays_for_past_visits(portal_asha: Client, tara: FamilyMember) -> None:
    for _ in range(2):
        answer = portal_asha.post(f"{PAGE}{tara.code}/remove/")
        assert answer.status_code in (302, 404)
    tara.refresh_from_db()
    assert not tara.is_active
    assert AuditLog.objects.filter(action=Action.FAMILY_REMOVED).count() == 1
    assert "Tara" not in portal_asha.get(PAGE, follow=True).context["rows"]
    assert portal_asha.get(f"{PAGE}{tara.code}/").status_code == 404
    with pytest.raises(Missing):
        family.change(member=tara, by=tara.user, **{**TARA, "name": "X"})


def test_the_log_says_what_was_done_and_nothing_about_whom(portal_asha: Client, asha: User, tara: FamilyMember) -> None:
    family.change(member=tara, by=asha, **{**TARA, "name": "Tara A. Patel", "birth_date": date(2019, 5, 3)})
    family.remove(member=tara, by=asha)
    rows = list(AuditLog.objects.about(tara).order_by("pk"))
    assert [row.action for row in rows] == [Action.FAMILY_ADDED, Action.FAMILY_CHANGED, Action.FAMILY_REMOVED]
    assert rows[1].data == {"fields": "name, birth_date"}
    assert not any("Tara" in f"{row.thing} {row.data} {row.reason}" for row in rows)


def test_the_page_asks_the_same_number_of_queries(
    portal_asha: Client, asha: User, django_assert_num_queries: Any
) -> None:
    for number in range(8):
        family.add(user=asha, by=asha, **{**TARA, "name": f"Child {number}"})
    portal_asha.get(PAGE)
    with django_assert_num_queries(3):  # session, person, family
        portal_asha.get(PAGE)


def test_the_form_can_stand_within_another_one() -> None:
    form = FamilyForm({f"member-{name}": value for name, value in TYPED.items()}, prefix="member")
    assert form.is_valid(), form.errors
    assert form.cleaned_data == TARA


def test_the_api_adds_shows_corrects_and_removes(portal_asha: Client) -> None:
    made = portal_asha.post(API, SENT, **JSON)
    assert made.status_code == 201, made.content
    member = made.json()
    assert member == {**SENT, "id": member["id"], "may": ["change", "remove"]}
    listed = portal_asha.get(API).json()
    assert (listed["count"], listed["results"]) == (1, [member])
    path = f"{API}{member['id']}/"
    assert portal_asha.get(path).json() == member
    changed = portal_asha.patch(path, {"relation": "sibling"}, **JSON)
    assert changed.json() == {**member, "relation": "sibling"}
    assert portal_asha.delete(path).status_code == 204
    assert portal_asha.get(path).status_code == 404
    assert portal_asha.get(API).json()["count"] == 0


def test_the_api_keeps_the_pages_rules(portal_asha: Client, tara: FamilyMember) -> None:
    wrong = portal_asha.post(API, {"name": "", "date_of_birth": "2999-01-01", "sex": "x", "relation": "x"}, **JSON)
    assert (wrong.status_code, set(wrong.json())) == (400, {"name", "birth_date", "sex", "relation"})
    twice = portal_asha.post(API, SENT, **JSON)
    assert (twice.status_code, twice.json()["field"]) == (409, "name")


def test_a_family_is_nobody_elses(
    cedar: Hospital, kiran: User, hari: User, usha: User, portal: Client, tara: FamilyMember
) -> None:
    assert portal.get(PAGE).status_code == 302
    assert portal.get(API).status_code == 401
    strangers = [browser("cedar.localhost", kiran), browser("cedar.localhost", hari), browser("localhost", usha)]
    for client in strangers:
        assert "Tara" not in client.get(PAGE).content.decode()
        assert client.get(API).json()["count"] == 0
        assert client.get(f"{PAGE}{tara.code}/").status_code == 404
        assert client.post(f"{PAGE}{tara.code}/remove/").status_code == 404
        for answer in (
            client.get(f"{API}{tara.code}/"),
            client.patch(f"{API}{tara.code}/", {"name": "X"}, **JSON),
            client.delete(f"{API}{tara.code}/"),
        ):
            assert answer.status_code == 404
    assert FamilyMember.objects.get(pk=tara.pk).is_active


def test_support_sees_nobodys_family(portal_usha: Client, cedar: Hospital, hari: User) -> None:
    supporter = arrived(ask(portal_usha, cedar, hari))
    for path in (PAGE, API, f"{API}{uuid4()}/"):
        assert supporter.get(path).status_code == 403
