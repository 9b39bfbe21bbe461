"""The day grid: every room's day from left to right, cut into cells a template only has to print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from huijia import Period, WorkSession, messages

from huijia_rooms.reports.standing import ROOMS, stays_by_room
from huijia_rooms.rules import STEP_MINUTES, Policy, Taken, levels
from huijia_rooms.service import Opening, day_window

_ = messages("rooms")

AN_HOUR = timedelta(hours=1)
STEP = timedelta(minutes=STEP_MINUTES)
HOUR = 60 // STEP_MINUTES  # columns to an hour
USUAL_DAY = (8, 21)
BUSY = {"held", "own", "shared"}


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
    whole = day_window(day, policy.zone)
    opening = Opening(session, policy, whole)
    rooms, stays = session.execute(ROOMS).all(), stays_by_room(session, whole)
    opened = {room.id: opening.of(room, [day]) for room in rooms}
    frame = Frame(whole, opening, opened.values(), stays.values())
    begun = max(frame.column(now), 0)
    drawn = [
        (room, list(_Line(room, opening, opened[room.id], stays[room.id.hex], frame, begun).cells()))
        for room in rooms
    ]
    booked = sum(cell.columns for _room, cells in drawn for cell in cells if cell.kind in BUSY)
    return Grid(
        starts_at=frame.start,
        hours=[label.removeprefix("0") for label in frame.labels[:-1:HOUR]],
        columns=frame.columns,
        now=begun if frame.start <= now < frame.end else None,
        rows=drawn,
        hours_open=sum(p.minutes for periods in opened.values() for p in periods) // 60,
        hours_booked=booked // HOUR,
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
        self.columns = self.column(self.end)
        at = [self.instant(n).astimezone(opening.zone) for n in range(self.columns + 1)]
        # Made once: a cell that formats its own times costs as much again as all the rest of it.
        self.labels = [f"{one:%H:%M}" for one in at[:-1]]
        self.labels.append("24:00" if self.end == whole.end else f"{at[-1]:%H:%M}")

    def column(self, at: datetime) -> int:
        """The quarter hour that an instant lies in."""
        return (at - self.start) // STEP

    def columns_of(self, start: datetime, end: datetime) -> tuple[int, int]:
        """The first column of a stretch and the one after its last, as far as they are drawn."""
        first, last = (start - self.start) // STEP, (end - self.start) // STEP
        if first < 0 or last > self.columns:
            return min(max(first, 0), self.columns), max(min(last, self.columns), 0)
        return first, last

    def instant(self, column: int) -> datetime:
        """When a column begins."""
        return self.start + column * STEP


class _Line:
    """One room's day being drawn, counted in columns; what ends by the column `begun` is over."""

    def __init__(
        self, room: Any, opening: Opening, opened: list[Period], stays: list[Any], frame: Frame, begun: int
    ) -> None:
        self.room, self.opening, self.stays, self.frame, self.begun = room, opening, stays, frame, begun
        self.opened = [(frame.column(period.start), frame.column(period.end)) for period in opened]

    def cells(self) -> Iterator[Cell]:
        """The room's day from left to right, without gaps."""
        at, labels = 0, self.frame.labels
        for first, last, kind, *words in sorted((*self._whole(), *self._shared()), key=itemgetter(0)):
            if at < first:
                yield from self._gap(at, first)
            yield Cell(kind, last - first, labels[first], labels[last], *words)
            at = last
        yield from self._gap(at, self.frame.columns)

    def _whole(self) -> Iterator[tuple[Any, ...]]:
        for _room_id, start, end, seats, name, people, purpose, subject, booking_id in self.stays:
            if seats is None:
                first, last = self.frame.columns_of(start, end)
                detail = purpose or (_("{count} people", count=people) if people else "")
                yield first, last, "own" if subject else "held", name, detail, booking_id

    def _shared(self) -> Iterator[tuple[Any, ...]]:
        shared = [stay for stay in self.stays if stay.seats is not None]
        taken = (Taken(stay.starts_at, stay.ends_at, stay.seats) for stay in shared)
        for level in levels(taken, self.room.capacity):
            first, last = self.frame.columns_of(level.start, level.end)
            if first == last:
                continue  # before midnight, or after
            inside = [stay for stay in shared if stay.starts_at <= level.start < stay.ends_at]
            names = " · ".join(stay.name for stay in inside)
            only = inside[0].id if len(inside) == 1 else None
            percent = min(100 * level.seats // self.room.capacity, 100)
            yield first, last, "shared", level.seats, names, only, percent

    def _gap(self, first: int, last: int) -> Iterator[Cell]:
        for opens, closes in self.opened:
            if closes > first and opens < last:
                yield from self._shut(first, opens)
                yield from self._free(max(first, opens), min(last, closes))
                first = closes
        yield from self._shut(first, last)

    def _shut(self, first: int, last: int) -> Iterator[Cell]:
        if first < last:
            frame = self.frame
            reason = self.opening.why_shut(self.room, Period(frame.instant(first), frame.instant(last)))
            yield Cell("shut", last - first, frame.labels[first], frame.labels[last], reason)

    def _free(self, first: int, last: int) -> Iterator[Cell]:
        """Cut at full hours, so that each piece is a button; what is over is one piece and none."""
        labels, at = self.frame.labels, max(first, min(self.begun, last))
        if first < at:
            yield Cell("gone", at - first, labels[first], labels[at])
        while at < last:
            following = min(last, (at // HOUR + 1) * HOUR)
            yield Cell("free", following - at, labels[at], labels[following])
            at = following
