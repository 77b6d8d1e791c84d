"""The hospital's rules of money: who it is on its bills, what its people may do alone, and how things are taxed."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing import gstin as gst
from billing.models import BillingRules, InvoiceLine, Series, TaxCategory, TaxRate
from billing.services.invoices import today_at
from core.codes import new_code
from core.errors import Conflict, Invalid, NotAllowedNow
from core.text import one_line
from tenants.models import Hospital
from tenants.states import State


@dataclass(frozen=True)
class Dated:
    """A rate of tax and how it stands today."""

    rate: TaxRate
    is_current: bool
    is_planned: bool
    is_removable: bool


def change(*, hospital: Hospital, by: User, **new: Any) -> None:
    """Change the rules. Bills that are issued keep what they say, and drafts what they were reckoned under.

    Raises Invalid for a GSTIN that is none or belongs to another state, and for letters that other papers carry.
    """
    rules = BillingRules.objects.get()
    new = {name: one_line(value) if isinstance(value, str) else value for name, value in new.items()}
    wanted = {name: new.get(name, getattr(rules, name)) for name in ("gstin", "series")}
    _require_own_gstin(wanted["gstin"], hospital)
    if wanted["series"] in (Series.CREDIT_NOTE, Series.RECEIPT):
        raise Invalid(_("Credit notes and receipts carry CN and RCT. Choose other letters for bills."), field="series")
    limit = new.get("discount_limit_percent", rules.discount_limit_percent)
    if limit > new.get("discount_cap_percent", rules.discount_cap_percent):
        raise Invalid(
            _("Without approval nobody can give more than the largest discount. Lower this, or raise that."),
            field="discount_limit_percent",
        )
    changes = audit.changes(rules, new)
    with transaction.atomic():
        if changes:
            BillingRules.objects.filter(pk=rules.pk).update(**new)
            audit.record(action=Action.SETTINGS_CHANGED, target=rules, by=by, data=changes)
        else:  # saved as they were: somebody has looked, which the set-up checklist asks for
            audit.record(action=Action.BILLING_RULES_CHECKED, target=rules, by=by)


def _require_own_gstin(gstin: str, hospital: Hospital) -> None:
    if not gstin:
        return
    if not gst.is_real(gstin):
        raise Invalid(
            _("This is not a GSTIN. It has 15 characters, like 27AAPFU0939F1ZV; look for a slip in typing."),
            field="gstin",
        )
    if gst.state_of(gstin) != hospital.state:
        sentence = _("This GSTIN is not from %(state)s, where your hospital is. Enter the one of that state.")
        raise Invalid(sentence % {"state": State(hospital.state).label}, field="gstin")


# --- Taxes -----------------------------------------------------------------------------------------------------------


def add_category(
    *, hospital: Hospital, name: str, hsn_sac: str, percent: Decimal, valid_from: date, by: User, now: datetime
) -> TaxCategory:
    """Add a kind of goods or services with its first rate. Raises Conflict at the name when there is one of that name."""
    _require_to_come(hospital, valid_from, now)
    name = one_line(name)
    # One name, one key: the database refuses a second one.
    key = slugify(name, allow_unicode=True)[:40] or new_code().hex
    try:
        with transaction.atomic():
            category = TaxCategory.objects.create(key=key, name=name, hsn_sac=hsn_sac)
            TaxRate.objects.create(category=category, percent=percent, valid_from=valid_from)
            data = {"hsn_sac": hsn_sac, "percent": str(percent), "valid_from": str(valid_from)}
            audit.record(action=Action.TAX_CATEGORY_ADDED, target=category, by=by, data=data)
    except IntegrityError:
        raise Conflict(_("There is a category of this name already."), field="name") from None
    return category


def add_rate(
    *, hospital: Hospital, category: TaxCategory, percent: Decimal, valid_from: date, by: User, now: datetime
) -> TaxRate:
    """Tax a category otherwise from today or a later day on. Raises Invalid for a day that is over, and Conflict."""
    _require_to_come(hospital, valid_from, now)
    try:
        with transaction.atomic():
            rate = TaxRate.objects.create(category=category, percent=percent, valid_from=valid_from)
            audit.record(action=Action.TAX_RATE_ADDED, target=rate, by=by)
    except IntegrityError:
        raise Conflict(
            _("This category has a rate from that day already. Remove it first, or choose another day."),
            field="valid_from",
        ) from None
    return rate


def remove_rate(*, hospital: Hospital, rate: TaxRate, by: User, now: datetime) -> None:
    """Take a rate back under which nothing was billed. Raises NotAllowedNow for one that counts, and for the only one."""
    if not _is_unused(hospital, rate, now):
        raise NotAllowedNow(_("Bills carry this rate. Add another one from a later day instead."))
    if not TaxRate.objects.filter(category=rate.category_id).exclude(pk=rate.pk).exists():
        raise NotAllowedNow(_("This is the category’s only rate. Add the right one first."))
    with transaction.atomic():
        audit.record(action=Action.TAX_RATE_REMOVED, target=rate, by=by)
        TaxRate.objects.filter(pk=rate.pk).delete()


def rates_of(*, hospital: Hospital, category: TaxCategory, now: datetime) -> list[Dated]:
    """The category's rates, the newest first, each with how it stands. They are read beforehand."""
    rates = sorted(category.rates.all(), key=lambda rate: rate.valid_from, reverse=True)
    today = today_at(hospital, now)
    current = next((rate for rate in rates if rate.valid_from <= today), None)
    return [
        Dated(
            rate=rate,
            is_current=rate is current,
            is_planned=rate.valid_from > today,
            is_removable=len(rates) > 1 and _is_unused(hospital, rate, now),
        )
        for rate in rates
    ]


def _is_unused(hospital: Hospital, rate: TaxRate, now: datetime) -> bool:
    """Whether nothing was billed under it: it counts from a day to come, or from today and no line was written yet."""
    today = today_at(hospital, now)
    if rate.valid_from != today:
        return rate.valid_from > today
    midnight = datetime.combine(today, time.min, ZoneInfo(hospital.time_zone))
    written = InvoiceLine.objects.filter(hsn_sac=rate.category.hsn_sac, tax_percent=rate.percent)
    return not written.filter(invoice__created_at__gte=midnight).exists()


def _require_to_come(hospital: Hospital, day: date, now: datetime) -> None:
    if day < today_at(hospital, now):
        raise Invalid(_("Choose today or a later day: bills of earlier days keep their rate."), field="valid_from")
