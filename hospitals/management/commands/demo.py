"""`manage.py demo`: load the demo hospitals and print where they are and how to sign in."""

import json
import re
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.base import File
from django.core.management.base import BaseCommand, CommandError
from django.http import HttpRequest
from django.utils.timezone import now
from django_tenants.utils import schema_context

from accounts import services as accounts
from accounts.models import User
from core import pictures
from core.hosts import hospital_url, portal_url
from hospitals import demo
from hospitals.demo.content import HOSPITALS, DemoHospital
from hospitals.models import Settings
from hospitals.services import departments, invitations, joining
from hospitals.services import settings as hospital_settings
from hospitals.services.joining import Registration
from notifications.models import Notification
from tenants.models import Hospital

SUPERADMIN = "usha@rhms.example"
SIGN_INS = Path(settings.BASE_DIR) / "var" / "demo-sign-ins.json"
LOGOS = Path(demo.__file__).parent


class Command(BaseCommand):
    """Loads what is missing and leaves the rest alone, so that it can run at every start."""

    help = "Load the demo hospitals (only with DEBUG) and print their addresses and sign-ins."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and print."""
        if not settings.DEBUG:
            raise CommandError("The demo has well-known people in it: it is loaded only with DEBUG=true.")
        passwords = self.passwords()
        superadmin = User.objects.filter(email=SUPERADMIN).first() or User.objects.create_superuser(
            SUPERADMIN, passwords[SUPERADMIN], first_name="Usha", last_name="Menon"
        )
        for content in HOSPITALS:
            if not Hospital.objects.filter(slug=content.slug).exists():
                self.load(content, superadmin, passwords)
        for user in User.objects.filter(email__in=passwords):
            if not user.check_password(passwords[user.email]):  # the data outlived the file, or the file the data
                accounts.set_password(user=user, password=passwords[user.email])
        self.print_sign_ins(passwords)

    def passwords(self) -> dict[str, str]:
        """Demo passwords: made up on this machine at the first start, and kept beside the data."""
        people = [SUPERADMIN, *(content.email for content in HOSPITALS if content.decision == "approved")]
        if SIGN_INS.exists():
            kept: dict[str, str] = json.loads(SIGN_INS.read_text())
            return kept
        made = {email: f"demo-only-{secrets.token_hex(4)}" for email in people}
        SIGN_INS.parent.mkdir(exist_ok=True)
        SIGN_INS.touch(mode=0o600)
        SIGN_INS.write_text(json.dumps(made, indent=2) + "\n")
        return made

    def load(self, content: DemoHospital, superadmin: User, passwords: dict[str, str]) -> None:
        """Take one hospital through the same services as a real one."""
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
            with schema_context(hospital.schema_name):
                self.furnish(hospital, content, passwords[content.email])

    def furnish(self, hospital: Hospital, content: DemoHospital, password: str) -> None:
        """Let the hospital's admin come in by the invitation and set things up."""
        request = HttpRequest()
        request.session = SessionStore()
        with schema_context("public"):
            letter = Notification.objects.filter(template="invitation", to_address=hospital.email).latest("pk")
        token = re.search(r"/invitation/([\w-]+)/", letter.text)
        assert token, "the invitation holds its link"  # noqa: S101
        by = invitations.accept(request=request, token=token[1], password=password, now=now()).user
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

    def print_sign_ins(self, passwords: dict[str, str]) -> None:
        """Where everything is."""
        rows = [
            ("Portal", portal_url("home"), "", ""),
            ("Superadmin", portal_url("queue"), *_sign_in(SUPERADMIN, passwords)),
        ]
        rows += [
            (content.name, hospital_url(content.slug, "home"), *_sign_in(content.email, passwords))
            for content in HOSPITALS
            if content.decision == "approved"
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            self.stdout.write(
                "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            )


def _logo(content: DemoHospital) -> pictures.Picture | None:
    if not content.logo:
        return None
    with (LOGOS / content.logo).open("rb") as file:
        return pictures.judge(File(file, name=content.logo))


def _sign_in(email: str, passwords: dict[str, str]) -> tuple[str, str]:
    return email, passwords[email]
