"""What patients read about a doctor, and what a visit costs."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from audit.models import Action
from core import pictures
from core.errors import NotAllowedNow
from core.pictures import Picture
from core.text import one_line
from directory.models import DoctorListing
from hospitals.models import Doctor
from hospitals.services.doctors import publishing
from tenants.models import Hospital


@dataclass(frozen=True)
class Profile:
    """What a doctor says to patients. A kind of visit with a fee of None is not offered; 0 is free of charge."""

    bio: str = ""
    languages: list[str] = field(default_factory=list)
    fee_in_person: Decimal | None = None
    fee_video: Decimal | None = None
    fee_chat: Decimal | None = None
    is_available: bool = True


@dataclass(frozen=True)
class Facts:
    """What the hospital has checked: the hospital alone corrects it."""

    specialization: str
    qualifications: str
    experience_years: int


@dataclass(frozen=True)
class Standing:
    """Whether patients find a doctor, and what keeps them from booking, each a sentence."""

    is_found: bool
    obstacles: list[str]


def change(
    *,
    hospital: Hospital,
    doctor: Doctor,
    profile: Profile,
    facts: Facts | None = None,
    photo: Picture | None = None,
    without_photo: bool = False,
    by: User,
) -> None:
    """Change what patients read about a verified doctor, here and in the search. Without a new photo the old one stays.

    Only what differs is written, so that two people who change different things do not undo each other.
    """
    new: dict[str, Any] = {**vars(profile), **_photo(hospital, photo, without_photo=without_photo)}
    if facts:
        new |= vars(facts)
        new |= {name: one_line(new[name]) for name in ("specialization", "qualifications")}
    before = list(doctor.languages)
    changes = audit.changes(doctor, new)
    if not changes:
        return
    with transaction.atomic():
        columns = {name: new[name] for name in changes}
        if not Doctor.objects.verified().filter(pk=doctor.pk).update(**columns):
            raise NotAllowedNow(_("Only a verified doctor has a profile. Decide on the application first."))
        for name, value in columns.items():
            setattr(doctor, name, value)
        if "languages" in changes:
            changes["languages"] = [" ".join(before), " ".join(profile.languages)]
        changes.pop("photo_thumb", None)
        audit.record(action=Action.PROFILE_CHANGED, target=doctor, by=by, data=changes)
        publishing.publish(hospital=hospital, doctor=doctor)


def _photo(hospital: Hospital, photo: Picture | None, *, without_photo: bool) -> dict[str, str]:
    """The columns of a photo, cut square: stored before the transaction, as the file storage may be far away."""
    if photo:
        portrait = pictures.square(photo)
        path = pictures.store(portrait, folder=str(hospital.code), kind="doctor")
        return {"photo": path, "photo_thumb": pictures.thumbnail(portrait)}
    return {"photo": "", "photo_thumb": ""} if without_photo else {}


def standing(doctor: Doctor) -> Standing:
    """How patients see a verified doctor now."""
    is_found = Doctor.objects.bookable().filter(pk=doctor.pk).exists()
    obstacles = []
    if not doctor.is_available:
        obstacles.append(_("Bookings are turned off."))
    if not doctor.fees:
        obstacles.append(_("No kind of visit has a fee."))
    if not is_found and not obstacles:
        obstacles.append(_("The person does not work here as a doctor now."))
    if is_found and not DoctorListing.objects.filter(code=doctor.code, next_free_at__isnull=False).exists():
        obstacles.append(_("No free time is known. Check the hours."))
    return Standing(is_found, obstacles)
