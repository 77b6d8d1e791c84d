"""What is true of slots whatever a doctor's hours, leave and visits: looked for with random ones."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from appointments.slots import Hours, Leave, Rules, Slot, Taken, Timetable, overlap
from core.visits import VisitKind

ZONES = st.sampled_from([ZoneInfo(name) for name in ("Asia/Kolkata", "Europe/London", "America/New_York", "UTC")])
# Around the changes of 2026: London 29 March and 25 October, New York 8 March and 1 November.
DAYS = st.one_of(
    st.dates(date(2026, 3, 5), date(2026, 3, 31)),
    st.dates(date(2026, 10, 22), date(2026, 11, 3)),
    st.dates(date(2026, 6, 1), date(2026, 6, 30)),
)
MINUTES = st.integers(0, 1439).map(lambda number: number // 5 * 5)
DAY = timedelta(days=1)


def clock(number: int) -> time:
    return time(number // 60, number % 60)


@st.composite
def some_hours(draw: st.DrawFn) -> Hours:
    starts, ends = draw(MINUTES), draw(MINUTES)
    weekday = draw(st.one_of(st.none(), st.integers(0, 6)))
    first, last = draw(st.one_of(st.none(), DAYS)), draw(st.one_of(st.none(), DAYS))
    if first and last and last < first:
        first, last = last, first
    if weekday is None:
        first = last = draw(DAYS)
    return Hours(
        clock(starts),
        clock(ends),
        weekday=weekday,
        first_date=first,
        last_date=last,
        ends_next_day=ends <= starts,
        kinds=draw(st.frozensets(st.sampled_from(VisitKind), min_size=1)),
        capacity=draw(st.sampled_from([1, 1, 1, 3])),
    )


@st.composite
def some_leave(draw: st.DrawFn) -> Leave:
    starts = datetime.combine(draw(DAYS), clock(draw(MINUTES)))
    return Leave(starts, starts + timedelta(minutes=draw(st.integers(5, 4000))))


def lengths(most: int) -> st.SearchStrategy[timedelta]:
    return st.integers(0, most // 5).map(lambda number: timedelta(minutes=5 * number))


RULES = st.builds(
    Rules,
    length=lengths(60).map(lambda length: max(length, timedelta(minutes=5))),
    buffer_before=lengths(60),
    buffer_after=lengths(60),
    notice=lengths(3000),
    horizon_days=st.integers(1, 20),
    max_per_day=st.one_of(st.none(), st.integers(1, 5)),
)


@st.composite
def some_taken(draw: st.DrawFn) -> Taken:
    starts = datetime.combine(draw(DAYS), clock(draw(MINUTES)), ZoneInfo("UTC"))
    length = timedelta(minutes=draw(st.integers(5, 120)))
    place = draw(st.one_of(st.none(), st.integers(1, 3)))
    busy = starts - draw(lengths(30)), starts + length + draw(lengths(30))
    return Taken(*busy, starts) if place is None else Taken(*busy, starts, place, place)


TABLES = st.builds(
    Timetable,
    zone=ZONES,
    rules=RULES,
    hours=st.lists(some_hours(), max_size=6),
    leave=st.lists(some_leave(), max_size=3),
    taken=st.lists(some_taken(), max_size=12),
)


def wall(moment: datetime, table: Timetable) -> datetime:
    return moment.astimezone(table.zone).replace(tzinfo=None)


def fits(slot: Slot, table: Timetable) -> bool:
    """Whether both ends of the slot lie, by the clocks, in one stretch of the hours."""
    since, until = wall(slot.starts_at, table), wall(slot.ends_at, table)
    days = (since.date(), since.date() - DAY)
    return any(
        hours.begins_on(day) and hours.opens_on(day) <= since and until <= hours.closes_on(day)
        for hours in table.hours
        for day in days
    )


@given(TABLES, DAYS)
def test_every_slot_lies_in_the_hours_by_the_clocks(table: Timetable, day: date) -> None:
    for slot in table.offered(day, day + 6 * DAY):
        assert fits(slot, table)
        assert slot.ends_at - slot.starts_at == table.rules.length


@given(TABLES, DAYS)
def test_slots_come_in_order_and_never_overlap_pauses_included(table: Timetable, day: date) -> None:
    slots = table.offered(day, day + 6 * DAY)
    assert all(one.busy_until <= other.busy_from for one, other in pairwise(slots))


@given(TABLES, DAYS)
def test_no_slot_touches_leave(table: Timetable, day: date) -> None:
    for slot in table.offered(day, day + 6 * DAY):
        since, until = wall(slot.starts_at, table), wall(slot.ends_at, table)
        for leave in table.leave:
            # The clocks go back or forth within a slot at most twice a year; then the instants decide.
            if until - since == table.rules.length:
                assert not (leave.starts < until and since < leave.ends)


@given(TABLES, DAYS, st.integers(0, 6), st.integers(0, 6))
def test_a_day_offers_the_same_whatever_days_are_asked_for(
    table: Timetable, day: date, before: int, after: int
) -> None:
    wide = table.offered(day - before * DAY, day + after * DAY)
    alone = [slot for slot in wide if wall(slot.starts_at, table).date() == day]
    assert alone == table.offered(day, day) == table.offered(day, day)


@given(TABLES, DAYS, DAYS)
def test_what_is_free_is_offered_and_within_notice_and_horizon(table: Timetable, day: date, today: date) -> None:
    now = datetime.combine(today, time(10), table.zone)
    offered = {(slot.starts_at, slot.ends_at) for slot in table.offered(day, day + 6 * DAY)}
    for slot in table.free(day, day + 6 * DAY, now=now):
        assert (slot.starts_at, slot.ends_at) in offered
        assert slot.starts_at >= now + table.rules.notice
        assert wall(slot.starts_at, table).date() <= today + table.rules.horizon_days * DAY


@given(TABLES, DAYS)
def test_a_taken_place_is_never_free(table: Timetable, day: date) -> None:
    now = datetime(2026, 1, 1, tzinfo=table.zone)
    for slot in table.free(day, day + 6 * DAY, now=now, any_notice=True):
        assert 1 <= slot.place <= slot.capacity
        rivals = [one for one in table.taken if one.busy_from < slot.busy_until and slot.busy_from < one.busy_until]
        if slot.capacity == 1:
            assert rivals == []
        assert not any(rival.takes(slot.place) for rival in rivals)
        free = [n for n in range(1, slot.capacity + 1) if not any(rival.takes(n) for rival in rivals)]
        assert (slot.place, slot.left) == (free[0], len(free))


@given(TABLES, DAYS)
def test_what_is_offered_and_not_free_is_taken_or_on_a_full_day(table: Timetable, day: date) -> None:
    now = datetime(2026, 1, 1, tzinfo=table.zone)
    free = {slot.starts_at for slot in table.free(day, day + 6 * DAY, now=now, any_notice=True)}
    for slot in table.offered(day, day + 6 * DAY):
        on_the_day = [
            one for one in table.taken if wall(one.starts_at, table).date() == wall(slot.starts_at, table).date()
        ]
        is_full = table.rules.max_per_day is not None and len(on_the_day) >= table.rules.max_per_day
        is_met = any(one.busy_from < slot.busy_until and slot.busy_from < one.busy_until for one in table.taken)
        assert slot.starts_at in free or is_full or is_met


@given(TABLES, DAYS, st.sampled_from(VisitKind))
def test_what_is_free_for_a_kind_of_visit_is_free_and_for_it(table: Timetable, day: date, kind: VisitKind) -> None:
    now = datetime(2026, 1, 1, tzinfo=table.zone)
    every = table.free(day, day + 6 * DAY, now=now, any_notice=True)
    assert table.free(day, day + 6 * DAY, now=now, any_notice=True, kind=kind) == [s for s in every if kind in s.kinds]


@given(TABLES, DAYS)
def test_every_slot_is_covered_by_the_hours(table: Timetable, day: date) -> None:
    for slot in table.offered(day, day + 6 * DAY):
        assert all(table.covers(slot.starts_at, slot.ends_at, kind) for kind in slot.kinds)


@given(some_hours(), some_hours(), DAYS)
def test_hours_overlap_where_some_day_shows_it(one: Hours, other: Hours, since: date) -> None:
    days = [since + number * DAY for number in range(-2, 300)]
    mine = [(one.opens_on(day), one.closes_on(day)) for day in days if day >= since and one.begins_on(day)]
    theirs = [(other.opens_on(day), other.closes_on(day)) for day in days if other.begins_on(day)]
    shown = any(a < d and c < b for a, b in mine for c, d in theirs)
    assert overlap(one, other, since=since) is shown
