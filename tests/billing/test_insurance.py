"""What insurers pay: the cover, the pre-authorisation, the claim, and who owes what at each step."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import User
from audit.models import AuditLog
from billing.models import InsuranceClaim, Invoice, Method
from billing.services import insurance, ledger, payments
from billing.services.insurance import Cover
from billing.services.payments import Taking
from core.errors import Conflict, Invalid, NotAllowedNow
from core.schemas import schema_context
from tenants.models import Hospital
from tests.billing.bills import CLAIMS, LIST, at_cedar

Make = Callable[..., Invoice]
SAID = {"payer": "Star Health", "policy_number": "P/7", "member_id": "M1", "amount": "500", "note": ""}


def covered(invoice: Invoice, by: User, amount: int = 500) -> InsuranceClaim:
    return insurance.note(invoice=invoice, cover=Cover("Star Health", "P/7", Decimal(amount)), by=by, now=now())


def sent_in(invoice: Invoice, by: User, amount: int = 500) -> InsuranceClaim:
    claim = covered(invoice, by, amount)
    insurance.submit(claim=claim, claim_number="C1", by=by)
    return claim


def step(invoice: Invoice, name: str) -> str:
    return f"{LIST}{invoice.code}/claim/{name}/"


def test_what_the_insurer_approves_moves_from_the_patient_to_the_insurer(bill: Make, meena: User) -> None:
    invoice = bill()
    claim = sent_in(invoice, meena)
    insurance.approve(claim=claim, amount=Decimal(450), by=meena, now=now())
    invoice.refresh_from_db()
    assert invoice.status == Invoice.Status.PARTIALLY_PAID
    assert ledger.owed_on(invoice) == 250
    assert ledger.balances()["insurance"] == 450


def test_the_insurers_money_ends_in_the_bank(bill: Make, meena: User) -> None:
    invoice = bill()
    claim = sent_in(invoice, meena, 700)
    insurance.approve(claim=claim, amount=Decimal(700), by=meena, now=now())
    insurance.settle(claim=claim, reference="UTR 1", by=meena, now=now())
    invoice.refresh_from_db()
    assert (invoice.status, claim.status) == (Invoice.Status.PAID, InsuranceClaim.Status.SETTLED)
    assert {name: int(left) for name, left in ledger.balances().items() if left} == {"bank": 700, "revenue": -700}
    assert AuditLog.objects.about(claim).newest_first().first().data["reference"] == "UTR 1"  # type: ignore[union-attr]


def test_every_step_is_recorded(bill: Make, meena: User) -> None:
    claim = covered(bill(), meena)
    insurance.ask_preauth(claim=claim, by=meena)
    insurance.give_preauth(claim=claim, preauth_number="PA1", by=meena)
    insurance.submit(claim=claim, claim_number="", by=meena)
    insurance.reject(claim=claim, reason="Not covered", by=meena)
    insurance.submit(claim=claim, claim_number="C2", by=meena)
    actions = AuditLog.objects.about(claim).order_by("pk").values_list("action", flat=True)
    assert [action.partition(".")[2] for action in actions] == [
        "noted", "preauth_asked", "preauth_given", "submitted", "rejected", "submitted",
    ]  # fmt: skip
    assert (claim.preauth_number, claim.claim_number) == ("PA1", "C2")


def test_an_insurer_never_takes_over_more_than_is_owed(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()
    with pytest.raises(Invalid, match="at most ₹700"):
        covered(invoice, meena, 701)
    claim = sent_in(invoice, meena, 600)
    taking = Taking(Method.UPI, Decimal(300), "U1")
    payments.take(hospital=in_cedar, invoice=invoice, taking=taking, by=meena, now=now())
    with pytest.raises(Invalid, match="at most ₹400"):
        insurance.approve(claim=claim, amount=Decimal(401), by=meena, now=now())
    with pytest.raises(Invalid):
        insurance.approve(claim=claim, amount=Decimal(), by=meena, now=now())
    insurance.approve(claim=claim, amount=Decimal(400), by=meena, now=now())
    assert ledger.owed_on(invoice) == 0


def test_an_insurer_never_takes_over_more_than_was_claimed(bill: Make, meena: User) -> None:
    claim = sent_in(bill(), meena, 100)
    with pytest.raises(Invalid, match="at most ₹100"):
        insurance.approve(claim=claim, amount=Decimal(101), by=meena, now=now())


def test_a_claim_is_approved_once(bill: Make, meena: User) -> None:
    invoice = bill()
    claim = sent_in(invoice, meena)
    insurance.approve(claim=claim, amount=Decimal(100), by=meena, now=now())
    with pytest.raises(NotAllowedNow):
        insurance.approve(claim=claim, amount=Decimal(100), by=meena, now=now())
    with pytest.raises(NotAllowedNow):
        insurance.reject(claim=claim, reason="x", by=meena)
    assert ledger.owed_on(invoice) == 600


def test_a_claim_needs_a_bill_with_a_number(draft: Make, meena: User) -> None:
    claim = covered(draft(), meena)
    with pytest.raises(NotAllowedNow, match="Issue the bill first"):
        insurance.submit(claim=claim, claim_number="", by=meena)


def test_a_bill_has_one_claim(bill: Make, meena: User) -> None:
    invoice = bill()
    covered(invoice, meena)
    with pytest.raises(Conflict):
        covered(invoice, meena)


def test_nothing_is_claimed_of_a_paid_bill(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice = bill()
    taking = Taking(Method.UPI, Decimal(700), "U1")
    payments.take(hospital=in_cedar, invoice=invoice, taking=taking, by=meena, now=now())
    with pytest.raises(NotAllowedNow):
        covered(invoice, meena)


def test_the_cover_is_corrected_until_the_claim_is_sent(bill: Make, meena: User) -> None:
    claim = covered(bill(), meena)
    insurance.change(claim=claim, cover=Cover("Care Health", "P/8", Decimal(600)), by=meena)
    assert (claim.payer, claim.amount) == ("Care Health", Decimal(600))
    row = AuditLog.objects.about(claim).newest_first().first()
    assert row is not None
    assert row.data == {"fields": "payer, policy_number, amount", "amount": ["500.00", "600"]}
    insurance.submit(claim=claim, claim_number="", by=meena)
    with pytest.raises(NotAllowedNow):
        insurance.change(claim=claim, cover=Cover("Other", "P/9", Decimal(1)), by=meena)


# --- Pages -----------------------------------------------------------------------------------------------------------


def test_the_desk_leads_a_claim_from_the_cover_to_the_bank(in_cedar: Hospital, bill: Make, meena: User) -> None:
    invoice, client = bill(), at_cedar(meena)
    client.post(f"{LIST}{invoice.code}/cover/", SAID)
    for name, said in (
        ("ask_preauth", {}),
        ("give_preauth", {"preauth_number": "PA1"}),
        ("submit", {"claim_number": "C1"}),
        ("approve", {"amount": "450"}),
        ("settle", {"reference": "UTR 1"}),
    ):
        assert client.get(step(invoice, name)).status_code == 200, name
        assert client.post(step(invoice, name), said)["Location"] == f"{LIST}{invoice.code}/", name
    page = client.get(f"{LIST}{invoice.code}/").content.decode()
    for words in ("Star Health", "P/7", "PA1", "C1", "Settled", "₹450", "₹250"):
        assert words in page


def test_a_step_that_is_not_possible_now_says_so(bill: Make, meena: User) -> None:
    invoice, client = bill(), at_cedar(meena)
    covered(invoice, meena)
    assert client.get(step(invoice, "settle"))["Location"] == f"{LIST}{invoice.code}/"
    assert client.post(step(invoice, "settle"), {"reference": "x"}).status_code == 422
    assert client.get(step(invoice, "nonsense")).status_code == 404


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("approve", {"amount": ""}, "Enter an amount"),
        ("approve", {"amount": "501"}, "at most ₹500"),
        ("reject", {"reason": ""}, "Say why."),
    ],
)
def test_what_is_missing_is_said_at_its_field(
    bill: Make, meena: User, name: str, said: dict[str, str], words: str
) -> None:
    invoice = bill()
    sent_in(invoice, meena)
    answer = at_cedar(meena).post(step(invoice, name), said)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_cover_above_what_is_owed_is_refused_at_the_amount(bill: Make, meena: User) -> None:
    answer = at_cedar(meena).post(f"{LIST}{bill().code}/cover/", SAID | {"amount": "900"})
    assert answer.status_code == 422
    assert "amount" in answer.context["form"].errors
    assert 'value="Star Health"' in answer.content.decode()


def test_open_claims_stand_in_a_list_the_oldest_first(bill: Make, meena: User) -> None:
    first, second = covered(bill(), meena), sent_in(bill(), meena)
    rejected = sent_in(bill(), meena)
    insurance.reject(claim=rejected, reason="x", by=meena)
    client, number = at_cedar(meena), first.invoice.reference

    def listed(**asked: str) -> list[InsuranceClaim]:
        return [claim for claim, _tone in client.get(CLAIMS, asked).context["listed"]]

    assert listed() == [first, second]
    assert listed(status="rejected") == [rejected]
    assert listed(q="c1") == [second]
    assert listed(q="star") == [first, second]
    assert listed(q=number) == [first]
    assert listed(q="asha") == [first, second]
    assert listed(q="zzz") == []


def test_an_empty_list_of_claims_says_why(meena: User) -> None:
    client = at_cedar(meena)
    assert "No claim is open" in client.get(CLAIMS).content.decode()
    assert "No claim matches" in client.get(f"{CLAIMS}?q=x").content.decode()


def test_the_list_of_claims_asks_the_database_the_same_number_of_questions_however_long_it_is(
    bill: Make, meena: User, django_assert_max_num_queries: Any
) -> None:
    for _number in range(11):
        covered(bill(), meena)
    client = at_cedar(meena)
    client.get(LIST)
    with django_assert_max_num_queries(6):  # session, person, staff row, count, rows
        client.get(CLAIMS)


def test_strangers_and_patients_see_no_claims(
    in_cedar: Hospital, bill: Make, meena: User, asha: User, kiran: User
) -> None:
    invoice = bill()
    covered(invoice, meena)
    for user in (asha, kiran):
        client = at_cedar(user)
        for path in (CLAIMS, f"{LIST}{invoice.code}/cover/", step(invoice, "submit")):
            assert client.get(path).status_code == 403
        assert client.post(step(invoice, "submit"), {}).status_code == 403
    with schema_context(in_cedar.schema_name):
        assert InsuranceClaim.objects.get().status == InsuranceClaim.Status.NOTED
