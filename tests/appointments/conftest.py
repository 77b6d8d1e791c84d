"""A doctor of Cedar whom patients can book, and whose hours Hari changes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Availability, WaitlistEntry
from appointments.services import hours
from appointments.services.displacing import Decisions
from hospitals.models import Doctor
from tenants.models import Hospital
from tests import factories
from tests.appointments.hours import UNDECIDED, tomorrow
from tests.appointments.money import by_video
from tests.appointments.waitlist import wait
from tests.fakes.razorpay import Gateway


@pytest.fixture
def rao(in_cedar: Hospital, hari: User) -> Doctor:
    """Dr Rao of Cedar, every day from 9 to 17. The test works in Cedar's schema."""
    return factories.bookable_doctor(in_cedar, hari)


@pytest.fixture
def act(in_cedar: Hospital, rao: Doctor, hari: User) -> Callable[..., Any]:
    """Do a service as Hari, for Dr Rao, now."""

    def do(service: Callable[..., Any], **fields: Any) -> Any:
        return service(**{"hospital": in_cedar, "doctor": rao, "by": hari, "now": now(), **fields})

    return do


@pytest.fixture
def leave(act: Callable[..., Any], in_cedar: Hospital) -> Callable[..., Availability]:
    """Take leave tomorrow, or from tomorrow on."""

    def take(decisions: Decisions | None = UNDECIDED, days: int = 0, **fields: Any) -> Availability:
        first = tomorrow(in_cedar)
        last = first + timedelta(days=days)
        row: Availability = act(hours.add_leave, first_date=first, last_date=last, decisions=decisions, **fields)
        return row

    return take


@pytest.fixture
def unpaid(in_cedar: Hospital, rao: Doctor, asha: User, gateway: Gateway) -> Appointment:
    """Asha has booked a video visit of tomorrow at ten, and has not paid yet."""
    return by_video(in_cedar, rao, asha)


@pytest.fixture
def three_waiting(in_cedar: Hospital, rao: Doctor) -> list[WaitlistEntry]:
    """Three who wait for Dr Rao, since an hour, two hours and three hours."""
    people = [factories.person(f"w{number}@example.com", f"W{number}") for number in range(3)]
    return [wait(in_cedar, rao, one, since=now() - timedelta(hours=number + 1)) for number, one in enumerate(people)]
