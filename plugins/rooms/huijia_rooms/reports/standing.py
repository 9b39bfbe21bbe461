"""The standing bookings of a window: what the day is made of, on screen and as JSON."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from huijia import Period, UtcDateTime, WorkSession, here
from sqlalchemy import Text, bindparam, cast, func, select

from huijia_rooms.models import Booking, Room
from huijia_rooms.rules import LENGTH_MAX

ROOM, BOOKING = Room.__table__.c, Booking.__table__.c
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


def standing(*columns: Any) -> Any:
    """Standing bookings of a window. None is longer than LENGTH_MAX, so one range of an index holds them."""
    since, earliest = (bindparam(name, type_=UtcDateTime) for name in ("since", "earliest"))
    return select(*columns).where(
        here(Booking),
        BOOKING.status == "booked",
        BOOKING.starts_at > earliest,
        BOOKING.starts_at < bindparam("until", type_=UtcDateTime),
        BOOKING.ends_at > since,
    )


STAYS = standing(
    # As 32 digits on either engine: it only tells rooms apart, and a UUID costs as much as the rest of a row.
    func.replace(cast(BOOKING.room_id, Text), "-", ""),
    BOOKING.starts_at, BOOKING.ends_at, BOOKING.seats, BOOKING.name, BOOKING.head_count,
    BOOKING.purpose, BOOKING.subject, BOOKING.id,
).order_by(BOOKING.starts_at)  # fmt: skip


def window_values(period: Period) -> dict[str, datetime]:
    """The parameters of a statement made by `standing`."""
    return {"since": period.start, "until": period.end, "earliest": period.start - LENGTH_MAX}


def stays_by_room(session: WorkSession, window: Period) -> dict[str, list[Any]]:
    """The standing bookings of a window by `room.id.hex`, each room's in order: rows of STAYS."""
    found: dict[str, list[Any]] = defaultdict(list)
    for stay in session.execute(STAYS, window_values(window)).all():
        found[stay[0]].append(stay)
    return found
