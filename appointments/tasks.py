"""What follows a booking, and what the clock brings."""

from django.utils.timezone import now

from appointments.services import listing
from core.queue import task


@task("appointments.refresh_times")
def refresh_times(*, doctor_id: int) -> None:
    """Show in the search when a doctor is free next."""
    listing.refresh_times(doctor_id=doctor_id, now=now())
