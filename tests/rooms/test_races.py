"""Many processes want the same rooms at the same time; the rooms are never overbooked.

`make long` runs the full size: 8 processes with 12,500 attempts each on either engine.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from huijia import here
from huijia_rooms.models import Booking, Occupancy, Room
from huijia_rooms.service.bookings import LOCKED_ROOM
from sqlalchemy import select

PROCESSES = 8
PERMISSIONS = {"rooms.see", "rooms.book", "rooms.manage", "tokens.issue"}
ALWAYS_OPEN = {str(day): [["00:00", "24:00"]] for day in range(1, 8)}
RACED_ROOMS = (
    {"name": "舞蹈室", "floor": 3, "capacity": 60, "booked_as": "whole"},
    {"name": "音乐室", "floor": 3, "capacity": 20, "booked_as": "whole"},
    {"name": "棋牌室", "floor": 2, "capacity": 12, "booked_as": "shared"},
    {"name": "书法室", "floor": 2, "capacity": 7, "booked_as": "either"},
)


@dataclass(frozen=True)
class Stay:
    """What one standing booking takes of a room."""

    room_id: UUID
    start: datetime
    end: datetime
    seats: int | None


def overbooked(stays: Iterable[Stay], capacities: dict[UUID, int]) -> list[str]:
    """Every instant at which a room holds more than it may, by counting at each start; naive on purpose."""
    found = []
    by_room: dict[UUID, list[Stay]] = {}
    for stay in stays:
        by_room.setdefault(stay.room_id, []).append(stay)
    for room_id, here_now in by_room.items():
        for instant in {stay.start for stay in here_now}:
            there = [stay for stay in here_now if stay.start <= instant < stay.end]
            seats = sum(stay.seats or capacities[room_id] for stay in there)
            if seats > capacities[room_id]:
                found.append(f"{room_id} at {instant}: {seats} of {capacities[room_id]}")
    return found


T0 = datetime(2026, 11, 23, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)
ONE = uuid4()


@pytest.mark.parametrize(
    ("stays", "faults"),
    [
        ([Stay(ONE, T0, T0 + HOUR, None), Stay(ONE, T0 + HOUR, T0 + 2 * HOUR, None)], 0),  # they touch
        ([Stay(ONE, T0, T0 + 2 * HOUR, None), Stay(ONE, T0 + HOUR, T0 + 3 * HOUR, None)], 1),  # two whole
        ([Stay(ONE, T0, T0 + 2 * HOUR, None), Stay(ONE, T0 + HOUR, T0 + 3 * HOUR, 1)], 1),  # whole and a seat
        ([Stay(ONE, T0, T0 + HOUR, 4), Stay(ONE, T0, T0 + HOUR, 3)], 0),  # just full
        ([Stay(ONE, T0, T0 + HOUR, 4), Stay(ONE, T0, T0 + HOUR, 4)], 1),  # one seat too many
    ],
)
def test_the_referee_sees_planted_overbooking(stays: list[Stay], faults: int) -> None:
    assert len(overbooked(stays, {ONE: 7})) == faults


def _race(
    tmp_path: Path, installation: Any, centre: Any, token: str, rooms: list[Any], attempts: int
) -> Counter[str]:
    go = tmp_path / "go"
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    workers = []
    for number in range(PROCESSES):
        race = {
            "home": str(installation.config.home),
            "token": token,
            "centre": centre.slug,
            "rooms": rooms,
            "from": start.isoformat(),
            "steps": 32,
            "seed": number,
            "attempts": attempts,
            "ready": str(tmp_path / f"ready{number}"),
            "go": str(go),
        }
        script = Path(__file__).with_name("race_worker.py")
        command = [sys.executable, str(script), json.dumps(race)]
        with (tmp_path / f"log{number}").open("w") as log:  # a pipe that nobody reads would stop its writer
            workers.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True))
    _await_all_ready(tmp_path, workers)
    go.touch()
    counted: Counter[str] = Counter()
    for worker in workers:
        out, _errors = worker.communicate()
        assert worker.returncode == 0, _logs(tmp_path)
        result = json.loads(out.splitlines()[-1])
        counted.update(result["statuses"])
        counted["standing"] += result["standing"]
    return counted


def _logs(tmp_path: Path) -> str:
    """What the workers complained of, the end of each."""
    return "\n".join(log.read_text()[-4000:] for log in sorted(tmp_path.glob("log*")))


def _await_all_ready(tmp_path: Path, workers: list[subprocess.Popen[str]]) -> None:
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("ready*"))) < PROCESSES:
        died = [worker for worker in workers if worker.poll()]
        assert not died, _logs(tmp_path)
        assert time.monotonic() < deadline, "the workers did not start within two minutes"
        time.sleep(0.02)


@pytest.mark.races
@pytest.mark.parametrize(
    "attempts",
    [300, pytest.param(12_500, marks=[pytest.mark.long, pytest.mark.timeout(3_600)], id="12500")],
)
def test_no_room_is_overbooked_when_eight_processes_want_it(
    both_engines: str,
    installation: Any,
    centre: Any,
    token: Callable[..., str],
    client: Callable[..., Any],
    clock: Any,
    tmp_path: Path,
    attempts: int,
) -> None:
    clock.set(datetime.now(UTC))  # the workers run on the wall clock
    keeper = client(permissions=PERMISSIONS).api
    rooms = []
    for facts in RACED_ROOMS:
        made = keeper.post("rooms/rooms", json={**facts, "hours": ALWAYS_OPEN, "on_holidays": "open"})
        assert made.status_code == 201, made.text
        rooms.append({"id": made.get_json()["id"], "booked_as": facts["booked_as"]})
    counted = _race(tmp_path, installation, centre, token(PERMISSIONS), rooms, attempts)
    standing = counted.pop("standing")
    print(f"{both_engines}: {dict(counted)}, {standing} standing")
    assert set(counted) <= {"200", "201", "409"}, f"{dict(counted)}\n{_logs(tmp_path)}"
    assert sum(counted.values()) == PROCESSES * attempts
    assert counted["409"] > 0, "a race that nobody loses proves nothing"
    with installation.reading(centre) as session:
        capacities = {room.id: room.capacity for room in session.scalars(select(Room))}
        columns = Occupancy.__table__.c
        rows = session.execute(
            select(columns.room_id, columns.starts_at, columns.ends_at, columns.seats).where(here(Occupancy))
        )
        stays = [Stay(*row) for row in rows]
        booked = session.scalars(select(Booking.id).where(Booking.status == "booked")).all()
    assert overbooked(stays, capacities) == []
    assert len(stays) == len(booked) == standing == counted["201"] - counted["200"]


@pytest.mark.postgres
def test_a_cancellation_waits_for_who_is_booking_the_room(
    installation: Any, centre: Any, client: Callable[..., Any]
) -> None:
    """Else a room that was taken at the first look is free at the second, and the refusal has no reason."""
    keeper = client(permissions=PERMISSIONS).api
    room = keeper.post("rooms/rooms", json={**RACED_ROOMS[0], "on_holidays": "open"}).json
    when = {"starts_at": "2026-11-23T10:00:00+08:00", "ends_at": "2026-11-23T11:00:00+08:00"}
    booking = keeper.post("rooms/bookings", json={"room_id": room["id"], "name": "舞蹈队", **when}).json
    answers: list[Any] = []
    path, reason = f"rooms/bookings/{booking['id']}/cancel", {"reason": "不来了"}
    cancelling = Thread(target=lambda: answers.append(keeper.post(path, json=reason)))
    with installation.writing(centre) as session:
        session.execute(LOCKED_ROOM, {"room_id": UUID(room["id"])})
        cancelling.start()
        cancelling.join(0.5)
        assert cancelling.is_alive()
    cancelling.join(30)
    assert answers[0].status_code == 200, answers[0].text
