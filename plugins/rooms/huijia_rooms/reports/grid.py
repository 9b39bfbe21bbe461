"""The day grid: every room's day from left to right, cut into cells a template only has to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from huijia import Period, WorkSession, messages

from huijia_rooms.reports.standing import ROOMS, stays_by_room
from huijia_rooms.rules import STEP_MINUTES, Level, Policy, Taken, levels
from huijia_rooms.service import Opening, day_window, zone_of

_ = messages("rooms")

AN_HOUR = timedelta(hours=1)
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
    whole = day_window(day, zone_of(session))
    opening = Opening(session, policy, whole)
    rooms, stays = session.execute(ROOMS).all(), stays_by_room(session, whole)
    opened = {room.id: opening.of(room, [day]) for room in rooms}
    frame = Frame(whole, opening, opened.values(), stays.values())
    lines = [_Line(room, opening, opened[room.id], stays[room.id], frame, now) for room in rooms]
    return Grid(
        starts_at=frame.start,
        hours=[label.removeprefix("0") for label in frame.labels[:-1:HOUR]],
        columns=len(frame.labels) - 1,
        now=frame.column(now) if frame.start <= now < frame.end else None,
        rows=[(line.room, list(line.cells())) for line in lines],
        hours_open=sum(p.minutes for periods in opened.values() for p in periods) // 60,
        hours_booked=sum(line.minutes_used() for line in lines) // 60,
    )


class Frame:
    """The stretch of a day that is drawn: whole hours around everything that happens on it."""

    def __init__(
        self, whole: Period, opening: Opening, opened: Iterable[list[Period]], stays: Iterable[list[Any]]
    ) -> None:
        ends = [(p.start, p.end) for one in opened for p in one]
        ends += [(stay.starts_at, stay.ends_at) for one in stays for stay in one]
        usual = [(whole.start + USUAL_DAY[0] * AN_HOUR, whole.start + USUAL_DAY[1] * AN_HOUR)]
        first = max(min(start for start, _end in ends or usual), whole.start) - whole.start
        last = min(max(end for _start, end in ends or usual), whole.end) - whole.start
        self.start = whole.start + first // AN_HOUR * AN_HOUR
        self.end = min(whole.start - -last // AN_HOUR * AN_HOUR, whole.end)
        at = [(self.start + n * STEP).astimezone(opening.zone) for n in range(self.column(self.end) + 1)]
        # Made once: a cell that formats its own times costs as much again as all the rest of it.
        self.labels = [f"{one:%H:%M}" for one in at[:-1]]
        self.labels.append("24:00" if self.end == whole.end else f"{at[-1]:%H:%M}")

    def column(self, at: datetime) -> int:
        """The quarter hour that an instant lies in."""
        return (at - self.start) // STEP


class _Line:
    """One room's day being drawn."""

    def __init__(
        self, room: Any, opening: Opening, opened: list[Period], stays: list[Any], frame: Frame, now: datetime
    ) -> None:
        self.room, self.opening, self.opened, self.frame = room, opening, opened, frame
        self.begun = frame.start + max(frame.column(now), 0) * STEP  # what ends by then is over
        self.stays = [(max(s.starts_at, frame.start), min(s.ends_at, frame.end), s) for s in stays]

    def cells(self) -> Iterator[Cell]:
        """The room's day from left to right, without gaps."""
        at = self.frame.start
        for start, end, kind, *words in sorted((*self._whole(), *self._shared()), key=lambda busy: busy[0]):
            yield from self._gap(at, start)
            yield self._cell(kind, start, end, *words)
            at = end
        yield from self._gap(at, self.frame.end)

    def minutes_used(self) -> int:
        """Minutes in which anybody is in the room."""
        return sum((level.end - level.start) // STEP * STEP_MINUTES for level in self._levels(self.stays))

    def _levels(self, stays: list[Any]) -> list[Level]:
        return levels((Taken(start, end, stay.seats) for start, end, stay in stays), self.room.capacity)

    def _whole(self) -> Iterator[tuple[Any, ...]]:
        for start, end, stay in self.stays:
            if stay.seats is None:
                people = _("{count} people", count=stay.head_count) if stay.head_count else ""
                yield (
                    start,
                    end,
                    "own" if stay.subject else "held",
                    stay.name,
                    stay.purpose or people,
                    stay.id,
                )

    def _shared(self) -> Iterator[tuple[Any, ...]]:
        shared = [one for one in self.stays if one[2].seats is not None]
        for level in self._levels(shared):
            inside = [stay for start, end, stay in shared if start <= level.start < end]
            names = " · ".join(stay.name for stay in inside)
            only = inside[0].id if len(inside) == 1 else None
            percent = min(100 * level.seats // self.room.capacity, 100)
            yield level.start, level.end, "shared", level.seats, names, only, percent

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
            following = min(end, self.frame.start + ((at - self.frame.start) // AN_HOUR + 1) * AN_HOUR)
            yield self._cell("free", at, following)
            at = following

    def _cell(self, kind: str, start: datetime, end: datetime, *words: Any) -> Cell:
        first, last = self.frame.column(start), self.frame.column(end)
        return Cell(kind, last - first, self.frame.labels[first], self.frame.labels[last], *words)
