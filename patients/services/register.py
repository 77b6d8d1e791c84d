"""Entries of the register: who is a patient here, and under which number."""

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from accounts.models import FamilyMember, User
from audit import services as audit
from audit.models import Action
from core.errors import Conflict
from patients.models import Patient, PatientCounter


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


def next_number() -> str:
    """A number that no patient of this hospital has, like `P000042`; nobody else gets one until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {PatientCounter._meta.db_table} AS counter (id, last) VALUES (1, 1) "  # noqa: S608
            "ON CONFLICT (id) DO UPDATE SET last = counter.last + 1 RETURNING last"
        )
        return f"P{cursor.fetchone()[0]:06d}"
