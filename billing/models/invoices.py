"""Invoices and their lines."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Case, F, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.permissions import ROLES, Permission, Role
from billing.maths import Amounts
from billing.models.ledger import Account, Kind, Posting
from core.codes import new_code
from hospitals.models import Department, Doctor
from patients.models import Patient
from tenants.states import State


class Status(models.TextChoices):
    """Where an invoice stands. A draft has no number yet and may still change."""

    DRAFT = "draft", _("Draft")
    UNPAID = "unpaid", _("Unpaid")
    PARTIALLY_PAID = "partially_paid", _("Partly paid")
    PAID = "paid", _("Paid")
    CANCELLED = "cancelled", _("Cancelled")
    PARTIALLY_REFUNDED = "partially_refunded", _("Partly refunded")
    REFUNDED = "refunded", _("Refunded")


_CODE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
OWING: list[str] = [Status.UNPAID, Status.PARTIALLY_PAID, Status.PARTIALLY_REFUNDED, Status.REFUNDED]
_ISSUED: list[str] = [status for status in Status if status not in (Status.DRAFT, Status.CANCELLED)]
# What an issued invoice's status is follows from the ledger, so that any may follow any; a draft is issued or dropped.
TRANSITIONS: dict[str, set[str]] = {
    Status.DRAFT: {Status.UNPAID, Status.CANCELLED},
    **{status: {*_ISSUED, str(Status.CANCELLED)} - {status} for status in _ISSUED},
    # Money that arrives for a cancelled invoice goes back, and is seen to.
    Status.CANCELLED: {Status.REFUNDED, Status.PARTIALLY_REFUNDED},
}


class About(models.TextChoices):
    """What an invoice is for. The thing itself lives in a room above, and is named by its code."""

    VISIT = "appointment", _("Visit")
    ORDER = "pharmacy_order", _("Pharmacy order")
    OTHER = "other", _("Other")


@dataclass(frozen=True)
class Sums:
    """What many bills come to together."""

    billed: Decimal
    credited: Decimal
    owed: Decimal


def _on_receivable(kinds: Sequence[Kind] = ()) -> Coalesce:
    """Debits less credits of a bill on what patients owe, of these kinds of entries or of all."""
    mine = Posting.objects.filter(account=Account.RECEIVABLE, entry__invoice=OuterRef("pk"))
    if kinds:
        mine = mine.filter(entry__kind__in=kinds)
    total = mine.order_by().values("entry__invoice").annotate(left=Sum(F("debit") - F("credit"))).values("left")
    return Coalesce(Subquery(total), Decimal())


class Invoices(models.QuerySet["Invoice"]):
    """Finding invoices."""

    def visible_to(self, user: User, role: Role | None) -> Self:
        """One's own and one's family's that were issued; and all, for who works with bills here."""
        if role is not None and Permission.INVOICE_VIEW in ROLES[role]:
            return self
        return self.own(user)

    def own(self, user: User) -> Self:
        """The person's and their family's; a draft is nobody's bill yet."""
        return self.filter(patient__user=user).exclude(number=None)

    def payable_by(self, user: User) -> Self:
        """What the person may be asked to pay: their own bills, and drafts of what they have booked or ordered."""
        booked = Q(status=Status.DRAFT, about_code__isnull=False)
        return self.filter(Q(number__isnull=False) | booked, patient__user=user)

    def about(self, about: About, code: object) -> Self:
        """The one that bills this thing and was not cancelled."""
        return self.filter(about=about, about_code=code).exclude(status=Status.CANCELLED)

    def issued(self) -> Self:
        """Those with a number, whatever became of them."""
        return self.exclude(number=None)

    def outstanding(self) -> Self:
        """Those on which something is owed; after a refund that may be the rest of the bill."""
        return self.filter(status__in=OWING).alias(left=_on_receivable()).filter(left__gt=0)

    def awaiting_approval(self) -> Self:
        """Drafts whose discount somebody must decide about."""
        return self.filter(status=Status.DRAFT, discount_approved_at=None, lines__needs_approval=True).distinct()

    def with_owed(self) -> Self:
        """Each with `owed`, what is still to be paid, by the ledger; less than nothing where the hospital owes."""
        return self.annotate(owed=_on_receivable())

    def with_books(self) -> Self:
        """Each with what the ledger says of it: `owed`, `paid` (refunds not taken off), `refunded` and `credited`."""
        return self.with_owed().annotate(
            paid=-_on_receivable([Kind.RECEIVED, Kind.APPLIED, Kind.INSURED]),
            refunded=_on_receivable([Kind.REFUND_DUE, Kind.REFUND_FAILED]),
            credited=-_on_receivable([Kind.CREDITED]),
        )

    def with_people(self) -> Self:
        """With what a list shows of each."""
        return self.select_related("patient", "doctor__user", "department")

    def dated(self, first: date | None, last: date | None, midnight: Callable[[date], datetime]) -> Self:
        """Those of these days, both included; a draft has no date yet and goes by the day it was begun."""
        rows = self
        if first:
            rows = rows.filter(Q(issue_date__gte=first) | Q(issue_date=None, created_at__gte=midnight(first)))
        if last and last < date.max:
            after = midnight(last + timedelta(days=1))
            rows = rows.filter(Q(issue_date__lte=last) | Q(issue_date=None, created_at__lt=after))
        return rows

    def sums(self) -> "Sums":
        """What the issued ones among them come to, what of it was taken back, and what is still owed."""
        mine = self.issued().order_by().values("pk")
        billed = Invoice.objects.filter(pk__in=mine).aggregate(sum=Sum("total"))["sum"]
        credited = Invoice.objects.filter(pk__in=mine).aggregate(sum=Sum("credit_notes__total"))["sum"]
        owing = Invoice.objects.filter(pk__in=mine).outstanding().values("pk")
        owed = Posting.objects.filter(entry__invoice__in=owing).on(Account.RECEIVABLE).balance()
        return Sums(billed=billed or Decimal(), credited=credited or Decimal(), owed=owed)

    def matching(self, words: str) -> Self:
        """The invoice with this number, or those of patients with each word in their name, number or telephone."""
        if not words:
            return self
        patients = Patient.objects.matching(words)
        return self.filter(Q(reference__iexact=words.strip()) | Q(patient__in=patients))

    def named(self, words: str) -> Self:
        """The one with this number, or whose page this is the address of: its QR code holds that."""
        code = _CODE.search(words)
        return self.filter(code=code[0]) if code else self.filter(reference__iexact=words.strip())

    def to_take_money_for(self) -> Self:
        """Those on which something is owed, and drafts: the desk issues them when they are paid."""
        is_owed = Q(status__in=OWING, left__gt=0)
        return self.alias(left=_on_receivable()).filter(is_owed | Q(status=Status.DRAFT, total__gt=0))

    def to_pay_first(self) -> Self:
        """Those on which something is owed, then the others; in each the newest first."""
        is_open = Q(status__in=[Status.UNPAID, Status.PARTIALLY_PAID])
        return self.order_by(Case(When(is_open, then=0), default=1), "-created_at", "-pk")

    def newest_first(self) -> Self:
        """By time of writing."""
        return self.order_by("-created_at", "-pk")

    def locked(self) -> Self:
        """For the length of the transaction, in one order so that two do not wait for each other."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class Invoice(models.Model):
    """A bill (FHIR Invoice). As soon as it has a number nothing on it changes any more: credit notes correct it.

    Whom it is from and to is written out when it is issued, so that it reads the same years later. What is owed and was
    paid stands in the ledger, not here. `about_code` is the visit or order it bills.
    """

    Status = Status
    TRANSITIONS: ClassVar[dict[str, set[str]]] = TRANSITIONS

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=Status.choices, default=Status.DRAFT)
    financial_year = models.CharField(_("financial year"), max_length=5, blank=True)
    number = models.PositiveIntegerField(_("number"), null=True)
    reference = models.CharField(_("bill number"), max_length=16, blank=True)
    about = models.CharField(_("for"), max_length=20, choices=About.choices, default=About.OTHER)
    about_code = models.UUIDField(_("code of what it is for"), null=True)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="invoices")
    doctor = models.ForeignKey(Doctor, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    department = models.ForeignKey(Department, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    bill_to = models.CharField(_("bill to"), max_length=200)
    bill_to_address = models.TextField(_("address"), max_length=400, blank=True)
    bill_to_gstin = models.CharField(_("GSTIN of the payer"), max_length=15, blank=True)
    place_of_supply = models.CharField(_("place of supply"), max_length=2, choices=State.choices)
    seller_name = models.CharField(_("from"), max_length=160, blank=True)
    seller_address = models.TextField(_("address of the hospital"), max_length=600, blank=True)
    seller_state = models.CharField(_("state of the hospital"), max_length=2, choices=State.choices)
    seller_gstin = models.CharField(_("GSTIN"), max_length=15, blank=True)
    seller_footer = models.CharField(_("line at the foot"), max_length=300, blank=True)
    gross = models.DecimalField(_("before discount"), max_digits=12, decimal_places=2, default=0)
    discount = models.DecimalField(_("discount"), max_digits=12, decimal_places=2, default=0)
    cgst = models.DecimalField(_("CGST"), max_digits=12, decimal_places=2, default=0)
    sgst = models.DecimalField(_("SGST"), max_digits=12, decimal_places=2, default=0)
    igst = models.DecimalField(_("IGST"), max_digits=12, decimal_places=2, default=0)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2, default=0)
    promo_code = models.ForeignKey(
        "billing.PromoCode", null=True, on_delete=models.PROTECT, related_name="invoices", db_index=False
    )
    discount_reason = models.CharField(_("reason for the discount"), max_length=200, blank=True)
    discount_approved_at = models.DateTimeField(_("discount approved"), null=True)
    discount_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    note = models.CharField(_("note"), max_length=300, blank=True)
    issue_date = models.DateField(_("date"), null=True)
    issued_at = models.DateTimeField(_("issued"), null=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    idempotency_key = models.CharField(_("idempotency key"), max_length=80, blank=True)

    objects = Invoices.as_manager()

    class Meta:
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        constraints = [
            models.UniqueConstraint(
                fields=["financial_year", "number"], condition=Q(number__isnull=False), name="one_invoice_per_number"
            ),
            models.UniqueConstraint(
                fields=["about", "about_code"],
                condition=Q(about_code__isnull=False) & ~Q(status="cancelled"),
                name="one_invoice_per_thing",
            ),
            models.UniqueConstraint(
                fields=["created_by", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="one_invoice_per_idempotency_key",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="invoice_status_known"),
            models.CheckConstraint(
                condition=Q(total=F("gross") - F("discount") + F("cgst") + F("sgst") + F("igst")),
                name="invoice_total_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=F("gross"), total__gte=0), name="invoice_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=True, status__in=["draft", "cancelled"])
                | Q(number__isnull=False, issue_date__isnull=False) & ~Q(reference="") & ~Q(status="draft"),
                name="invoice_has_number_when_issued",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="invoice_by_time"),
            models.Index(fields=["status"], name="invoice_by_status"),
            models.Index(fields=["issue_date"], name="invoice_by_date"),
            models.Index(fields=["reference"], name="invoice_by_reference"),
        ]

    def __str__(self) -> str:
        return self.reference or str(_("Draft"))

    @property
    def amounts(self) -> Amounts:
        """Its sums."""
        return Amounts(self.gross, self.discount, self.cgst, self.sgst, self.igst)

    @property
    def is_draft(self) -> bool:
        """Whether it may still change."""
        return self.status == Status.DRAFT

    @property
    def is_interstate(self) -> bool:
        """Whether IGST is due in place of CGST and SGST."""
        return self.place_of_supply != self.seller_state


class InvoiceLine(models.Model):
    """One thing that is billed, with the tax of its day. Frozen as soon as the invoice has a number."""

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveSmallIntegerField(_("position"))
    description = models.CharField(_("what"), max_length=200)
    hsn_sac = models.CharField(_("HSN or SAC code"), max_length=8)
    quantity = models.DecimalField(_("quantity"), max_digits=9, decimal_places=3, default=1)
    unit_price = models.DecimalField(_("price of one"), max_digits=10, decimal_places=2)
    # What the clerk took off, and what a promo code took off besides.
    own_discount = models.DecimalField(_("discount by hand"), max_digits=12, decimal_places=2, default=0)
    promo_discount = models.DecimalField(_("discount by a promo code"), max_digits=12, decimal_places=2, default=0)
    needs_approval = models.BooleanField(_("discount is above the limit"), default=False)
    tax_percent = models.DecimalField(_("GST in percent"), max_digits=5, decimal_places=2)
    gross = models.DecimalField(_("before discount"), max_digits=12, decimal_places=2)
    cgst = models.DecimalField(_("CGST"), max_digits=12, decimal_places=2)
    sgst = models.DecimalField(_("SGST"), max_digits=12, decimal_places=2)
    igst = models.DecimalField(_("IGST"), max_digits=12, decimal_places=2)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = _("line of a bill")
        verbose_name_plural = _("lines of a bill")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="one_line_per_position"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, unit_price__gte=0, own_discount__gte=0, promo_discount__gte=0),
                name="invoice_line_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(gross__gte=F("own_discount") + F("promo_discount")), name="invoice_line_discount_fits"
            ),
            models.CheckConstraint(
                condition=Q(
                    total=F("gross") - F("own_discount") - F("promo_discount") + F("cgst") + F("sgst") + F("igst")
                ),
                name="invoice_line_total_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return self.description

    @property
    def discount(self) -> Decimal:
        """All that was taken off."""
        return self.own_discount + self.promo_discount

    @property
    def amounts(self) -> Amounts:
        """What it comes to."""
        return Amounts(self.gross, self.discount, self.cgst, self.sgst, self.igst)
