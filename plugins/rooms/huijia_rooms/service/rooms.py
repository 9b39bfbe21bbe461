"""Keeping rooms: making and changing them, closing them for a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from huijia import Period, WorkSession, drop_file
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from huijia_rooms.errors import NameInUse, NoSuchClosure, NoSuchRoom
from huijia_rooms.models import Booking, Closure, Room

WEEKDAYS = tuple("1234567")
USUAL_HOURS = {day: [[8 * 60, 21 * 60]] for day in WEEKDAYS}


def list_rooms(session: WorkSession, *, retired: bool = False) -> list[Room]:
    """The centre's rooms in their order; with `retired` also those that take no bookings any more."""
    query = select(Room).order_by(Room.position, Room.floor, Room.name)
    return list(session.scalars(query if retired else query.where(Room.active)))


def find_room(session: WorkSession, room_id: UUID) -> Room:
    """Raises NoSuchRoom."""
    room = session.scalar(select(Room).where(Room.id == room_id))
    if room is None:
        raise NoSuchRoom
    return room


def create_room(session: WorkSession, **fields: Any) -> Room:
    """A new room from the fields of `models.Room`; it keeps the usual hours unless told. Raises NameInUse."""
    return _save(session, Room(), {"hours": USUAL_HOURS, **fields})


def change_room(session: WorkSession, *, room_id: UUID, **fields: Any) -> Room:
    """Change the fields given. Standing bookings stay as they are. Raises NoSuchRoom, NameInUse.

    A photo that another one, or none, takes the place of is erased.
    """
    room = find_room(session, room_id)
    old = room.photo_id
    _save(session, room, fields)
    if old and old != room.photo_id:
        drop_file(session, old)
    return room


def _save(session: WorkSession, room: Room, fields: dict[str, Any]) -> Room:
    try:
        # Told by the database, not looked up before: two people may choose the same name at once.
        with session.savepoint():
            for name, value in fields.items():
                setattr(room, name, value)
            session.add(room)
            session.flush()
    except IntegrityError as error:
        raise NameInUse(fields.get("name", "")) from error
    return room


def close_rooms(
    session: WorkSession, *, period: Period, reason: str, room_id: UUID | None = None
) -> tuple[Closure, list[Booking]]:
    """Shut a room, or without `room_id` the whole centre; also the bookings that stand in that time.

    They are not cancelled: whoever closes talks to the people first. Raises NoSuchRoom.
    """
    if room_id is not None:
        find_room(session, room_id)
    closure = Closure()
    closure.room_id, closure.reason = room_id, reason
    closure.starts_at, closure.ends_at = period.start, period.end
    session.add(closure)
    session.flush()
    return closure, bookings_within(session, closure)


def bookings_within(session: WorkSession, closure: Closure) -> list[Booking]:
    """The bookings that still stand in the time of a closure, earliest first."""
    query = select(Booking).where(
        Booking.status == "booked", Booking.starts_at < closure.ends_at, Booking.ends_at > closure.starts_at
    )
    if closure.room_id is not None:
        query = query.where(Booking.room_id == closure.room_id)
    return list(session.scalars(query.order_by(Booking.starts_at, Booking.id)))


def list_closures(session: WorkSession, *, since: datetime) -> list[Closure]:
    """The closures that end after `since`, earliest first."""
    return list(
        session.scalars(
            select(Closure).where(Closure.ends_at > since).order_by(Closure.starts_at, Closure.id)
        )
    )


def lift_closure(session: WorkSession, *, closure_id: UUID) -> None:
    """Take a closure away; the audit remembers it. Raises NoSuchClosure."""
    closure = session.scalar(select(Closure).where(Closure.id == closure_id))
    if closure is None:
        raise NoSuchClosure
    session.delete(closure)
    session.flush()
