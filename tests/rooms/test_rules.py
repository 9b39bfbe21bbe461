"""Pure decisions, as tables, and against a naive model that looks at every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from huijia import Period
from huijia_rooms import rules
from huijia_rooms.rules import DayKind, Level, Policy, Taken
from hypothesis import given, settings
from hypothesis import strategies as st

ZHENGZHOU, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(hour: float) -> datetime:
    """An hour of the test's day."""
    return MIDNIGHT + timedelta(hours=hour)


def period(start: float, end: float) -> Period:
    return Period(at(start), at(end))


def taken(*stretches: tuple[float, float, int | None]) -> list[Taken]:
    return [Taken(at(start), at(end), seats) for start, end, seats in stretches]


# --- the sweep ---


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([], []),
        ([(9, 10, 3)], [(9, 10, 3)]),
        ([(9, 10, 3), (10, 11, 3)], [(9, 10, 3), (10, 11, 3)]),  # touching: two stretches, never six seats
        ([(9, 11, 3), (10, 12, 4)], [(9, 10, 3), (10, 11, 7), (11, 12, 4)]),
        ([(9, 10, None)], [(9, 10, 12)]),  # the whole room takes every seat
        ([(9, 10, 2), (11, 12, 2)], [(9, 10, 2), (11, 12, 2)]),  # an empty stretch is none
        ([(9, 10, 2), (9, 10, 2)], [(9, 10, 4)]),
    ],
)
def test_levels_follow_every_coming_and_going(stretches: list, expected: list) -> None:
    assert rules.levels(taken(*stretches), 12) == [Level(at(a), at(b), n) for a, b, n in expected]


@pytest.mark.parametrize(
    ("stretches", "wanted", "seats", "fits"),
    [
        ([(9, 10, None)], (10, 11), None, True),  # begins as the other ends
        ([(9, 10, None)], (9.75, 11), None, False),
        ([(9, 10, 1)], (9, 10), None, False),  # one reader keeps the whole room from being booked
        ([(9, 10, None)], (9, 10), 1, False),
        ([(9, 12, 1), (10, 13, 1)], (9, 10), 1, True),
        # Three that overlap two by two, never more than two at once: the room of two holds them all.
        ([(9, 11, 1), (10.5, 13, 1)], (11, 14), 1, True),
        ([(9, 11, 1), (10, 13, 1)], (10.75, 14), 1, False),  # three at once for a quarter
        ([(9, 10, 2)], (9, 10), 1, False),
        ([(9, 10, 5)], (9, 10), 1, False),  # the capacity was lowered after the booking
    ],
)
def test_a_booking_fits_where_no_instant_is_over_full(
    stretches: list, wanted: tuple, seats: int | None, fits: bool
) -> None:
    full = rules.too_full(taken(*stretches), seats=seats, capacity=2)
    assert (rules.clash(period(*wanted), full) is None) is fits


@pytest.mark.parametrize(
    ("wanted", "opened", "full", "expected"),
    [
        ((9, 10), [(8, 21)], [], 9),
        ((9, 10), [(8, 21)], [(9, 10)], 10),
        ((9, 11), [(8, 21)], [(9, 10), (11, 12)], 12),  # the gap of an hour is too short for two
        ((9, 10), [(8, 12), (14, 21)], [(9, 11.5)], 14),  # half an hour before noon is too short
        ((7, 8), [(8, 21)], [], 8),  # asked for before opening
        ((20, 21), [(8, 21), (32, 45)], [(20, 21)], 32),  # tomorrow
        ((9, 10), [(8, 21)], [(8, 21)], None),
        ((9, 10), [], [], None),
        ((9, 10), [(9, 9.5)], [], None),  # never open for long enough
    ],
)
def test_the_next_free_start_is_the_earliest(
    wanted: tuple, opened: list, full: list, expected: float | None
) -> None:
    found = rules.earliest_fit(
        period(*wanted), opened=[period(*p) for p in opened], full=[period(*p) for p in full]
    )
    assert found == (None if expected is None else at(expected))


# --- opening hours ---


@pytest.mark.parametrize(
    ("day", "working", "holiday", "follows", "expected"),
    [
        (date(2026, 11, 20), True, False, 1, DayKind(5)),  # an ordinary Friday
        (date(2026, 11, 22), False, False, 1, DayKind(7)),  # an ordinary Sunday
        (date(2026, 1, 4), True, False, 1, DayKind(1)),  # a worked Sunday keeps Monday's hours
        (date(2026, 1, 4), True, False, 5, DayKind(5)),  # … or Friday's, where the centre says so
        (date(2026, 1, 4), True, False, 0, DayKind(7)),  # … or its own
        (date(2026, 10, 1), False, True, 1, DayKind(4, holiday=True)),
        (date(2027, 1, 3), None, False, 1, DayKind(7)),  # not published: the weekday itself
    ],
)
def test_the_calendar_says_whose_hours_apply(
    day: date, working: bool | None, holiday: bool, follows: int, expected: DayKind
) -> None:
    assert rules.kind_of_day(day, working=working, holiday=holiday, moved_follows=follows) == expected


@pytest.mark.parametrize(
    ("own", "centre_closes", "closed"),
    [
        ("centre", True, True),
        ("centre", False, False),
        ("open", True, False),  # the room's own word counts
        ("closed", False, True),
    ],
)
def test_a_room_may_differ_from_its_centre_on_holidays(own: str, centre_closes: bool, closed: bool) -> None:
    policy = Policy(
        moved_working_day_follows=1,
        closed_on_holidays=centre_closes,
        horizon_days=365,
        time_zone="Asia/Shanghai",
    )
    assert policy.closes(own) is closed
    spans = rules.spans_of({"4": [[480, 720]]}, DayKind(4, holiday=True), shut_on_holidays=policy.closes(own))
    assert bool(spans) is not closed


@pytest.mark.parametrize(
    ("zone", "day", "spans", "hours"),
    [
        (ZHENGZHOU, date(2026, 11, 22), [[480, 1260]], [13]),
        (ZHENGZHOU, date(2026, 11, 22), [[480, 720], [840, 1260]], [4, 7]),
        (ZHENGZHOU, date(2026, 11, 22), [[480, 720], [720, 1260]], [13]),  # spans that touch are one
        (ZHENGZHOU, date(2026, 11, 22), [[0, 1440]], [24]),
        (NEW_YORK, date(2026, 3, 8), [[0, 1440]], [23]),  # clocks go forward
        (NEW_YORK, date(2026, 11, 1), [[0, 1440]], [25]),  # clocks go back
        (NEW_YORK, date(2026, 3, 8), [[0, 360]], [5]),
        (NEW_YORK, date(2026, 3, 8), [[60, 150]], [1]),  # until a time that no clock shows
        (NEW_YORK, date(2026, 3, 8), [[120, 180]], []),  # only times that no clock shows
        (NEW_YORK, date(2026, 11, 1), [[60, 120]], [2]),  # the hour that stands twice is open twice
        (ZHENGZHOU, date(2026, 11, 22), [], []),
    ],
)
def test_spans_on_the_wall_clock_become_instants(zone: ZoneInfo, day: date, spans: list, hours: list) -> None:
    assert [p.minutes / 60 for p in rules.open_periods(day, spans, zone)] == hours


@pytest.mark.parametrize(
    ("zone", "day", "minute", "last", "expected"),
    [
        (NEW_YORK, date(2026, 3, 8), 105, False, "06:45"),  # 1:45, before the clocks go forward
        (NEW_YORK, date(2026, 3, 8), 120, False, "07:00"),  # 2:00 is 3:00
        (NEW_YORK, date(2026, 3, 8), 150, False, "07:00"),  # so is 2:30, which no clock shows
        (NEW_YORK, date(2026, 3, 8), 150, True, "07:00"),  # … also as an end
        (NEW_YORK, date(2026, 3, 8), 180, False, "07:00"),
        (NEW_YORK, date(2026, 11, 1), 90, False, "05:30"),  # 1:30, for the first time
        (NEW_YORK, date(2026, 11, 1), 90, True, "06:30"),  # … and for the second
        (ZoneInfo("Pacific/Apia"), date(2011, 12, 30), 720, False, "10:00"),  # a whole day that was skipped
        (ZoneInfo("Africa/Cairo"), date(2026, 4, 24), 0, False, "22:00"),  # a day that begins at 1:00
    ],
)
def test_a_time_that_clocks_skip_is_when_they_jump(
    zone: ZoneInfo, day: date, minute: int, last: bool, expected: str
) -> None:
    assert f"{rules.instant(day, minute, zone, last=last):%H:%M}" == expected


def test_a_room_open_past_midnight_takes_a_booking_across_it() -> None:
    days = (date(2026, 11, 22), date(2026, 11, 23))
    opened = rules.joined(
        p for day in days for p in rules.open_periods(day, [[0, 120], [1200, 1440]], ZHENGZHOU)
    )
    late = rules.instant(days[0], 1380, ZHENGZHOU)
    assert rules.covers(opened, Period(late, late + timedelta(hours=2)))
    assert not rules.covers(opened, Period(late, late + timedelta(hours=4)))


@pytest.mark.parametrize(
    ("opened", "closed", "left"),
    [
        ([(8, 21)], [], [(8, 21)]),
        ([(8, 21)], [(12, 14)], [(8, 12), (14, 21)]),
        ([(8, 21)], [(7, 9)], [(9, 21)]),
        ([(8, 21)], [(20, 48)], [(8, 20)]),
        ([(8, 21)], [(0, 24)], []),
        ([(8, 21)], [(21, 22)], [(8, 21)]),  # touching takes nothing
        ([(8, 12), (14, 21)], [(11, 15), (16, 17)], [(8, 11), (15, 16), (17, 21)]),
    ],
)
def test_closures_are_cut_out_of_opening_hours(opened: list, closed: list, left: list) -> None:
    found = rules.without([period(*p) for p in opened], [period(*p) for p in closed])
    assert found == [period(*p) for p in left]


@pytest.mark.parametrize(
    ("spans", "sound"),
    [
        ([], True),
        ([[480, 720], [840, 1260]], True),
        ([[480, 720], [720, 1260]], True),
        ([[720, 480]], False),  # backward
        ([[480, 480]], False),  # empty
        ([[480, 720], [700, 800]], False),  # overlapping
        ([[840, 1260], [480, 720]], False),  # out of order
        ([[480, 1500]], False),  # longer than the day
        ([[480]], False),
    ],
)
def test_spans_of_a_weekday_go_forward_and_apart(spans: list, sound: bool) -> None:
    assert rules.spans_are_sound(spans) is sound


@pytest.mark.parametrize(
    ("start", "end", "on_it"),
    [
        (at(9), at(10.25), True),
        (at(9), at(9) + 10 * MINUTE, False),
        (at(9) + timedelta(seconds=1), at(10), False),
        (at(9), at(10) + timedelta(microseconds=1), False),
    ],
)
def test_bookings_keep_to_quarter_hours(start: datetime, end: datetime, on_it: bool) -> None:
    assert rules.on_the_step(Period(start, end)) is on_it


def test_a_booking_that_ends_at_midnight_stays_on_its_day() -> None:
    night = rules.instant(date(2026, 11, 22), 1440, ZHENGZHOU)
    assert rules.days_touched(Period(night - timedelta(hours=1), night), ZHENGZHOU) == [date(2026, 11, 22)]
    over = Period(night - timedelta(hours=1), night + MINUTE)
    assert rules.days_touched(over, ZHENGZHOU) == [date(2026, 11, 22), date(2026, 11, 23)]


# --- against a model that looks at every quarter of an hour, one by one ---

QUARTER = 15 * MINUTE
QUARTERS = 48
stretches = st.tuples(st.integers(0, QUARTERS - 1), st.integers(1, 16)).map(
    lambda pair: (pair[0], min(pair[0] + pair[1], QUARTERS))
)
stays = st.lists(st.tuples(stretches, st.one_of(st.none(), st.integers(1, 4))), max_size=7)


def quarters(span: tuple[int, int]) -> Period:
    return Period(MIDNIGHT + span[0] * QUARTER, MIDNIGHT + span[1] * QUARTER)


def use(booked: list, capacity: int) -> list[int]:
    """How many seats are taken in each quarter."""
    return [
        sum(capacity if seats is None else seats for (a, b), seats in booked if a <= q < b)
        for q in range(QUARTERS)
    ]


@settings(deadline=None, max_examples=300)
@given(
    booked=stays, wanted=stretches, seats=st.one_of(st.none(), st.integers(1, 5)), capacity=st.integers(1, 5)
)
def test_the_sweep_agrees_with_counting_each_quarter(
    booked: list, wanted: tuple, seats: int | None, capacity: int
) -> None:
    need = capacity if seats is None else seats
    counted = use(booked, capacity)
    # Where a room is empty, nothing stands in the way; that it is too small is another rule.
    naive = all(n == 0 or n + need <= capacity for n in counted[wanted[0] : wanted[1]])
    found = [Taken(quarters(span).start, quarters(span).end, n) for span, n in booked]
    assert (
        rules.clash(quarters(wanted), rules.too_full(found, seats=seats, capacity=capacity)) is None
    ) is naive


@settings(deadline=None, max_examples=300)
@given(
    booked=stays,
    wanted=stretches,
    opened=st.lists(stretches, max_size=4),
    closed=st.lists(stretches, max_size=3),
)
def test_the_next_free_start_agrees_with_trying_each_quarter(
    booked: list, wanted: tuple, opened: list, closed: list
) -> None:
    hours = rules.without(rules.joined(map(quarters, opened)), map(quarters, closed))
    full = rules.too_full(
        [Taken(quarters(span).start, quarters(span).end, n) for span, n in booked], seats=None, capacity=3
    )
    counted = use(booked, 3)
    is_open = [
        any(a <= q < b for a, b in opened) and not any(a <= q < b for a, b in closed) for q in range(QUARTERS)
    ]
    length = wanted[1] - wanted[0]
    tries = range(wanted[0], QUARTERS - length + 1)
    naive = next((q for q in tries if all(is_open[n] and not counted[n] for n in range(q, q + length))), None)
    found = rules.earliest_fit(quarters(wanted), opened=hours, full=full)
    assert found == (None if naive is None else MIDNIGHT + naive * QUARTER)


@settings(deadline=None)
@given(spans=st.lists(stretches, max_size=6))
def test_joined_periods_hold_the_same_time_apart_and_in_order(spans: list) -> None:
    found = rules.joined(map(quarters, spans))
    assert all(a.end < b.start for a, b in pairwise(found))
    inside = {q for q in range(QUARTERS) if any(a <= q < b for a, b in spans)}
    assert inside == {
        q for q in range(QUARTERS) if any(p.start <= MIDNIGHT + q * QUARTER < p.end for p in found)
    }
