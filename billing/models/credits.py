"""Credit notes, which correct invoices that are issued."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.invoices import Invoice, InvoiceLine
from core.codes import new_code


class CreditNote(models.Model):
    """What is taken back of an issued invoice, with the tax on it; never changed, never deleted."""

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    financial_year = models.CharField(_("financial year"), max_length=5)
    number = models.PositiveIntegerField(_("number"))
    reference = models.CharField(_("number of the credit note"), max_length=16)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    reason = models.CharField(_("reason"), max_length=200)
    taxable = models.DecimalField(_("before tax"), max_digits=12, decimal_places=2)
    cgst = models.DecimalField(_("CGST"), max_digits=12, decimal_places=2)
    sgst = models.DecimalField(_("SGST"), max_digits=12, decimal_places=2)
    igst = models.DecimalField(_("IGST"), max_digits=12, decimal_places=2)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2)
    issue_date = models.DateField(_("date"))
    issued_at = models.DateTimeField(_("issued"), default=timezone.now)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        constraints = [
            models.UniqueConstraint(fields=["financial_year", "number"], name="one_credit_note_per_number"),
            models.CheckConstraint(
                condition=Q(total=F("taxable") + F("cgst") + F("sgst") + F("igst"), total__gt=0),
                name="credit_note_total_adds_up",
            ),
        ]
        indexes = [models.Index(fields=["issue_date"], name="credit_note_by_date")]

    def __str__(self) -> str:
        return self.reference


class CreditNoteLine(models.Model):
    """What a credit note takes back of one line."""

    credit_note = models.ForeignKey(CreditNote, on_delete=models.PROTECT, related_name="lines")
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="credits")
    taxable = models.DecimalField(_("before tax"), max_digits=12, decimal_places=2)
    cgst = models.DecimalField(_("CGST"), max_digits=12, decimal_places=2)
    sgst = models.DecimalField(_("SGST"), max_digits=12, decimal_places=2)
    igst = models.DecimalField(_("IGST"), max_digits=12, decimal_places=2)
    total = models.DecimalField(_("total"), max_digits=12, decimal_places=2)

    class Meta:
        verbose_name = _("line of a credit note")
        verbose_name_plural = _("lines of a credit note")
        constraints = [
            models.CheckConstraint(
                condition=Q(total=F("taxable") + F("cgst") + F("sgst") + F("igst"), total__gt=0),
                name="credit_note_line_adds_up",
            )
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.total}"
