"""Entries of the register: who is a patient here, under which number, and what is known of them.

An entry of the front desk has no account, whatever telephone number or e-mail address was typed: those prove nothing.
It gets one when somebody who may (`merging`) says that it is the same person as an entry that has one.
"""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import FamilyMember, User
from audit import services as audit
from audit.models import Action
from core.errors import Conflict, Invalid, NotAllowedNow
from core.text import one_line
from patients.models import Patient, PatientCounter

_NAMES = ("name", "emergency_contact_name")
_SHOWN_DOUBLES = 5


class PossibleDouble(Conflict):
    """There are patients who may be the one who is to be registered; `matches` are they, the likeliest first."""

    def __init__(self, matches: list[Patient]) -> None:
        super().__init__(
            ngettext(
                "This may be somebody you know. Choose them, or say that it is somebody else.",
                "This may be one of %(n)s people you know. Choose them, or say that it is somebody else.",
                len(matches),
            )
            % {"n": len(matches)}
        )
        self.matches = matches
        self.more = {
            "candidates": [
                {
                    "id": str(one.code),
                    "number": one.number,
                    "name": one.name,
                    "date_of_birth": one.birth_date.isoformat() if one.birth_date else None,
                    "sex": one.sex,
                    "phone_number": str(one.phone),
                }
                for one in matches
            ]
        }


def for_person(*, user: User, member: FamilyMember | None, by: User | None) -> Patient:
    """The entry of a person, or of a member of their family, made from what is known of them at their first booking."""
    mine = Patient.objects.of(user)
    found = mine.filter(family_member=member.code if member else None).first()
    if found:
        return found
    said = {"name": str(user), "phone": user.phone, "email": user.email}
    if member:
        said |= {"name": member.name, "birth_date": member.birth_date, "sex": member.sex}
    try:
        with transaction.atomic():
            patient = Patient.objects.create(
                number=next_number(), user=user, family_member=member.code if member else None, **said
            )
            audit.record(action=Action.PATIENT_ADDED, target=patient, by=by)
    except IntegrityError:  # at this very moment, by another booking of the same person
        again = mine.filter(family_member=member.code if member else None).first()
        if again is None:
            raise Conflict(_("This was changed at this very moment. Look at it again.")) from None
        return again
    return patient


@transaction.atomic
def for_oneself(*, user: User, details: Mapping[str, Any]) -> Patient:
    """What a person says of themselves to this hospital; they become a patient here if they are none yet."""
    patient = for_person(user=user, member=None, by=user)
    change(patient=patient, details=details, by=user)
    return patient


@transaction.atomic
def register(*, details: Mapping[str, Any], by: User, is_new: bool = False) -> Patient:
    """Register somebody who stands at the desk, without an account.

    Raises PossibleDouble when there is somebody like them, unless `is_new` says that it is somebody else.
    """
    said = _said(details)
    number = next_number()  # first: whoever registers the same person at this moment waits here, and is warned then
    if not is_new:
        matches = doubles_of(said)
        if matches:
            raise PossibleDouble(matches)
    patient = Patient.objects.create(number=number, **said)
    audit.record(action=Action.PATIENT_ADDED, target=patient, by=by)
    return patient


def doubles_of(said: Mapping[str, Any], *, besides: Patient | None = None) -> list[Patient]:
    """Patients who may be the person that is described, the likeliest first."""
    rows = Patient.objects.current().like(
        name=said["name"], birth_date=said.get("birth_date"), phone=str(said.get("phone") or "")
    )
    return list(rows.exclude(pk=besides.pk)[:_SHOWN_DOUBLES] if besides else rows[:_SHOWN_DOUBLES])


@transaction.atomic
def change(*, patient: Patient, details: Mapping[str, Any], by: User) -> None:
    """Correct what is known of a patient; what `details` leaves out stays."""
    said = _said(details)
    row = Patient.objects.current().filter(pk=patient.pk).locked().first()
    if row is None:
        raise NotAllowedNow(_("This entry was merged into another one. Look for the patient again."))
    changes = audit.changes(row, said)
    if not changes:
        return
    Patient.objects.filter(pk=row.pk).update(**{name: said[name] for name in changes}, updated_at=now())
    patient.refresh_from_db()
    # The log outlives the person's data: it says which fields, not what they hold.
    audit.record(action=Action.PATIENT_CHANGED, target=patient, by=by, data={"fields": ", ".join(changes)})


@transaction.atomic
def block(*, patient: Patient, reason: str, by: User) -> None:
    """Let somebody book online no more, them and nobody else of their family. The desk still books for them."""
    if not Patient.objects.current().filter(pk=patient.pk, is_blocked=False).update(is_blocked=True):
        raise NotAllowedNow(_("This patient cannot book online already."))
    patient.is_blocked = True
    audit.record(action=Action.PATIENT_BLOCKED, target=patient, by=by, reason=reason)


@transaction.atomic
def unblock(*, patient: Patient, by: User) -> None:
    """Let somebody book online again."""
    if not Patient.objects.current().filter(pk=patient.pk, is_blocked=True).update(is_blocked=False):
        raise NotAllowedNow(_("This patient can book online already."))
    patient.is_blocked = False
    audit.record(action=Action.PATIENT_UNBLOCKED, target=patient, by=by)


def next_number() -> str:
    """A number that no patient of this hospital has, like `P000042`; nobody else gets one until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {PatientCounter._meta.db_table} AS counter (id, last) VALUES (1, 1) "  # noqa: S608
            "ON CONFLICT (id) DO UPDATE SET last = counter.last + 1 RETURNING last"
        )
        return f"P{cursor.fetchone()[0]:06d}"


def _said(details: Mapping[str, Any]) -> dict[str, Any]:
    said = dict(details)
    for name in _NAMES:
        if name in said:
            said[name] = one_line(said[name])[:150]
    born = said.get("birth_date")
    if born and born > localdate():
        raise Invalid(_("A date of birth is in the past. Check the year."), field="birth_date")
    return said
