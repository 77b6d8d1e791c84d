"""What patients are written about money. No message says what somebody is treated for: it names numbers and amounts."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.utils.translation import gettext as _

from billing.models import CreditNote, Invoice, Method, Payment, Refund
from core.hosts import hospital_url
from core.money import shown
from notifications import services as notifications
from notifications.services import Attachment
from tenants.models import Hospital


def receipt(*, hospital: Hospital, payment: Payment) -> None:
    """Money has arrived: how much, for which bill, and where the receipt is."""
    subject = _("Receipt %(number)s: %(amount)s paid to %(hospital)s") % {
        "number": payment.receipt_number,
        "amount": shown(payment.amount),
        "hospital": hospital.name,
    }
    details = [
        (_("Bill"), payment.invoice.reference),
        (_("Receipt"), payment.receipt_number),
        (_("Paid"), payment.get_method_display()),
    ]
    document = attached("receipt", _("Receipt"), payment.code, payment.receipt_number)
    _write(hospital, payment.invoice, "bill_receipt", subject, payment.amount, details, document)


def refunded(*, hospital: Hospital, refund: Refund) -> None:
    """Money is on its way back; online it takes the bank some days."""
    subject = _("%(amount)s refunded by %(hospital)s") % {"amount": shown(refund.amount), "hospital": hospital.name}
    details = [(_("Bill"), refund.invoice.reference), (_("Paid"), refund.payment.get_method_display())]
    if refund.method == Method.ONLINE:
        details.append((_("When"), _("With your bank in 5 to 7 working days")))
    _write(hospital, refund.invoice, "bill_refunded", subject, refund.amount, details, _note_of(refund.credit_note))


def issued(*, hospital: Hospital, invoice: Invoice) -> None:
    """A bill was made for somebody who has not paid it yet."""
    subject = _("Bill %(number)s of %(hospital)s: %(amount)s") % {
        "number": invoice.reference,
        "hospital": hospital.name,
        "amount": shown(invoice.total),
    }
    document = attached("bill", _("Bill"), invoice.code, invoice.reference)
    _write(hospital, invoice, "bill_issued", subject, invoice.total, [(_("Bill"), invoice.reference)], document)


def credited(*, hospital: Hospital, note: CreditNote) -> None:
    """A bill, or a part of it, was taken back before it was paid."""
    subject = _("Credit note %(number)s of %(hospital)s: %(amount)s") % {
        "number": note.reference,
        "hospital": hospital.name,
        "amount": shown(note.total),
    }
    details = [(_("Bill"), note.invoice.reference), (_("Credit note"), note.reference)]
    _write(hospital, note.invoice, "bill_credited", subject, note.total, details, _note_of(note))


def attached(kind: str, title: str, code: UUID, number: str) -> Attachment:
    """A document under the name it has as a file, like `Receipt RCT-26-27-000001.pdf`."""
    return Attachment(kind, code, f"{title} {number.replace('/', '-')}.pdf")


def _note_of(note: CreditNote | None) -> Attachment | None:
    return attached("credit_note", _("Credit note"), note.code, note.reference) if note else None


def _write(
    hospital: Hospital,
    invoice: Invoice,
    template: str,
    subject: str,
    amount: Decimal,
    details: Sequence[tuple[str, str]],
    document: Attachment | None,
) -> None:
    patient = invoice.patient
    address = patient.user.email if patient.user else patient.email
    if not address:
        return
    notifications.notify(
        to_address=address,
        to_name=patient.name,
        template=template,
        subject=subject,
        brand_name=hospital.name,
        accent=hospital.accent,
        attachment=document,
        context={
            "amount": shown(amount),
            "details": details,
            "hospital_name": hospital.name,
            "hospital_phone": str(hospital.phone_number),
            # Who has no account cannot open the page; the amounts stand in the message.
            "link": hospital_url(hospital.slug, "bill", invoice.code) if patient.user else "",
        },
    )
