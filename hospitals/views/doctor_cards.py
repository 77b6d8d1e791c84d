"""Doctors of any hospital as the portal shows them: who they are, what a visit costs, and the next free times."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.http import Request
from core.languages import names
from core.money import shown
from core.phrases import once_per_language, short_day
from core.visits import VisitKind
from directory.models import DoctorListing, FreeDay, Wanted
from tenants.ways import carried_from, to_page_of_hospital

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


class Time(NamedTuple):
    """A free time as it is shown and as it is read out, and where it is booked."""

    clock: str
    spoken: str
    url: str


class Day(NamedTuple):
    """A day with its first free times, how many more there are, and where all of them are shown."""

    label: str
    date: str
    times: tuple[Time, ...]
    more: str
    url: str


class Later(NamedTuple):
    """A day after the first one, with how many free times it has, and where they are shown."""

    date: str
    free: str
    url: str


@dataclass(frozen=True)
class Card:
    """A doctor among the results, in plain words: two cards that are equal look the same, and are drawn once.

    `zone_city` is said when the hospital's clocks are not the portal's.
    """

    name: str
    photo: str
    url: str
    about: str
    place: str
    fee: str
    kinds: tuple[Kind, ...]
    languages: str
    days: tuple[Day, ...]
    later: tuple[Later, ...]
    earliest: datetime | None
    zone_city: str


def cards_of(request: Request, doctors: Iterable[DoctorListing], wanted: Wanted, now: datetime) -> list[Card]:
    """The cards of these doctors, who is free first before the others."""
    source = carried_from(request)
    cards = [_card(Look.of(doctor, wanted, now, source)) for doctor in doctors]
    return sorted(cards, key=lambda card: (card.earliest is None, card.earliest))


@dataclass(frozen=True)
class Look:
    """All that a card follows from. Two that are equal make the same card.

    It changes when a time is taken, a time or the day passes, or somebody changes what is shown of the doctor. `passed` is how many of the doctor's times cannot be booked any more.
    """

    doctor: DoctorListing = field(compare=False)  # whose columns `shown` are
    wanted: Wanted = field(compare=False)
    now: datetime = field(compare=False)
    shown: tuple[Hashable, ...]
    free_times: tuple[int, ...]
    passed: int
    today: date
    kind: VisitKind | None
    since: date | None
    source: str

    @classmethod
    def of(cls, doctor: DoctorListing, wanted: Wanted, now: datetime, source: str) -> "Look":
        """How a doctor looks to who comes from `source` (see tenants.ways.carried_from)."""
        hospital = doctor.hospital
        return cls(
            doctor=doctor,
            wanted=wanted,
            now=now,
            shown=(
                *(doctor.code, doctor.name, doctor.photo_thumb, doctor.specialization, doctor.experience_years),
                *(doctor.lowest_fee, doctor.fee_in_person, doctor.fee_video, doctor.fee_chat, tuple(doctor.languages)),
                *(hospital.name, hospital.slug, hospital.city, hospital.time_zone),
            ),
            free_times=tuple(doctor.free_times),
            passed=doctor.passed(now),
            today=now.astimezone(ZoneInfo(hospital.time_zone)).date(),
            kind=wanted.kind,
            since=wanted.day,
            source=source,
        )


@once_per_language
def _card(look: Look) -> Card:
    doctor, wanted, today = look.doctor, look.wanted, look.today
    hospital, zone = doctor.hospital, ZoneInfo(doctor.hospital.time_zone)
    free = doctor.free_by_day(look.now, wanted.kind, since=wanted.day, days=DAYS, times=TIMES)
    fees = doctor.fees
    link = to_page_of_hospital(look.source, hospital.slug, "doctor_page", doctor.code)
    # The address of a time is that of its kind of visit and the time itself: made once, as there are many times.
    links = {kind: link(f"kind={kind}&at=") for kind in fees if wanted.kind in (None, kind)}
    week = link(f"kind={wanted.kind}&week=" if wanted.kind else "week=")
    return Card(
        name=doctor.name,
        photo=doctor.photo_thumb,
        url=link(f"kind={wanted.kind}" if wanted.kind else ""),
        about=_about(doctor),
        place=_("%(hospital)s, %(city)s") % {"hospital": hospital.name, "city": hospital.city},
        fee=_fee(doctor, wanted.kind),
        kinds=tuple(one for one in KINDS if one.kind in fees),
        languages=", ".join(names(doctor.languages)),
        days=tuple(_day(one, today, zone, links, doctor.name, f"{week}{one.day.isoformat()}") for one in free),
        later=tuple(Later(short_day(one.day), _times(one.count), f"{week}{one.day.isoformat()}") for one in free[1:]),
        earliest=free[0].times[0].starts_at.astimezone(zone) if free else None,
        zone_city=""
        if hospital.time_zone == settings.TIME_ZONE
        else hospital.time_zone.split("/")[-1].replace("_", " "),
    )


def _day(free: FreeDay, today: date, zone: ZoneInfo, links: dict[VisitKind, str], name: str, url: str) -> Day:
    day, times = short_day(free.day), []
    for time in free.times:
        link = next(link for kind, link in links.items() if kind in time.kinds)
        clock, instant = _written(time.starts_at, zone)
        times.append(Time(clock, f"{clock}, {day}, {name}", f"{link}{instant}"))
    more = free.count - len(times)
    return Day(_day_name(free.day, today), day, tuple(times), _more(more) if more else "", url)


@lru_cache(maxsize=4096)
def _written(instant: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """A time by the clocks of a zone, and as an address says it. Many doctors are free at the same time."""
    return f"{instant.astimezone(zone):%H:%M}", f"{instant:%Y-%m-%dT%H:%MZ}"


@once_per_language
def _day_name(day: date, today: date) -> str:
    """Today, tomorrow, or the day of the week."""
    if day == today:
        return _("Today")
    return _("Tomorrow") if day == today + timedelta(days=1) else date_format(day, "l")


@once_per_language
def _more(n: int) -> str:
    return _("+%(n)s more") % {"n": n}


@once_per_language
def _times(n: int) -> str:
    return ngettext("%(n)s time", "%(n)s times", n) % {"n": n}


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
