"""The demonstration: the right rooms, a believable month, the same every time; and the command."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner
from huijia_rooms import service
from huijia_rooms.commands import list_rooms
from huijia_rooms.demo import make
from huijia_rooms.models import Booking
from huijia_rooms.reports import count_in_closures
from sqlalchemy import select

from .conftest import at

TODAY = {"today": date(2026, 11, 22), "now": at(9)}


class Undone(Exception):
    """Takes back what a savepoint holds."""


def told(work: Any) -> list[tuple[Any, ...]]:
    query = select(Booking.name, Booking.starts_at, Booking.seats, Booking.status)
    return [
        tuple(row) for row in work.execute(query.order_by(Booking.starts_at, Booking.name, Booking.seats))
    ]


@pytest.mark.parametrize(("centre_key", "rooms", "bookings"), [("main", 25, 2_000), ("small", 6, 400)])
def test_the_demo_has_its_rooms_and_a_month_of_bookings(
    work: Any, centre_key: str, rooms: int, bookings: int
) -> None:
    steps: list[tuple[int, int]] = []
    make(work, centre_key=centre_key, seed=7, progress=lambda *step: steps.append(step), **TODAY)
    found = told(work)
    assert len(service.list_rooms(work)) == rooms
    assert len(found) > bookings
    assert {status for *_rest, status in found} == {"booked", "cancelled"}
    assert count_in_closures(work, now=at(9)) > 0  # somebody has calls to make
    assert steps[-1] == (31, 31)


def test_the_same_seed_makes_the_same_demo(work: Any) -> None:
    made = []
    for _time in range(2):
        with suppress(Undone), work.savepoint():
            make(work, centre_key="small", seed=7, progress=lambda *_step: None, **TODAY)
            made.append(told(work))
            raise Undone
    assert made[0] == made[1]


def test_the_command_lists_rooms(work: Any) -> None:
    service.create_room(work, name="书法室", name_en="Calligraphy room", floor=2, capacity=12)
    done = CliRunner().invoke(list_rooms, obj=work)
    assert "书法室 Calligraphy room" in done.output
