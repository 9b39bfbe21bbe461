"""The day as JSON; the database writes the bookings itself, which is as fast as it gets."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import Any

from huijia import Period, WorkSession
from sqlalchemy import Select, Text, cast, func

from huijia_rooms.reports.standing import BOOKING, ROOMS, standing, window_values
from huijia_rooms.rules import Policy
from huijia_rooms.service import Opening, day_window


def day_json(session: WorkSession, policy: Policy, *, day: date) -> str:
    """The day of every active room as JSON text."""
    window = day_window(day, policy.zone)
    opening = Opening(session, policy, window)
    told: Any = session.execute(_bookings_as_json(session.get_bind().dialect.name), window_values(window))
    bookings: dict[Any, str] = {room_id: text for room_id, text in told}  # noqa: C416
    rooms = (
        _room_json(room, opening, opening.of(room, [day]), bookings.get(room.id, "[]"))
        for room in session.execute(ROOMS)
    )
    head = json.dumps({"date": day.isoformat(), "time_zone": policy.time_zone}, ensure_ascii=False)
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
    return standing(BOOKING.room_id, cast(array, Text)).group_by(BOOKING.room_id)
