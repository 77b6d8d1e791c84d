"""The same people and hospitals in every test, made by the services that make real ones.

Usha      superadmin of the platform
Hari      admin of Cedar Hospital
Kiran     admin of Lotus Clinic: the stranger in every test about Cedar
Asha      a person without any role: a patient
"""

from io import BytesIO
from itertools import count
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now
from PIL import Image

from accounts.models import User
from hospitals.services import joining
from hospitals.services.joining import Registration
from tenants.models import Hospital

PASSWORD = "correct-horse-7"
_numbers = count(1)


def superadmin(email: str = "usha@rhms.example") -> User:
    """Usha."""
    return User.objects.create_superuser(email, PASSWORD, first_name="Usha", last_name="Menon")


def person(email: str = "asha@example.com", first_name: str = "Asha", last_name: str = "Patel") -> User:
    """Somebody with an account and a password, and no role anywhere."""
    return User.objects.create_user(email, PASSWORD, first_name=first_name, last_name=last_name)


def registration(**fields: Any) -> Registration:
    """What a hospital says of itself; every call another hospital."""
    number = next(_numbers)
    return Registration(
        **{
            "name": f"Hospital {number}",
            "registration_number": f"MH/{number:05d}",
            "email": f"office{number}@hospital.example",
            "phone_number": "+919845012345",
            "address": "12 Lake Road\nKothrud",
            "city": "Pune",
            "state": "MH",
            "contact_person": "Meera Shah",
            "slug": f"hospital-{number}",
            **fields,
        }
    )


def pending(**fields: Any) -> Hospital:
    """A hospital in the queue."""
    return joining.register(registration=registration(**fields), logo=None, address=f"visitor {next(_numbers)}")


def opened(by: User, **fields: Any) -> Hospital:
    """A hospital that has just been approved; its admin has not come in yet."""
    hospital = pending(**fields)
    joining.approve(hospital=hospital, by=by, now=now())
    return hospital


def picture(name: str = "logo.png", size: tuple[int, int] = (120, 80), colour: str = "teal") -> SimpleUploadedFile:
    """A picture as a browser sends it."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, format="PNG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/png")
