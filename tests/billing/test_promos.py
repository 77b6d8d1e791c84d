"""Promo codes: added, changed, stopped, counted."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils.timezone import localdate, now

from accounts.models import User
from audit.models import Action, AuditLog
from billing.models import Invoice, PromoCode
from billing.services import crediting, promos
from billing.services.invoices import Charge
from core.errors import Conflict, Invalid, NotAllowedNow
from core.schemas import schema_context
from hospitals.models import Staff
from tenants.models import Hospital
from tests.conftest import browser

PAGE, API = "/office/settings/billing/promo-codes/", "/api/billing/promo-codes/"
JSON: Any = {"content_type": "application/json"}
Add = Callable[..., PromoCode]
Make = Callable[..., Invoice]


def in_days(days: int) -> date:
    return localdate() + timedelta(days=days)


@pytest.fixture
def add(in_cedar: Hospital, hari: User) -> Add:
    """Ten percent from today on, unless said otherwise."""

    def one(word: str = "TEN", **also: Any) -> PromoCode:
        return promos.add(**{"word": word, "by": hari, "percent": 10, "amount": None, "first_date": in_days(0), **also})

    return one


def typed(**also: Any) -> dict[str, Any]:
    return {"word": "ten", "kind": "percent", "worth": "10", "first_date": f"{in_days(0)}", **also}


# --- What a code does ------------------------------------------------------------------------------------------------


def test_a_code_takes_a_percentage_off(add: Add, draft: Make) -> None:
    add()
    assert draft(promo_word="ten").total == 630


def test_a_percentage_ends_at_its_cap(add: Add, draft: Make) -> None:
    add(cap=Decimal(50))
    assert draft(promo_word="TEN").total == 650


def test_rupees_off_are_no_more_than_the_largest_discount(add: Add, draft: Make) -> None:
    add(percent=None, amount=Decimal(5000))
    assert draft(promo_word="TEN").total == 140


@pytest.mark.parametrize(("first", "last", "minimum"), [(1, 9, 0), (-9, -1, 0), (0, 9, 701)])
def test_outside_its_terms_a_code_does_not_count(add: Add, draft: Make, first: int, last: int, minimum: int) -> None:
    add(first_date=in_days(first), last_date=in_days(last), minimum=Decimal(minimum))
    with pytest.raises(Invalid) as refusal:
        draft(promo_word="TEN")
    assert refusal.value.field == "promo_code"


def test_a_stopped_code_does_not_count_and_can_again(add: Add, draft: Make, hari: User) -> None:
    promo = add()
    before = draft(promo_word="TEN")
    promos.stop(promo=promo, by=hari)
    with pytest.raises(Invalid):
        draft(promo_word="TEN")
    assert before.discount == 70
    promos.resume(promo=promo, by=hari)
    assert draft(promo_word="TEN").discount == 70


def test_a_cancelled_bill_gives_its_use_back(add: Add, draft: Make, in_cedar: Hospital, meena: User) -> None:
    add(most_uses=1)
    first = draft(promo_word="TEN")
    with pytest.raises(Invalid, match="used up"):
        draft(promo_word="TEN")
    crediting.cancel(hospital=in_cedar, invoice=first, by=meena, reason="A slip", now=now())
    assert draft(promo_word="TEN").discount == 70


def test_a_patient_uses_a_code_only_so_often(add: Add, draft: Make) -> None:
    add(most_uses_each=1)
    draft(promo_word="TEN")
    with pytest.raises(Invalid, match="This patient"):
        draft(promo_word="TEN")


# --- How it is kept --------------------------------------------------------------------------------------------------


def test_a_word_is_given_once(add: Add) -> None:
    add()
    with pytest.raises(Conflict) as refusal:
        add("ten")
    assert refusal.value.field == "word"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"amount": Decimal(5)}, "percent"),
        ({"percent": None}, "percent"),
        ({"last_date": date(2020, 1, 1)}, "last_date"),
        ({"percent": None, "amount": Decimal(5), "cap": Decimal(3)}, "cap"),
    ],
)
def test_a_code_that_says_two_things_is_refused(add: Add, terms: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        add(**terms)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "columns", [{"cap": 0}, {"minimum": -1}, {"most_uses": 0}, {"most_uses_each": 0}, {"percent": 101}, {"amount": 5}]
)
def test_postgres_keeps_codes_sane(add: Add, columns: dict[str, Any]) -> None:
    add()
    with pytest.raises(IntegrityError), transaction.atomic():
        PromoCode.objects.update(**columns)


def test_changed_terms_are_recorded_and_what_it_takes_off_stays(add: Add, hari: User) -> None:
    promo = add(most_uses=5)
    promos.change(promo=promo, by=hari, first_date=promo.first_date, most_uses=9)
    promos.change(promo=promo, by=hari, first_date=promo.first_date)
    promo.refresh_from_db()
    assert (promo.percent, promo.most_uses) == (10, 9)
    assert AuditLog.objects.filter(action=Action.PROMO_CODE_CHANGED).get().data == {"most_uses": ["5", "9"]}


def test_who_is_second_to_stop_a_code_is_told(add: Add, hari: User) -> None:
    promo = add()
    promos.stop(promo=promo, by=hari)
    with pytest.raises(NotAllowedNow):
        promos.stop(promo=promo, by=hari)


# --- Pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}add/"])
def test_only_the_admin_opens_promo_codes(
    cedar_site: Client, cedar_hari: Client, cedar_kiran: Client, asha: User, join_cedar: Callable[[User, str], Staff],
    address: str,
) -> None:  # fmt: skip
    join_cedar(asha, "front_desk")
    assert cedar_site.get(address)["Location"] == f"/sign-in/?next={address}"
    assert cedar_kiran.get(address).status_code == 403
    assert browser("cedar.localhost", asha).get(address).status_code == 403
    assert cedar_hari.get(address).status_code == 200


def test_a_code_is_added_changed_stopped_and_used_again(cedar_hari: Client, in_cedar: Hospital) -> None:
    page = cedar_hari.post(f"{PAGE}add/", typed(cap="200", description="Monsoon"), follow=True)
    assert "Nobody has used it yet" in page.content.decode()
    with schema_context(in_cedar.schema_name):
        promo = PromoCode.objects.get(word="TEN")
    mine = f"{PAGE}{promo.code}/"
    said = {"first_date": f"{in_days(0)}", "last_date": f"{in_days(9)}", "cap": "100", "most_uses": "3"}
    assert "0 of 3" in cedar_hari.post(f"{mine}edit/", said, follow=True).content.decode()
    assert "Stopped" in cedar_hari.post(f"{mine}stop/", follow=True).content.decode()
    assert "TEN" not in cedar_hari.get(PAGE, HTTP_HX_REQUEST="true").content.decode()
    assert "TEN" in cedar_hari.get(PAGE, {"show": "ended"}, HTTP_HX_REQUEST="true").content.decode()
    assert "counts again" in cedar_hari.post(f"{mine}resume/", follow=True).content.decode()


def test_the_page_of_a_code_shows_who_used_it(cedar_hari: Client, add: Add, bill: Make) -> None:
    promo, invoice = add(), bill(promo_word="TEN")
    page = cedar_hari.get(f"{PAGE}{promo.code}/").content.decode()
    assert invoice.reference in page
    assert "Asha Patel" in page
    assert "₹70" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("word", "X"), ("word", "A B C!"), ("worth", "0"), ("worth", "101"), ("worth", "2.5"), ("kind", "gift"),
        ("first_date", ""), ("last_date", "2020-01-01"), ("cap", "99999999999"), ("most_uses", "0"),
        ("minimum", "-1"), ("most_uses", "1e9"),
    ],
)  # fmt: skip
def test_a_fault_is_said_at_its_field_and_the_rest_is_kept(cedar_hari: Client, field: str, value: str) -> None:
    page = cedar_hari.post(f"{PAGE}add/", typed(description="Monsoon", **{field: value}) | {field: value})
    assert (page.status_code, list(page.context["form"].errors)) == (422, [field])
    assert page.context["form"]["description"].value() == "Monsoon"


def test_a_word_that_was_given_is_refused_at_its_field(cedar_hari: Client, add: Add) -> None:
    add()
    page = cedar_hari.post(f"{PAGE}add/", typed())
    assert list(page.context["form"].errors) == ["word"]


def test_codes_are_found_by_words_and_divided_into_pages(cedar_hari: Client, add: Add) -> None:
    for number in range(12):
        add(f"CODE-{number:02}", description="Diwali" if number == 7 else "")
    assert len(cedar_hari.get(PAGE).context["rows"]) == 10
    assert [one.word for one in cedar_hari.get(PAGE, {"q": "diwali"}).context["rows"]] == ["CODE-07"]
    empty = cedar_hari.get(PAGE, {"q": "nothing like it"}).content.decode()
    assert "No promo code matches" in empty


def test_the_list_asks_as_much_for_ten_codes_as_for_one(
    cedar_hari: Client, add: Add, bill: Make, in_cedar: Hospital, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        add(f"CODE-{number:02}")
        bill(promo_word=f"CODE-{number:02}")
    with django_assert_max_num_queries(14):
        assert cedar_hari.get(PAGE).status_code == 200


def test_another_hospital_sees_no_code_of_cedars(kiran: User, add: Add, lotus: Hospital) -> None:
    promo, site = add(), browser("lotus.localhost", kiran)
    assert site.get(f"{PAGE}{promo.code}/").status_code == 404
    assert site.post(f"{PAGE}{promo.code}/stop/").status_code == 404
    assert site.get(f"{API}{promo.code}/").status_code == 404


# --- The API ---------------------------------------------------------------------------------------------------------


def test_the_api_does_the_same(cedar_hari: Client, cedar_kiran: Client) -> None:
    assert cedar_kiran.get(API).status_code == 403
    added = cedar_hari.post(API, typed(cap="200.00", worth=10), **JSON)
    assert added.status_code == 201
    body = added.json()
    assert (body["word"], body["percent"], body["amount"], body["cap"]) == ("TEN", 10, None, "200.00")
    assert (body["uses"], body["standing"], body["may"]) == (0, "counts", ["change", "stop"])
    mine = f"{API}{body['id']}/"
    changed = cedar_hari.put(mine, {"first_date": f"{in_days(3)}", "most_uses": 5}, **JSON).json()
    assert (changed["standing"], changed["most_uses"], changed["cap"]) == ("planned", 5, None)
    assert cedar_hari.post(f"{mine}stop/").json()["standing"] == "stopped"
    assert cedar_hari.post(f"{mine}stop/").status_code == 409
    assert cedar_hari.get(API).json()["count"] == 0
    assert cedar_hari.get(API, {"show": "ended"}).json()["count"] == 1
    assert cedar_hari.post(f"{mine}resume/").json()["may"] == ["change", "stop"]
    assert cedar_hari.post(API, typed(), **JSON).status_code == 409
    assert cedar_hari.post(API, typed(worth="200"), **JSON).status_code == 400
    assert cedar_hari.get(mine).json()["standing"] == "planned"


def test_a_bill_by_the_api_takes_a_code(cedar_hari: Client, add: Add, draft: Make) -> None:
    add()
    patient = draft(Charge("Before", Decimal(1))).patient
    said = {"patient": f"{patient.code}", "amount": "700", "description": "Consultation", "promo_code": "TEN"}
    answer = cedar_hari.post("/api/billing/", said, **JSON)
    assert (answer.status_code, answer.json()["total_amount"]) == (201, "630.00")
