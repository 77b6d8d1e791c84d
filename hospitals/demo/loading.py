"""Taking the demo's hospitals and people through the same services as real ones."""

import re
import secrets
from pathlib import Path

from django.core.files.base import File
from django.http import HttpRequest
from django.utils.timezone import now

from accounts.models import User
from accounts.services import passwords, people
from accounts.sessions import SessionStore
from core import documents, pictures
from core.schemas import schema_context
from hospitals.demo import papers
from hospitals.demo.content import DemoHospital
from hospitals.demo.people import DOCTORS, STAFF, DemoDoctor, DemoStaff
from hospitals.models import Department, Doctor, DoctorDocument, Settings, Staff
from hospitals.services import departments, invitations, joining
from hospitals.services import settings as hospital_settings
from hospitals.services import staff as colleagues
from hospitals.services.doctors import applying, reviewing
from hospitals.services.doctors.details import Details
from hospitals.services.joining import Registration
from notifications.models import Notification
from tenants.models import Hospital

LOGOS = Path(__file__).parent
Passwords = dict[str, str]


def load(content: DemoHospital, *, superadmin: User, known: Passwords) -> None:
    """One hospital, from its registration to the people who work in it."""
    hospital = joining.register(
        registration=Registration(
            name=content.name,
            registration_number=content.number,
            email=content.email,
            phone_number=content.phone,
            address=content.address,
            city=content.city,
            state=content.state,
            contact_person=content.contact,
            slug=content.slug,
        ),
        logo=_logo(content),
        address=f"demo {secrets.token_hex(4)}",  # not counted against a visitor
    )
    joining.confirm_email(hospital=hospital, now=now())
    if content.decision == "rejected":
        joining.reject(hospital=hospital, by=superadmin, reason=content.reason)
    elif content.decision == "approved":
        joining.approve(hospital=hospital, by=superadmin, now=now())
        with schema_context("public"):
            token = _token("invitation", hospital.email)
        with schema_context(hospital.schema_name):
            _accept(hospital, token, known[content.email])
            admin = Staff.objects.select_related("user").get().user
            _furnish(hospital, content, admin)


def load_people(hospital: Hospital, *, known: Passwords) -> None:
    """Who works in an open hospital, and who would like to. Leaves a hospital alone that has colleagues already."""
    with schema_context(hospital.schema_name):
        if Staff.objects.count() > 1:
            return
        admin = Staff.objects.select_related("user").get().user
        for colleague in STAFF.get(hospital.slug, []):
            _employ(hospital, colleague, admin, known)
        for doctor in DOCTORS.get(hospital.slug, []):
            _apply(hospital, doctor, admin, known)


def open_account(*, name: str, email: str, known: Passwords) -> User:
    """Somebody with an account whose address is confirmed; whose password is not printed has none."""
    user = people.person_for(email=email, name=name)
    if user.email_verified_at is None:
        if email in known:
            passwords.choose(user=user, password=known[email], now=now())
        people.confirm_email(user=user, now=now())
    return user


def _furnish(hospital: Hospital, content: DemoHospital, by: User) -> None:
    """Set the hospital up, as its admin would."""
    hospital_settings.change_brand(hospital=hospital, name=hospital.name, accent=content.accent, logo=None, by=by)
    if content.has_checked_contact:
        hospital_settings.change_contact(
            hospital=hospital,
            email=hospital.email,
            phone_number=hospital.phone_number,
            address=hospital.address,
            city=hospital.city,
            state=hospital.state,
            time_zone=hospital.time_zone,
            by=by,
        )
    hospital_settings.change_welcome(
        settings=Settings.objects.get(),
        welcome=content.welcome,
        emergency_phone="112",
        opening_hours=content.opening_hours,
        by=by,
    )
    for name, description in content.departments:
        departments.add(hospital=hospital, name=name, description=description, image=None, by=by)


def _employ(hospital: Hospital, colleague: DemoStaff, by: User, known: Passwords) -> None:
    """Invite a colleague, who then comes in, or does not."""
    row = colleagues.invite(
        hospital=hospital, name=colleague.name, email=colleague.email, role=colleague.role, by=by, now=now()
    )
    if colleague.state == "invited":
        return
    password = known.get(colleague.email) or secrets.token_urlsafe(24)
    _accept(hospital, _token("staff_invited", colleague.email), password)
    if colleague.state == "deactivated":
        colleagues.deactivate(hospital=hospital, staff=row, by=by, now=now(), reason="Moved to another city.")


def _apply(hospital: Hospital, content: DemoDoctor, by: User, known: Passwords) -> None:
    """Let a doctor apply with their documents, and decide."""
    user = open_account(name=content.name, email=content.email, known=known)
    department = Department.objects.get(name=content.department)
    details = Details(
        specialization=content.specialization,
        qualifications=content.qualifications,
        licence_number=content.licence_number,
        experience_years=content.experience_years,
        department=department,
    )
    applying.change(user=user, details=details)
    kinds = DoctorDocument.Kind
    licence = papers.licence(name=content.name, number=content.licence_number, qualifications=content.qualifications)
    degree = papers.degree(name=content.name, qualifications=content.qualifications)
    for kind, paper in ((kinds.LICENCE, licence), (kinds.DEGREE, degree)):
        applying.add_document(hospital=hospital, user=user, document=documents.judge(paper), kind=kind)
    applying.send(hospital=hospital, user=user, now=now())
    doctor = Doctor.objects.select_related("user").get(user=user)
    if content.decision == "approved":
        reviewing.approve(hospital=hospital, doctor=doctor, department=department, by=by, now=now())
    elif content.decision == "more_asked":
        reviewing.ask(hospital=hospital, doctor=doctor, answer=content.answer, by=by)
    elif content.decision == "rejected":
        reviewing.reject(hospital=hospital, doctor=doctor, reason=content.answer, by=by)


def _accept(hospital: Hospital, token: str, password: str) -> None:
    request = HttpRequest()
    request.session = SessionStore()
    request.hospital = hospital  # type: ignore[attr-defined]
    request.META["HTTP_HOST"] = hospital.host
    invitations.accept(request=request, token=token, password=password, now=now())
    request.session.flush()


def _token(template: str, email: str) -> str:
    letter = Notification.objects.filter(template=template, to_address=email).latest("pk")
    found = re.search(r"/invitation/([\w-]+)/", letter.text)
    assert found, "the invitation holds its link"  # noqa: S101
    return found[1]


def _logo(content: DemoHospital) -> pictures.Picture | None:
    if not content.logo:
        return None
    with (LOGOS / content.logo).open("rb") as file:
        return pictures.judge(File(file, name=content.logo))
