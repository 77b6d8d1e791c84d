"""The hospital's books: double entry, only ever added to. Postgres refuses an entry whose two sides differ."""

from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.codes import new_code


class Account(models.TextChoices):
    """Where money stands. The first seven are what the hospital has or is owed, the next two what it owes, then results."""

    CASH = "cash", _("Cash")
    CARD = "card", _("Card terminal")
    UPI = "upi", _("UPI at the desk")
    GATEWAY = "gateway", _("Razorpay")
    BANK = "bank", _("Bank")
    RECEIVABLE = "receivable", _("Owed by patients")
    INSURANCE = "insurance", _("Owed by insurers")
    ADVANCES = "advances", _("Paid in advance")
    REFUNDS = "refunds", _("Refunds to be paid")
    CGST = "cgst", _("CGST")
    SGST = "sgst", _("SGST")
    IGST = "igst", _("IGST")
    REVENUE = "revenue", _("Revenue")
    GATEWAY_FEES = "gateway_fees", _("Fees of the gateway")
    CASH_DIFFERENCE = "cash_difference", _("Cash over and short")


class Kind(models.TextChoices):
    """What an entry tells of."""

    INVOICED = "invoiced", _("Bill issued")
    CREDITED = "credited", _("Credit note")
    RECEIVED = "received", _("Payment received")
    APPLIED = "applied", _("Payment put towards its bill")
    INSURED = "insured", _("Insurer takes it over")
    INSURER_PAID = "insurer_paid", _("Insurer paid")
    REFUND_DUE = "refund_due", _("Refund granted")
    REFUND_PAID = "refund_paid", _("Refund paid")
    REFUND_FAILED = "refund_failed", _("Refund failed")
    SETTLED = "settled", _("Settled by the gateway")
    COUNTED = "counted", _("Cash counted")


class JournalEntry(models.Model):
    """One thing that happened to money. `source` names it once for ever, so that hearing of it twice changes nothing."""

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    source = models.CharField(_("source"), max_length=120, unique=True)
    happened_at = models.DateTimeField(_("happened"))
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now)
    invoice = models.ForeignKey(
        "billing.Invoice", null=True, on_delete=models.PROTECT, related_name="entries", db_index=False
    )
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        indexes = [
            models.Index(fields=["invoice"], condition=Q(invoice__isnull=False), name="entry_by_invoice"),
            models.Index(fields=["happened_at"], name="entry_by_time"),
        ]

    def __str__(self) -> str:
        return self.source


class Postings(models.QuerySet["Posting"]):
    """Reading the books."""

    def balance(self) -> Decimal:
        """Debits less credits."""
        left: Decimal = self.aggregate(left=Coalesce(Sum(F("debit") - F("credit")), Decimal()))["left"]
        return left

    def on(self, account: Account) -> Self:
        """Those on one account."""
        return self.filter(account=account)


class Posting(models.Model):
    """One side of an entry: a debit or a credit on one account."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="postings")
    account = models.CharField(_("account"), max_length=20, choices=Account.choices)
    debit = models.DecimalField(_("debit"), max_digits=14, decimal_places=2, default=0)
    credit = models.DecimalField(_("credit"), max_digits=14, decimal_places=2, default=0)

    objects = Postings.as_manager()

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        constraints = [
            models.CheckConstraint(
                condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0), name="posting_has_one_side"
            ),
            models.CheckConstraint(condition=Q(account__in=Account.values), name="posting_account_known"),
        ]
        indexes = [models.Index(fields=["account"], name="posting_by_account")]

    def __str__(self) -> str:
        return f"{self.account}: {self.debit - self.credit}"
