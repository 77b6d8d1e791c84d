"""What does not match: the list and the page of it, who looks after it, its explanation; comparisons; the API's twins."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import Action, AuditLog
from billing.models import Discrepancy, Invoice, Reconciliation, Refund
from billing.services import discrepancies, ledger, reconciling
from core.errors import Invalid, NotAllowedNow
from tenants.models import Hospital
from tests.billing.gateway_side import Kind, compare, listed, paid_online, refund_there
from tests.billing.money import inside
from tests.conftest import browser

Make = Callable[..., Invoice]
LIST, RUNS = "/office/discrepancies/", "/office/discrepancies/comparisons/"
API, RUNS_API = "/api/billing/discrepancies/", "/api/billing/reconciliations/"


@pytest.fixture
def bina_here(in_cedar: Hospital, bina: User) -> Client:
    """Bina's browser at Cedar."""
    return browser("cedar.localhost", bina)


@pytest.fixture
def row(in_cedar: Hospital) -> Discrepancy:
    """₹450 that nobody knows."""
    return noted("pay_Nobody000000001")


def noted(key: str, **fields: Any) -> Discrepancy:
    """Something that does not match."""
    given = {"kind": Kind.UNKNOWN_PAYMENT, "amount": Decimal(450), "details": "Paid by upi", "now": now(), **fields}
    discrepancies.note(key=key, **given)
    return Discrepancy.objects.get(key=key)


def url(row: Discrepancy, step: str = "") -> str:
    return f"{LIST}{row.code}/{step}"


def refund_in_dashboard(hospital: Hospital, gateway: Any, invoice: Invoice) -> Discrepancy:
    refund_there(gateway, paid_online(hospital, gateway, invoice), 250)
    compare(hospital)
    return Discrepancy.objects.get()


# --- The services ----------------------------------------------------------------------------------------------------


def test_what_is_noted_twice_stands_on_the_list_once(row: Discrepancy) -> None:
    noted(row.key, amount=Decimal(460))
    assert listed() == [(Kind.UNKNOWN_PAYMENT, Decimal(460))]


def test_what_was_explained_comes_back_when_the_amount_is_another(row: Discrepancy, bina: User) -> None:
    discrepancies.resolve(discrepancy=row, by=bina, explanation="A payment link", now=now())
    discrepancies.note(kind=Kind.UNKNOWN_PAYMENT, key=row.key, amount=Decimal(450), now=now())
    assert listed() == []
    discrepancies.note(kind=Kind.UNKNOWN_PAYMENT, key=row.key, amount=Decimal(900), now=now())
    assert listed() == [(Kind.UNKNOWN_PAYMENT, Decimal(900))]


def test_what_has_repaired_itself_may_come_back(row: Discrepancy) -> None:
    assert discrepancies.heal(kind=Kind.UNKNOWN_PAYMENT, key=row.key, now=now())
    discrepancies.note(kind=Kind.UNKNOWN_PAYMENT, key=row.key, amount=Decimal(450), now=now())
    assert len(listed()) == 1


def test_it_is_explained_once(row: Discrepancy, bina: User) -> None:
    stale = Discrepancy.objects.get(pk=row.pk)
    discrepancies.resolve(discrepancy=row, by=bina, explanation="A payment link", now=now())
    with pytest.raises(NotAllowedNow):
        discrepancies.resolve(discrepancy=stale, by=bina, explanation="Something else", now=now())
    with pytest.raises(NotAllowedNow):
        discrepancies.take(discrepancy=stale, owner=bina, by=bina)


def test_only_who_sees_all_money_can_look_after_it(row: Discrepancy, bina: User, meena: User) -> None:
    with pytest.raises(Invalid):
        discrepancies.take(discrepancy=row, owner=meena, by=bina)


# --- The list --------------------------------------------------------------------------------------------------------


def test_the_list_shows_what_is_open_with_its_age_and_owner(bina_here: Client, in_cedar: Hospital, bina: User) -> None:
    row = noted("pay_Nobody000000001", now=now() - timedelta(days=3))
    discrepancies.take(discrepancy=row, owner=bina, by=bina)
    words = bina_here.get(LIST).content.decode()
    for said in ("The gateway has a payment we do not know", "₹450", "3\xa0days", "Bina Shah", "pay_Nobody000000001"):
        assert said in words


def test_an_empty_list_says_that_every_rupee_is_matched(bina_here: Client, in_cedar: Hospital) -> None:
    moment = now()
    Reconciliation.objects.create(began_at=moment, ended_at=moment)
    words = bina_here.get(LIST).content.decode()
    assert "Every rupee is matched" in words
    assert "Last compared" in words


def test_an_empty_list_does_not_promise_what_was_not_compared(bina_here: Client, in_cedar: Hospital) -> None:
    Reconciliation.objects.create(ended_at=now(), error="Razorpay did not answer.")
    words = bina_here.get(LIST).content.decode()
    assert "Every rupee is matched" not in words
    assert "Razorpay did not answer." in words


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=pay_Nobody", True),
        ("q=pay_Other", False),
        ("kind=unknown_payment", True),
        ("kind=not_settled", False),
        ("show=mine", False),
        ("show=explained", False),
    ],
)
def test_the_list_is_narrowed(bina_here: Client, row: Discrepancy, query: str, found: bool) -> None:
    assert (row.key in bina_here.get(f"{LIST}?{query}").content.decode()) is found


def test_a_discrepancy_is_found_by_the_number_of_its_bill(
    bina_here: Client, in_cedar: Hospital, bill: Make, gateway: Any
) -> None:
    invoice = bill()
    refund_in_dashboard(in_cedar, gateway, invoice)
    assert "250" in bina_here.get(LIST, {"q": invoice.reference}).content.decode()


def test_the_list_asks_as_much_of_the_database_for_ten_as_for_one(
    bina_here: Client, row: Discrepancy, in_cedar: Hospital, bina: User, django_assert_max_num_queries: Any
) -> None:
    bina_here.get(LIST)
    with inside(in_cedar):
        for number in range(12):
            one = noted(f"pay_More{number:010d}")
            discrepancies.take(discrepancy=one, owner=bina, by=bina)
    with django_assert_max_num_queries(16):
        bina_here.get(LIST)


@pytest.mark.parametrize("email", ["hari@cedar.example"])
def test_an_admin_sees_it(in_cedar: Hospital, row: Discrepancy, email: str) -> None:
    hari = User.objects.get(email=email)
    assert browser("cedar.localhost", hari).get(LIST).status_code == 200


@pytest.mark.parametrize("path", [LIST, RUNS, API, RUNS_API])
def test_nobody_else_sees_it(
    in_cedar: Hospital, cedar_kiran: Client, meena: User, asha: User, row: Discrepancy, path: str
) -> None:
    for client in (cedar_kiran, browser("cedar.localhost", meena), browser("cedar.localhost", asha)):
        assert client.get(path).status_code == 403


def test_it_is_not_there_in_another_hospital(row: Discrepancy, kiran: User) -> None:
    lotus = browser("lotus.localhost", kiran)
    assert lotus.get(url(row)).status_code == 404
    assert lotus.post(url(row, "explain/"), {"explanation": "x"}).status_code == 404
    assert lotus.get(f"{API}{row.code}/").status_code == 404
    assert row.key not in lotus.get(LIST).content.decode()


# --- One of it -------------------------------------------------------------------------------------------------------


def test_the_page_tells_everything_that_is_known(
    bina_here: Client, in_cedar: Hospital, bill: Make, gateway: Any
) -> None:
    invoice = bill()
    row = refund_in_dashboard(in_cedar, gateway, invoice)
    payment = row.payment
    assert payment
    words = bina_here.get(url(row)).content.decode()
    for said in (row.key, invoice.reference, "₹250", payment.receipt_number, f"/office/payments/{payment.code}/"):
        assert said in words


def test_somebody_takes_it_on_and_hands_it_over(bina_here: Client, row: Discrepancy, in_cedar: Hospital) -> None:
    assert bina_here.post(url(row, "take/")).status_code == 302
    with inside(in_cedar):
        row.refresh_from_db()
        assert str(row.owner) == "Bina Shah"
        hari = User.objects.get(email="hari@cedar.example")
    assert bina_here.post(url(row, "take/"), {"owner": str(hari.code)}).status_code == 302
    with inside(in_cedar):
        row.refresh_from_db()
        assert row.owner == hari
        assert AuditLog.objects.filter(action=Action.DISCREPANCY_TAKEN).count() == 2


def test_it_is_not_handed_to_who_does_not_see_money(bina_here: Client, row: Discrepancy, meena: User) -> None:
    answer = bina_here.post(url(row, "take/"), {"owner": str(meena.code)})
    assert answer.status_code == 422
    assert "Choose a colleague who sees all money." in answer.content.decode()


def test_its_explanation_is_kept(bina_here: Client, row: Discrepancy, in_cedar: Hospital, bina: User) -> None:
    answer = bina_here.post(url(row, "explain/"), {"explanation": "Deposit of the canteen"})
    assert answer.status_code == 302
    with inside(in_cedar):
        row.refresh_from_db()
        assert (row.resolved_by, row.resolution) == (bina, "Deposit of the canteen")
        log = AuditLog.objects.get(action=Action.DISCREPANCY_RESOLVED)
        assert log.reason == "Deposit of the canteen"
    assert "Deposit of the canteen" in bina_here.get(url(row)).content.decode()
    assert row.key in bina_here.get(f"{LIST}?show=explained").content.decode()


def test_without_a_word_it_stays_on_the_list(bina_here: Client, row: Discrepancy) -> None:
    answer = bina_here.post(url(row, "explain/"), {"explanation": " "})
    assert answer.status_code == 422
    assert "Say in a sentence how it came about." in answer.content.decode()


def test_what_a_colleague_has_explained_meanwhile_is_said(
    bina_here: Client, row: Discrepancy, in_cedar: Hospital, bina: User
) -> None:
    discrepancies.resolve(discrepancy=row, by=bina, explanation="A payment link", now=now())
    answer = bina_here.post(url(row, "explain/"), {"explanation": "Mine"})
    assert answer.status_code == 422
    assert "This is explained already." in answer.content.decode()


# --- A refund that was made in the dashboard -------------------------------------------------------------------------


def test_a_refund_made_in_the_dashboard_is_taken_into_the_books(
    bina_here: Client, in_cedar: Hospital, bill: Make, gateway: Any
) -> None:
    invoice = bill()
    row = refund_in_dashboard(in_cedar, gateway, invoice)
    answer = bina_here.post(url(row, "book/"), {"explanation": "Asked for by telephone"})
    assert answer.status_code == 302
    with inside(in_cedar):
        refund = Refund.objects.get()
        assert (refund.status, refund.gateway_id, refund.amount) == (Refund.Status.PROCESSED, row.key, Decimal(250))
        assert ledger.balances()["gateway"] == 450
        invoice.refresh_from_db()
        assert (invoice.status, ledger.credited_on(invoice)) == (Invoice.Status.PARTIALLY_REFUNDED, Decimal(250))
        compare(in_cedar, now() + timedelta(minutes=5))
        assert listed() == []


def test_it_is_taken_into_the_books_once(in_cedar: Hospital, bill: Make, gateway: Any, bina: User) -> None:
    row = refund_in_dashboard(in_cedar, gateway, bill())
    stale = Discrepancy.objects.with_things().get(pk=row.pk)
    said: dict[str, Any] = {"hospital": in_cedar, "by": bina, "explanation": "By telephone", "now": now()}
    discrepancies.book_refund(discrepancy=row, **said)
    with pytest.raises(NotAllowedNow):
        discrepancies.book_refund(discrepancy=stale, **said)
    assert Refund.objects.count() == 1


def test_nothing_else_is_taken_into_the_books(bina_here: Client, row: Discrepancy) -> None:
    assert bina_here.post(url(row, "book/"), {"explanation": "x"}).status_code == 422


# --- Comparisons -----------------------------------------------------------------------------------------------------


def test_a_comparison_is_asked_for_and_shows_how_far_it_is(bina_here: Client, in_cedar: Hospital) -> None:
    assert bina_here.post(f"{RUNS}now/").status_code == 302
    words = bina_here.get(RUNS).content.decode()
    assert "Comparing since" in words
    assert "Compare now" not in words
    assert bina_here.post(f"{RUNS}now/", follow=True).status_code == 200
    with inside(in_cedar):
        assert Reconciliation.objects.count() == 1


def test_the_last_comparisons_are_shown_with_what_they_found(bina_here: Client, in_cedar: Hospital) -> None:
    Reconciliation.objects.create(ended_at=now(), orders=31, payments=28, found=2, error="Razorpay did not answer.")
    words = bina_here.get(RUNS).content.decode()
    for said in ("31", "28", "Razorpay did not answer."):
        assert said in words


def test_while_it_goes_on_the_page_looks_again_by_itself(bina_here: Client, in_cedar: Hospital) -> None:
    reconciling.ask(now=now())
    answer = bina_here.get(RUNS, headers={"HX-Request": "true"})
    words = answer.content.decode()
    assert "<html" not in words
    assert 'hx-trigger="every 3s"' in words


# --- The API ---------------------------------------------------------------------------------------------------------


def test_the_api_lists_what_is_open(bina_here: Client, row: Discrepancy) -> None:
    [found] = bina_here.get(API).json()["results"]
    assert (found["id"], found["kind"], found["amount"]) == (str(row.code), "unknown_payment", "450.00")
    assert found["may"] == ["take", "explain"]


def test_the_api_takes_and_explains(bina_here: Client, row: Discrepancy, bina: User) -> None:
    taken = bina_here.post(f"{API}{row.code}/take/", {}, content_type="application/json")
    assert taken.json()["owner"] == {"id": str(bina.code), "name": "Bina Shah"}
    said = {"explanation": "A payment link"}
    explained = bina_here.post(f"{API}{row.code}/explain/", said, content_type="application/json")
    assert explained.json()["explanation"] == "A payment link"
    assert explained.json()["may"] == []
    assert bina_here.get(API).json()["results"] == []
    assert len(bina_here.get(f"{API}?explained=true").json()["results"]) == 1


def test_the_api_says_who_can_look_after_it(bina_here: Client, row: Discrepancy, meena: User) -> None:
    owners = bina_here.get(f"{API}owners/").json()
    assert [owner["name"] for owner in owners] == ["Bina Shah", "Hari Rao"]
    chosen = {"owner": owners[1]["id"]}
    taken = bina_here.post(f"{API}{row.code}/take/", chosen, content_type="application/json")
    assert taken.json()["owner"]["name"] == "Hari Rao"


def test_the_api_takes_a_refund_of_the_dashboard_into_the_books(
    bina_here: Client, in_cedar: Hospital, bill: Make, gateway: Any
) -> None:
    row = refund_in_dashboard(in_cedar, gateway, bill())
    said = {"explanation": "By telephone"}
    booked = bina_here.post(f"{API}{row.code}/book/", said, content_type="application/json")
    assert booked.json()["may"] == []
    with inside(in_cedar):
        assert booked.json()["refund"] == str(Refund.objects.get().code)


def test_the_api_has_everything_compared(bina_here: Client, in_cedar: Hospital) -> None:
    assert bina_here.post(RUNS_API).status_code == 202
    assert bina_here.post(RUNS_API).status_code == 409
    [run] = bina_here.get(RUNS_API).json()["results"]
    assert run["ended_at"] is None


def test_a_front_desk_clerk_changes_nothing(in_cedar: Hospital, row: Discrepancy, meena: User) -> None:
    desk = browser("cedar.localhost", meena)
    for step in ("take/", "explain/"):
        assert desk.post(url(row, step), {"explanation": "x"}).status_code == 403
    assert desk.post(f"{RUNS}now/").status_code == 403
    assert desk.post(f"{RUNS}file/", {"file": SimpleUploadedFile("x.csv", b"x")}).status_code == 403
