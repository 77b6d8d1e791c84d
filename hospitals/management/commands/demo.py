"""`manage.py demo`: hospitals and people to look around with."""

import json
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from accounts.models import User
from accounts.services import passwords as account_passwords
from core.hosts import hospital_url, portal_url
from hospitals.demo import loading
from hospitals.demo.content import HOSPITALS
from hospitals.demo.people import PATIENT, PRINTED
from tenants.models import Hospital

SUPERADMIN = "usha@rhms.example"
SIGN_INS = Path(settings.BASE_DIR) / "var" / "demo-sign-ins.json"
_OPEN = [content for content in HOSPITALS if content.decision == "approved"]


class Command(BaseCommand):
    """Loads what is missing and leaves the rest alone, so that it can run at every start."""

    help = "Load the demo hospitals (only with DEBUG) and print their addresses and sign-ins."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and print."""
        if not settings.DEBUG:
            raise CommandError("The demo has well-known people in it: it is loaded only with DEBUG=true.")
        known = self.passwords()
        superadmin = User.objects.filter(email=SUPERADMIN).first() or User.objects.create_superuser(
            SUPERADMIN, known[SUPERADMIN], first_name="Usha", last_name="Menon"
        )
        loading.open_account(name=PATIENT[0], email=PATIENT[1], known=known)
        for content in HOSPITALS:
            if not Hospital.objects.filter(slug=content.slug).exists():
                loading.load(content, superadmin=superadmin, known=known)
        for hospital in Hospital.objects.filter(slug__in=[content.slug for content in _OPEN]).with_schema():
            loading.load_people(hospital, known=known)
        for user in User.objects.filter(email__in=known):
            if not user.check_password(known[user.email]):  # the data outlived the file, or the file the data
                account_passwords.choose(user=user, password=known[user.email], now=now())
        self.print_sign_ins(known)

    def passwords(self) -> dict[str, str]:
        """Demo passwords: made up on this machine at the first start, and kept beside the data."""
        people = [SUPERADMIN, PATIENT[1], *(content.email for content in _OPEN)]
        people += [email for emails in PRINTED.values() for email in emails]
        kept: dict[str, str] = json.loads(SIGN_INS.read_text()) if SIGN_INS.exists() else {}
        known = {email: kept.get(email) or f"demo-only-{secrets.token_hex(4)}" for email in people}
        if known != kept:
            SIGN_INS.parent.mkdir(exist_ok=True)
            SIGN_INS.touch(mode=0o600)
            SIGN_INS.write_text(json.dumps(known, indent=2) + "\n")
        return known

    def print_sign_ins(self, known: dict[str, str]) -> None:
        """Where everything is."""
        rows = [
            ("Portal", portal_url("home"), PATIENT[1], known[PATIENT[1]]),
            ("Superadmin", portal_url("queue"), SUPERADMIN, known[SUPERADMIN]),
        ]
        for content in _OPEN:
            site = hospital_url(content.slug, "home")
            rows.append((content.name, site, content.email, known[content.email]))
            rows += [(f"  {who}", site, email, known[email]) for email, who in PRINTED.get(content.slug, {}).items()]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            self.stdout.write(
                "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            )
