"""The day grid: every room's day from left to right, cut into cells a template only has to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from huijia import Period, WorkSession, messages

from huijia_rooms.reports.standing import ROOMS, stays_by_room
from huijia_rooms.rules import STEP_MINUTES, Policy, Taken, levels
from huijia_rooms.service import Opening, day_window, zone_of

_ = messages("rooms")

STEP = timedelta(minutes=STEP_MINUTES)
HOUR = 60 // STEP_MINUTES  # columns to an hour
USUAL_DAY = (8, 21)


class Cell(NamedTuple):
    """A stretch of one room: `columns` quarter hours from `at` on, told in words.

    `kind` is free, gone (free and over), shut, held (whole), own (held by a service) or shared.
    """

    kind: str
    columns: int
    at: str
    end: str
    title: Any = ""
    detail: Any = ""
    booking_id: UUID | None = None
    percent: int = 0


@dataclass(frozen=True)
class Grid:
    """A day of all rooms: `hours` are column headings, `now` the quarter that it is or None."""

    starts_at: datetime
    hours: list[str]
    columns: int
    now: int | None
    rows: list[tuple[Any, list[Cell]]]
    hours_open: int
    hours_booked: int

    @property
    def percent_booked(self) -> int:
        return round(100 * self.hours_booked / self.hours_open) if self.hours_open else 0


def day_grid(session: WorkSession, policy: Policy, *, day: date, now: datetime) -> Grid:
    """The day of every active room, drawn from its earliest opening or booking to its latest."""
    opening = Opening(session, policy, day_window(day, zone_of(session)))
    rooms = session.execute(ROOMS).all()
    stays = stays_by_room(session, day_window(day, opening.zone))
    opened = {room.id: opening.of(room, [day]) for room in rooms}
    frame = _frame(day, opening, opened.values(), stays.values())
    lines = [_Line(room, opening, opened[room.id], stays[room.id], frame, now) for room in rooms]
    columns = _column(frame, frame.end)
    return Grid(
        starts_at=frame.start,
        hours=[
            f"{(frame.start + n * HOUR * STEP).astimezone(opening.zone):%-H:%M}"
            for n in range(columns // HOUR)
        ],
        columns=columns,
        now=_column(frame, now) if frame.start <= now < frame.end else None,
        rows=[(line.room, list(line.cells())) for line in lines],
        hours_open=sum(p.minutes for periods in opened.values() for p in periods) // 60,
        hours_booked=sum(line.minutes_used() for line in lines) // 60,
    )


def _frame(day: date, opening: Opening, opened: Iterable[list[Period]], stays: Iterable[list[Any]]) -> Period:
    """Whole hours around everything that happens on the day."""
    whole = day_window(day, opening.zone)
    starts = [p.start for one in opened for p in one] + [s.starts_at for one in stays for s in one]
    ends = [p.end for one in opened for p in one] + [s.ends_at for one in stays for s in one]
    first, last = (whole.start + timedelta(hours=h) for h in USUAL_DAY)
    start, end = max(min(starts, default=first), whole.start), min(max(ends, default=last), whole.end)
    hours = (start - whole.start) // timedelta(hours=1), -((whole.start - end) // timedelta(hours=1))
    return Period(
        whole.start + timedelta(hours=hours[0]), min(whole.start + timedelta(hours=hours[1]), whole.end)
    )


def _column(frame: Period, at: datetime) -> int:
    return (at - frame.start) // STEP


class _Line:
    """One room's day being drawn."""

    def __init__(
        self,
        room: Any,
        opening: Opening,
        opened: list[Period],
        stays: list[Any],
        frame: Period,
        now: datetime,
    ) -> None:
        self.room, self.opening, self.opened, self.stays, self.frame = room, opening, opened, stays, frame
        self.begun = frame.start + max(_column(frame, now), 0) * STEP  # what ends by then is over

    def cells(self) -> Iterator[Cell]:
        """The room's day from left to right, without gaps."""
        at = self.frame.start
        for start, end, cell in sorted((*self._whole(), *self._shared()), key=lambda busy: busy[0]):
            yield from self._gap(at, start)
            at = min(end, self.frame.end)
            yield self._cell(cell[0], max(start, self.frame.start), at, *cell[1:])
        yield from self._gap(at, self.frame.end)

    def minutes_used(self) -> int:
        """Minutes in which anybody is in the room."""
        used = levels((Taken(s.starts_at, s.ends_at, s.seats) for s in self.stays), self.room.capacity)
        return sum(int((level.end - level.start).total_seconds()) for level in used) // 60

    def _whole(self) -> Iterator[tuple[datetime, datetime, tuple[Any, ...]]]:
        for stay in self.stays:
            if stay.seats is None:
                kind = "own" if stay.subject else "held"
                people = _("{count} people", count=stay.head_count) if stay.head_count else ""
                yield stay.starts_at, stay.ends_at, (kind, stay.name, stay.purpose or people, stay.id)

    def _shared(self) -> Iterator[tuple[datetime, datetime, tuple[Any, ...]]]:
        shared = [stay for stay in self.stays if stay.seats is not None]
        for level in levels((Taken(s.starts_at, s.ends_at, s.seats) for s in shared), self.room.capacity):
            inside = [s for s in shared if s.starts_at <= level.start < s.ends_at]
            only = inside[0].id if len(inside) == 1 else None
            percent = min(100 * level.seats // self.room.capacity, 100)
            yield (
                level.start,
                level.end,
                ("shared", level.seats, " · ".join(s.name for s in inside), only, percent),
            )

    def _gap(self, start: datetime, end: datetime) -> Iterator[Cell]:
        for period in self.opened:
            if period.end > start and period.start < end:
                yield from self._shut(start, period.start)
                yield from self._free(max(start, period.start), min(end, period.end))
                start = period.end
        yield from self._shut(start, end)

    def _shut(self, start: datetime, end: datetime) -> Iterator[Cell]:
        if start < end:
            yield self._cell("shut", start, end, self.opening.why_shut(self.room, Period(start, end)))

    def _free(self, start: datetime, end: datetime) -> Iterator[Cell]:
        """Cut at full hours, so that each piece is a button; what is over is one piece and none."""
        if start < min(end, self.begun):
            yield self._cell("gone", start, min(end, self.begun))
        at = max(start, self.begun)
        while at < end:
            following = min(end, self.frame.start + (_column(self.frame, at) // HOUR + 1) * HOUR * STEP)
            yield self._cell("free", at, following)
            at = following

    def _cell(self, kind: str, start: datetime, end: datetime, *words: Any) -> Cell:
        columns = _column(self.frame, end) - _column(self.frame, start)
        at, until = start.astimezone(self.opening.zone), end.astimezone(self.opening.zone)
        return Cell(
            kind, columns, f"{at:%H:%M}", f"{until:%H:%M}" if until.date() == at.date() else "24:00", *words
        )
