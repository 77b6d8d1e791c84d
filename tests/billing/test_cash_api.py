"""The cash desk, payments and refunds for apps: the same services, the same refusals."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from billing.models import CashDay, Invoice, Method, Payment, Refund
from billing.services.invoices import Charge
from core.schemas import enter_public
from tenants.models import Hospital
from tests.billing.money import inside, online
from tests.conftest import browser

Make = Callable[..., Invoice]
Pay = Callable[..., Payment]
LARGE = Charge("Treatment", Decimal(5000), category="treatment")


@pytest.fixture
def desk(meena: User) -> Client:
    """Meena's app at the desk."""
    return browser("cedar.localhost", meena)


def post(client: Client, path: str, said: dict[str, object] | None = None, key: str = "") -> Any:
    """Send JSON."""
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/{path}", said or {}, content_type="application/json", headers=headers)


def test_a_day_is_opened_read_and_closed(desk: Client, cedar: Hospital) -> None:
    enter_public()
    assert desk.get("/api/cash/").status_code == 404

    opened = post(desk, "cash/open/", {"opening_float": "500"})
    assert opened.status_code == 201
    assert (opened.json()["expected"], opened.json()["difference"]) == ("500.00", None)
    assert (
        post(desk, "cash/open/", {"opening_float": "500"}).json()["detail"].startswith("Your cash day is open already")
    )
    assert desk.get("/api/cash/").json()["id"] == opened.json()["id"]

    refused = post(desk, "cash/close/", {"counted": "480"})
    assert (refused.status_code, refused.json()["field"]) == (422, "note")
    stale = post(desk, "cash/close/", {"counted": "500", "expected": "400"})
    assert (stale.status_code, stale.json()["field"]) == (409, "counted")
    closed = post(desk, "cash/close/", {"counted": "480", "note": "Wrong change", "expected": "500"})
    assert (closed.json()["status"], closed.json()["difference"]) == ("closed", "-20.00")
    assert desk.get(f"/api/cash/days/{opened.json()['id']}/").json()["note"] == "Wrong change"


def test_the_day_says_what_came_and_went(desk: Client, cash_day: CashDay, paid: Pay) -> None:
    paid(Method.CASH)
    enter_public()

    day = desk.get("/api/cash/").json()

    assert day["expected"] == "1200.00"
    assert day["sums"] == [
        {"method": "cash", "taken": "700.00", "payments": 1, "paid_out": "0.00", "refunds": 0},
    ]


def test_all_days_are_for_who_sees_the_hospitals_money(desk: Client, bina: User, cash_day: CashDay) -> None:
    enter_public()

    assert desk.get("/api/cash/days/").status_code == 403
    rows = browser("cedar.localhost", bina).get("/api/cash/days/?status=open").json()["results"]
    assert [row["clerk"] for row in rows] == ["Meena Iyer"]


def test_a_clerks_day_is_closed_by_who_approves_money(desk: Client, bina: User, hari: User, cash_day: CashDay) -> None:
    enter_public()
    path = f"cash/days/{cash_day.code}/close/"

    assert post(browser("cedar.localhost", bina), path, {"counted": "500"}).status_code == 404
    assert post(browser("cedar.localhost", hari), path, {"counted": "500"}).json()["status"] == "closed"


def test_a_payment_is_read_with_what_may_be_done(desk: Client, bina: User, bill: Make) -> None:
    payment = online(bill())
    enter_public()

    read = desk.get(f"/api/payments/{payment.code}/").json()

    assert (read["amount"], read["gateway_id"], read["order_id"]) == ("700.00", "pay_1", "order_1")
    assert (read["refundable"], read["may"]) == ("700.00", ["refund"])
    assert desk.get("/api/payments/").status_code == 403
    rows = browser("cedar.localhost", bina).get("/api/payments/?method=online&status=captured").json()["results"]
    assert [row["id"] for row in rows] == [str(payment.code)]


def test_money_is_asked_back_once_approved_and_paid_out(
    desk: Client, cedar: Hospital, hari: User, cash_day: CashDay, paid: Pay
) -> None:
    payment = paid(Method.CASH, None, LARGE)
    enter_public()
    office, path = browser("cedar.localhost", hari), f"payments/{payment.code}/refund/"

    asked = [post(desk, path, {"reason": "Called off"}, key="k") for _again in range(2)]
    assert [answer.status_code for answer in asked] == [201, 201]
    refund = asked[0].json()
    assert refund["id"] == asked[1].json()["id"]
    assert (refund["status"], refund["amount"], refund["may"]) == ("requested", "5000.00", [])
    one = f"refunds/{refund['id']}/"
    assert office.get(f"/api/{one}").json()["may"] == ["approve", "decline"]
    assert post(desk, f"{one}approve/").status_code == 403
    assert post(office, f"{one}approve/").json()["ways"] == ["cash"]
    assert post(office, f"{one}approve/").status_code == 409
    wrong = post(desk, f"{one}pay_out/", {"method": "upi", "reference": "1"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "method")
    assert post(desk, f"{one}pay_out/", {"method": "cash"}).json()["status"] == "processed"
    assert post(desk, path, {"amount": "1", "reason": "x"}).json()["field"] == "amount"
    with inside(cedar):
        assert Refund.objects.count() == 1


def test_a_refund_is_declined_with_a_reason(desk: Client, hari: User, paid: Pay) -> None:
    payment = paid(Method.UPI, None, LARGE)
    enter_public()
    refund = post(desk, f"payments/{payment.code}/refund/", {"reason": "x"}).json()
    office = browser("cedar.localhost", hari)

    assert post(office, f"refunds/{refund['id']}/decline/").status_code == 400
    assert post(office, f"refunds/{refund['id']}/decline/", {"reason": "No"}).json()["status"] == "declined"


def test_the_queue_lists_open_refunds_unless_asked_otherwise(desk: Client, bill: Make, paid: Pay) -> None:
    payment, sent = paid(Method.CARD), online(bill())
    enter_public()
    first = post(desk, f"payments/{payment.code}/refund/", {"amount": "100", "reason": "x"}).json()
    second = post(desk, f"payments/{sent.code}/refund/", {"reason": "y"}).json()
    post(desk, f"refunds/{first['id']}/pay_out/", {"method": "card", "reference": "S2"})

    def listed(query: str) -> list[str]:
        return [row["id"] for row in desk.get(f"/api/refunds/{query}").json()["results"]]

    assert listed("") == [second["id"]]
    assert listed("?status=processed") == [first["id"]]
    assert listed(f"?payment={payment.code}") == [first["id"]]
    assert desk.get(f"/api/refunds/{second['id']}/").json()["status_display"] == "On its way"
    assert post(desk, f"refunds/{second['id']}/retry/").status_code == 409


@pytest.mark.parametrize(
    "path",
    ["cash/", "cash/days/", "payments/", "payments/{payment}/", "refunds/", "refunds/{refund}/", "cash/days/{day}/"],
)
def test_nobody_else_reads_them(
    cedar_site: Client, cedar_kiran: Client, kiran: User, asha: User, usha: User, desk: Client, paid: Pay,
    cash_day: CashDay, path: str,
) -> None:  # fmt: skip
    payment = paid(Method.CASH)
    enter_public()
    refund = post(desk, f"payments/{payment.code}/refund/", {"reason": "x"}).json()["id"]
    path = "/api/" + path.format(payment=payment.code, refund=refund, day=cash_day.code)

    assert cedar_site.get(path).status_code == 401
    assert cedar_kiran.get(path).status_code == 403
    for user in (asha, usha):
        assert browser("cedar.localhost", user).get(path).status_code == 403
    if path.count("/") > 3 and "-" in path:
        assert browser("lotus.localhost", kiran).get(path).status_code == 404


def test_the_lists_ask_the_same_number_of_questions(
    bina: User, cash_day: CashDay, paid: Pay, django_assert_num_queries: Any
) -> None:
    for _number in range(12):
        paid(Method.CASH)
    enter_public()
    client = browser("cedar.localhost", bina)
    client.get("/api/payments/")
    with django_assert_num_queries(6):
        assert len(client.get("/api/payments/").json()["results"]) == 10
