"""Money that goes back: asked for, approved, sent or handed out, and what happens when it fails."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now

from accounts.models import User
from audit.models import AuditLog
from billing import razorpay
from billing.models import CashDay, Invoice, Method, Payment, Refund
from billing.services import cash, ledger, refunds
from billing.services.invoices import Charge
from core.errors import Invalid, NotAllowedNow
from core.schemas import enter_public
from tenants.models import Hospital
from tests.billing.money import inside, online
from tests.conftest import browser

REFUNDS = "/office/refunds/"
Make = Callable[..., Invoice]
Pay = Callable[..., Payment]
Ask = Callable[..., Refund]


@pytest.fixture
def ask(in_cedar: Hospital, meena: User) -> Ask:
    """Ask for money of a payment back; a part of it, or all."""

    def asked(payment: Payment, amount: int | None = None, by: User = meena, **also: Any) -> Refund:
        return refunds.ask(
            hospital=in_cedar,
            payment=payment,
            amount=payment.amount if amount is None else Decimal(amount),
            reason="Too long a wait",
            by=by,
            may_approve=False,
            now=now(),
            **also,
        )

    return asked


def pay(refund: Refund, method: Method, by: User, reference: str = "R1") -> None:
    """Hand it out."""
    refunds.pay_out(refund=refund, method=method, reference=reference, by=by, now=now())


def test_small_refunds_one_after_the_other_do_not_pass_the_limit(paid: Pay, ask: Ask) -> None:
    payment = paid(Method.UPI, None, Charge("Treatment", Decimal(5000), category="treatment"))

    assert [ask(payment, 1500).status for _again in range(3)] == ["approved", "requested", "requested"]


def test_the_same_key_asks_once(paid: Pay, ask: Ask) -> None:
    payment = paid(Method.UPI)

    assert ask(payment, 100, idempotency_key="k") == ask(payment, 100, idempotency_key="k")
    with pytest.raises(Invalid, match="another refund"):
        ask(payment, 200, idempotency_key="k")


def test_never_more_goes_back_than_was_paid(paid: Pay, ask: Ask) -> None:
    payment = paid(Method.UPI)
    ask(payment, 500)

    with pytest.raises(Invalid, match="at most ₹200"):
        ask(payment, 201)


def test_what_was_declined_can_go_back_after_all(paid: Pay, ask: Ask, hari: User) -> None:
    payment = paid(Method.UPI, None, Charge("Treatment", Decimal(5000), category="treatment"))
    refunds.decline(refund=ask(payment), by=hari, reason="No")

    assert ask(payment).status == "requested"


def test_money_goes_back_the_way_it_came(paid: Pay, ask: Ask, meena: User, cash_day: CashDay) -> None:
    refund = ask(paid(Method.CARD))

    with pytest.raises(Invalid, match="the way it came"):
        pay(refund, Method.CASH, meena)
    with pytest.raises(Invalid, match="number on the slip"):
        pay(refund, Method.CARD, meena, "")
    pay(refund, Method.CARD, meena)
    assert refund.status == "processed"
    with pytest.raises(NotAllowedNow, match="Refunded by Meena"):
        pay(refund, Method.CARD, meena)


def test_cash_goes_out_of_an_open_day(paid: Pay, ask: Ask, meena: User, bina: User, cash_day: CashDay) -> None:
    refund = ask(paid(Method.CASH))

    with pytest.raises(NotAllowedNow, match="Open your cash day"):
        pay(refund, Method.CASH, bina)
    pay(refund, Method.CASH, meena)
    assert cash.expected_in(cash_day) == 500


def test_an_insurers_money_goes_back_to_it_or_to_the_patient(paid: Pay, ask: Ask, meena: User) -> None:
    refund = ask(paid(Method.INSURANCE))

    assert refunds.ways(refund) == [Method.INSURANCE, Method.CASH, Method.UPI]
    pay(refund, Method.UPI, meena)
    assert refund.method == "upi"
    assert {account: left for account, left in ledger.balances().items() if left} == {"insurance": 700, "upi": -700}


def test_the_gateway_sends_back_what_came_online(bill: Make, ask: Ask, meena: User) -> None:
    refund = ask(online(bill()))

    assert refunds.ways(refund) == []
    with pytest.raises(NotAllowedNow, match="the same way, by itself"):
        pay(refund, Method.CASH, meena)


def test_what_the_gateway_gave_up_is_handed_out_at_the_desk(
    bill: Make, ask: Ask, meena: User, cash_day: CashDay
) -> None:
    invoice = bill()
    refund = ask(online(invoice))
    refunds.fail(refund=refund, failure="Closed account", now=now())
    assert refunds.ways(refund) == [Method.CASH, Method.UPI]

    pay(refund, Method.CASH, meena)

    assert (refund.status, refund.method, refund.failure) == ("processed", "cash", "")
    assert cash.expected_in(cash_day) == -200
    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.REFUNDED
    assert ledger.owed_on(invoice) == 0
    assert ledger.balances()["refunds"] == 0
    # The gateway's late word about its own try changes nothing.
    refunds.seen(refund=refund, found=word(refund, "failed"), now=now())
    assert refund.status == "processed"


def word(refund: Refund, status: str) -> razorpay.Refund:
    """What the gateway says of it."""
    return razorpay.Refund(
        id="rfnd_1", payment_id="pay_1", amount=refund.amount, status=status, receipt=refund.receipt, notes={},
        created_at=now(),
    )  # fmt: skip


def test_a_failed_refund_is_tried_again_under_a_new_receipt(bill: Make, ask: Ask, meena: User) -> None:
    refund = ask(online(bill()))
    before = refund.receipt
    refunds.fail(refund=refund, failure="Closed account", now=now())

    refunds.retry(refund=refund, by=meena, now=now())

    assert (refund.status, refund.failure) == ("approved", "")
    assert refund.receipt != before
    with pytest.raises(NotAllowedNow):
        refunds.retry(refund=refund, by=meena, now=now())


# --- The queue -------------------------------------------------------------------------------------------------------


@pytest.fixture
def queue(paid: Pay, bill: Make, ask: Ask, meena: User, hari: User) -> dict[str, Refund]:
    """One refund at each place."""
    large = Charge("Treatment", Decimal(5000), category="treatment")
    made = {
        "to-approve": ask(paid(Method.UPI, None, large)),
        "to-pay": ask(paid(Method.CARD)),
        "on-their-way": ask(online(bill(), "1")),
        "failed": ask(online(bill(), "2")),
        "over": ask(paid(Method.CARD)),
    }
    refunds.fail(refund=made["failed"], failure="Closed account", now=now())
    pay(made["over"], Method.CARD, meena)
    enter_public()
    return made


@pytest.mark.parametrize("show", ["to-approve", "to-pay", "on-their-way", "failed", "over"])
def test_each_refund_stands_where_something_is_to_be_done(meena: User, queue: dict[str, Refund], show: str) -> None:
    page = browser("cedar.localhost", meena).get(REFUNDS, {"show": show})

    assert list(page.context["rows"]) == [queue[show]]


def test_the_tabs_say_how_many_wait(meena: User, queue: dict[str, Refund]) -> None:
    context = browser("cedar.localhost", meena).get(REFUNDS).context

    assert [tab.count for tab in context["tabs"]] == [4, 1, 1, 1, 1, None]
    assert len(context["rows"]) == 4


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=asha", 4), ("q=nobody", 0), ("method=card", 1), ("method=card&show=over", 1), ("show=x", 4)],
)
def test_the_queue_is_narrowed(meena: User, queue: dict[str, Refund], query: str, found: int) -> None:
    assert len(browser("cedar.localhost", meena).get(f"{REFUNDS}?{query}").context["rows"]) == found


@pytest.mark.parametrize(
    ("query", "words"),
    [("", "Nothing to do here"), ("show=over", "Nothing here yet"), ("q=x", "No refund here matches")],
)
def test_an_empty_queue_says_why(meena: User, query: str, words: str) -> None:
    enter_public()
    assert words in browser("cedar.localhost", meena).get(f"{REFUNDS}?{query}").content.decode()


def test_the_queue_asks_the_same_number_of_questions(
    meena: User, paid: Pay, ask: Ask, django_assert_num_queries: Any
) -> None:
    for _number in range(12):
        ask(paid(Method.CARD))
    enter_public()
    client = browser("cedar.localhost", meena)
    assert len(client.get(REFUNDS).context["rows"]) == 10
    with django_assert_num_queries(6):
        client.get(REFUNDS)


# --- The pages -------------------------------------------------------------------------------------------------------


def test_the_page_says_beforehand_how_it_goes_back_and_who_decides(meena: User, hari: User, paid: Pay) -> None:
    payment = paid(Method.CARD, None, Charge("Treatment", Decimal(5000), category="treatment"))
    enter_public()
    path = f"/office/payments/{payment.code}/refund/"

    page = browser("cedar.localhost", meena).get(path).content.decode()
    assert "on the same card" in page
    assert "Up to ₹2,000 goes back at once; more waits for approval." in page
    assert 'value="5000"' in page
    assert "It needs nobody’s approval." in browser("cedar.localhost", hari).get(path).content.decode()


def test_a_refund_is_asked_for_approved_and_paid_out(
    cedar: Hospital, meena: User, hari: User, cash_day: CashDay, paid: Pay
) -> None:
    payment = paid(Method.CASH, None, Charge("Treatment", Decimal(5000), category="treatment"))
    enter_public()
    desk, office = browser("cedar.localhost", meena), browser("cedar.localhost", hari)
    said = {"key": "k", "amount": "5000", "reason": "Operation called off"}

    answers = [desk.post(f"/office/payments/{payment.code}/refund/", said) for _again in range(2)]

    path = answers[0]["Location"]
    assert path == answers[1]["Location"]
    assert "It waits for approval" in desk.get(path).content.decode()
    assert desk.post(f"{path}approve/").status_code == 403
    assert "Approve the refund" in office.get(path).content.decode()
    assert office.post(f"{path}approve/")["Location"] == path
    page = desk.get(path).content.decode()
    assert "Give the patient ₹5,000 in cash out of your drawer." in page
    assert desk.post(f"{path}pay/", {"method": "cash"})["Location"] == path
    with inside(cedar):
        refund = Refund.objects.get()
        assert (refund.status, refund.cash_day) == ("processed", cash_day)
        assert Invoice.objects.get().status == Invoice.Status.REFUNDED
        actions = [row.action for row in AuditLog.objects.about(refund).order_by("pk")]
    assert actions == ["refund.requested", "refund.approved", "refund.processed"]


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        ({"amount": "701"}, "amount", "at most ₹700"),
        ({"amount": "0"}, "amount", ""),
        ({"reason": ""}, "reason", "Say why."),
        ({"amount": ""}, "amount", "Enter an amount"),
    ],
)
def test_what_cannot_be_asked_stands_at_its_field(
    cedar: Hospital, meena: User, paid: Pay, said: dict[str, str], field: str, words: str
) -> None:
    payment = paid(Method.UPI)
    enter_public()

    page = browser("cedar.localhost", meena).post(
        f"/office/payments/{payment.code}/refund/", {"key": "k", "amount": "700", "reason": "x", **said}
    )

    assert page.status_code == 422
    assert words in str(page.context["form"].errors[field])
    with inside(cedar):
        assert not Refund.objects.exists()


def test_a_refund_is_declined_with_a_reason(cedar: Hospital, hari: User, queue: dict[str, Refund]) -> None:
    office, path = browser("cedar.localhost", hari), f"{REFUNDS}{queue['to-approve'].code}/"

    assert "Say why." in office.post(f"{path}decline/", {"reason": ""}).content.decode()
    office.post(f"{path}decline/", {"reason": "The treatment took place"})

    page = office.get(path).content.decode()
    assert "Declined" in page
    assert "The treatment took place" in page


def test_who_is_too_late_reads_who_was_first(hari: User, queue: dict[str, Refund]) -> None:
    office, path = browser("cedar.localhost", hari), f"{REFUNDS}{queue['to-approve'].code}/"
    office.post(f"{path}approve/")

    for step in ("approve/", "decline/"):
        page = office.post(f"{path}{step}", {"reason": "No"})
        assert page.status_code == 422
        assert "granted by Hari Rao" in page.content.decode()


def test_a_failed_refund_offers_both_ways_on(meena: User, cash_day: CashDay, queue: dict[str, Refund]) -> None:
    path = f"{REFUNDS}{queue['failed'].code}/"
    client = browser("cedar.localhost", meena)
    page = client.get(path).content.decode()

    assert "Closed account" in page
    assert f"{path}retry/" in page
    assert f"{path}pay/" in page
    assert "Type the number" in client.post(f"{path}pay/", {"method": "upi"}).content.decode()
    assert client.post(f"{path}retry/")["Location"] == path
    assert "On its way" in client.get(REFUNDS, {"show": "on-their-way"}).content.decode()


def test_a_refund_that_is_over_offers_nothing(meena: User, queue: dict[str, Refund]) -> None:
    page = browser("cedar.localhost", meena).get(f"{REFUNDS}{queue['over'].code}/").content.decode()

    assert "/pay/" not in page
    assert "/retry/" not in page


def test_the_refunds_are_for_who_gives_money_back(
    cedar_site: Client, cedar_kiran: Client, kiran: User, asha: User, usha: User, queue: dict[str, Refund]
) -> None:
    refund = queue["failed"]
    one, ask_path = f"{REFUNDS}{refund.code}/", f"/office/payments/{payment_of(refund)}/refund/"
    for path in (REFUNDS, one, ask_path):
        assert cedar_site.get(path).status_code == 302
        assert cedar_kiran.get(path).status_code == 403
        for user in (asha, usha):
            assert browser("cedar.localhost", user).get(path).status_code == 403
    elsewhere = browser("lotus.localhost", kiran)
    for path in (one, ask_path):
        assert elsewhere.get(path).status_code == 404
    for step in ("approve/", "decline/", "pay/", "retry/"):
        assert elsewhere.post(f"{one}{step}", {"reason": "x", "method": "upi"}).status_code == 404
        assert cedar_kiran.post(f"{one}{step}").status_code == 403


def payment_of(refund: Refund) -> object:
    """The code of its payment."""
    with inside(Hospital.objects.get(slug="cedar")):
        return Payment.objects.get(pk=refund.payment_id).code


def test_the_menu_leads_to_the_desk_and_the_queue(meena: User, cedar: Hospital) -> None:
    enter_public()
    page = browser("cedar.localhost", meena).get(REFUNDS).content.decode()

    assert 'href="/office/cash/"' in page
    assert 'href="/office/refunds/"' in page
