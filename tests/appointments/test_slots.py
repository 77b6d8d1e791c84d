"""What a doctor's hours offer, by example."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appointments.slots import Hours, Leave, Rules, Slot, Taken, Timetable, by_day, overlap
from core.visits import VisitKind

KOLKATA, LONDON, NEW_YORK = (ZoneInfo(name) for name in ("Asia/Kolkata", "Europe/London", "America/New_York"))
MONDAY = date(2026, 11, 23)
LONG_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def hours(starts: str, ends: str, weekday: int | None = 0, **fields: Any) -> Hours:
    return Hours(time.fromisoformat(starts), time.fromisoformat(ends), weekday=weekday, **fields)


def table(*stretches: Hours, zone: ZoneInfo = KOLKATA, length: int = 20, **fields: Any) -> Timetable:
    rules = {name: fields.pop(name) for name in list(fields) if name in Rules.__dataclass_fields__}
    return Timetable(zone=zone, rules=Rules(minutes(length), **rules), hours=stretches, **fields)


def clocks(slots: list[Slot], zone: ZoneInfo = KOLKATA) -> list[str]:
    return [f"{slot.starts_at.astimezone(zone):%H:%M}" for slot in slots]


def wall(clock: str, day: date = MONDAY, zone: ZoneInfo = KOLKATA) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), zone)


def free(of: Timetable, day: date = MONDAY, now: datetime = LONG_BEFORE, **fields: Any) -> list[str]:
    return clocks(of.free(day, day, now=now, any_notice=True, **fields), of.zone)


# --- Dividing hours --------------------------------------------------------------------------------------------------


def test_hours_are_divided_into_visits() -> None:
    assert clocks(table(hours("09:00", "10:00")).offered(MONDAY, MONDAY)) == ["09:00", "09:20", "09:40"]


def test_what_is_left_over_at_the_end_is_no_visit() -> None:
    assert clocks(table(hours("09:00", "10:00"), length=25).offered(MONDAY, MONDAY)) == ["09:00", "09:25"]


def test_pauses_lie_between_visits_and_not_before_the_first() -> None:
    of = table(hours("09:00", "10:00"), buffer_before=minutes(5), buffer_after=minutes(10))
    [first, second] = of.offered(MONDAY, MONDAY)
    assert clocks([first, second]) == ["09:00", "09:35"]
    assert (first.busy_from, first.busy_until) == (wall("08:55"), wall("09:30"))
    assert second.busy_from == first.busy_until


def test_other_days_offer_nothing() -> None:
    assert table(hours("09:00", "10:00")).offered(MONDAY + timedelta(days=1), MONDAY + timedelta(days=6)) == []


def test_extra_hours_count_on_their_day_alone() -> None:
    of = table(hours("09:00", "09:20", weekday=None, first_date=MONDAY))
    assert [str(day) for day in by_day(of.offered(MONDAY, MONDAY + timedelta(days=7)), KOLKATA)] == ["2026-11-23"]


def test_hours_count_from_their_first_day_to_their_last() -> None:
    of = table(hours("09:00", "09:20", first_date=MONDAY, last_date=MONDAY + timedelta(days=7)))
    found = by_day(of.offered(MONDAY - timedelta(days=30), MONDAY + timedelta(days=30)), KOLKATA)
    assert list(found) == [MONDAY, MONDAY + timedelta(days=7)]


def test_hours_of_the_night_go_on_after_midnight() -> None:
    of = table(hours("23:20", "00:40", ends_next_day=True))
    assert clocks(of.offered(MONDAY, MONDAY)) == ["23:20", "23:40"]
    assert clocks(of.offered(MONDAY + timedelta(days=1), MONDAY + timedelta(days=1))) == ["00:00", "00:20"]


def test_a_stretch_of_a_whole_day_ends_where_it_began() -> None:
    of = table(hours("08:00", "08:00", ends_next_day=True), length=60)
    assert len(of.offered(MONDAY, MONDAY + timedelta(days=1))) == 24


def test_of_stretches_that_overlap_the_earlier_one_keeps_its_times() -> None:
    of = table(hours("09:00", "10:00"), hours("09:30", "10:30"))
    assert clocks(of.offered(MONDAY, MONDAY)) == ["09:00", "09:20", "09:40", "10:10"]


def test_a_short_stretch_within_a_long_one_opens_no_gap() -> None:
    of = table(hours("09:00", "12:00"), hours("09:30", "10:30"), hours("11:00", "12:40"), length=60)
    assert clocks(of.offered(MONDAY, MONDAY)) == ["09:00", "10:00", "11:00"]


def test_hours_of_two_days_ago_still_bear_on_the_night() -> None:
    long = hours("23:50", "23:20", weekday=6, ends_next_day=True)  # the last visit keeps the doctor busy until 00:50
    of = table(long, hours("21:30", "03:30", ends_next_day=True), length=60, buffer_after=minutes(90))
    tuesday = MONDAY + timedelta(days=1)
    assert clocks(of.offered(tuesday, tuesday)) == ["02:30"]


def test_a_pause_reaches_into_the_stretch_that_follows() -> None:
    of = table(hours("09:00", "09:20"), hours("09:20", "10:20"), buffer_after=minutes(10))
    assert clocks(of.offered(MONDAY, MONDAY)) == ["09:00", "09:50"]


def test_each_stretch_says_which_visits_it_is_for() -> None:
    of = table(hours("09:00", "09:20", kinds=frozenset({VisitKind.VIDEO})), hours("10:00", "10:20"))
    assert free(of, kind=VisitKind.IN_PERSON) == ["10:00"]
    assert free(of, kind=VisitKind.VIDEO) == ["09:00", "10:00"]


# --- Leave -----------------------------------------------------------------------------------------------------------


def leave(starts: str, ends: str) -> Leave:
    return Leave(datetime.fromisoformat(f"2026-11-23T{starts}"), datetime.fromisoformat(f"2026-11-23T{ends}"))


def test_leave_takes_the_visits_it_touches_and_shifts_none() -> None:
    of = table(hours("09:00", "11:00"), leave=[leave("09:30", "10:05")])
    assert clocks(of.offered(MONDAY, MONDAY)) == ["09:00", "10:20", "10:40"]


def test_leave_that_ends_when_a_visit_begins_leaves_it() -> None:
    of = table(hours("09:00", "10:00"), leave=[leave("09:20", "09:40")])
    assert clocks(of.offered(MONDAY, MONDAY)) == ["09:00", "09:40"]


def test_leave_that_overlaps_other_leave_counts_once() -> None:
    of = table(hours("09:00", "11:00"), leave=[leave("10:00", "10:20"), leave("09:00", "10:40")])
    assert clocks(of.offered(MONDAY, MONDAY)) == ["10:40"]


def test_leave_in_one_stretch_does_not_change_the_next_one() -> None:
    parts = [hours("09:00", "09:20"), hours("09:20", "10:20")]
    rested = table(*parts, buffer_after=minutes(10), leave=[leave("09:00", "09:10")])
    assert clocks(rested.offered(MONDAY, MONDAY)) == ["09:50"]


# --- When one may book -----------------------------------------------------------------------------------------------


def test_nothing_is_free_within_the_shortest_notice() -> None:
    of = table(hours("09:00", "11:00"), notice=minutes(60))
    assert clocks(of.free(MONDAY, MONDAY, now=wall("09:00"))) == ["10:00", "10:20", "10:40"]


def test_the_desk_books_at_short_notice_but_not_in_the_past() -> None:
    of = table(hours("09:00", "11:00"), notice=minutes(60))
    assert clocks(of.free(MONDAY, MONDAY, now=wall("09:50"), any_notice=True)) == ["10:00", "10:20", "10:40"]


def test_the_last_day_one_can_book_is_so_many_days_ahead() -> None:
    of = table(*(hours("09:00", "09:20", weekday=weekday) for weekday in range(7)), horizon_days=3)
    found = of.free(MONDAY, MONDAY + timedelta(days=30), now=wall("12:00"))
    assert [day - MONDAY for day in by_day(found, KOLKATA)] == [timedelta(days=number) for number in (1, 2, 3)]


def test_today_is_what_the_hospitals_calendar_says() -> None:
    of = table(hours("09:00", "09:20"), zone=NEW_YORK, horizon_days=1)
    late_on_sunday = wall("23:30", MONDAY - timedelta(days=1), NEW_YORK)
    assert clocks(of.free(MONDAY, MONDAY, now=late_on_sunday), NEW_YORK) == ["09:00"]


# --- What is taken ---------------------------------------------------------------------------------------------------


def taken(clock: str, length: int = 20, place: int | None = None) -> Taken:
    starts = wall(clock)
    places = {} if place is None else {"first_place": place, "last_place": place}
    return Taken(starts, starts + minutes(length), starts, **places)


def test_a_taken_time_is_not_free() -> None:
    assert free(table(hours("09:00", "10:00"), taken=[taken("09:20")])) == ["09:00", "09:40"]


def test_a_visit_from_before_the_length_was_changed_takes_all_it_touches() -> None:
    assert free(table(hours("09:00", "10:30"), length=30, taken=[taken("09:20")])) == ["10:00"]


def test_a_shared_slot_is_free_until_its_last_place_is_taken() -> None:
    shared = hours("09:00", "09:20", capacity=3)
    of = table(shared, taken=[taken("09:00", place=1), taken("09:00", place=3)])
    [slot] = of.free(MONDAY, MONDAY, now=LONG_BEFORE, any_notice=True)
    assert (slot.place, slot.left) == (2, 1)
    assert free(table(shared, taken=[taken("09:00", place=number) for number in (1, 2, 3)])) == []


def test_an_ordinary_visit_takes_every_place() -> None:
    assert free(table(hours("09:00", "09:20", capacity=3), taken=[taken("09:00")])) == []


def test_a_full_day_has_nothing_free() -> None:
    of = table(hours("09:00", "10:00"), max_per_day=2, taken=[taken("09:00"), taken("09:20")])
    assert free(of) == []
    assert free(of, MONDAY + timedelta(days=7)) == ["09:00", "09:20", "09:40"]


# --- Summer time -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", [KOLKATA, LONDON, NEW_YORK], ids=str)
def test_nine_is_nine_all_year(zone: ZoneInfo) -> None:
    of = table(*(hours("09:00", "09:20", weekday=weekday) for weekday in range(7)), zone=zone)
    found = of.offered(date(2026, 1, 1), date(2026, 12, 31))
    assert len(found) == 365
    assert set(clocks(found, zone)) == {"09:00"}


def test_the_hour_that_is_left_out_in_spring_offers_nothing() -> None:
    of = table(hours("00:00", "04:00", weekday=6), zone=LONDON, length=30)
    found = clocks(of.offered(date(2026, 3, 29), date(2026, 3, 29)), LONDON)
    assert found == ["00:00", "00:30", "02:00", "02:30", "03:00", "03:30"]


def test_the_hour_that_comes_twice_in_autumn_is_used_twice() -> None:
    of = table(hours("00:00", "03:00", weekday=6), zone=NEW_YORK, length=60)
    found = of.offered(date(2026, 11, 1), date(2026, 11, 1))
    assert clocks(found, NEW_YORK) == ["00:00", "01:00", "01:00", "02:00"]
    assert len({slot.starts_at for slot in found}) == 4


def test_hours_that_begin_in_the_doubled_hour_begin_the_second_time() -> None:
    of = table(hours("01:30", "03:00", weekday=6), zone=NEW_YORK, length=30)
    found = of.offered(date(2026, 11, 1), date(2026, 11, 1))
    assert clocks(found, NEW_YORK) == ["01:30", "02:00", "02:30"]
    assert found[0].starts_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


# --- Whether a visit still lies in the hours -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "ends", "inside"),
    [
        ("09:00", "09:20", True),
        ("09:50", "10:10", True),
        ("10:50", "11:10", False),
        ("08:50", "09:10", False),
        ("11:55", "12:15", False),
        ("12:15", "12:35", True),
    ],
)
def test_a_visit_is_inside_where_all_of_it_is(starts: str, ends: str, *, inside: bool) -> None:
    of = table(
        hours("09:00", "10:00"), hours("10:00", "11:00"), hours("11:30", "13:00"), leave=[leave("12:00", "12:15")]
    )
    assert of.covers(wall(starts), wall(ends), VisitKind.CHAT) is inside


def test_a_visit_is_inside_only_in_hours_for_its_kind() -> None:
    of = table(hours("09:00", "10:00", kinds=frozenset({VisitKind.VIDEO})))
    assert of.covers(wall("09:00"), wall("09:20"), VisitKind.VIDEO)
    assert not of.covers(wall("09:00"), wall("09:20"), VisitKind.CHAT)


# --- Whether hours overlap -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (hours("09:00", "12:00"), hours("11:00", "13:00"), True),
        (hours("09:00", "12:00"), hours("12:00", "13:00"), False),
        (hours("09:00", "12:00"), hours("09:00", "12:00", weekday=1), False),
        (hours("22:00", "02:00", ends_next_day=True), hours("01:00", "05:00", weekday=1), True),
        (hours("01:00", "05:00"), hours("22:00", "02:00", weekday=6, ends_next_day=True), True),
        (hours("22:00", "02:00", ends_next_day=True), hours("02:00", "05:00", weekday=1), False),
        (hours("09:00", "12:00", last_date=MONDAY), hours("09:00", "12:00", first_date=MONDAY), True),
        (hours("09:00", "12:00", last_date=MONDAY - timedelta(days=1)), hours("09:00", "12:00", first_date=MONDAY), False),
        (hours("09:00", "12:00"), hours("11:00", "13:00", weekday=None, first_date=MONDAY), True),
        (hours("11:00", "13:00", weekday=None, first_date=MONDAY + timedelta(days=1)), hours("09:00", "12:00"), False),
        (hours("09:00", "12:00", last_date=date(2026, 1, 31)), hours("09:00", "12:00"), False),
        (hours("09:00", "12:00", first_date=date(2026, 11, 24)), hours("09:00", "12:00", last_date=date(2026, 11, 29)), False),
    ],
)  # fmt: skip
def test_hours_overlap(one: Hours, other: Hours, *, expected: bool) -> None:
    assert overlap(one, other, since=date(2026, 6, 1)) is expected
    assert overlap(other, one, since=date(2026, 6, 1)) is expected
