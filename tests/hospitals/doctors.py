"""What the tests about doctors share: an application in each state, and files to send."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now
from PIL import Image
from pypdf import PdfWriter

from accounts.models import User
from core import documents
from hospitals.models import Department, Doctor
from hospitals.services import departments
from hospitals.services.doctors import applying
from hospitals.services.doctors.details import Details
from tenants.models import Hospital


def pdf(name: str = "licence.pdf", width: int = 200) -> SimpleUploadedFile:
    """A certificate as a browser sends it; another width is another document."""
    writer = PdfWriter()
    writer.add_blank_page(width, 200)
    out = BytesIO()
    writer.write(out)
    return SimpleUploadedFile(name, out.getvalue(), content_type="application/pdf")


def photo(name: str = "degree.jpg") -> SimpleUploadedFile:
    """A photo as a telephone sends it."""
    out = BytesIO()
    Image.new("RGB", (400, 300), "teal").save(out, format="JPEG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/jpeg")


def cardiology(hospital: Hospital, by: User, name: str = "Cardiology") -> Department:
    """A department of the active schema."""
    return departments.add(hospital=hospital, name=name, description="", image=None, by=by)


def details(**fields: Any) -> Details:
    """What a doctor says of their profession."""
    return Details(
        **{
            "specialization": "Cardiology",
            "qualifications": "MBBS, MD",
            "licence_number": "MMC/2012/04567",
            "experience_years": 12,
            **fields,
        }
    )


def begun(hospital: Hospital, user: User, **fields: Any) -> Doctor:
    """A complete application that is not sent yet, with a licence."""
    applying.keep(
        hospital=hospital, user=user, details=details(**fields), document=documents.judge(pdf()), kind="licence"
    )
    return Doctor.objects.get(user=user)


def applied(hospital: Hospital, user: User, **fields: Any) -> Doctor:
    """An application that awaits approval."""
    begun(hospital, user, **fields)
    applying.send(hospital=hospital, user=user, now=now())
    return Doctor.objects.with_people().get(user=user)
