"""The people and hospitals that measurements need, made by the services that make real ones."""

import os
from itertools import count

from django.db import transaction
from django.utils.timezone import now

from accounts.models import User
from audit import services as audit
from audit.models import Action
from hospitals.models import Doctor, Staff
from hospitals.services import joining
from tenants.models import Domain, Hospital

PASSWORD = "correct-horse-7"
_numbers = count(1)


def usha() -> User:
    """The superadmin."""
    found = User.objects.filter(email="usha@rhms.example").first()
    return found or User.objects.create_superuser("usha@rhms.example", PASSWORD, first_name="Usha", last_name="Menon")


def pending(slug: str) -> Hospital:
    """A hospital that has registered."""
    number = next(_numbers)
    return joining.register(
        registration=joining.Registration(
            name=f"Hospital {slug}",
            registration_number=f"MH/{slug}",
            email=f"office@{slug}.example",
            phone_number="+919845012345",
            address="12 Lake Road",
            city="Pune",
            state="MH",
            contact_person="Hari Rao",
            slug=slug,
        ),
        logo=None,
        address=f"{os.getpid()} {number}",  # a visitor of its own: nobody registers ten an hour
    )


def opened(slug: str = "cedar") -> Hospital:
    """A hospital that works."""
    hospital = pending(slug)
    joining.approve(hospital=hospital, by=usha(), now=now())
    return hospital


def many(first: int, last: int) -> list[Hospital]:
    """Rows of open hospitals with hosts, whose schemas are still to be made."""
    made = [
        Hospital(
            schema_name=f"h_many_{number}",
            name=f"Hospital {number}",
            registration_number=f"MH/many/{number}",
            email=f"office@hospital-{number}.example",
            phone_number="+919845012345",
            address="12 Lake Road",
            city="Pune",
            state="MH",
            contact_person="Meera Shah",
            slug=f"hospital-{number}",
            status=Hospital.Status.APPROVED,
        )
        for number in range(first, last)
    ]
    with transaction.atomic():
        Hospital.objects.bulk_create(made)
        Domain.objects.bulk_create(Domain(tenant=one, domain=one.host, is_primary=True) for one in made)
        for one in made:
            audit.record(action=Action.HOSPITAL_APPROVED, target=one, by=None, actor="bench", new=one.status)
    return made


@transaction.atomic
def doctor(email: str, name: str, *, by: User) -> Doctor:
    """A doctor of the hospital whose schema is active, whose documents were checked."""
    user = User.objects.create_user(email, PASSWORD, first_name=name)
    made = Doctor.objects.create(
        user=user, status="approved", verified_at=now(), verified_by=by, fee_in_person=700, fee_video=500
    )
    audit.record(action=Action.DOCTOR_APPROVED, target=made, by=by, new=made.status)
    Staff.objects.create(user=user, role="doctor", joined_at=now())
    return made
