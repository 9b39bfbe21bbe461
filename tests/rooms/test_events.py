"""What other services hear of rooms: after the commit, in order, and never of what was undone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huijia.registry.deliver import deliver_due
from huijia.testing.broken import make_plugin, on_path

LISTENER = """
from huijia import hookimpl

HEARD = []


@hookimpl
def rooms_booked(booking_id, held_for):
    HEARD.append(("booked", booking_id, held_for))


@hookimpl
def rooms_cancelled(booking_id, held_for, reason):
    HEARD.append(("cancelled", booking_id, reason))
"""


@pytest.fixture
def _listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder: Path = tmp_path_factory.mktemp("listener")
    make_plugin(folder, "echo", {"plugin.py": LISTENER})
    with on_path(folder):
        yield


@pytest.fixture(autouse=True)
def _rooms_on(_listening: None, enable: Callable[..., None]) -> None:
    """The listener is installed before the installation looks around."""
    enable("rooms")


def test_a_listener_hears_of_a_booking_and_then_of_its_cancellation(
    installation: Any, client: Callable[..., Any], enable: Callable[..., None]
) -> None:
    enable("echo")
    desk = client(permissions={"rooms.see", "rooms.book", "rooms.manage"}).api
    room = desk.post("rooms/rooms", json={"name": "舞蹈室", "floor": 3, "capacity": 60})
    when = {"starts_at": "2026-11-23T10:00:00+08:00", "ends_at": "2026-11-23T11:00:00+08:00"}
    wish = {"room_id": room.json["id"], "name": "夕阳红舞队", **when}
    booking = desk.post("rooms/bookings", json=wish).json["id"]
    assert desk.post("rooms/bookings", json=wish).status_code == 409
    assert desk.post(f"rooms/bookings/{booking}/cancel", json={"reason": "改期"}).status_code == 200
    heard = sys.modules["huijia_echo.plugin"].HEARD
    assert heard == [], "listeners hear after the commit, from whoever delivers"
    while deliver_due(installation):
        pass
    told = [(what, str(about), words) for what, about, words in heard]
    assert told == [("booked", booking, ""), ("cancelled", booking, "改期")]
