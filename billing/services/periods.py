"""Days on the hospital's calendar, and the moments at which they begin and end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

DAY = timedelta(days=1)


class Parts(Enum):
    """How much of a period is read at once."""

    DAYS = 1
    MONTHS = 31
    WHOLE = None


@dataclass(frozen=True)
class Period:
    """The days from `first` to `last`, both included, in a time zone."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def start(self) -> datetime:
        """The midnight with which it begins."""
        return midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The midnight with which it is over."""
        return midnight(self.last + DAY, self.zone)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def words(self) -> str:
        """The days as people read them."""
        if self.first == self.last:
            return date_format(self.first, "j F Y")
        is_same_year = self.first.year == self.last.year
        first = date_format(self.first, "j F" if is_same_year else "j F Y")
        return _("%(first)s to %(last)s") % {"first": first, "last": date_format(self.last, "j F Y")}

    def parts(self, size: Parts) -> Iterator["Period"]:
        """The period cut into pieces that follow each other."""
        step = timedelta(days=size.value or self.days)
        first = self.first
        while first <= self.last:
            yield Period(first, min(first + step - DAY, self.last), self.zone)
            first += step


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins there."""
    return datetime.combine(day, time.min, tzinfo=zone)


def financial_year_of(day: date) -> date:
    """The first day of India's financial year that has this day."""
    return date(day.year if day.month >= 4 else day.year - 1, 4, 1)
