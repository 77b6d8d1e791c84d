"""`manage.py demo_visits`: doctors' hours, patients, visits and money for the hospitals of the demo."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from appointments.demo import loading, money
from appointments.demo.content import VISITS
from hospitals.demo.people import PATIENT
from tenants.models import Hospital


class Command(BaseCommand):
    """Loads what is missing and leaves the rest alone, so that it can run at every start, after `demo`."""

    help = "Load the demo's hours, patients, visits and money (only with DEBUG)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load."""
        if not settings.DEBUG:
            raise CommandError("The demo has well-known people in it: it is loaded only with DEBUG=true.")
        person = User.objects.get(email=PATIENT[1])
        son = loading.load_family(person)
        for hospital in Hospital.objects.filter(slug__in=VISITS).with_schema().order_by("pk"):
            loading.load(hospital, person=person, son=son)
            money.load(hospital)
