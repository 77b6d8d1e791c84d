"""What an insurer pays of a bill: its cover, the pre-authorisation, the claim, and the money in the end."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from billing.models import Account, InsuranceClaim, Invoice, Kind
from billing.services import invoices, ledger
from core.errors import Conflict, Invalid, NotAllowedNow
from core.money import shown

Status = InsuranceClaim.Status
# As long as nothing is before the insurer's claims desk, the cover may be written anew.
CHANGEABLE = [Status.NOTED, Status.PREAUTH_ASKED, Status.PREAUTH_GIVEN, Status.PREAUTH_REFUSED, Status.REJECTED]


@dataclass(frozen=True)
class Cover:
    """Who insures the patient, under which numbers, and how much of the bill is claimed."""

    payer: str
    policy_number: str
    amount: Decimal
    member_id: str = ""
    note: str = ""


@transaction.atomic
def note(*, invoice: Invoice, cover: Cover, by: User, now: datetime) -> InsuranceClaim:
    """Write down that an insurer covers a bill. A bill has one claim at most."""
    mine = Invoice.objects.locked().get(pk=invoice.pk)
    _require_at_most(cover.amount, _most(mine))
    claim = InsuranceClaim(
        invoice=mine,
        payer=cover.payer,
        policy_number=cover.policy_number,
        member_id=cover.member_id,
        amount=cover.amount,
        note=cover.note,
        created_at=now,
    )
    [written] = InsuranceClaim.objects.bulk_create([claim], ignore_conflicts=True)
    found = InsuranceClaim.objects.filter(code=written.code).first()
    if found is None:
        raise Conflict(_("An insurer is noted on this bill already. Look at it again."))
    data = {"invoice": str(mine), "amount": str(cover.amount)}
    audit.record(action=Action.CLAIM_NOTED, target=found, by=by, new=found.status, data=data)
    return found


@transaction.atomic
def change(*, claim: InsuranceClaim, cover: Cover, by: User) -> None:
    """Correct the cover, as long as the claim is not sent."""
    invoice, mine = _locked(claim)
    if mine.status not in CHANGEABLE:
        raise NotAllowedNow(_("The claim is with the insurer. What it says cannot be changed now."))
    _require_at_most(cover.amount, _most(invoice))
    new = {
        "payer": cover.payer,
        "policy_number": cover.policy_number,
        "member_id": cover.member_id,
        "amount": cover.amount,
        "note": cover.note,
    }
    changed = audit.changes(mine, new)
    if changed:
        InsuranceClaim.objects.filter(pk=mine.pk).update(**new)
        data = {"fields": ", ".join(changed)} | {name: changed[name] for name in ("amount",) if name in changed}
        audit.record(action=Action.CLAIM_CHANGED, target=mine, by=by, data=data)
    claim.refresh_from_db()


@transaction.atomic
def ask_preauth(*, claim: InsuranceClaim, by: User) -> None:
    """The insurer is asked beforehand whether it will pay."""
    audit.move(claim, Status.PREAUTH_ASKED, by=by)


@transaction.atomic
def give_preauth(*, claim: InsuranceClaim, preauth_number: str, by: User) -> None:
    """It will, under this number."""
    data = {"preauth_number": preauth_number}
    audit.move(claim, Status.PREAUTH_GIVEN, by=by, also={"preauth_number": preauth_number}, data=data)


@transaction.atomic
def refuse_preauth(*, claim: InsuranceClaim, reason: str, by: User) -> None:
    """It will not, as it stands. The claim may still be sent."""
    audit.move(claim, Status.PREAUTH_REFUSED, by=by, reason=reason)


@transaction.atomic
def submit(*, claim: InsuranceClaim, claim_number: str, by: User) -> None:
    """The claim goes to the insurer, for a bill that is issued; a rejected one may go again."""
    invoice, mine = _locked(claim)
    if invoice.number is None:
        raise NotAllowedNow(_("Issue the bill first: an insurer pays only bills that have a number."))
    _require_at_most(mine.amount, _most(invoice))
    number = claim_number or mine.claim_number
    audit.move(mine, Status.SUBMITTED, by=by, also={"claim_number": number}, data={"claim_number": number})
    claim.refresh_from_db()


@transaction.atomic
def approve(*, claim: InsuranceClaim, amount: Decimal, by: User, now: datetime) -> None:
    """The insurer takes over so much of the bill: from here on it owes that, and the patient only the rest."""
    invoice, mine = _locked(claim)
    if mine.status == Status.SUBMITTED:
        _require_at_most(amount, min(mine.amount, _most(invoice)))
    audit.move(mine, Status.APPROVED, by=by, also={"amount_approved": amount}, data={"amount": str(amount)})
    ledger.post(
        kind=Kind.INSURED,
        source=f"claim_approved:{mine.code}",
        at=now,
        by=by,
        invoice=invoice,
        debit={Account.INSURANCE: amount},
        credit={Account.RECEIVABLE: amount},
    )
    invoices.settle(invoice, by=by)
    claim.refresh_from_db()


@transaction.atomic
def reject(*, claim: InsuranceClaim, reason: str, by: User) -> None:
    """The insurer pays nothing. The patient owes the bill as before; the claim may be sent again."""
    audit.move(claim, Status.REJECTED, by=by, reason=reason)


@transaction.atomic
def settle(*, claim: InsuranceClaim, reference: str, by: User, now: datetime) -> None:
    """The insurer's money is in the bank; `reference` is what the bank statement calls it."""
    invoice, mine = _locked(claim)
    amount = mine.amount_approved or Decimal()
    data = {"amount": str(amount), "reference": reference}
    audit.move(mine, Status.SETTLED, by=by, data=data)
    ledger.post(
        kind=Kind.INSURER_PAID,
        source=f"claim_settled:{mine.code}",
        at=now,
        by=by,
        invoice=invoice,
        debit={Account.BANK: amount},
        credit={Account.INSURANCE: amount},
    )
    claim.refresh_from_db()


def _locked(claim: InsuranceClaim) -> tuple[Invoice, InsuranceClaim]:
    """The bill, so that nothing is paid on it meanwhile, and the claim as it is then."""
    invoice = Invoice.objects.locked().get(pk=claim.invoice_id)
    return invoice, InsuranceClaim.objects.get(pk=claim.pk)


def _most(invoice: Invoice) -> Decimal:
    """What an insurer can take over: what is owed, or, as long as it is a draft, what it will come to."""
    return invoice.total if invoice.is_draft else max(ledger.owed_on(invoice), Decimal())


def _require_at_most(amount: Decimal, most: Decimal) -> None:
    if most <= 0:
        raise NotAllowedNow(_("Nothing is owed on this bill."))
    if not 0 < amount <= most:
        sentence = _("An insurer takes over more than nothing, and at most %(most)s of this bill.")
        raise Invalid(sentence % {"most": shown(most)}, field="amount")
