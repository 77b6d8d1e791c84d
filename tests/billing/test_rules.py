"""Who the hospital is on its bills, what its people may do alone, and how things are taxed."""

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
from billing import gstin
from billing.models import BillingRules, Invoice, TaxCategory, TaxRate
from billing.services import documents, invoices, promos, rules
from billing.services.invoices import Charge
from core.errors import Conflict, Invalid, NotAllowedNow
from core.schemas import schema_context
from hospitals.entries import entry
from hospitals.models import Staff
from tenants.models import Hospital
from tests.conftest import browser

BILLS, TAXES = "/office/settings/billing/", "/office/settings/billing/taxes/"
API, RATES = "/api/billing/settings/", "/api/billing/rates/"
JSON: Any = {"content_type": "application/json"}
OF_PUNE = "27AAPFU0939F1ZV"
RULES = {
    "legal_name": "Cedar Healthcare Pvt Ltd",
    "gstin": OF_PUNE,
    "series": "CED",
    "footer": "To be paid within 7 days.",
    "discount_limit_percent": "15",
    "discount_cap_percent": "60",
    "refund_limit": "2500",
    "takes_online": "on",
}


@pytest.fixture
def medicine(in_cedar: Hospital) -> TaxCategory:
    return TaxCategory.objects.get(key="medicine")


def in_days(days: int) -> date:
    return localdate() + timedelta(days=days)


# --- GSTIN -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [OF_PUNE, "29AAGCB7383J1Z4"])
def test_a_gstin_is_known_by_its_check_digit(number: str) -> None:
    assert gstin.is_real(number)


def test_any_slip_in_a_gstin_is_noticed() -> None:
    for place, typed in enumerate(OF_PUNE):
        for other in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".replace(typed, ""):
            assert not gstin.is_real(OF_PUNE[:place] + other + OF_PUNE[place + 1 :])


@pytest.mark.parametrize("number", ["", "27", OF_PUNE.lower(), f"{OF_PUNE} ", OF_PUNE + "1"])
def test_what_has_another_form_is_no_gstin(number: str) -> None:
    assert not gstin.is_real(number)


# --- The rules -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [BILLS, TAXES, f"{TAXES}add/"])
def test_only_the_admin_opens_the_rules(
    cedar_site: Client, cedar_hari: Client, cedar_kiran: Client, asha: User, join_cedar: Callable[[User, str], Staff],
    address: str,
) -> None:  # fmt: skip
    join_cedar(asha, "billing_clerk")
    assert cedar_site.get(address)["Location"] == f"/sign-in/?next={address}"
    assert cedar_kiran.get(address).status_code == 403
    assert browser("cedar.localhost", asha).get(address).status_code == 403
    assert cedar_hari.get(address).status_code == 200


def test_the_rules_are_saved_and_recorded(cedar_hari: Client, in_cedar: Hospital) -> None:
    page = cedar_hari.post(BILLS, RULES | {"gstin": "27 aapfu 0939f1zv"}, follow=True)
    assert b"Your billing rules are saved." in page.content
    with schema_context(in_cedar.schema_name):
        saved = BillingRules.objects.get()
        assert (saved.gstin, saved.series, saved.discount_cap_percent) == (OF_PUNE, "CED", 60)
        row = AuditLog.objects.filter(action=Action.SETTINGS_CHANGED).get()
        details = {one.label: (one.before, one.after) for one in entry(row).details}
    assert details["GSTIN"] == ("None", OF_PUNE)
    assert details["Largest refund without approval"] == ("₹2,000", "₹2,500")
    assert "Patients pay online" not in details


def test_the_next_bill_says_who_it_is_from(in_cedar: Hospital, hari: User, bill: Callable[..., Invoice]) -> None:
    first = bill()
    rules.change(
        hospital=in_cedar, by=hari, legal_name="Cedar Healthcare", gstin=OF_PUNE, series="CED", footer="Thank you"
    )

    second = bill()

    assert (first.reference[:4], first.seller_gstin) == ("INV/", "")
    assert (second.reference[:4], second.seller_gstin) == ("CED/", OF_PUNE)
    assert second.seller_name == "Cedar Healthcare"
    assert second.number == (first.number or 0) + 1
    assert "Thank you" in documents.bill(hospital=in_cedar, invoice=second).remarks


def test_an_issued_bill_keeps_its_foot(in_cedar: Hospital, hari: User, bill: Callable[..., Invoice]) -> None:
    rules.change(hospital=in_cedar, by=hari, footer="Thank you")
    invoice = bill()
    rules.change(hospital=in_cedar, by=hari, footer="Come again")
    assert "Thank you" in documents.bill(hospital=in_cedar, invoice=invoice).remarks


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("gstin", OF_PUNE[:-1] + "W", "look for a slip"),
        ("gstin", "29AAGCB7383J1Z4", "not from Maharashtra"),
        ("series", "CN", "Choose other letters"),
        ("series", "RCT", "Choose other letters"),
        ("series", "A1", "1 to 3 letters"),
        ("discount_limit_percent", "61", "more than the largest discount"),
        ("discount_cap_percent", "101", "from 0 to 100"),
        ("refund_limit", "-1", ""),
        ("refund_limit", "much", "Enter an amount"),
    ],
)
def test_a_fault_is_said_at_its_field_and_the_rest_is_kept(
    cedar_hari: Client, field: str, typed: str, words: str
) -> None:
    page = cedar_hari.post(BILLS, RULES | {field: typed})
    assert page.status_code in (409, 422)
    form = page.context["form"]
    assert list(form.errors) == [field]
    assert words in form.errors[field][0]
    assert form["legal_name"].value() == RULES["legal_name"]


@pytest.mark.parametrize("columns", [{"series": "CN"}, {"series": "inv"}, {"discount_limit_percent": 90}])
def test_postgres_keeps_the_rules_sane(in_cedar: Hospital, columns: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        BillingRules.objects.update(**columns)


def test_looking_at_the_rules_and_saving_them_is_recorded(cedar_hari: Client, in_cedar: Hospital) -> None:
    shown = cedar_hari.get(BILLS).context["form"]
    same = {name: shown[name].value() for name in RULES if name != "takes_online"}
    cedar_hari.post(BILLS, same | {"takes_online": "on"})
    with schema_context(in_cedar.schema_name):
        assert AuditLog.objects.filter(action=Action.BILLING_RULES_CHECKED).count() == 1
        assert not AuditLog.objects.filter(action=Action.SETTINGS_CHANGED).exists()


def test_the_checklist_and_the_settings_lead_to_payments(cedar_hari: Client, in_cedar: Hospital, hari: User) -> None:
    def state(address: str, where: str, title: str) -> bool:
        steps = cedar_hari.get(address).context[where]
        return next(bool(step.done) for step in steps if step.title == title)

    assert not state("/start/", "steps", "Set up payments")
    assert not state("/office/settings/", "sections", "Billing")
    with schema_context(in_cedar.schema_name):
        rules.change(hospital=in_cedar, by=hari, footer="Thank you")
    assert state("/start/", "steps", "Set up payments")
    assert state("/office/settings/", "sections", "Billing")


def test_the_api_reads_and_changes_the_rules(cedar_hari: Client) -> None:
    body = RULES | {"takes_online": False, "refund_limit": "2500.50"}
    answer = cedar_hari.put(API, body, **JSON)
    assert answer.status_code == 200
    assert answer.json() == RULES | {
        "discount_limit_percent": 15, "discount_cap_percent": 60, "refund_limit": "2500.50", "takes_online": False,
        "may": ["change"],
    }  # fmt: skip
    assert cedar_hari.get(API).json()["series"] == "CED"


def test_the_api_refuses_what_the_page_refuses(cedar_hari: Client, cedar_kiran: Client) -> None:
    assert cedar_kiran.get(API).status_code == 403
    answer = cedar_hari.put(API, RULES | {"gstin": "29AAGCB7383J1Z4"}, **JSON)
    assert (answer.status_code, answer.json()["field"]) == (422, "gstin")


# --- Taxes -----------------------------------------------------------------------------------------------------------


def test_a_rate_counts_from_its_day_on(
    in_cedar: Hospital, hari: User, medicine: TaxCategory, draft: Callable[..., Invoice]
) -> None:
    rules.add_rate(hospital=in_cedar, category=medicine, percent=Decimal(12), valid_from=in_days(3), by=hari, now=now())

    assert draft(Charge("Syrup", Decimal(100), category="medicine")).amounts.tax == 5
    later: Any = TaxCategory.objects.with_rate(in_days(3)).get(pk=medicine.pk)
    assert later.percent == 12


def test_an_added_category_can_be_billed(in_cedar: Hospital, hari: User, draft: Callable[..., Invoice]) -> None:
    added = rules.add_category(
        hospital=in_cedar, name="Parking", hsn_sac="996743", percent=Decimal(18), valid_from=in_days(0), by=hari,
        now=now(),
    )  # fmt: skip

    invoice = draft(Charge("One day", Decimal(50), category=added.key))

    assert (invoice.total, invoice.lines.get().hsn_sac) == (Decimal(59), "996743")


def test_a_day_that_is_over_keeps_its_rate(in_cedar: Hospital, hari: User, medicine: TaxCategory) -> None:
    with pytest.raises(Invalid, match="today or a later day"):
        rules.add_rate(
            hospital=in_cedar, category=medicine, percent=Decimal(12), valid_from=in_days(-1), by=hari, now=now()
        )


def test_there_is_one_rate_from_a_day(in_cedar: Hospital, hari: User, medicine: TaxCategory) -> None:
    asked: Any = {"hospital": in_cedar, "category": medicine, "valid_from": in_days(3), "by": hari, "now": now()}
    rules.add_rate(percent=Decimal(12), **asked)
    with pytest.raises(Conflict):
        rules.add_rate(percent=Decimal(18), **asked)


def test_names_of_categories_are_told_apart(in_cedar: Hospital, hari: User) -> None:
    asked: Any = {"hospital": in_cedar, "hsn_sac": "9997", "percent": Decimal(5), "by": hari, "now": now()}
    rules.add_category(name="Parking", valid_from=in_days(0), **asked)
    rules.add_category(name="दवाई", valid_from=in_days(0), **asked)
    with pytest.raises(Conflict):
        rules.add_category(name=" PARKING", valid_from=in_days(0), **asked)


def test_a_rate_to_come_can_be_taken_back(in_cedar: Hospital, hari: User, medicine: TaxCategory) -> None:
    rate = rules.add_rate(
        hospital=in_cedar, category=medicine, percent=Decimal(12), valid_from=in_days(1), by=hari, now=now()
    )

    rules.remove_rate(hospital=in_cedar, rate=rate, by=hari, now=now())

    assert not TaxRate.objects.filter(code=rate.code).exists()
    assert AuditLog.objects.filter(action=Action.TAX_RATE_REMOVED).get().thing == str(rate)


def test_a_rate_that_bills_carry_stays(
    in_cedar: Hospital, hari: User, medicine: TaxCategory, draft: Callable[..., Invoice]
) -> None:
    rate = rules.add_rate(
        hospital=in_cedar, category=medicine, percent=Decimal(12), valid_from=in_days(0), by=hari, now=now()
    )
    [today, *_older] = rules.rates_of(hospital=in_cedar, category=medicine, now=now())
    assert (today.rate, today.is_current, today.is_removable) == (rate, True, True)
    draft(Charge("Syrup", Decimal(100), category="medicine"))

    with pytest.raises(NotAllowedNow):
        rules.remove_rate(hospital=in_cedar, rate=rate, by=hari, now=now())
    with pytest.raises(NotAllowedNow):
        rules.remove_rate(hospital=in_cedar, rate=medicine.rates.earliest("valid_from"), by=hari, now=now())


def test_a_category_keeps_one_rate(in_cedar: Hospital, hari: User) -> None:
    added = rules.add_category(
        hospital=in_cedar, name="Parking", hsn_sac="9967", percent=Decimal(18), valid_from=in_days(5), by=hari,
        now=now(),
    )  # fmt: skip
    with pytest.raises(NotAllowedNow, match="only rate"):
        rules.remove_rate(hospital=in_cedar, rate=added.rates.get(), by=hari, now=now())


def test_taxes_are_kept_by_pages(cedar_hari: Client, in_cedar: Hospital, medicine: TaxCategory) -> None:
    day = in_days(10)
    page = cedar_hari.post(f"{TAXES}{medicine.code}/add/", {"percent": "12", "valid_from": f"{day}"}, follow=True)
    assert "Planned" in page.content.decode()
    with schema_context(in_cedar.schema_name):
        rate = TaxRate.objects.get(valid_from=day)
    assert cedar_hari.post(f"{TAXES}rates/{rate.code}/remove/").status_code == 302
    said = {"name": "Parking", "hsn_sac": "996743", "percent": "18", "valid_from": f"{day}"}
    assert "Parking" in cedar_hari.post(f"{TAXES}add/", said, follow=True).content.decode()
    refused = cedar_hari.post(f"{TAXES}add/", said | {"hsn_sac": "12"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["hsn_sac"])


def test_taxes_are_kept_by_the_api(cedar_hari: Client, cedar_kiran: Client) -> None:
    day = f"{in_days(10)}"
    assert cedar_kiran.get(RATES).status_code == 403
    said = {"name": "Parking", "hsn_sac": "996743", "percent": 18, "valid_from": day}
    assert cedar_hari.post(RATES, said, **JSON).status_code == 201
    found = next(one for one in cedar_hari.get(RATES).json() if one["name"] == "Parking")
    [rate] = found["rates"]
    assert (rate["percent"], rate["is_current"], rate["may"]) == ("18.00", False, [])
    more = {"percent": "28", "valid_from": f"{in_days(20)}"}
    answer = cedar_hari.post(f"{RATES}categories/{found['id']}/", more, **JSON)
    assert answer.status_code == 201
    [newest, _first] = next(one for one in answer.json() if one["name"] == "Parking")["rates"]
    assert newest["may"] == ["remove"]
    assert cedar_kiran.delete(f"{RATES}{newest['id']}/").status_code == 403
    assert cedar_hari.delete(f"{RATES}{newest['id']}/").status_code == 204
    assert cedar_hari.delete(f"{RATES}{newest['id']}/").status_code == 404


def test_another_hospital_keeps_its_own_taxes(
    cedar_hari: Client, kiran: User, lotus: Hospital, medicine: TaxCategory
) -> None:
    site = browser("lotus.localhost", kiran)
    said = {"percent": "12", "valid_from": f"{in_days(1)}"}
    assert site.post(f"{TAXES}{medicine.code}/add/", said).status_code == 404
    assert site.post(f"{RATES}categories/{medicine.code}/", said, **JSON).status_code == 404


def test_the_page_of_taxes_asks_little(
    cedar_hari: Client, in_cedar: Hospital, hari: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(15):
        rules.add_category(
            hospital=in_cedar, name=f"Kind {number}", hsn_sac="9997", percent=Decimal(5), valid_from=in_days(1),
            by=hari, now=now(),
        )  # fmt: skip
    with django_assert_max_num_queries(12):
        assert cedar_hari.get(TAXES).status_code == 200


def test_drafts_of_an_older_cap_take_no_promo_below_nothing(
    in_cedar: Hospital, hari: User, draft: Callable[..., Invoice]
) -> None:
    promos.add(word="TEN", by=hari, percent=10, amount=None, first_date=in_days(0), minimum=Decimal())
    invoice = draft(Charge("A", Decimal(100), discount=Decimal(80)), Charge("B", Decimal(100)))
    rules.change(hospital=in_cedar, by=hari, discount_cap_percent=50)

    invoices.use_promo(hospital=in_cedar, invoice=invoice, word="TEN", by=hari, now=now())

    assert [line.promo_discount for line in invoice.lines.order_by("position")] == [0, 20]
