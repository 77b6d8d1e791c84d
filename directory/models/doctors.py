"""Doctors as patients find them across hospitals (public schema)."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models
from django.db.models import F, Func, Value
from django.utils.translation import gettext_lazy as _

from core.visits import VisitKind
from directory.expressions import expression, mark, wanted_words

_KINDS = {VisitKind.IN_PERSON: 1, VisitKind.VIDEO: 2, VisitKind.CHAT: 4}
_EPOCH = date(1970, 1, 1)
_FAR = date(9999, 1, 1)
_FEW_WORDS = 40
_ON_CARDS = (
    *("code", "name", "photo_thumb", "specialization", "experience_years", "languages", "free_times", "notice_minutes"),
    *("lowest_fee", "fee_in_person", "fee_video", "fee_chat"),
    *("hospital__name", "hospital__slug", "hospital__city", "hospital__time_zone"),
)


@dataclass(frozen=True)
class FreeTime:
    """A time that can be booked, and the kinds of visit it can be booked for."""

    starts_at: datetime
    kinds: frozenset[VisitKind]


@dataclass(frozen=True)
class FreeDay:
    """A day of a hospital's calendar with its first free times, and how many there are in all."""

    day: date
    times: list[FreeTime]
    count: int


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for. What is empty or None narrows nothing down."""

    words: str = ""
    specialty: str = ""
    city: str = ""
    hospital: str = ""  # its subdomain
    hospital_code: UUID | None = None
    department: str = ""
    language: str = ""
    kind: VisitKind | None = None
    fee_from: Decimal | None = None
    fee_to: Decimal | None = None
    experience: int | None = None
    day: date | None = None

    @property
    def marks(self) -> list[str]:
        """What a doctor's entry in the index must say."""
        said = {"is": self.specialty, "in": self.city, "dept": self.department, "speaks": self.language}
        said["offers"] = self.kind or ""
        return [mark(name, value) for name, value in said.items() if value]


@SearchVectorField.register_lookup
class Holds(models.Lookup[Any]):
    """The words of the left satisfy the expression on the right (see directory.expressions)."""

    lookup_name = "holds"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """The cast takes the expression as it stands; Postgres' own parsers would take it apart again."""
        left, left_params = self.process_lhs(compiler, connection)
        right, right_params = self.process_rhs(compiler, connection)
        return f"{left} @@ {right}::tsquery", (*left_params, *right_params)

    def get_prep_lookup(self) -> Any:
        """As it stands."""
        return self.rhs

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, list[Any]]:
        """As it stands."""
        return "%s", [value]


class DoctorListings(models.QuerySet["DoctorListing"]):
    """Searching doctors across hospitals."""

    def published(self) -> Self:
        """Doctors who take bookings at hospitals that are open now."""
        return self.filter(is_published=True, hospital__status="approved")

    def locked(self) -> Self:
        """Locked until the end of the transaction; what was read before must be read again."""
        return self.select_for_update(of=("self",)).order_by("pk")

    def wanted(self, wanted: Wanted) -> Self:
        """Doctors who are all that somebody wants."""
        rows = self
        said = expression(wanted.words, wanted.marks, SearchWord.objects.beginning_with(wanted_words(wanted.words)))
        if said:
            rows = rows.filter(search__holds=said)
        if wanted.hospital:
            rows = rows.filter(hospital__slug=wanted.hospital)
        if wanted.hospital_code:
            rows = rows.filter(hospital__code=wanted.hospital_code)
        fee = f"fee_{wanted.kind}" if wanted.kind else "lowest_fee"
        if wanted.fee_from is not None:
            rows = rows.filter(**{f"{fee}__gte": wanted.fee_from})
        if wanted.fee_to is not None:
            rows = rows.filter(**{f"{fee}__lte": wanted.fee_to})
        if wanted.experience is not None:
            rows = rows.filter(experience_years__gte=wanted.experience)
        if wanted.day:
            rows = rows.free_on(wanted.day, wanted.kind)
        return rows

    def free_on(self, day: date, kind: VisitKind | None) -> Self:
        """Doctors who have a free time on this day of their hospital's calendar."""
        number = (day - _EPOCH).days * 8
        kinds = [kind] if kind else list(_KINDS)
        on_the_day = self.filter(free_days__overlap=[number + _KINDS[each] for each in kinds])
        # Follows from the above, whatever the zone: the database need not look beyond. Late in the day few are free today.
        over = datetime.combine(min(day, _FAR), time(), UTC) + timedelta(days=2)
        return on_the_day.filter(**{f"next_{kind or 'free'}_at__lt": over})

    def with_times(self, kind: VisitKind | None = None) -> Self:
        """Doctors of whom a free time is known, for any or one kind of visit."""
        return self.filter(**{f"next_{kind or 'free'}_at__isnull": False})

    def earliest_first(self, kind: VisitKind | None = None) -> Self:
        """Who is free first comes first; who has no free time comes last."""
        column = f"next_{kind}_at" if kind else "next_free_at"
        return self.order_by(F(column).asc(nulls_last=True), "pk")

    def with_hospital(self) -> Self:
        """With what a result shows of the hospital."""
        return self.select_related("hospital")

    def for_cards(self) -> Self:
        """With what a card shows of the doctor and of the hospital, and nothing else: half of what there is."""
        return self.select_related("hospital").only(*_ON_CARDS)


class DoctorListing(models.Model):
    """One doctor as every patient may find them, copied from the hospital's schema. It holds nothing about patients.

    `search_text` is the words and marks (see directory.expressions) by which the doctor is found; the database keeps them as the
    set `search`, too.

    `free_times` are the free times of the next two weeks, the earliest first, each a number: minutes since 1970 times 8,
    plus 1 if it can be had in person, 2 by video, 4 by chat. `free_days` say the same of days, by the hospital's
    calendar. `next_free_at` and its sisters are the earliest of them, and at `first_passes_at` the earliest can no longer
    be booked. `stale_at` is when the times have to be worked out anew though nobody has booked: a day has passed, or a
    hold ends.
    """

    hospital = models.ForeignKey(
        "tenants.Hospital", on_delete=models.CASCADE, related_name="doctor_listings", db_index=False
    )
    code = models.UUIDField(unique=True)
    is_published = models.BooleanField(_("found by patients"), default=True)
    name = models.CharField(_("name"), max_length=150)
    specialization = models.CharField(_("specialization"), max_length=120, blank=True)
    department = models.CharField(_("department"), max_length=120, blank=True)
    qualifications = models.CharField(_("qualifications"), max_length=300, blank=True)
    experience_years = models.PositiveSmallIntegerField(_("years of experience"), null=True)
    languages = ArrayField(models.CharField(max_length=8), verbose_name=_("languages"), default=list)
    fee_in_person = models.DecimalField(_("fee in person"), max_digits=10, decimal_places=2, null=True)
    fee_video = models.DecimalField(_("fee by video"), max_digits=10, decimal_places=2, null=True)
    fee_chat = models.DecimalField(_("fee by chat"), max_digits=10, decimal_places=2, null=True)
    lowest_fee = models.DecimalField(_("lowest fee"), max_digits=10, decimal_places=2, null=True)
    photo_thumb = models.TextField(_("small photo"), blank=True, default="")
    search_text = models.TextField(_("what the search looks through"), default="")
    search = models.GeneratedField(
        expression=Func(
            Func(F("search_text"), Value(" "), function="string_to_array"),
            function="array_to_tsvector",
            output_field=SearchVectorField(),
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )
    free_times = ArrayField(models.IntegerField(), verbose_name=_("free times"), default=list)
    free_days = ArrayField(models.IntegerField(), verbose_name=_("days with free times"), default=list)
    notice_minutes = models.PositiveIntegerField(_("shortest notice"), default=0)
    next_free_at = models.DateTimeField(_("next free time"), null=True)
    next_in_person_at = models.DateTimeField(_("next free time in person"), null=True)
    next_video_at = models.DateTimeField(_("next free time by video"), null=True)
    next_chat_at = models.DateTimeField(_("next free time by chat"), null=True)
    first_passes_at = models.DateTimeField(_("when the next free time can no longer be booked"), null=True)
    stale_at = models.DateTimeField(_("to be worked out anew"), null=True)

    objects = DoctorListings.as_manager()

    class Meta:
        verbose_name = _("listed doctor")
        verbose_name_plural = _("listed doctors")
        indexes = [
            # Without a list of pending entries, which every search would have to read: bookings are fewer than searches.
            GinIndex(fields=["search"], name="doctor_listing_search", fastupdate=False),
            GinIndex(fields=["free_days"], name="doctor_listing_by_day", fastupdate=False),
            models.Index(fields=["hospital", "next_free_at"], name="doctor_listing_by_hospital"),
            models.Index(fields=["next_free_at", "id"], name="doctor_listing_by_time"),
            *(models.Index(fields=[f"next_{kind}_at", "id"], name=f"doctor_listing_by_{kind}") for kind in VisitKind),
            models.Index(fields=["lowest_fee"], name="doctor_listing_by_fee"),
            models.Index(fields=["first_passes_at"], name="doctor_listing_passing"),
            models.Index(fields=["stale_at"], name="doctor_listing_stale"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def fees(self) -> dict[VisitKind, Decimal]:
        """What a visit costs, in rupees, by the kinds the doctor offers."""
        fees = {kind: getattr(self, f"fee_{kind}") for kind in VisitKind}
        return {kind: fee for kind, fee in fees.items() if fee is not None}

    def numbers(self, now: datetime, kind: VisitKind | None = None) -> list[int]:
        """Those of `free_times` that can still be booked, for this kind of visit: neither past nor too soon."""
        bits = sum(_KINDS[each] for each in self.fees if kind in (None, each))
        numbers = self.free_times[self.passed(now) :]
        return [number & ~7 | number & bits for number in numbers if number & bits]

    def passed(self, now: datetime) -> int:
        """How many of `free_times` cannot be booked any more: past, or too soon."""
        return bisect_left(self.free_times, number_of(now + timedelta(minutes=self.notice_minutes, seconds=59)))

    def free(self, now: datetime, kind: VisitKind | None = None) -> list[FreeTime]:
        """The times that can be booked now, the earliest first."""
        return [_time_of(number) for number in self.numbers(now, kind)]

    def free_by_day(
        self, now: datetime, kind: VisitKind | None = None, *, since: date | None = None, days: int, times: int
    ) -> list[FreeDay]:
        """The next `days` that have free times, from the day `since` on, each with its first `times`."""
        numbers, zone = self.numbers(now, kind), ZoneInfo(self.hospital.time_zone)
        start = bisect_left(numbers, number_of(datetime.combine(since, time(), zone))) if since else 0
        found: list[FreeDay] = []
        while start < len(numbers) and len(found) < days:
            day = instant_of(numbers[start]).astimezone(zone).date()
            end = bisect_left(numbers, number_of(datetime.combine(day + timedelta(days=1), time(), zone)), start)
            shown = [_time_of(number) for number in numbers[start : min(start + times, end)]]
            found.append(FreeDay(day, shown, end - start))
            start = end
        return found


def number_of(instant: datetime, kinds: Iterable[VisitKind] = ()) -> int:
    """How `free_times` write a time."""
    return int(instant.timestamp()) // 60 * 8 + sum(_KINDS[kind] for kind in kinds)


def _time_of(number: int) -> FreeTime:
    return FreeTime(instant_of(number), frozenset(kind for kind, bit in _KINDS.items() if number & bit))


def instant_of(number: int) -> datetime:
    """The time that `free_times` write so."""
    return datetime.fromtimestamp(number // 8 * 60, UTC)


class SearchWords(models.QuerySet["SearchWord"]):
    """Words by which doctors are found."""

    def beginning_with(self, beginnings: Iterable[str]) -> dict[str, list[str]]:
        """All that begin with each of these, where that is a few; a beginning of one or two letters is left out."""
        asked = [beginning for beginning in beginnings if len(beginning) >= SearchWord.SHORTEST]
        if not asked:
            return {}
        # By hand: writing it takes Django longer than Postgres takes to answer it, and every search asks.
        any_of = " OR ".join(["word LIKE %s"] * len(asked))
        beginnings = [f"{connection.ops.prep_for_like_query(beginning)}%" for beginning in asked]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT word FROM {self.model._meta.db_table} WHERE {any_of} LIMIT {_FEW_WORDS + 1}",  # noqa: S608
                beginnings,
            )
            words = [word for (word,) in cursor.fetchall()]
        if len(words) > _FEW_WORDS:
            return {}
        return {beginning: sorted(word for word in words if word.startswith(beginning)) for beginning in asked}


class SearchWord(models.Model):
    """A word by which some doctor is found: for completing a beginning, and guessing what was mistyped."""

    SHORTEST, LONGEST = 3, 60

    word = models.CharField(_("word"), max_length=LONGEST, unique=True)

    objects = SearchWords.as_manager()

    class Meta:
        verbose_name = _("search word")
        verbose_name_plural = _("search words")
        indexes = [GinIndex(OpClass("word", name="gin_trgm_ops"), name="search_word_likeness")]

    def __str__(self) -> str:
        return self.word
