"""Lists of bookings, and what rooms show on Today."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from huijia import Card, Centre, Row, Today, UtcDateTime, WorkSession, here, messages, region_of, url
from sqlalchemy import and_, bindparam, func, or_, select

from huijia_rooms.errors import Label
from huijia_rooms.models import Booking, Closure, Room
from huijia_rooms.reports.grid import day_grid
from huijia_rooms.rules import Policy
from huijia_rooms.service import day_window

_ = messages("rooms")

ROOM, BOOKING, CLOSURE = Room.__table__.c, Booking.__table__.c, Closure.__table__.c
BOOKINGS: Any = select(
    *(column for column in BOOKING), ROOM.name.label("room_name"), ROOM.name_en.label("room_name_en")
)
BOOKINGS = BOOKINGS.join(Room.__table__, ROOM.id == BOOKING.room_id).where(here(Booking), here(Room))


def bookings_of(
    *, since: datetime | None = None, room_id: UUID | None = None, status: str | None = None
) -> tuple[Any, tuple[Any, Any]]:
    """Bookings with their room's names, and the keys to page by: earliest first."""
    wanted = BOOKINGS
    if since:
        wanted = wanted.where(BOOKING.ends_at > since)
    if room_id:
        wanted = wanted.where(BOOKING.room_id == room_id)
    if status:
        wanted = wanted.where(BOOKING.status == status)
    return wanted, (BOOKING.starts_at, BOOKING.id)


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
