"""Doctors as patients choose among them: what stands on a card, or in a row of the API."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.visits import VisitKind
from directory.models import DoctorListing, FreeTime
from hospitals.models import Doctor


@dataclass(frozen=True)
class Card:
    """A doctor with the lowest fee that can be asked, and the free times that the search knows, the earliest first."""

    doctor: Doctor
    fee: Decimal | None
    times: list[FreeTime]

    @property
    def next_free_at(self) -> datetime | None:
        """When the doctor is free next; None when no time is known."""
        return self.times[0].starts_at if self.times else None


def cards(doctors: Iterable[Doctor], *, now: datetime, kind: VisitKind | None = None) -> list[Card]:
    """The cards of these doctors, for any or one kind of visit; in one query, however many they are."""
    rows = list(doctors)
    listings = {listing.code: listing for listing in DoctorListing.objects.filter(code__in=[d.code for d in rows])}
    return [
        Card(
            doctor=doctor,
            fee=doctor.fees.get(kind) if kind else min(doctor.fees.values(), default=None),
            times=listings[doctor.code].free(now, kind) if doctor.code in listings else [],
        )
        for doctor in rows
    ]
