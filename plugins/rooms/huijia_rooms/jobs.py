"""Background work: bookings that are over become visits of the figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from huijia import UtcDateTime, WorkSession, count_visit, here
from sqlalchemy import bindparam, select, update

from huijia_rooms.models import Booking
from huijia_rooms.service import time_zone_of

BATCH = 200
BOOKING = Booking.__table__.c
OVER = (
    select(BOOKING.id, BOOKING.person_id, BOOKING.head_count, BOOKING.starts_at, BOOKING.place)
    .where(here(Booking), BOOKING.status == "booked", BOOKING.counted.is_(False))
    .where(BOOKING.ends_at <= bindparam("now", type_=UtcDateTime))
    .order_by(BOOKING.ends_at)
    .limit(BATCH)
)
COUNTED = update(Booking.__table__).where(here(Booking), BOOKING.id == bindparam("over"))


def count_visits(session: WorkSession, now: datetime) -> int:
    """Count what is over and was not cancelled: the person it was for, or as many heads as were said.

    How many bookings that were; `BATCH` where there may be more.
    """
    zone = ZoneInfo(time_zone_of(session))
    found = session.execute(OVER, {"now": now}).all()
    for over in found:
        _count(session, over, zone, now)
        session.execute(COUNTED.values(counted=True), {"over": over.id})
    return len(found)


def _count(session: WorkSession, over: Any, zone: ZoneInfo, now: datetime) -> None:
    count_visit(
        session,
        kind="rooms.use",
        subject=f"booking:{over.id}",
        on=over.starts_at.astimezone(zone).date(),
        person_id=over.person_id,
        heads=over.head_count or 1,
        place=over.place,
        now=now,
    )
