"""What rooms know of one person: for their page and their calendar."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from huijia import CalendarEntry, Panel, UtcDateTime, WorkSession, messages, url
from sqlalchemy import bindparam, func, select

from huijia_rooms.errors import Label
from huijia_rooms.reports.lists import BOOKING, BOOKINGS

_ = messages("rooms")

OF_PERSON: Any = BOOKINGS.where(BOOKING.person_id == bindparam("person"), BOOKING.status == "booked")
AHEAD = OF_PERSON.where(
    BOOKING.ends_at > bindparam("since", type_=UtcDateTime),
    BOOKING.starts_at < bindparam("until", type_=UtcDateTime),
).order_by(BOOKING.starts_at, BOOKING.id)
BEFORE = OF_PERSON.where(BOOKING.ends_at <= bindparam("now", type_=UtcDateTime)).subquery()
HOW_OFTEN = select(func.count(), func.max(BEFORE.c.starts_at)).select_from(BEFORE)


def panel_of(session: WorkSession, *, person_id: UUID, now: datetime) -> Panel | None:
    """How often somebody used rooms, and when last; None for one who never booked."""
    often, last = session.execute(HOW_OFTEN, {"person": person_id, "now": now}).one()
    if not often:
        return None
    lines = (_("Bookings so far"), str(often)), (_("Last time"), last.date().isoformat())
    return Panel(_("Activity rooms"), lines, order=10)


def calendar_of(
    session: WorkSession, *, person_id: UUID, since: datetime, until: datetime
) -> list[CalendarEntry]:
    """The standing bookings of somebody, the next one first."""
    found = session.execute(AHEAD, {"person": person_id, "since": since, "until": until})
    return [
        CalendarEntry(
            row.starts_at,
            row.ends_at,
            str(Label(row.room_name, row.room_name_en)),
            url("rooms.booking", booking_id=row.id),
        )
        for row in found
    ]
