"""Whatever is billed, discounted and taken back: everything adds up to the paisa, and no door leads past the cap."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from math import floor
from random import Random
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import localdate, now
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from billing.maths import Amounts, amounts_of, spread
from billing.models import Account, Invoice
from billing.services import crediting, invoices, ledger, promos
from billing.services.invoices import Charge, Draft
from core.errors import Invalid
from core.money import percent_of
from core.schemas import schema_context
from patients.models import Patient
from tenants.models import Hospital
from tests import factories

CARTS = 10_000
CAP = 80
RATES = {"consultation": 0, "treatment": 0, "medicine": 5, "other": 18}
JSON: Any = {"content_type": "application/json"}
Make = Callable[..., Invoice]

paise = st.integers(0, 10_000_000).map(lambda amount: Decimal(amount).scaleb(-2))


def rounded(amount: Fraction) -> Decimal:
    """To the paisa, half a paisa up: reckoned with whole numbers, not as the code does it."""
    return Decimal(floor(amount * 100 + Fraction(1, 2))).scaleb(-2)


def some(random: Random, most: int) -> Decimal:
    """An amount of up to so many paise."""
    return Decimal(random.randint(0, most)).scaleb(-2)


def some_charge(random: Random) -> Charge:
    """A thing with a price, a quantity that need not be whole, and sometimes a discount that is allowed."""
    quantity = Decimal(random.randint(1, 9)) if random.random() < 0.7 else Decimal(random.randint(1, 9999)).scaleb(-3)
    price = some(random, random.choice([99, 9_999, 999_999, 50_000_000]))
    most = percent_of(rounded(Fraction(quantity) * Fraction(price)), CAP)
    discount = some(random, int(most * 100)) if random.random() < 0.4 else Decimal()
    return Charge("Thing", price, category=random.choice(list(RATES)), quantity=quantity, discount=discount)


def some_cart(random: Random, patient: Patient, **also: Any) -> Draft:
    charges = [some_charge(random) for _line in range(random.randint(1, 8))]
    return Draft(patient=patient, charges=charges, place_of_supply=random.choice(["", "", "KA"]), **also)


def check(cart: Draft, lines: list[Any], whole: Amounts) -> None:
    """The lines are what the tax office would reckon, and the bill is their sum."""
    for charge, line in zip(cart.charges, lines, strict=True):
        gross = rounded(Fraction(charge.quantity) * Fraction(charge.unit_price))
        taxable, rate = Fraction(gross - line.discount), RATES[charge.category]
        assert (line.gross, line.own_discount) == (gross, charge.discount)
        assert 0 <= line.discount <= percent_of(gross, CAP)
        if cart.place_of_supply:
            assert (line.cgst, line.sgst, line.igst) == (0, 0, rounded(taxable * rate / 100))
        else:
            half = rounded(taxable * rate / 200)
            assert (line.cgst, line.sgst, line.igst) == (half, half, 0)
        assert line.total == gross - line.discount + line.cgst + line.sgst + line.igst
    for name in ("gross", "discount", "cgst", "sgst", "igst", "total"):
        assert getattr(whole, name) == sum(getattr(line, name) for line in lines)


# --- Pure ------------------------------------------------------------------------------------------------------------


@given(st.lists(paise, min_size=1, max_size=12), st.integers(0, 10_000))
def test_what_is_spread_adds_up_and_no_part_is_larger_than_what_it_is_for(over: list[Decimal], share: int) -> None:
    amount = rounded(Fraction(sum(over)) * share / 10_000)
    parts = spread(amount, over)
    assert sum(parts) == amount
    assert all(0 <= part <= most for part, most in zip(parts, over, strict=True))


@given(paise, st.integers(1, 99_999), st.integers(0, 2800), st.booleans())
def test_tax_is_rounded_for_each_government_on_each_line(
    price: Decimal, thousandths: int, rate: int, is_interstate: bool
) -> None:
    quantity, percent = Decimal(thousandths).scaleb(-3), Decimal(rate).scaleb(-2)
    found = amounts_of(
        quantity=quantity, unit_price=price, discount=Decimal(), tax_percent=percent, is_interstate=is_interstate
    )
    taxable = Fraction(rounded(Fraction(quantity) * Fraction(price)))
    half, whole = rounded(taxable * Fraction(percent) / 200), rounded(taxable * Fraction(percent) / 100)
    none = Decimal()
    assert (found.cgst, found.sgst, found.igst) == ((none, none, whole) if is_interstate else (half, half, none))


# --- Carts -----------------------------------------------------------------------------------------------------------


def test_ten_thousand_carts_are_the_sum_of_their_lines(in_cedar: Hospital, asha: User, hari: User) -> None:
    patient, random, moment = factories.patient(asha), Random(5), now()
    promos.add(word="TEN", by=hari, percent=10, amount=None, first_date=localdate(), cap=Decimal(500))
    promos.add(word="RUPEES", by=hari, percent=None, amount=Decimal("333.33"), first_date=localdate())
    with_code = 0
    for _cart in range(CARTS):
        cart = some_cart(random, patient, promo_word=random.choice(["", "", "", "TEN", "RUPEES"]))
        reckoning = invoices.preview(hospital=in_cedar, draft=cart, now=moment)
        check(cart, reckoning.lines, reckoning.amounts)
        with_code += reckoning.promo is not None
    assert with_code > CARTS / 3


def test_bills_that_are_written_and_issued_say_the_same_in_the_books(
    in_cedar: Hospital, asha: User, hari: User
) -> None:
    patient, random = factories.patient(asha), Random(6)
    promos.add(word="TEN", by=hari, percent=10, amount=None, first_date=localdate())
    written = []
    for _bill in range(40):
        cart = some_cart(random, patient, promo_word=random.choice(["", "TEN"]))
        invoice = invoices.draft(hospital=in_cedar, draft=cart, by=hari, now=now())
        Invoice.objects.filter(pk=invoice.pk).update(discount_approved_at=now(), discount_approved_by=hari)
        invoices.issue(hospital=in_cedar, invoice=invoice, by=hari, now=now())
        invoice = Invoice.objects.get(pk=invoice.pk)
        check(cart, list(invoice.lines.order_by("position")), invoice.amounts)
        assert ledger.owed_on(invoice) == invoice.total == invoice.amounts.total
        written.append(invoice.amounts)
    books = ledger.balances()
    assert books.get(Account.RECEIVABLE, 0) == sum(one.total for one in written)
    for account, name in ((Account.REVENUE, "taxable"), (Account.CGST, "cgst"), (Account.SGST, "sgst")):
        assert abs(books.get(account, 0)) == sum(getattr(one, name) for one in written)


def test_credit_notes_in_random_parts_take_a_bill_back_exactly(in_cedar: Hospital, asha: User, hari: User) -> None:
    patient, random = factories.patient(asha), Random(7)
    for _bill in range(25):
        invoice = invoices.draft(hospital=in_cedar, draft=some_cart(random, patient), by=hari, now=now())
        Invoice.objects.filter(pk=invoice.pk).update(discount_approved_at=now(), discount_approved_by=hari)
        invoices.issue(hospital=in_cedar, invoice=invoice, by=hari, now=now())
        left = invoice.total
        while left:
            # Mostly a share of it, sometimes a single paisa, now and then all of it.
            part = random.choice([Decimal("0.01"), rounded(Fraction(left) * random.randint(1, 60) / 100), left])
            part = min(max(part, Decimal("0.01")), left)
            note = crediting.credit(
                hospital=in_cedar, invoice=invoice, amount=part, by=hari, reason="A slip", now=now()
            )
            assert note.total == part
            left -= part
            _compare(invoice, is_over=not left)
        assert ledger.owed_on(invoice) == 0
        assert invoice.status == Invoice.Status.CANCELLED
    assert not any(left for left in ledger.balances().values())


def _compare(invoice: Invoice, *, is_over: bool) -> None:
    """Of no line more price or tax is taken back than it has, and in the end exactly as much."""
    for line in invoice.lines.prefetch_related("credits"):
        for head, billed in (
            ("taxable", line.amounts.taxable), ("cgst", line.cgst), ("sgst", line.sgst), ("igst", line.igst),
        ):  # fmt: skip
            back = [getattr(one, head) for one in line.credits.all()]
            assert all(one >= 0 for one in back)
            assert sum(back) == billed if is_over else sum(back) <= billed
        assert all(abs(one.cgst - one.sgst) <= Decimal("0.01") for one in line.credits.all())


def test_a_part_of_a_bill_takes_both_taxes_back_alike(in_cedar: Hospital, bill: Make, hari: User) -> None:
    invoice = bill(Charge("Syrup", Decimal("95.24"), category="medicine"))
    for _part in range(20):
        note = crediting.credit(
            hospital=in_cedar, invoice=invoice, amount=Decimal("1.10"), by=hari, reason="A slip", now=now()
        )
        assert note.cgst == note.sgst


# --- The cap ---------------------------------------------------------------------------------------------------------


def by_service(cedar: Hospital, patient: Patient, hari: User, site: Client, charge: Charge, word: str) -> Any:
    with schema_context(cedar.schema_name):
        asked = Draft(patient=patient, charges=[charge], promo_word=word, discount_reason="A friend")
        try:
            return invoices.draft(hospital=cedar, draft=asked, by=hari, now=now()).discount
        except Invalid as refusal:
            return refusal.field


def by_page(cedar: Hospital, patient: Patient, hari: User, site: Client, charge: Charge, word: str) -> Any:
    said = {
        "line-TOTAL_FORMS": 1, "line-INITIAL_FORMS": 0, "line-0-description": charge.description,
        "line-0-quantity": charge.quantity, "line-0-unit_price": charge.unit_price, "line-0-discount": charge.discount,
        "line-0-category": charge.category, "promo_code": word, "discount_reason": "A friend",
        "place_of_supply": cedar.state, "save": "draft",
    }  # fmt: skip
    answer = site.post(f"/office/bills/new/?patient={patient.code}", said)
    return _newest(cedar) if answer.status_code == 302 else "discount"


def by_api(cedar: Hospital, patient: Patient, hari: User, site: Client, charge: Charge, word: str) -> Any:
    line = {
        "description": charge.description, "quantity": f"{charge.quantity}", "unit_price": f"{charge.unit_price}",
        "discount": f"{charge.discount}", "tax_category": charge.category,
    }  # fmt: skip
    said = {"patient": f"{patient.code}", "lines": [line], "promo_code": word, "discount_reason": "A", "issue": False}
    answer = site.post("/api/billing/", said, **JSON)
    return _newest(cedar) if answer.status_code == 201 else answer.json().get("field", "discount")


def _newest(cedar: Hospital) -> Decimal:
    with schema_context(cedar.schema_name):
        return Invoice.objects.latest("pk").discount


DOORS = [by_service, by_page, by_api]


@pytest.mark.parametrize("door", DOORS)
def test_no_door_leads_past_the_largest_discount(
    in_cedar: Hospital, asha: User, hari: User, cedar_hari: Client, door: Callable[..., Any]
) -> None:
    patient, random = factories.patient(asha), Random(8)
    promos.add(word="HALF", by=hari, percent=50, amount=None, first_date=localdate())
    promos.add(word="THOUSAND", by=hari, percent=None, amount=Decimal(1000), first_date=localdate())
    knock = partial(door, in_cedar, patient, hari, cedar_hari)
    for _try in range(12):
        gross = some(random, 300_000) + 1
        most = percent_of(gross, CAP)
        discount = random.choice([Decimal(), most, most + Decimal("0.01"), some(random, int(gross * 100))])
        word = random.choice(["", "HALF", "THOUSAND"])

        found = knock(Charge("Thing", gross, discount=discount), word)

        if discount > most:
            assert found == "discount"
        else:
            worth = {"": Decimal(), "HALF": percent_of(gross, 50), "THOUSAND": Decimal(1000)}[word]
            assert found == min(most, discount + worth)


def test_a_code_taken_at_the_checkout_stays_under_the_cap(in_cedar: Hospital, draft: Make, hari: User) -> None:
    promos.add(word="ALL", by=hari, percent=100, amount=None, first_date=localdate())
    invoice = draft(Charge("A", Decimal("99.99"), discount=Decimal(70)), Charge("B", Decimal("0.02")))

    invoices.use_promo(hospital=in_cedar, invoice=invoice, word="ALL", by=hari, now=now())

    assert [line.discount for line in invoice.lines.order_by("position")] == [Decimal("79.99"), Decimal("0.02")]
