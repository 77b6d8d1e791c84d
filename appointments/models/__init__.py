"""Doctors' hours and the visits in them, in the hospital's schema."""

from appointments.models.hours import Availability, Schedule
from appointments.models.mornings import MorningList
from appointments.models.visits import LIVE, TO_COME, TRANSITIONS, Appointment, Appointments, Status, TokenCounter
from appointments.models.waiting import WaitlistEntry

__all__ = [
    "LIVE",
    "TO_COME",
    "TRANSITIONS",
    "Appointment",
    "Appointments",
    "Availability",
    "MorningList",
    "Schedule",
    "Status",
    "TokenCounter",
    "WaitlistEntry",
]
