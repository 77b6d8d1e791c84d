"""Doctors of any hospital as the portal shows them: who they are, what a visit costs, and the next free times."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.http import Request
from core.languages import names
from core.money import shown
from core.visits import VisitKind
from directory.models import DoctorListing, FreeDay, Wanted
from tenants.ways import to_hospital

DAYS = 4
TIMES = 3


@dataclass(frozen=True)
class Kind:
    """A kind of visit with its icon."""

    kind: VisitKind
    icon: str


KINDS = (
    Kind(VisitKind.IN_PERSON, icon="building-2"),
    Kind(VisitKind.VIDEO, icon="video"),
    Kind(VisitKind.CHAT, icon="message-circle"),
)


@dataclass(frozen=True)
class Time:
    """A free time, and where it is booked."""

    clock: str
    url: str


@dataclass(frozen=True)
class Day:
    """A day with its first free times, how many more and how many in all there are, and where all of them are shown."""

    label: str
    date: str
    times: list[Time]
    more: str
    count: str
    url: str


@dataclass(frozen=True)
class Card:
    """A doctor among the results. `zone_city` is said when the hospital's clocks are not the portal's."""

    doctor: DoctorListing
    url: str
    about: str
    place: str
    fee: str
    kinds: list[Kind]
    languages: str
    days: list[Day]
    earliest: datetime | None
    zone_city: str


def cards_of(request: Request, doctors: Iterable[DoctorListing], wanted: Wanted, now: datetime) -> list[Card]:
    """The cards of these doctors, who is free first before the others."""
    cards = [_card(request, doctor, wanted, now) for doctor in doctors]
    return sorted(cards, key=lambda card: (card.earliest is None, card.earliest))


def _card(request: Request, doctor: DoctorListing, wanted: Wanted, now: datetime) -> Card:
    hospital, zone = doctor.hospital, ZoneInfo(doctor.hospital.time_zone)
    today = now.astimezone(zone).date()
    free = doctor.free_by_day(now, wanted.kind, since=wanted.day, days=DAYS, times=TIMES)
    fees = doctor.fees

    def link(query: str) -> str:
        return to_hospital(request, hospital.slug, "doctor_page", doctor.code, query=query)

    # The address of a time is that of its kind of visit and the time itself: made once, as there are many times.
    links = {kind: link(f"kind={kind}&at=") for kind in fees if wanted.kind in (None, kind)}
    week = link(f"kind={wanted.kind}&week=" if wanted.kind else "week=")
    return Card(
        doctor=doctor,
        url=link(f"kind={wanted.kind}" if wanted.kind else ""),
        about=_about(doctor),
        place=_("%(hospital)s, %(city)s") % {"hospital": hospital.name, "city": hospital.city},
        fee=_fee(doctor, wanted.kind),
        kinds=[one for one in KINDS if one.kind in fees],
        languages=", ".join(names(doctor.languages)),
        days=[_day(one, today, zone, links, f"{week}{one.day.isoformat()}") for one in free],
        earliest=free[0].times[0].starts_at.astimezone(zone) if free else None,
        zone_city=""
        if hospital.time_zone == settings.TIME_ZONE
        else hospital.time_zone.split("/")[-1].replace("_", " "),
    )


def _day(free: FreeDay, today: date, zone: ZoneInfo, links: dict[VisitKind, str], url: str) -> Day:
    times = []
    for time in free.times:
        link = next(link for kind, link in links.items() if kind in time.kinds)
        clock = f"{time.starts_at.astimezone(zone):%H:%M}"
        times.append(Time(clock, f"{link}{time.starts_at:%Y-%m-%dT%H:%MZ}"))
    more = free.count - len(times)
    return Day(
        label=day_name(free.day, today),
        date=date_format(free.day, "D j M"),
        times=times,
        more=_("+%(n)s more") % {"n": more} if more else "",
        count=ngettext("%(n)s time", "%(n)s times", free.count) % {"n": free.count},
        url=url,
    )


def day_name(day: date, today: date) -> str:
    """Today, tomorrow, or the day of the week."""
    if day == today:
        return _("Today")
    return _("Tomorrow") if day == today + timedelta(days=1) else date_format(day, "l")


def _about(doctor: DoctorListing) -> str:
    years = doctor.experience_years
    if not years:
        return doctor.specialization
    if not doctor.specialization:
        return ngettext("%(n)s year of experience", "%(n)s years of experience", years) % {"n": years}
    words = {"n": years, "specialization": doctor.specialization}
    return (
        ngettext("%(specialization)s, %(n)s year of experience", "%(specialization)s, %(n)s years of experience", years)
        % words
    )


def _fee(doctor: DoctorListing, kind: VisitKind | None) -> str:
    fee = doctor.fees.get(kind) if kind else doctor.lowest_fee
    if fee is None:
        return ""
    if not fee:
        return _("Free of charge")
    if kind or len(set(doctor.fees.values())) == 1:
        return shown(fee)
    return _("from %(fee)s") % {"fee": shown(fee)}
