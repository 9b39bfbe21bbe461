"""Pure decisions about rooms: when one is open, how full it is, when it is next free.

Times are aware; periods are half-open, so that bookings may touch. A whole booking takes every seat, so
one sweep over time answers for whole and for shared bookings alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from huijia import Period

STEP_MINUTES = 15
LENGTH_MAX = timedelta(hours=24)
DAY_MINUTES = 24 * 60
MINUTE = timedelta(minutes=1)

Spans = Sequence[Sequence[int]]  # [[480, 720], [840, 1260]]: minutes after midnight on the wall clock
Hours = Mapping[str, Spans]  # by ISO weekday, "1" (Monday) to "7"


@dataclass(frozen=True, slots=True)
class Taken:
    """A stretch of a room that is booked; `seats` None means the whole room."""

    start: datetime
    end: datetime
    seats: int | None


@dataclass(frozen=True, slots=True)
class Level:
    """A stretch of unchanging use."""

    start: datetime
    end: datetime
    seats: int


@dataclass(frozen=True, slots=True)
class Policy:
    """What a centre's operators decide for all its rooms; see `schemas.RoomsSettings`."""

    moved_working_day_follows: int
    closed_on_holidays: bool
    horizon_days: int
    time_zone: str  # the centre's, so that who holds the policy need not ask for it again

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that the centre's clocks keep."""
        return ZoneInfo(self.time_zone)

    def closes(self, on_holidays: str) -> bool:
        """Whether a room with this word of its own (centre, open, closed) is shut on official holidays."""
        return self.closed_on_holidays if on_holidays == "centre" else on_holidays == "closed"


@dataclass(frozen=True, slots=True)
class DayKind:
    """What the calendar makes of a date: whose weekday's hours apply, and whether it is a holiday."""

    weekday: int
    holiday: bool = False


# --- opening hours -------------------------------------------------------------------------------


def kind_of_day(day: date, *, working: bool | None, holiday: bool, moved_follows: int) -> DayKind:
    """`moved_follows` is the weekday (1 to 7) whose hours a worked weekend takes; 0 keeps its own."""
    moved = day.isoweekday() > 5 and working is True
    return DayKind(moved_follows if moved and moved_follows else day.isoweekday(), holiday)


def spans_of(hours: Hours, kind: DayKind, *, shut_on_holidays: bool) -> Spans:
    """The spans that apply on such a day; none where the room stays shut."""
    return () if kind.holiday and shut_on_holidays else hours.get(str(kind.weekday), ())


def instant(day: date, minute: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The UTC instant of a wall-clock minute of `day` (0 to 1440).

    Where clocks go back an hour stands twice: the first is meant, or the last where `last` says so.
    Where they go forward, a time that they leave out is the instant at which they jump.
    """
    asked = wall = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
    while is_left_out(wall):
        wall -= MINUTE
    found = wall.replace(fold=int(last)).astimezone(UTC)
    return found if wall == asked else found + MINUTE


def is_left_out(wall: datetime) -> bool:
    """Whether the clocks of its zone never show this time, because they go forward over it."""
    return wall.replace(fold=0).utcoffset() < wall.replace(fold=1).utcoffset()  # type: ignore[operator]


def open_periods(day: date, spans: Spans, zone: ZoneInfo) -> list[Period]:
    """The open stretches of `day`; a span that the clock skips altogether is none."""
    ends = ((instant(day, a, zone), instant(day, b, zone, last=True)) for a, b in spans)
    return joined(Period(start, end) for start, end in ends if start < end)


def joined(periods: Iterable[Period]) -> list[Period]:
    """The same time in the fewest periods, in order."""
    result: list[Period] = []
    for period in sorted(periods, key=lambda p: p.start):
        if result and period.start <= result[-1].end:
            result[-1] = Period(result[-1].start, max(result[-1].end, period.end))
        else:
            result.append(period)
    return result


def without(periods: Iterable[Period], closed: Iterable[Period]) -> list[Period]:
    """What is left of `periods` where `closed` are taken away."""
    left = list(periods)
    for gap in closed:
        cuts = ((p.start, min(p.end, gap.start), max(p.start, gap.end), p.end) for p in left)
        left = [Period(a, b) for s, m, n, e in cuts for a, b in ((s, m), (n, e)) if a < b]
    return left


def covers(periods: Iterable[Period], wanted: Period) -> bool:
    """Whether `wanted` lies inside one of `periods` (joined beforehand)."""
    return any(p.start <= wanted.start and wanted.end <= p.end for p in periods)


# --- how full ------------------------------------------------------------------------------------


def levels(taken: Iterable[Taken], capacity: int) -> list[Level]:
    """The use of a room over time, in order, without the empty stretches."""
    changes: dict[datetime, int] = defaultdict(int)
    for one in taken:
        seats = capacity if one.seats is None else one.seats
        changes[one.start] += seats
        changes[one.end] -= seats
    result, used = [], 0
    for start, end in pairwise(sorted(changes)):
        used += changes[start]
        if used:
            result.append(Level(start, end, used))
    return result


def too_full(taken: Iterable[Taken], *, seats: int | None, capacity: int) -> list[Period]:
    """When `seats` more (None: the whole room) do not fit, joined and in order."""
    need = capacity if seats is None else seats
    full = (level for level in levels(taken, capacity) if level.seats + need > capacity)
    return joined(Period(level.start, level.end) for level in full)


def clash(wanted: Period, full: Iterable[Period]) -> Period | None:
    """The first stretch of `full` that `wanted` runs into."""
    return next((p for p in full if p.overlaps(wanted)), None)


def earliest_fit(wanted: Period, *, opened: Sequence[Period], full: Sequence[Period]) -> datetime | None:
    """The first start, from `wanted`'s on, at which as long a stretch is open and free, or None.

    Only three kinds of instant can be the first: the start asked for, an opening, the end of a full stretch.
    """
    length = wanted.end - wanted.start
    candidates = {wanted.start, *(p.start for p in opened), *(p.end for p in full)}
    for start in sorted(candidates):
        here = Period(start, start + length)
        if start >= wanted.start and covers(opened, here) and clash(here, full) is None:
            return start
    return None


# --- a booking's own shape -----------------------------------------------------------------------


def on_the_step(period: Period) -> bool:
    """Whether both ends lie on quarter hours."""
    return all(
        at.second == at.microsecond == at.minute % STEP_MINUTES == 0 for at in (period.start, period.end)
    )


def days_touched(period: Period, zone: ZoneInfo) -> list[date]:
    """The dates, on the wall clock of `zone`, that a period reaches into."""
    first = period.start.astimezone(zone).date()
    last = (period.end - timedelta(microseconds=1)).astimezone(zone).date()
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def spans_are_sound(spans: Spans) -> bool:
    """Whether the spans of a weekday go forward, in order and apart, within the day."""
    flat = [minute for span in spans for minute in span]
    forward = all(len(span) == 2 and span[0] < span[1] for span in spans)
    return forward and flat == sorted(flat) and all(0 <= minute <= DAY_MINUTES for minute in flat)
