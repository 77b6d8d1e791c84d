"""The people somebody looks after, for whom they book at every hospital."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from accounts.models import FamilyMember, User
from audit import services as audit
from audit.models import Action
from core.errors import Conflict, Invalid, Missing, NotAllowedNow
from core.text import one_line

LARGEST = 20


def add(*, user: User, name: str, birth_date: date, sex: str, relation: str, by: User) -> FamilyMember:
    """Add somebody to the family of `user`. Raises Conflict for somebody who is in it, NotAllowedNow when it is full."""
    said = _said(name=name, birth_date=birth_date, sex=sex, relation=relation)
    if FamilyMember.objects.of(user).count() >= LARGEST:
        raise NotAllowedNow(
            _("You can add at most %(number)s people. Remove somebody first.") % {"number": LARGEST}, field="name"
        )
    with _nobody_twice(said):
        member = FamilyMember.objects.create(user=user, **said)
        audit.record(action=Action.FAMILY_ADDED, target=member, by=by)
    return member


def change(*, member: FamilyMember, name: str, birth_date: date, sex: str, relation: str, by: User) -> None:
    """Correct what is said of somebody. Hospitals that know them already keep what stands in their own register."""
    said = _said(name=name, birth_date=birth_date, sex=sex, relation=relation)
    changes = audit.changes(member, said)
    if not changes:
        return
    with _nobody_twice(said):
        if not FamilyMember.objects.filter(pk=member.pk, is_active=True).update(**said):
            raise Missing(_("This person is no longer in your family."))
        # The log outlives the person's data: it says which fields, not what they hold.
        audit.record(action=Action.FAMILY_CHANGED, target=member, by=by, data={"fields": ", ".join(changes)})
    for field, value in said.items():
        setattr(member, field, value)


@transaction.atomic
def remove(*, member: FamilyMember, by: User) -> None:
    """Let somebody be chosen no more. Their visits stay as they are. Doing it twice changes nothing."""
    if FamilyMember.objects.filter(pk=member.pk, is_active=True).update(is_active=False):
        member.is_active = False
        audit.record(action=Action.FAMILY_REMOVED, target=member, by=by)


def _said(*, name: str, birth_date: date, sex: str, relation: str) -> dict[str, Any]:
    if birth_date > localdate():
        raise Invalid(_("A date of birth is in the past. Check the year."), field="birth_date")
    return {"name": one_line(name)[:150], "birth_date": birth_date, "sex": sex, "relation": relation}


@contextmanager
def _nobody_twice(said: Mapping[str, Any]) -> Iterator[None]:
    """A transaction that the database refuses when somebody of this name and birth date is in the family already."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Conflict(_("%(name)s is in your family already.") % {"name": said["name"]}, field="name") from None
