"""The audit log of the schema that is active: the platform's in public, a hospital's in its own."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.codes import new_code


class Action(models.TextChoices):
    """Everything that is ever recorded, with the words it is shown in. A status change is `<thing>.<new status>`."""

    HOSPITAL_REGISTERED = "hospital.pending", _("Hospital registered")
    HOSPITAL_EMAIL_CONFIRMED = "hospital.email_confirmed", _("E-mail address confirmed")
    HOSPITAL_APPROVED = "hospital.approved", _("Hospital approved")
    HOSPITAL_REJECTED = "hospital.rejected", _("Hospital rejected")
    HOSPITAL_SUSPENDED = "hospital.suspended", _("Hospital suspended")
    HOSPITAL_CLOSED = "hospital.closed", _("Hospital closed, its data deleted")
    HOSPITAL_OPENED = "hospital.opened", _("Hospital opened")
    HOSPITAL_PAUSED = "hospital.paused", _("Hospital out of service")
    HOSPITAL_UNPAUSED = "hospital.unpaused", _("Hospital in service again")
    HOSPITAL_EXPORTED = "hospital.exported", _("Hospital exported")
    HOSPITAL_RESTORED = "hospital.restored", _("Hospital restored")
    HOSPITAL_MOVED = "hospital.moved", _("Hospital moved to another cell")
    HOSPITAL_DELETION_PLANNED = "hospital.deletion_planned", _("Deletion planned")
    HOSPITAL_DELETION_CALLED_OFF = "hospital.deletion_called_off", _("Deletion called off")
    SETTINGS_CHANGED = "settings.changed", _("Settings changed")
    CONTACT_CHECKED = "settings.contact_checked", _("Contact details checked")
    BOOKING_RULES_CHECKED = "settings.booking_rules_checked", _("Booking rules checked")
    BILLING_RULES_CHECKED = "settings.billing_rules_checked", _("Billing rules checked")
    DOMAIN_CLAIMED = "domain.claimed", _("Own domain added")
    DOMAIN_VERIFIED = "domain.verified", _("Own domain verified")
    DOMAIN_REMOVED = "domain.removed", _("Own domain removed")
    DEPARTMENT_ADDED = "department.added", _("Department added")
    DEPARTMENT_CHANGED = "department.changed", _("Department changed")
    DEPARTMENT_DELETED = "department.deleted", _("Department deleted")
    STAFF_ADDED = "staff.added", _("Staff member added")
    STAFF_INVITED = "staff.invited", _("Staff member invited")
    STAFF_ROLE_CHANGED = "staff.role_changed", _("Role changed")
    STAFF_DEACTIVATED = "staff.deactivated", _("Staff member deactivated")
    STAFF_ACTIVATED = "staff.activated", _("Staff member active again")
    DOCTOR_BEGUN = "doctor.incomplete", _("Doctor's application begun")
    DOCTOR_SENT = "doctor.pending", _("Doctor's application sent")
    DOCTOR_MORE_ASKED = "doctor.more_asked", _("More asked of the doctor")
    DOCTOR_APPROVED = "doctor.approved", _("Doctor approved")
    DOCTOR_REJECTED = "doctor.rejected", _("Doctor rejected")
    DOCTOR_CHANGED = "doctor.changed", _("Doctor's details changed")
    DOCTOR_DOCUMENT_ADDED = "doctor.document_added", _("Document added")
    DOCTOR_DOCUMENT_REMOVED = "doctor.document_removed", _("Document removed")
    DOCTOR_DISCARDED = "doctor.discarded", _("Doctor's application discarded")
    DOCTORS_IMPORTED = "doctor.imported", _("Doctors imported")
    PROFILE_CHANGED = "doctor.profile_changed", _("Doctor’s profile changed")
    SCHEDULE_CHANGED = "schedule.changed", _("Schedule changed")
    HOURS_ADDED = "availability.added", _("Hours added")
    HOURS_CHANGED = "availability.changed", _("Hours changed")
    HOURS_REMOVED = "availability.removed", _("Hours removed")
    VISIT_HELD = "appointment.held", _("Time held")
    VISIT_EXPIRED = "appointment.expired", _("Time given up")
    VISIT_PENDING = "appointment.pending", _("Visit booked, to be confirmed")
    VISIT_CONFIRMED = "appointment.confirmed", _("Visit confirmed")
    VISIT_CHECKED_IN = "appointment.checked_in", _("Checked in")
    VISIT_IN_PROGRESS = "appointment.in_progress", _("Called to the doctor")
    VISIT_COMPLETED = "appointment.completed", _("Visit completed")
    VISIT_CANCELLED = "appointment.cancelled", _("Visit cancelled")
    VISIT_NO_SHOW = "appointment.no_show", _("Visit missed")
    VISIT_RESCHEDULED = "appointment.rescheduled", _("Visit moved")
    VISIT_HOLD_EXTENDED = "appointment.hold_extended", _("Time held longer")
    VISIT_PATIENT_CONFIRMED = "appointment.patient_confirmed", _("Patient says they come")
    VISIT_CHANGED = "appointment.changed", _("Visit changed")
    VISIT_PAID = "appointment.paid", _("Visit paid")
    VISIT_REFUND_DUE = "appointment.refund_due", _("Visit to be refunded")
    VISIT_REFUNDED = "appointment.refunded", _("Visit refunded")
    VISITS_EXPORTED = "appointment.exported", _("Visits exported")
    WAITLIST_WAITING = "waitlistentry.waiting", _("On the waitlist")
    WAITLIST_OFFERED = "waitlistentry.offered", _("Freed time offered")
    WAITLIST_BOOKED = "waitlistentry.booked", _("Freed time taken")
    WAITLIST_WITHDRAWN = "waitlistentry.withdrawn", _("Off the waitlist")
    WAITLIST_LAPSED = "waitlistentry.lapsed", _("Nothing became free")
    PATIENT_ADDED = "patient.added", _("Patient registered")
    PATIENT_CHANGED = "patient.changed", _("Patient’s details changed")
    PATIENT_BLOCKED = "patient.blocked", _("Patient may not book online")
    PATIENT_UNBLOCKED = "patient.unblocked", _("Patient may book online again")
    PATIENTS_MERGED = "patient.merged", _("Double entries merged")
    PATIENTS_UNMERGED = "patient.unmerged", _("Merge taken back")
    FAMILY_ADDED = "familymember.added", _("Family member added")
    FAMILY_CHANGED = "familymember.changed", _("Family member changed")
    FAMILY_REMOVED = "familymember.removed", _("Family member removed")
    INVOICE_DRAFTED = "invoice.draft", _("Bill begun")
    INVOICE_CHANGED = "invoice.changed", _("Bill changed")
    INVOICE_UNPAID = "invoice.unpaid", _("Bill to be paid")
    INVOICE_PARTIALLY_PAID = "invoice.partially_paid", _("Bill paid in part")
    INVOICE_PAID = "invoice.paid", _("Bill paid")
    INVOICE_CANCELLED = "invoice.cancelled", _("Bill cancelled")
    INVOICE_PARTIALLY_REFUNDED = "invoice.partially_refunded", _("Bill refunded in part")
    INVOICE_REFUNDED = "invoice.refunded", _("Bill refunded")
    INVOICE_SENT = "invoice.sent", _("Bill sent by e-mail")
    INVOICES_EXPORTED = "invoice.exported", _("Bills exported")
    DISCOUNT_APPROVED = "invoice.discount_approved", _("Discount approved")
    DISCOUNT_DECLINED = "invoice.discount_declined", _("Discount declined")
    CREDIT_NOTE_ISSUED = "creditnote.issued", _("Credit note issued")
    PAYMENT_ORDER_NEW = "paymentorder.new", _("Online payment begun")
    PAYMENT_ORDER_OPEN = "paymentorder.open", _("Online payment open")
    PAYMENT_ORDER_PAID = "paymentorder.paid", _("Online payment made")
    PAYMENT_ORDER_CLOSED = "paymentorder.closed", _("Online payment given up")
    PAYMENT_CREATED = "payment.created", _("Payment begun")
    PAYMENT_AUTHORIZED = "payment.authorized", _("Payment authorised")
    PAYMENT_CAPTURED = "payment.captured", _("Payment received")
    PAYMENT_FAILED = "payment.failed", _("Payment failed")
    PAYMENT_VOIDED = "payment.voided", _("Payment given back by the gateway")
    PAYMENTS_EXPORTED = "payment.exported", _("Payments exported")
    REFUND_REQUESTED = "refund.requested", _("Refund asked for")
    REFUND_APPROVED = "refund.approved", _("Refund granted")
    REFUND_PROCESSING = "refund.processing", _("Refund on its way")
    REFUND_PROCESSED = "refund.processed", _("Refunded")
    REFUND_FAILED = "refund.failed", _("Refund failed")
    REFUND_DECLINED = "refund.declined", _("Refund declined")
    CASH_DAY_OPENED = "cashday.open", _("Cash day opened")
    CASH_DAY_CLOSED = "cashday.closed", _("Cash day closed")
    CLAIM_NOTED = "insuranceclaim.noted", _("Insurance noted")
    CLAIM_CHANGED = "insuranceclaim.changed", _("Insurance details changed")
    CLAIM_PREAUTH_ASKED = "insuranceclaim.preauth_asked", _("Pre-authorisation asked for")
    CLAIM_PREAUTH_GIVEN = "insuranceclaim.preauth_given", _("Pre-authorised")
    CLAIM_PREAUTH_REFUSED = "insuranceclaim.preauth_refused", _("Pre-authorisation refused")
    CLAIM_SUBMITTED = "insuranceclaim.submitted", _("Claim sent")
    CLAIM_APPROVED = "insuranceclaim.approved", _("Claim approved")
    CLAIM_REJECTED = "insuranceclaim.rejected", _("Claim rejected")
    CLAIM_SETTLED = "insuranceclaim.settled", _("Claim settled")
    WEBHOOK_REFUSED = "webhookevent.refused", _("Message of the gateway refused")
    DISCREPANCY_TAKEN = "discrepancy.taken", _("Discrepancy looked after")
    DISCREPANCY_RESOLVED = "discrepancy.resolved", _("Discrepancy explained")
    SETTLEMENT_IMPORTED = "settlementline.imported", _("Settlement file read")
    PROMO_CODE_ADDED = "promocode.added", _("Promo code added")
    PROMO_CODE_CHANGED = "promocode.changed", _("Promo code changed")
    TAX_CATEGORY_ADDED = "taxcategory.added", _("Tax category added")
    TAX_RATE_ADDED = "taxrate.added", _("Tax rate added")
    TAX_RATE_REMOVED = "taxrate.removed", _("Tax rate removed")
    GATEWAY_KEYS_SET = "gatewayaccount.set", _("Payment keys set")
    GATEWAY_KEYS_ROTATED = "gatewayaccount.rotated", _("Webhook secret replaced")
    GATEWAY_KEYS_REMOVED = "gatewayaccount.removed", _("Payment keys taken out of use")
    REPORT_ASKED = "report.asked", _("Report asked for")
    REPORT_OPENED = "report.opened", _("Report opened")
    SUPPORT_BEGUN = "support.begun", _("Support began")
    SUPPORT_ENDED = "support.ended", _("Support ended")
    INVITATION_SENT = "invitation.sent", _("Invitation sent")
    INVITATION_ACCEPTED = "invitation.accepted", _("Invitation accepted")
    INVITATION_TAKEN_BACK = "invitation.taken_back", _("Invitation taken back")
    MESSAGE_RETRIED = "message.retried", _("Message sent again")
    USER_ADDED = "user.added", _("Person added")
    USER_CHANGED = "user.changed", _("Person changed")
    USER_SIGNED_IN = "user.signed_in", _("Signed in")
    USER_SIGN_IN_REFUSED = "user.sign_in_refused", _("Sign-in refused")
    USER_SIGNED_OUT = "user.signed_out", _("Signed out")
    USER_PASSWORD_RESET_ASKED = ("user.password_reset_asked", _("Password reset asked for"))
    USER_PASSWORD_CHANGED = "user.password_changed", _("Password changed")
    USER_EMAIL_CONFIRMED = "user.email_confirmed", _("E-mail address confirmed")
    USER_EMAIL_CHANGED = "user.email_changed", _("E-mail address changed")
    USER_CODE_SENT = "user.code_sent", _("One-time code sent")
    USER_SIGNED_OUT_EVERYWHERE = "user.signed_out_everywhere", _("Signed out everywhere")
    USER_DEACTIVATED = "user.deactivated", _("Person deactivated")
    USER_TWO_FACTOR_ON = "user.two_factor_on", _("Two-factor turned on")
    USER_TWO_FACTOR_OFF = "user.two_factor_off", _("Two-factor turned off")
    USER_RECOVERY_CODES_MADE = "user.recovery_codes_made", _("New recovery codes")
    USER_RECOVERY_CODE_USED = "user.recovery_code_used", _("Recovery code used")
    USER_PASSKEY_ADDED = "user.passkey_added", _("Passkey added")
    USER_PASSKEY_REMOVED = "user.passkey_removed", _("Passkey removed")
    TOKEN_REPLAYED = "user.token_replayed", _("Old refresh token used: its tokens ended")


def _midnight(day: date) -> datetime:
    """When the day begins in the active time zone. Compared with whole days, the index on the time could not be used."""
    return timezone.make_aware(datetime.combine(day, time.min))


# How the actions begin that tell of patients: support does not see who they are.
ABOUT_PATIENTS = (
    *("appointment.", "waitlistentry.", "patient.", "familymember."),
    *("invoice.", "creditnote.", "paymentorder.", "payment.", "refund.", "insuranceclaim.", "discrepancy."),
)


class AuditLogs(models.QuerySet["AuditLog"]):
    """Reading the log; nothing here writes."""

    def shown_to(self, *, is_support: bool) -> Self:
        """All rows; to support only those that tell nothing of patients."""
        about = models.Q()
        for beginning in ABOUT_PATIENTS:
            about |= models.Q(action__startswith=beginning)
        return self.exclude(about) if is_support else self

    def about(self, thing: models.Model) -> Self:
        """What happened to one thing."""
        return self.filter(entity=thing._meta.label_lower, entity_id=str(thing.pk))

    def about_any(self, things: Iterable[models.Model]) -> Self:
        """What happened to any of them."""
        found = Q(pk__in=[])
        for thing in things:
            found |= Q(entity=thing._meta.label_lower, entity_id=str(thing.pk))
        return self.filter(found)

    def newest_first(self) -> Self:
        """By time, the row number deciding between rows of one moment."""
        return self.order_by("-timestamp", "-pk")

    def between(self, first: date | None, last: date | None) -> Self:
        """Rows of the days from `first` to `last`, both included, in the active time zone."""
        rows = self
        if first:
            rows = rows.filter(timestamp__gte=_midnight(first))
        if last and last < date.max:
            rows = rows.filter(timestamp__lt=_midnight(last + timedelta(days=1)))
        return rows


class AuditLog(models.Model):
    """One thing that somebody did.

    No database constraint ties a row to what it is about: the log must outlive its subjects. `user` is empty for what
    the platform did itself and for visitors without an account; `actor` keeps the name as it was then.
    `supporter` is the superadmin who acted in that person's name, if one did; `actor` then holds both names.
    `old` and `new` hold a status before and after; `data` everything else worth keeping, as JSON.
    """

    code = models.UUIDField(default=new_code, unique=True, editable=False)
    timestamp = models.DateTimeField(_("time"), default=timezone.now)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,  # audit_by_person begins with it
        related_name="+",
    )
    supporter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("acting as support"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    actor = models.CharField(_("name at the time"), max_length=200)
    address = models.GenericIPAddressField(_("IP address"), null=True)
    # No `choices`: a new action must not mean a migration of every hospital.
    action = models.CharField(_("action"), max_length=60)
    entity = models.CharField(_("kind of thing"), max_length=100)
    entity_id = models.CharField(_("number of the thing"), max_length=60)
    thing = models.CharField(_("name of the thing at the time"), max_length=255)
    old = models.CharField(_("from"), max_length=60, blank=True)
    new = models.CharField(_("to"), max_length=60, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    data = models.JSONField(_("details"), default=dict, encoder=DjangoJSONEncoder)
    # Which transaction wrote the row: how the guard on status columns knows that a change was recorded.
    transaction_id = models.BigIntegerField(db_default=RawSQL("pg_current_xact_id()::text::bigint", []), editable=False)

    objects = AuditLogs.as_manager()

    class Meta:
        verbose_name = _("audit row")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["entity", "entity_id"], name="audit_by_thing"),
            models.Index(fields=["-timestamp", "-id"], name="audit_by_time"),
            models.Index(fields=["user", "-timestamp"], name="audit_by_person"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.thing}"

    @property
    def title(self) -> str:
        """What was done, in words; the bare name for an action that no longer exists."""
        return str(Action(self.action).label) if self.action in Action else self.action
