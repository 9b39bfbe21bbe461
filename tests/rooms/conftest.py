"""What tests of rooms share: the service switched on, a room, and words for times of the test's day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from huijia import Actor, Period
from huijia_rooms import service
from huijia_rooms.models import Room
from huijia_rooms.schemas import policy_of

DESK = Actor("staff", None, "王老师", frozenset({"*"}))
ALL = {"rooms.see", "rooms.book", "rooms.manage"}


def at(hour: float, day: int = 22) -> datetime:
    """An hour of a day in November 2026, on the wall clock of Zhengzhou."""
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(hours=hour - 8)


def period(start: float, end: float, day: int = 22) -> Period:
    return Period(at(start, day), at(end, day))


@pytest.fixture(autouse=True)
def _rooms_on(request: pytest.FixtureRequest) -> None:
    if "installation" in request.fixturenames:
        request.getfixturevalue("enable")("rooms")


@pytest.fixture
def make_room(work: Any) -> Callable[..., Room]:
    """`make_room(capacity=12)`: 书法室, booked either way, open from 8 to 21, unless told otherwise."""
    facts = {
        "name": "书法室",
        "name_en": "Calligraphy room",
        "floor": 2,
        "capacity": 12,
        "booked_as": "either",
    }
    return lambda **other: service.create_room(work, **{**facts, **other})


@pytest.fixture
def book(work: Any) -> Callable[..., UUID]:
    """`book(room, 9, 11, seats=3)` on 22 November; the id of the booking."""

    def book(room: Room, start: float, end: float, *, day: int = 22, **how: Any) -> UUID:
        return service.book_room(
            work,
            **{
                "actor": DESK,
                "policy": policy_of(work),
                "room_id": room.id,
                "period": period(start, end, day),
                "name": "墨香书社",
                "now": at(0),
                **how,
            },
        )["id"]

    return book


Client = Callable[..., Any]
ROOM = {"name": "书法室", "name_en": "Calligraphy room", "floor": 2, "capacity": 12, "booked_as": "either"}


def booking(room_id: str, start: float, end: float, **how: Any) -> dict[str, Any]:
    times = {"starts_at": at(start).isoformat(), "ends_at": at(end).isoformat()}
    return {"room_id": room_id, "name": "墨香书社", **times, **how}


@pytest.fixture
def desk(client: Client) -> Any:
    """A browser that may do everything with rooms."""
    return client(permissions=ALL)


@pytest.fixture
def room_id(desk: Any) -> str:
    made = desk.api.post("rooms/rooms", json=ROOM)
    assert made.status_code == 201, made.text
    return made.json["id"]


def book_by_api(desk: Any, room_id: str, start: float, end: float, **how: Any) -> Any:
    return desk.api.post("rooms/bookings", json=booking(room_id, start, end, **how))
