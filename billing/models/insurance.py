"""Insurers that pay for a patient: the cover, the pre-authorisation and the claim (FHIR Coverage, Claim)."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from billing.models.invoices import Invoice
from core.codes import new_code
from patients.models import Patient


class ClaimStatus(models.TextChoices):
    """Where a claim stands."""

    NOTED = "noted", _("Cover noted")
    PREAUTH_ASKED = "preauth_asked", _("Pre-authorisation asked for")
    PREAUTH_GIVEN = "preauth_given", _("Pre-authorised")
    PREAUTH_REFUSED = "preauth_refused", _("Pre-authorisation refused")
    SUBMITTED = "submitted", _("Claim sent")
    APPROVED = "approved", _("Claim approved")
    REJECTED = "rejected", _("Claim rejected")
    SETTLED = "settled", _("Settled")


class InsuranceClaims(models.QuerySet["InsuranceClaim"]):
    """Finding claims."""

    def open(self) -> Self:
        """Those that are not decided and paid yet."""
        return self.exclude(status__in=[ClaimStatus.REJECTED, ClaimStatus.SETTLED, ClaimStatus.PREAUTH_REFUSED])

    def matching(self, words: str) -> Self:
        """Those with this number of the policy, the claim or the bill, of this insurer, or of patients who match."""
        asked = words.strip()
        if not asked:
            return self
        numbers = [f"{name}__iexact" for name in ("policy_number", "claim_number", "preauth_number")]
        found = Q(payer__icontains=asked) | Q(invoice__reference__iexact=asked)
        for number in numbers:
            found |= Q(**{number: asked})
        return self.filter(found | Q(invoice__patient__in=Patient.objects.matching(words)))

    def newest_first(self) -> Self:
        """By time of writing."""
        return self.order_by("-created_at", "-pk")

    def oldest_first(self) -> Self:
        """Who has waited longest stands first."""
        return self.order_by("created_at", "pk")

    def with_bills(self) -> Self:
        """With what a list shows of each."""
        return self.select_related("invoice__patient")


class InsuranceClaim(models.Model):
    """What an insurer is asked to pay of an invoice. What it approves moves from the patient's debt to the insurer's."""

    Status = ClaimStatus
    TRANSITIONS: ClassVar[dict[str, set[str]]] = {
        ClaimStatus.NOTED: {ClaimStatus.PREAUTH_ASKED, ClaimStatus.SUBMITTED},
        ClaimStatus.PREAUTH_ASKED: {ClaimStatus.PREAUTH_GIVEN, ClaimStatus.PREAUTH_REFUSED},
        ClaimStatus.PREAUTH_GIVEN: {ClaimStatus.SUBMITTED},
        ClaimStatus.PREAUTH_REFUSED: {ClaimStatus.SUBMITTED},
        ClaimStatus.SUBMITTED: {ClaimStatus.APPROVED, ClaimStatus.REJECTED},
        ClaimStatus.REJECTED: {ClaimStatus.SUBMITTED},  # sent again
        ClaimStatus.APPROVED: {ClaimStatus.SETTLED},
        ClaimStatus.SETTLED: set(),
    }

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=20, choices=ClaimStatus.choices, default=ClaimStatus.NOTED)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="claim")
    payer = models.CharField(_("insurer"), max_length=120)
    policy_number = models.CharField(_("policy number"), max_length=60)
    member_id = models.CharField(_("member number"), max_length=60, blank=True)
    preauth_number = models.CharField(_("pre-authorisation number"), max_length=60, blank=True)
    claim_number = models.CharField(_("claim number"), max_length=60, blank=True)
    amount = models.DecimalField(_("claimed"), max_digits=12, decimal_places=2)
    amount_approved = models.DecimalField(_("approved"), max_digits=12, decimal_places=2, null=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("written"), default=timezone.now)

    objects = InsuranceClaims.as_manager()

    class Meta:
        verbose_name = _("insurance claim")
        verbose_name_plural = _("insurance claims")
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ClaimStatus.values), name="insurance_claim_status_known"),
            models.CheckConstraint(
                condition=Q(amount__gt=0)
                & (Q(amount_approved__isnull=True) | Q(amount_approved__gt=0, amount_approved__lte=models.F("amount"))),
                name="insurance_claim_amounts",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["approved", "settled"]) | Q(amount_approved__isnull=False),
                name="insurance_claim_approved_has_amount",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "-id"], name="insurance_claim_by_time")]

    def __str__(self) -> str:
        return f"{self.payer}, {self.policy_number}"
