"""Many open hospitals in one database, each with fifty patients who have accounts.

Their schemas are made by the function that approval uses. Filling is not measured, so the disk is not waited for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from accounts.models import User
from bench import world
from bench.cluster import maintenance
from core.schemas import schema_context
from hospitals.models import BookingPolicy, Settings
from patients.models import Patient
from tenants.models import Hospital
from tenants.provisioning import version

PATIENTS = 50
_AT_ONCE = 10  # schemas in one transaction


def fill(tenants: int) -> None:
    """Make that many."""
    hospitals = world.many(0, tenants)
    users = accounts()
    with _without_waiting():
        for start in range(0, len(hospitals), _AT_ONCE):
            with transaction.atomic():
                for hospital in hospitals[start : start + _AT_ONCE]:
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT public.tenants_open(%s)", [hospital.schema_name])
                    with schema_context(hospital.schema_name):
                        Settings.objects.create(pk=1)
                        BookingPolicy.objects.create(pk=1)
                        admit(users)
        Hospital.objects.open().update(schema_version=version())


def hospitals() -> list[Hospital]:
    """All of them, in the order in which they were made."""
    return list(Hospital.objects.open().filter(schema_name__startswith="h_many_").order_by("pk"))


def accounts() -> list[User]:
    """Fifty people."""
    return User.objects.bulk_create(
        User(email=f"asha{number}@example.com", password="!", first_name="Asha", last_name=f"Patel {number}")
        for number in range(PATIENTS)
    )


def admit(users: list[User]) -> None:
    """Make people patients of the hospital whose schema is active."""
    Patient.objects.bulk_create(
        Patient(number=f"P-{number}", user=user, name=user.get_full_name(), phone="+919845012345", allergies=[])
        for number, user in enumerate(users, start=1)
    )


@contextmanager
def _without_waiting() -> Iterator[None]:
    """Let the server write without waiting for the disk; afterwards everything is on it."""
    with maintenance(dict(os.environ)) as cursor:
        cursor.execute("ALTER SYSTEM SET fsync = off")
        cursor.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            cursor.execute("ALTER SYSTEM RESET fsync")
            cursor.execute("SELECT pg_reload_conf()")
            cursor.execute("CHECKPOINT")
