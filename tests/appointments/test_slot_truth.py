"""What the search shows can be had: every time that is shown, of many doctors with every sort of hours."""

import random
from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from accounts.models import User
from appointments.models import Appointment, Availability, Schedule
from appointments.services import booking, listing
from appointments.services.times import SlotTaken
from core.codes import new_code
from core.errors import Invalid
from core.visits import VisitKind
from directory.models import DoctorListing
from hospitals.models import Doctor
from hospitals.services.doctors import publishing
from tenants.models import Hospital
from tests import factories

DOCTORS = 20
SCHEDULES: list[dict[str, Any]] = [
    {},
    {"slot_minutes": 30, "buffer_before": 5, "buffer_after": 10},
    {"slot_minutes": 45, "notice_minutes": 24 * 60},
    {"slot_minutes": 15, "max_per_day": 3},
    {"slot_minutes": 60, "horizon_days": 5, "notice_minutes": 0},
]


def doctor_with_hours(hospital: Hospital, by: User, number: int, chance: random.Random) -> Doctor:
    """A doctor with hours that differ from those of the others: nights, several places, leave, some times taken."""
    doctor = factories.bookable_doctor(hospital, by, f"doctor{number}@cedar.example", f"Doctor{number}")
    Availability.objects.filter(doctor=doctor).delete()
    Schedule.objects.filter(doctor=doctor).update(**SCHEDULES[number % len(SCHEDULES)])
    for weekday in chance.sample(range(7), k=4):
        begins = chance.randrange(6, 20)
        shared = {"capacity": 3} if number % 7 == 3 else {}
        factories.every_week(doctor, weekday, f"{begins:02d}:10", f"{begins + 1:02d}:55", **shared)
    if number % 4 == 1:
        factories.every_week(doctor, chance.randrange(7), "23:10", "00:50", ends_next_day=True)
    if number % 5 == 2:
        day = factories.at(hospital, "00:00", days=chance.randrange(1, 8)).date()
        Availability.objects.create(
            doctor=doctor, kind=Availability.Kind.LEAVE, first_date=day, last_date=day, starts="00:00", ends="23:59"
        )
    return Doctor.objects.with_people().select_related("schedule").get(pk=doctor.pk)


def shown(doctor: Doctor) -> list[Any]:
    """The times the search shows of the doctor."""
    return DoctorListing.objects.get(code=doctor.code).free(now())


def hold(hospital: Hospital, doctor: Doctor, time: Any) -> bool:
    """Somebody holds a time that is shown, for one of the kinds it is shown for; tell whether they could."""
    kind = VisitKind(sorted(time.kinds)[0])
    starts_at = time.starts_at
    try:
        booking.hold(
            hospital=hospital, doctor=doctor, starts_at=starts_at, kind=kind, holder=new_code(), by=None, now=now()
        )
    except (SlotTaken, Invalid):
        return False
    return True


def test_every_time_that_is_shown_can_be_held(in_cedar: Hospital, hari: User) -> None:
    chance = random.Random(26)
    tried, held = 0, 0
    for number in range(DOCTORS):
        doctor = doctor_with_hours(in_cedar, hari, number, chance)
        publishing.publish(hospital=in_cedar, doctor=doctor)
        listing.refresh_times(doctor_id=doctor.pk, now=now())
        some = shown(doctor)
        for time in chance.sample(some, k=len(some) // 8):  # what is taken meanwhile is worked out anew
            hold(in_cedar, doctor, time)
        listing.refresh_times(doctor_id=doctor.pk, now=now())
        for time in shown(doctor):
            if doctor.schedule.max_per_day and time not in shown(doctor):
                continue  # the holds before filled the day, and the search says so
            tried += 1
            held += hold(in_cedar, doctor, time)
            if doctor.schedule.max_per_day:
                listing.refresh_times(doctor_id=doctor.pk, now=now())
    assert tried > 300
    assert held == tried


def test_a_time_that_is_held_is_not_shown_a_moment_later(in_cedar: Hospital, rao: Doctor) -> None:
    publishing.publish(hospital=in_cedar, doctor=rao)
    listing.refresh_times(doctor_id=rao.pk, now=now())
    first = shown(rao)[0]
    assert hold(in_cedar, rao, first)
    assert first.starts_at not in [time.starts_at for time in shown(rao)]
    assert DoctorListing.objects.get(code=rao.code).next_free_at == first.starts_at + timedelta(minutes=20)
    assert Appointment.objects.count() == 1
