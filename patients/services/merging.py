"""Two entries that are one person become one, and two again if that was a mistake.

Nothing is copied and nothing lost: every row that names the one names the other from then on, whatever room it belongs
to, and the merge remembers which rows those were.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from core.errors import Conflict, Invalid, NotAllowedNow
from core.queue import after_commit
from patients.models import Merge, Patient

# What somebody may choose from either entry. Clinical facts are not chosen but put together.
CHOSEN = [
    "name",
    "birth_date",
    "sex",
    "phone",
    "email",
    "address",
    "emergency_contact_name",
    "emergency_contact_phone",
]


def merge(*, kept: Patient, gone: Patient, by: User, now: datetime, take: Collection[str] = ()) -> Merge:
    """Make one entry of two: `kept` stays, with everything that belonged to `gone`.

    `kept` takes over what it does not know itself, the account if `gone` has one, and of the fields in `take` what
    `gone` says. No allergy or condition is lost; a blood group on which the two differ has to be asked anew. Raises
    NotAllowedNow when both have an account, or when one was merged before.
    """
    if kept.pk == gone.pk:
        raise Invalid(_("Choose another entry: this is the same one."))
    with _both_stand_together():
        kept, gone = _locked(kept, gone)
        if kept.merged_into_id or gone.merged_into_id:
            raise NotAllowedNow(_("One of the two was merged before. Look for the patient again."))
        if kept.user_id and gone.user_id:
            raise NotAllowedNow(
                _("Both entries have an account, so each is somebody who signs in. They cannot be merged.")
            )
        moved = {name: _hand_over(name, gone, kept) for name in _relations()}
        columns = _together(kept, gone, take)
        columns["updated_at"] = now
        before = {name: [_plain(getattr(kept, name)), _plain(value)] for name, value in columns.items()}
        Patient.objects.filter(pk=gone.pk).update(merged_into=kept)  # first: an account has one current entry
        Patient.objects.filter(pk=kept.pk).update(**columns)
        made = Merge.objects.create(
            kept=kept,
            gone=gone,
            moved={name: rows for name, rows in moved.items() if rows},
            before=before,
            created_at=now,
        )
        audit.record(action=Action.PATIENTS_MERGED, target=kept, by=by, data={"merged": gone.number})
        after_commit("appointments.follow_patient", patient_id=kept.pk)
    return made


def unmerge(*, gone: Patient, by: User, now: datetime) -> None:
    """Take a merge back: both entries say and own again what they did, each row where it was.

    What was added to the kept entry or changed in it since then stays with it.
    """
    with _both_stand_together():
        done = Merge.objects.filter(gone=gone, undone_at__isnull=True).select_related("kept", "gone").first()
        if done is None:
            raise NotAllowedNow(_("This entry is not merged into another one."))
        kept, gone = _locked(done.kept, done.gone)
        if kept.merged_into_id:
            raise NotAllowedNow(
                _("%(number)s was merged into another entry later. Take that back first.") % {"number": kept.number}
            )
        if not Merge.objects.filter(pk=done.pk, undone_at__isnull=True).update(undone_at=now):
            raise Conflict(_("Somebody else has just taken this back."))
        for name, rows in done.moved.items():
            _hand_back(name, rows, kept, gone)
        restored = {
            name: Patient._meta.get_field(name).to_python(was)  # type: ignore[union-attr]  # only columns stand there
            for name, (was, became) in done.before.items()
            if _plain(getattr(kept, name)) == became
        }
        Patient.objects.filter(pk=kept.pk).update(**restored)
        Patient.objects.filter(pk=gone.pk).update(merged_into=None)
        audit.record(action=Action.PATIENTS_UNMERGED, target=kept, by=by, data={"merged": gone.number})
        for patient in (kept, gone):
            after_commit("appointments.follow_patient", patient_id=patient.pk)


def _locked(one: Patient, other: Patient) -> tuple[Patient, Patient]:
    """Both as they are now. Nobody adds a row that names either of them before the transaction ends."""
    rows = {row.pk: row for row in Patient.objects.filter(pk__in=[one.pk, other.pk]).locked()}
    return rows[one.pk], rows[other.pk]


@contextmanager
def _both_stand_together() -> Iterator[None]:
    """A transaction that the database refuses when the two own what only one patient may have once."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Conflict(
            _(
                "Both entries have the same thing open, such as a place on one doctor’s waitlist. Close one of them first."
            )
        ) from None


def _relations() -> list[str]:
    """Every column of this hospital that names a patient, as `app.model.field`; not those that keep the merges."""
    relations = Patient._meta.get_fields(include_hidden=True)
    return sorted(
        f"{relation.field.model._meta.label_lower}.{relation.field.name}"
        for relation in relations
        if isinstance(relation, models.ManyToOneRel) and relation.field.model not in (Patient, Merge)
    )


def _rows(relation: str) -> tuple[models.QuerySet[models.Model], str]:
    label, _dot, field = relation.rpartition(".")
    return apps.get_model(label)._base_manager.all(), field


def _hand_over(relation: str, gone: Patient, kept: Patient) -> list[int]:
    rows, field = _rows(relation)
    pks = list(rows.filter(**{field: gone}).order_by("pk").values_list("pk", flat=True))
    rows.filter(pk__in=pks).update(**{field: kept})
    return pks


def _hand_back(relation: str, pks: list[int], kept: Patient, gone: Patient) -> None:
    rows, field = _rows(relation)
    rows.filter(pk__in=pks, **{field: kept}).update(**{field: gone})


def _together(kept: Patient, gone: Patient, take: Collection[str]) -> dict[str, Any]:
    """What changes in the entry that stays, by column."""
    new: dict[str, Any] = {}
    for name in CHOSEN:
        if getattr(gone, name) and (name in take or not getattr(kept, name)):
            new[name] = getattr(gone, name)
    if "birth_date" in new:
        new["is_birth_date_estimated"] = gone.is_birth_date_estimated
    for name in ("allergies", "conditions"):
        new[name] = _union(getattr(kept, name), getattr(gone, name))
    if gone.blood_group:
        new["blood_group"] = gone.blood_group if kept.blood_group in ("", gone.blood_group) else ""
    if gone.user_id:
        new |= {"user_id": gone.user_id, "family_member": gone.family_member}
    if gone.is_blocked:
        new["is_blocked"] = True
    return {name: value for name, value in new.items() if value != getattr(kept, name)}


def _union(one: list[str] | None, other: list[str] | None) -> list[str] | None:
    """Both lists in one, each thing once; None if neither was asked for."""
    if one is None or other is None:
        return other if one is None else one
    known = {thing.casefold() for thing in one}
    return [*one, *(thing for thing in other if thing.casefold() not in known)]


def _plain(value: Any) -> Any:
    """As JSON keeps it, and as `to_python` of the column reads it again."""
    if value is None or isinstance(value, bool | int | list):
        return value
    return value.isoformat() if isinstance(value, date | datetime) else str(value)
