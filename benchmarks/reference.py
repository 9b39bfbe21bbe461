"""What ours is compared with: bare Flask and the bare driver over the same tables, durably, and nothing else.

No sign-in, permission, policy or page. `POST /full` writes all that ours writes for a booking: the booking,
its occupancy under the same triggers or constraint, the audit entry. `POST /thin` leaves the audit out.
`python -m benchmarks.reference URL PORT` serves it by Granian with as many threads as ours.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import uuid_utils.compat
from flask import Flask, Response, request

THREADS = int(os.environ.get("HUIJIA_WEB_THREADS", "4"))  # as ours has them
BOOKING = """
    INSERT INTO rooms_booking (
        id, centre_id, room_id, starts_at, ends_at, seats, name, kind, purpose, head_count, contact,
        place, subject, status, booked_by, booked_at, cancelled_by, cancelled_at, cancel_reason, counted)
    VALUES (%s, %s, %s, %s, %s, NULL, %s, 'person', '', NULL, '',
        'centre', '', 'booked', 'token', %s, '', NULL, '', false)"""
OCCUPANCY = """
    INSERT INTO rooms_occupancy (room_id, booking_id, centre_id, starts_at, ends_at, seats, token)
    VALUES (%s, %s, %s, %s, %s, NULL, %s)"""
AUDIT = """
    INSERT INTO huijia_audit_entry (
        id, recorded_at, centre_id, actor_kind, actor_id, action, subject, reason, changes, crossed,
        detail_hash, request_id)
    VALUES (%s, %s, %s, 'token', %s, 'rooms_api.book_room', NULL, NULL, %s, '[]', NULL, %s)"""
ROOM = "SELECT name, capacity, booked_as FROM rooms_room WHERE id = %s AND centre_id = %s"
TAKEN = """SELECT 1 FROM rooms_occupancy WHERE room_id = %s AND ends_at > %s AND starts_at < %s LIMIT 1"""
ROOMS = """SELECT id, name, name_en, floor, capacity, booked_as, hours FROM rooms_room
    WHERE centre_id = %s AND active ORDER BY position, floor, name"""
STAYS = """SELECT room_id, id, starts_at, ends_at, seats, name, kind, purpose, head_count, subject
    FROM rooms_booking WHERE centre_id = %s AND status = 'booked' AND starts_at > %s AND starts_at < %s
    AND ends_at > %s ORDER BY starts_at, id"""
TOLD = ("seats", "name", "kind", "purpose", "head_count", "subject")
KEY_CUTS = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))


class Sqlite:
    """The bare driver of SQLite: a connection per thread, writers one after the other."""

    lock = " "

    def __init__(self, url: str) -> None:
        self.path = url.removeprefix("sqlite:///")
        self.local, self.writers = threading.local(), threading.Lock()

    def connection(self) -> Any:
        from pysqlite3 import dbapi2

        if not hasattr(self.local, "connection"):
            made = self.local.connection = dbapi2.connect(self.path, isolation_level=None)
            for pragma in (
                "busy_timeout=10000",
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                "recursive_triggers=ON",
            ):
                made.execute(f"PRAGMA {pragma}")
        return self.local.connection

    @contextmanager
    def work(self, *, writes: bool) -> Iterator[Callable[..., Any]]:
        connection = self.connection()
        run = lambda statement, values: connection.execute(statement.replace("%s", "?"), values)  # noqa: E731
        if not writes:
            yield run
            return
        with self.writers:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield run
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def key(self, value: UUID) -> str:
        return value.hex

    def instant(self, value: datetime) -> str:
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")

    def key_told(self, value: str) -> str:
        return "-".join(value[start:end] for start, end in KEY_CUTS)

    def instant_told(self, value: str) -> str:
        return f"{value[:10]}T{value[11:19]}Z"

    def hours(self, value: str) -> Any:
        return json.loads(value)


class Postgres:
    """The bare driver of PostgreSQL: a connection per thread."""

    lock = " FOR UPDATE"

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgresql+psycopg:", "postgresql:", 1)
        self.local = threading.local()

    @contextmanager
    def work(self, *, writes: bool) -> Iterator[Callable[..., Any]]:
        import psycopg

        if not hasattr(self.local, "connection"):
            self.local.connection = psycopg.connect(self.url)
        with self.local.connection.transaction():
            yield self.local.connection.execute

    def key(self, value: UUID) -> UUID:
        return value

    def instant(self, value: datetime) -> datetime:
        return value

    def key_told(self, value: UUID) -> str:
        return str(value)

    def instant_told(self, value: datetime) -> str:
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def hours(self, value: Any) -> Any:
        return value


def build(url: str) -> Flask:
    """The bare application over a database that ours has migrated and filled."""
    app, base = Flask("reference"), Sqlite(url) if url.startswith("sqlite") else Postgres(url)

    @app.post("/full")
    @app.post("/thin")
    def book() -> Any:
        return _book(base, full=request.path == "/full")

    @app.get("/days/<day>")
    def show_day(day: str) -> Response:
        return Response(_day(base, date.fromisoformat(day)), mimetype="application/json")

    return app


def _book(base: Any, *, full: bool) -> Any:
    body = request.get_json()
    centre, room = base.key(UUID(body["centre_id"])), base.key(UUID(body["room_id"]))
    booking = uuid_utils.compat.uuid7()
    at = [base.instant(datetime.fromisoformat(body[name])) for name in ("starts_at", "ends_at")]
    now, key = base.instant(datetime.now(UTC)), base.key(booking)
    with base.work(writes=True) as run:
        found = run(ROOM + base.lock, (room, centre)).fetchone()
        if found is None or run(TAKEN, (room, *at)).fetchone():
            return {"code": "room-taken"}, 409
        run(BOOKING, (key, centre, room, *at, body["name"], now))
        run(OCCUPANCY, (room, key, centre, *at, key))
        if full:
            changes = [{"table": "rooms_booking", "key": str(booking), "action": "insert", "fields": []}]
            entry, cause = base.key(uuid_utils.compat.uuid7()), uuid_utils.compat.uuid4()
            run(AUDIT, (entry, now, centre, str(cause), json.dumps(changes), cause.hex))
    told = {name: body[name] for name in ("room_id", "starts_at", "ends_at", "name")}
    return {**told, "id": str(booking), "status": "booked", "seats": None, "kind": "person"}, 201


def _day(base: Any, day: date) -> str:
    centre = base.key(UUID(request.args["centre"]))
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=8)
    earliest, since, until = (base.instant(start + timedelta(days=days)) for days in (-1, 0, 1))
    stays: dict[Any, list[dict[str, Any]]] = {}
    with base.work(writes=False) as run:
        for room, key, starts_at, ends_at, *told in run(STAYS, (centre, earliest, until, since)):
            one = {
                "id": base.key_told(key),
                "starts_at": base.instant_told(starts_at),
                "ends_at": base.instant_told(ends_at),
            }
            stays.setdefault(room, []).append({**one, **dict(zip(TOLD, told, strict=True))})
        rooms = [_room(base, row, stays, day) for row in run(ROOMS, (centre,))]
    told = {"date": day.isoformat(), "time_zone": "Asia/Shanghai", "rooms": rooms}
    return json.dumps(told, ensure_ascii=False)


def _room(base: Any, row: Any, stays: dict[Any, Any], day: date) -> dict[str, Any]:
    key, name, name_en, floor, capacity, booked_as, hours = row
    spans = base.hours(hours).get(str(day.isoweekday()), [])
    return {
        "name": name,
        "name_en": name_en,
        "floor": floor,
        "capacity": capacity,
        "booked_as": booked_as,
        "id": base.key_told(key),
        "open": spans,
        "closures": [],
        "bookings": stays.get(key, []),
    }


def serve(url: str, port: int) -> None:
    """Serve until killed."""
    from granian import Granian
    from granian.constants import Interfaces

    server = Granian(
        "reference",
        "127.0.0.1",
        port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        log_enabled=False,
    )
    server.serve(target_loader=partial(_load, url), wrap_loader=False)


def _load(url: str) -> Flask:
    return build(url)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
