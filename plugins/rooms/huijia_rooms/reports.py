"""What is read of rooms: the day of all rooms as a grid and as JSON, lists, and figures."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from huijia import Card, Centre, Period, Row, Today, UtcDateTime, WorkSession, here, messages, region_of, url
from sqlalchemy import Select, Text, and_, bindparam, cast, func, or_, select

from huijia_rooms.errors import Label
from huijia_rooms.models import Booking, Closure, Room
from huijia_rooms.rules import LENGTH_MAX, STEP_MINUTES, Policy, Taken, levels
from huijia_rooms.service import Opening, day_window

_ = messages("rooms")

STEP = timedelta(minutes=STEP_MINUTES)
HOUR = 60 // STEP_MINUTES  # columns to an hour
USUAL_DAY = (8, 21)

ROOM, BOOKING, CLOSURE = Room.__table__.c, Booking.__table__.c, Closure.__table__.c
ROOMS = (
    select(
        ROOM.id,
        ROOM.name,
        ROOM.name_en,
        ROOM.floor,
        ROOM.capacity,
        ROOM.booked_as,
        ROOM.hours,
        ROOM.on_holidays,
    )
    .where(here(Room), ROOM.active)
    .order_by(ROOM.position, ROOM.floor, ROOM.name)
)


def _standing(*columns: Any) -> Select[Any]:
    """Standing bookings of a window. None is longer than LENGTH_MAX, so one range of an index holds them."""
    since, earliest = (bindparam(name, type_=UtcDateTime) for name in ("since", "earliest"))
    return select(*columns).where(
        here(Booking),
        BOOKING.status == "booked",
        BOOKING.starts_at > earliest,
        BOOKING.starts_at < bindparam("until", type_=UtcDateTime),
        BOOKING.ends_at > since,
    )


STAYS = _standing(
    BOOKING.room_id, BOOKING.starts_at, BOOKING.ends_at, BOOKING.seats, BOOKING.name, BOOKING.head_count,
    BOOKING.purpose, BOOKING.subject, BOOKING.id,
).order_by(BOOKING.starts_at)  # fmt: skip


def _window(period: Period) -> dict[str, datetime]:
    return {"since": period.start, "until": period.end, "earliest": period.start - LENGTH_MAX}


def stays_by_room(session: WorkSession, window: Period) -> dict[UUID, list[Any]]:
    """The standing bookings of a window by room, each room's in order: rows of STAYS."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    for stay in session.execute(STAYS, _window(window)):
        found[stay[0]].append(stay)
    return found


# --- the day grid --------------------------------------------------------------------------------


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
    opening = Opening(session, policy, day_window(day, _zone(session)))
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


def _zone(session: WorkSession) -> Any:
    return session.get_one(Centre, session.centre_id).zone


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


# --- the day as JSON -----------------------------------------------------------------------------


def day_json(session: WorkSession, policy: Policy, *, day: date) -> str:
    """The day of every active room as JSON text; the database writes the bookings itself."""
    zone = _zone(session)
    window = day_window(day, zone)
    opening = Opening(session, policy, window)
    bookings = dict(
        session.execute(_bookings_as_json(session.get_bind().dialect.name), _window(window)).all()
    )
    rooms = (
        _room_json(room, opening, opening.of(room, [day]), bookings.get(room.id, "[]"))
        for room in session.execute(ROOMS)
    )
    head = json.dumps({"date": day.isoformat(), "time_zone": str(zone)}, ensure_ascii=False)
    return f'{head[:-1]}, "rooms": [{",".join(rooms)}]}}'


def _room_json(room: Any, opening: Opening, opened: list[Period], bookings: str) -> str:
    told = {name: getattr(room, name) for name in ("name", "name_en", "floor", "capacity", "booked_as")}
    told |= {"id": str(room.id), "open": [_ends(p) for p in opened]}
    told["closures"] = [{**_ends(p), "reason": reason} for p, reason in opening.closures_of(room)]
    return f'{json.dumps(told, ensure_ascii=False)[:-1]}, "bookings": {bookings}}}'


def _ends(period: Period) -> dict[str, str]:
    return {"starts_at": f"{period.start:%Y-%m-%dT%H:%M:%SZ}", "ends_at": f"{period.end:%Y-%m-%dT%H:%M:%SZ}"}


@cache
def _bookings_as_json(dialect: str) -> Select[Any]:
    """Per room its bookings of a window as JSON text, in the words of the engine."""
    sqlite = dialect == "sqlite"
    each, every = (
        (func.json_object, func.json_group_array) if sqlite else (func.json_build_object, func.json_agg)
    )

    def instant(column: Any) -> Any:
        if sqlite:
            return func.strftime("%Y-%m-%dT%H:%M:%SZ", column, type_=Text)
        return func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')

    def key(column: Any) -> Any:
        if not sqlite:
            return column
        text = cast(column, Text)
        cuts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
        return func.concat_ws("-", *(func.substr(text, start, length) for start, length in cuts))

    told = {
        "id": key(BOOKING.id),
        "starts_at": instant(BOOKING.starts_at),
        "ends_at": instant(BOOKING.ends_at),
    }
    told |= {name: BOOKING[name] for name in ("seats", "name", "kind", "purpose", "head_count", "subject")}
    one = each(*(part for pair in told.items() for part in pair))
    array = every(one).aggregate_order_by(BOOKING.starts_at, BOOKING.id)
    return _standing(BOOKING.room_id, cast(array, Text)).group_by(BOOKING.room_id)


# --- lists and figures ---------------------------------------------------------------------------

BOOKINGS = select(
    *(column for column in BOOKING), ROOM.name.label("room_name"), ROOM.name_en.label("room_name_en")
)
BOOKINGS = BOOKINGS.join(Room.__table__, ROOM.id == BOOKING.room_id).where(here(Booking), here(Room))


def bookings_of(
    *, since: datetime | None = None, room_id: UUID | None = None, status: str | None = None
) -> tuple[Select[Any], tuple[Any, Any]]:
    """Bookings with their room's names, and the keys to page by: earliest first."""
    wanted = (
        since and BOOKING.ends_at > since,
        room_id and BOOKING.room_id == room_id,
        status and BOOKING.status == status,
    )
    return BOOKINGS.where(*(one for one in wanted if one is not None)), (BOOKING.starts_at, BOOKING.id)


COMING = (
    BOOKINGS.where(
        BOOKING.status == "booked",
        BOOKING.ends_at > bindparam("now", type_=UtcDateTime),
        BOOKING.starts_at < bindparam("until", type_=UtcDateTime),
    )
    .order_by(BOOKING.starts_at, BOOKING.id)
    .limit(8)
)
IN_CLOSURES = (
    select(func.count(BOOKING.id.distinct()))
    .join(Closure.__table__, and_(BOOKING.starts_at < CLOSURE.ends_at, BOOKING.ends_at > CLOSURE.starts_at))
    .where(
        here(Booking),
        here(Closure),
        or_(CLOSURE.room_id.is_(None), CLOSURE.room_id == BOOKING.room_id),
        BOOKING.status == "booked",
        BOOKING.ends_at > bindparam("now", type_=UtcDateTime),
        CLOSURE.ends_at > bindparam("now", type_=UtcDateTime),
    )
)


def count_in_closures(session: WorkSession, *, now: datetime) -> int:
    """Standing bookings in rooms that were closed since: somebody should talk to those people."""
    return session.execute(IN_CLOSURES, {"now": now}).scalar_one()


def today(session: WorkSession, policy: Policy, *, centre: Centre, day: date, now: datetime) -> Today:
    """What the operator sees of rooms on a day: how much they are used, who comes next, what to mend."""
    grid = day_grid(session, policy, day=day, now=now)
    used = _("{booked} of {open} hours booked", booked=grid.hours_booked, open=grid.hours_open)
    card = Card(
        _("Rooms in use today"), f"{grid.percent_booked} %", url("rooms.day", day=day), used, order=10
    )
    found = session.execute(COMING, {"now": now, "until": day_window(day, centre.zone).end})
    waiting = count_in_closures(session, now=now)
    talk = _("{count} bookings stand in rooms that are closed then; talk to those people.", count=waiting)
    return Today(
        (card,),
        tuple(_coming(row, now) for row in found),
        ((talk, url("rooms.closures")),) if waiting else (),
    )


def _coming(row: Any, now: datetime) -> Row:
    state = _("under way") if row.starts_at <= now else None
    room = str(Label(row.room_name, row.room_name_en))
    return Row(row.starts_at, row.name, room, url("rooms.booking", booking_id=row.id), state, "good")


def about_day(centre: Centre, day: date) -> list[Any]:
    """What the calendar says of a day: lunar date, holiday, worked weekend, or that nobody knows yet."""
    region = region_of(centre)
    working = region.is_working_day(day)
    said = [region.lunar_label(day), region.holiday_name(day)]
    if working and day.isoweekday() > 5:
        said.append(_("a worked weekend"))
    if working is None and region.lunar_label(day):
        said.append(_("official holidays of this year are not published yet"))
    return [one for one in said if one]
