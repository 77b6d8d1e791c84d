"""Workers look at the clock at the same moment: each reminder and each morning list is written once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connections

from accounts.models import User
from appointments.models import Appointment
from appointments.services import reminders
from core.schemas import schema_context
from notifications.models import Notification
from tenants.models import Hospital
from tests import factories
from tests.factories import at, visit

WORKERS, VISITS = 4, 6


@pytest.fixture
def cedar_visits(committed: None) -> Hospital:
    """Visits of Asha's in three days, every twenty minutes from nine on."""
    cedar = Hospital.objects.get(slug="cedar")
    asha, hari = (User.objects.get(email=email) for email in ("asha@example.com", "hari@cedar.example"))
    with schema_context(cedar.schema_name):
        rao = factories.bookable_doctor(cedar, hari)
        for number in range(VISITS):
            visit(cedar, rao, asha, f"{9 + number // 3:02d}:{20 * (number % 3):02d}", days=3)
    return cedar


def at_once(hospital: Hospital, work: Callable[[], int]) -> list[int]:
    """What each worker says it has written."""
    gate = Barrier(WORKERS)

    def run(_number: int) -> int:
        try:
            with schema_context(hospital.schema_name):
                Appointment.objects.exists()  # the connection is open before the start
                gate.wait(10)
                return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(run, range(WORKERS)))


def test_workers_who_look_at_once_remind_once(cedar_visits: Hospital) -> None:
    moment = at(cedar_visits, "09:00", 3) - timedelta(minutes=30)  # of the hour for some, late of the day for others
    said = at_once(cedar_visits, lambda: reminders.send_due(hospital=cedar_visits, now=moment))
    with schema_context(cedar_visits.schema_name):
        written = Notification.objects.filter(template__startswith="visit_reminder")
        of_the_day = Appointment.objects.filter(reminded_day_at__isnull=False).count()
        of_the_hour = Appointment.objects.filter(reminded_hour_at__isnull=False).count()
        assert written.count() == sum(said) == of_the_day + of_the_hour == VISITS
        assert min(of_the_day, of_the_hour) > 0


def test_workers_who_look_at_once_write_the_morning_list_once(cedar_visits: Hospital) -> None:
    morning = at(cedar_visits, "06:30", 3)
    said = at_once(cedar_visits, lambda: reminders.send_morning_lists(hospital=cedar_visits, now=morning))
    with schema_context(cedar_visits.schema_name):
        assert sum(said) == Notification.objects.filter(template="morning_list").count() == 1
