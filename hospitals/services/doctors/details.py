"""What a doctor says of their profession, and writing to doctors in the hospital's name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from core.errors import Conflict
from core.text import one_line
from hospitals.models import Department, Doctor
from notifications import services as notifications
from notifications.services import Fact
from tenants.models import Hospital


@dataclass(frozen=True)
class Details:
    """What a doctor says of their profession; whatever is not said yet is empty."""

    specialization: str = ""
    qualifications: str = ""
    licence_number: str = ""
    experience_years: int | None = None
    department: Department | None = None

    def normal(self) -> Self:
        """As it is kept: single lines, the licence number in capitals, so that it is found however it is typed."""
        return replace(
            self,
            specialization=one_line(self.specialization),
            qualifications=one_line(self.qualifications),
            licence_number=one_line(self.licence_number).upper(),
        )

    def columns(self) -> dict[str, Any]:
        """The same by column of `Doctor`."""
        return dict(vars(self))


def missing(doctor: Doctor) -> list[str]:
    """The names of the fields that have to be filled in before an application is sent."""
    needed = ["specialization", "qualifications", "licence_number", "experience_years"]
    return [name for name in needed if getattr(doctor, name) in ("", None)]


def licence_taken() -> Conflict:
    """The refusal of a licence number that another doctor has here."""
    return Conflict(
        _("Another doctor of this hospital has this licence number. Check it, or call the hospital."),
        field="licence_number",
    )


def is_licence_taken(licence_number: str, *, but: int | None) -> bool:
    """Whether a doctor here other than the person with this primary key holds the licence number."""
    holders = Doctor.objects.holding_licences().filter(licence_number=licence_number)
    return any(user_id != but for user_id in holders.values_list("user_id", flat=True))


def taken(*, licence_number: str, user_id: int | None) -> Conflict:
    """Which of the two unique things it was: the licence number or the person."""
    if is_licence_taken(licence_number, but=user_id):
        return licence_taken()
    return Conflict(_("This was changed at this very moment. Look at it again."))


def write(
    *,
    hospital: Hospital,
    to: User,
    template: str,
    subject: str,
    context: Mapping[str, Fact],
    name: str = "",
    is_secret: bool = False,
) -> None:
    """Write somebody an e-mail in the hospital's name. `name` is what it calls them, if not by their own name."""
    notifications.notify(
        to_address=to.email,
        to_name=name or str(to),
        template=template,
        subject=subject,
        brand_name=hospital.name,
        accent=hospital.accent,
        context={"hospital_name": hospital.name, "contact": hospital.email or settings.SUPPORT_EMAIL, **context},
        is_secret=is_secret,
    )
