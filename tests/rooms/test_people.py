"""Rooms and people: a booking for somebody stands on their page, in their calendar, and in the figures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from huijia.figures.reading import Span, whole
from huijia.identity.actor import Actor
from huijia.people.privacy.erasing import erase_person
from huijia.people.privacy.exporting import export_person
from huijia_rooms.models import Booking

RIGHTS = {"rooms.see", "rooms.book", "rooms.manage", "people.see", "people.manage", "figures.see"}
TIMES = {"starts_at": "2026-11-23T10:00:00+08:00", "ends_at": "2026-11-23T11:00:00+08:00"}


@pytest.fixture
def desk(enable: Callable[..., None], client: Callable[..., Any]) -> Any:
    enable("rooms")
    return client(permissions=RIGHTS)


@pytest.fixture
def chen(desk: Any) -> str:
    return desk.api.post("people/people", json={"name": "陈秀英", "born_on": "1952-03-03"}).json["id"]


@pytest.fixture
def booked(desk: Any, chen: str) -> Any:
    room = desk.api.post("rooms/rooms", json={"name": "书法室", "floor": 2, "capacity": 12}).json["id"]
    answer = desk.api.post(
        "rooms/bookings",
        json={"room_id": room, "name": "陈秀英", "person_id": chen, "head_count": 3, **TIMES},
    )
    assert answer.status_code == 201, answer.text
    assert answer.json["person_id"] == chen
    return answer.json


def test_a_booking_stands_in_the_persons_calendar(desk: Any, chen: str, booked: Any) -> None:
    """By huijia_person_calendar and, once it is over, huijia_person_panel."""
    assert f"rooms/bookings/{booked['id']}" in desk.get(f"people/{chen}").text


def test_the_form_opens_for_somebody(desk: Any, chen: str, booked: Any) -> None:
    shown = desk.get(f"rooms/book?person={chen}").text
    assert 'value="陈秀英"' in shown
    assert f'name="person_id" value="{chen}"' in shown


def test_nobody_books_for_who_is_not_registered_here(desk: Any, booked: Any) -> None:
    other = {"room_id": booked["room_id"], "name": "x", "person_id": "01a20643-1875-7588-ac7c-d329d3f703b1"}
    later = {"starts_at": "2026-11-23T14:00:00+08:00", "ends_at": "2026-11-23T15:00:00+08:00"}
    answer = desk.api.post("rooms/bookings", json={**other, **later})
    assert (answer.status_code, answer.json["code"]) == (404, "no-such-person")


def test_what_is_over_is_counted_once(
    installation: Any, centre: Any, clock: Any, client: Callable[..., Any], chen: str, booked: Any
) -> None:
    """huijia_figures: a job counts, without anybody asking."""
    from huijia_rooms.jobs import count_visits

    month = Span([centre.id], date(2026, 11, 1), date(2026, 11, 30))
    for moved, visits in ((0, 0), (48, 1), (1, 1)):
        clock.move(hours=moved)
        with installation.doing("count", centre) as session:
            count_visits(session, session.now)
            line = whole(session, month)
        assert (line.visits, line.heads, line.persons) == (visits, 3 * visits, visits)
    assert "2026-11-23" in client(permissions=RIGHTS).get(f"people/{chen}").text


def test_export_has_the_booking_and_erasure_empties_it(
    installation: Any, centre: Any, chen: str, booked: Any
) -> None:
    """By the marks of the models that huijia_personal_data names."""
    chief = Actor("staff", None, "chief", frozenset({"people.privacy"}))
    with installation.doing("test", centre) as session:
        told = export_person(session, actor=chief, person_id=UUID(chen), now=session.now)
        [table] = [one for one in told["tables"] if one["table"] == "rooms_booking"]
        assert [row["name"] for row in table["rows"]] == ["陈秀英"]
        erase_person(session, actor=chief, person_id=UUID(chen), now=session.now)
        booking = session.get_one(Booking, UUID(booked["id"]))
        assert (booking.name, booking.contact, booking.head_count) == ("—", "", 3)
