"""Many people with the same code at the same moment."""

from decimal import Decimal
from functools import partial
from typing import Any

from django.utils.timezone import localdate, now

from accounts.models import User
from billing.models import Invoice, PromoCode
from billing.services import invoices, promos
from billing.services.invoices import Charge, Draft
from core.errors import Invalid
from core.schemas import schema_context
from patients.models import Patient
from tenants.models import Hospital
from tests.races.crowd import crowd, deadlocks, patients

PEOPLE = 20


def begin(hospital: Hospital, user: User, word: str) -> Invoice:
    """A bill of this person's with the code."""
    asked = Draft(
        patient=Patient.objects.get(user=user), charges=[Charge("Consultation", Decimal(700))], promo_word=word
    )
    return invoices.draft(hospital=hospital, draft=asked, by=user, now=now())


def add(hospital: Hospital, **terms: int) -> PromoCode:
    with schema_context(hospital.schema_name):
        hari = User.objects.get(email=hospital.email)
        return promos.add(word="TEN", by=hari, percent=10, amount=None, first_date=localdate(), **terms)


def used(hospital: Hospital) -> int:
    with schema_context(hospital.schema_name):
        code: Any = PromoCode.objects.with_uses().get()
        return int(code.uses)


def test_of_twenty_who_use_a_code_at_once_seven_get_it(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    people, _code = patients(cedar, PEOPLE), add(cedar, most_uses=7)

    answers = crowd(*((cedar, partial(begin, cedar, user, "TEN")) for user in people))

    assert sum(isinstance(one, Invoice) and one.discount == 70 for one in answers) == 7
    assert sum(isinstance(one, Invalid) for one in answers) == PEOPLE - 7
    assert (used(cedar), deadlocks()) == (7, 0)


def test_one_patient_at_twenty_desks_uses_a_code_once(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    [user], _code = patients(cedar, 1), add(cedar, most_uses_each=1)

    answers = crowd(*[(cedar, partial(begin, cedar, user, "TEN"))] * PEOPLE)

    assert sum(isinstance(one, Invoice) for one in answers) == 1
    assert (used(cedar), deadlocks()) == (1, 0)


def test_twenty_checkouts_that_take_a_code_late_keep_its_limit(committed: None) -> None:
    cedar = Hospital.objects.get(slug="cedar")
    people, _code = patients(cedar, PEOPLE), add(cedar, most_uses=7)
    with schema_context(cedar.schema_name):
        drafts = [(user, begin(cedar, user, "")) for user in people]

    def take(user: User, invoice: Invoice) -> None:
        invoices.use_promo(hospital=cedar, invoice=invoice, word="TEN", by=user, now=now())

    answers = crowd(*((cedar, partial(take, user, invoice)) for user, invoice in drafts))

    assert sum(one is None for one in answers) == 7
    assert (used(cedar), deadlocks()) == (7, 0)
