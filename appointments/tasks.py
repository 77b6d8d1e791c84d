"""What follows a booking, and what the clock brings."""

from datetime import datetime
from uuid import UUID

from django.utils.timezone import now

from appointments.services import booking, following, gate, listing, reminders, restored, waiting
from core.queue import task
from tenants import rounds


@task("appointments.refresh_times")
def refresh_times(*, doctor_id: int) -> None:
    """Show in the search when a doctor is free next."""
    listing.refresh_times(doctor_id=doctor_id, now=now())


@task("appointments.refresh_listed")
def refresh_listed(*, code: str) -> None:
    """The same for a doctor whom the search names."""
    listing.refresh_listed(code=UUID(code), now=now())


@task("appointments.refresh_stale")
def refresh_stale() -> None:
    """Each minute: keep the search's free times true, though nobody has booked anything."""
    listing.refresh_stale(now=now())


@task("appointments.time_freed")
def time_freed(*, appointment_id: int) -> None:
    """Offer a time that is free again to who waits for it."""
    waiting.freed(appointment_id=appointment_id, now=now())


@task("appointments.times_opened")
def times_opened(*, doctor_id: int, since: str, until: str) -> None:
    """Offer the times of hours that are new to who waits for one."""
    waiting.opened(
        doctor_id=doctor_id, since=datetime.fromisoformat(since), until=datetime.fromisoformat(until), now=now()
    )


@task("appointments.follow_patient")
def follow_patient(*, patient_id: int) -> None:
    """Note a patient's visits among those of the account that the patient belongs to now."""
    following.follow(patient_id=patient_id)


@task("appointments.settle_restored")
def settle_restored() -> None:
    """After a hospital was restored: write anew what the portal knows of it."""
    restored.settle()


@task("appointments.release_holds")
def release_holds() -> None:
    """Each minute: give up the holds whose time is over."""
    rounds.everywhere(lambda _hospital: booking.release_run_out(now=now()))


@task("appointments.release_unpaid")
def release_unpaid() -> None:
    """Each minute: give up the visits that were to be paid by now, unless somebody is about to pay."""
    rounds.everywhere(lambda hospital: gate.release_unpaid(hospital=hospital, now=now()))


@task("appointments.remind")
def remind() -> None:
    """Each minute: write the reminders that are due."""
    rounds.everywhere(lambda hospital: reminders.send_due(hospital=hospital, now=now()))


@task("appointments.morning_lists")
def morning_lists() -> None:
    """Every few minutes: write to doctors where the morning has come."""
    rounds.everywhere(lambda hospital: reminders.send_morning_lists(hospital=hospital, now=now()))


@task("appointments.waitlists")
def waitlists() -> None:
    """Each minute: pass on offers that nobody answered, and close wishes whose days are over."""
    rounds.everywhere(lambda hospital: waiting.go_round(hospital=hospital, now=now()))
