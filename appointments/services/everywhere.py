"""A person's visits at all hospitals. The public schema knows when and where; the rest is read in each hospital."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.formats import date_format

from accounts.models import User
from appointments.models import Appointment
from appointments.services import paying
from appointments.services.times import zone_of
from billing.services import gateway
from core.schemas import schema_context
from directory.models import TakenTime, TakenTimes
from tenants.models import Hospital

_HALF_A_DAY = timedelta(hours=12)


@dataclass(frozen=True)
class Elsewhere:
    """A visit with the hospital it is at. Its times are by that hospital's clocks."""

    hospital: Hospital
    visit: Appointment
    starts_at: datetime
    takes_online: bool

    @property
    def is_payable(self) -> bool:
        """Whether it can be paid online now."""
        return self.takes_online and paying.is_payable(self.visit)

    @property
    def pay_until(self) -> str:
        """Until when it must be paid, by the hospital's clocks; empty for one that need not be."""
        until = self.visit.pay_until if self.visit.waits_for_payment else None
        return f"{until.astimezone(zone_of(self.hospital)):%H:%M}" if until else ""

    @property
    def when(self) -> str:
        """The day and time there, with the zone."""
        return _shown(self.starts_at)


@dataclass(frozen=True)
class Unreadable:
    """A hospital that is out of service for a moment, and when the person's visits there are."""

    hospital: Hospital
    times: list[str]


def coming(*, user: User, now: datetime) -> list[Elsewhere]:
    """The visits of the person and their family that may still take place, the earliest first."""
    return details(user=user, rows=_mine(user).filter(_still_ahead(now)).order_by("period", "pk"))


def past(*, user: User, now: datetime) -> TakenTimes:
    """All others, the latest first, to be divided into pages; `details` reads a page."""
    return _mine(user).exclude(_still_ahead(now)).newest_first()


def known(*, user: User) -> TakenTimes:
    """All of them, the latest first; `details` reads a page."""
    return _mine(user).newest_first()


def details(*, user: User, rows: Iterable[TakenTime]) -> list[Elsewhere]:
    """The visits themselves, in the order of `rows`: one query for each hospital among them.

    Those at a hospital that is out of service for a moment are left out: see `out_of_service`.
    """
    taken = [row for row in rows if not row.hospital.pause]
    hospitals = {row.hospital_id: row.hospital for row in taken}
    visits: dict[object, Appointment] = {}
    online: dict[int, bool] = {}
    for hospital in hospitals.values():
        codes = [row.appointment for row in taken if row.hospital_id == hospital.pk]
        with schema_context(hospital.schema_name):
            found = Appointment.objects.visible_to(user, None).filter(code__in=codes).with_people().with_bill()
            visits |= {visit.code: visit for visit in found}
            online[hospital.pk] = any(map(paying.is_payable, found)) and gateway.takes_online()
    return [
        Elsewhere(row.hospital, visit, visit.starts_at.astimezone(zone_of(row.hospital)), online[row.hospital_id])
        for row in taken
        if (visit := visits.get(row.appointment))
    ]


def out_of_service(*, user: User, now: datetime) -> list[Unreadable]:
    """Hospitals whose visits cannot be read for a moment, each with when the person has visits there still."""
    rows = _mine(user).exclude(hospital__pause="").order_by("hospital__name", "period")
    found: dict[int, Unreadable] = {}
    for row in rows:
        one = found.setdefault(row.hospital_id, Unreadable(row.hospital, []))
        begins, ends = row.period.lower, row.period.upper
        if row.is_live and begins and ends and ends >= now - _HALF_A_DAY:
            one.times.append(_shown(begins.astimezone(zone_of(row.hospital))))
    return list(found.values())


def _shown(starts_at: datetime) -> str:
    return f"{date_format(starts_at, 'D j M Y, H:i')} {starts_at:%Z}"


def _mine(user: User) -> TakenTimes:
    return TakenTime.objects.filter(user=user).select_related("hospital")


def _still_ahead(now: datetime) -> Q:
    """As `Appointments.coming` has it."""
    return Q(is_live=True, period__endswith__gte=now - _HALF_A_DAY)
