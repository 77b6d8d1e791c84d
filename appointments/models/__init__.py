"""Doctors' hours and the visits in them, in the hospital's schema."""

from appointments.models.hours import Availability, Schedule
from appointments.models.visits import LIVE, TRANSITIONS, Appointment, Status, TokenCounter
from appointments.models.waiting import WaitlistEntry

__all__ = [
    "LIVE",
    "TRANSITIONS",
    "Appointment",
    "Availability",
    "Schedule",
    "Status",
    "TokenCounter",
    "WaitlistEntry",
]
