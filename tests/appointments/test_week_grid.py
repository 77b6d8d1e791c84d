"""Where things stand in a week that is drawn by the clock."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.week_grid import LANES, Grid, Lane, Span, lanes, together

MONDAY = date(2026, 11, 23)
spans = st.builds(
    lambda start, length: Span(start, min(start + length, 24 * 60)), st.integers(0, 24 * 60 - 1), st.integers(1, 480)
)


def clock(text: str, day: int = 23) -> datetime:
    """A moment as the clocks show it."""
    return datetime.fromisoformat(f"2026-11-{day}T{text}")


def test_a_stretch_is_cut_at_midnight() -> None:
    night = clock("22:00"), clock("02:00", 24)
    assert Span.on(MONDAY, *night) == Span(22 * 60, 24 * 60)
    assert Span.on(date(2026, 11, 24), *night) == Span(0, 2 * 60)
    assert not Span.on(date(2026, 11, 25), *night)


def test_a_day_off_is_a_whole_day_on_each_of_its_days_but_the_last() -> None:
    leave = clock("00:00", 23), clock("12:00", 24)
    assert Span.on(MONDAY, *leave).is_whole_day
    assert not Span.on(date(2026, 11, 24), *leave).is_whole_day


def test_where_clocks_go_back_a_stretch_does_not_end_before_it_begins() -> None:
    assert Span.on(MONDAY, clock("02:50"), clock("02:10")) == Span(170, 170)


def test_the_usual_hours_are_shown_and_more_where_something_is() -> None:
    assert Grid.around([], slot=20).hours == range(9, 18)
    grid = Grid.around([Span(7 * 60 + 30, 8 * 60), Span(18 * 60 + 40, 19 * 60 + 10)], slot=20)
    assert grid.hours == range(7, 20)


@pytest.mark.parametrize(("shortest", "height"), [(30, 20), (20, 20), (15, 15), (12, 10), (10, 10), (5, 5)])
def test_rows_are_so_high_that_the_shortest_can_be_pressed(shortest: int, height: int) -> None:
    assert Grid.around([], slot=shortest).height == height
    assert Grid.around([Span(600, 600 + shortest)], slot=60).height == height


def test_a_place_is_told_in_hours_and_rows_from_the_top() -> None:
    grid = Grid(9, 18, 20)
    assert grid.place(Span(9 * 60, 9 * 60 + 20)) == "h0 m0 t0 u4"
    assert grid.place(Span(10 * 60 + 40, 11 * 60)) == "h1 m8 t2 u0"
    assert grid.place(Span(0, 24 * 60)) == "h0 m0 t9 u0"


def test_what_lasts_less_than_a_row_has_one() -> None:
    assert Grid(9, 18, 20).place(Span(600, 600)) == "h1 m0 t1 u1"


def test_one_begins_in_the_row_in_which_the_one_before_ends() -> None:
    grid = Grid(9, 18, 10)
    before, after = (grid.place(Span(start, start + 12)).split() for start in (540, 552))
    assert before[2:] == ["t0", "u2"]
    assert after[:2] == ["h0", "m2"]


def test_only_what_begins_in_its_hours_is_shown() -> None:
    grid = Grid(9, 18, 20)
    assert [grid.shows(Span(minutes, minutes)) for minutes in (539, 540, 1079, 1080)] == [False, True, True, False]


def test_those_at_the_same_time_stand_side_by_side() -> None:
    assert lanes([Span(600, 620), Span(600, 620), Span(620, 640)]) == [Lane(0, 2), Lane(1, 2), Lane(0, 1)]
    grid = Grid(9, 18, 20)
    assert grid.place(Span(600, 620), Lane(1, 2)) == "h1 m0 t1 u4 lane1 of2"


def test_of_more_than_there_is_room_for_the_last_lane_is_left_to_say_how_many() -> None:
    many = lanes([Span(600, 620)] * 5)
    assert [lane.is_beyond for lane in many] == [False, False, True, True, True]
    assert not any(lane.is_beyond for lane in lanes([Span(600, 620)] * LANES))


@given(st.lists(spans, max_size=25))
def test_no_two_that_overlap_share_a_lane(some: list[Span]) -> None:
    found = lanes(some)
    for one in range(len(some)):
        for other in range(one):
            if some[one].start < some[other].end and some[other].start < some[one].end:
                assert found[one].lane != found[other].lane
                assert found[one].lanes == found[other].lanes


@given(st.lists(spans, max_size=25))
def test_groups_hold_each_once_and_do_not_overlap(some: list[Span]) -> None:
    groups = together(some)
    assert sorted(position for group in groups for position in group) == list(range(len(some)))
    ends = [max(some[position].end for position in group) for group in groups]
    begins = [min(some[position].start for position in group) for group in groups]
    assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False))
