"""Tests as a service brings them, to copy: `pytest plugins/rooms/tests`. huijia.testing has the fixtures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ROOM = {"name": "书法室", "name_en": "Calligraphy room", "floor": 2, "capacity": 12, "booked_as": "either"}


@pytest.fixture
def desk(enable: Callable[..., None], client: Callable[..., Any]) -> Any:
    """A browser at a centre where the service is on; `.api` speaks JSON."""
    enable("rooms")
    return client(permissions={"rooms.see", "rooms.book", "rooms.manage"})


# --- what every service owes ---


def test_the_migrations_make_what_the_models_say(check_tables: Callable[[str], None]) -> None:
    check_tables("rooms")


def test_every_word_has_its_chinese(check_words: Callable[[str], None]) -> None:
    check_words("rooms")


def test_what_belongs_to_one_centre_is_not_seen_at_another(
    desk: Any, enable: Callable[..., None], client: Callable[..., Any], second_centre: Any
) -> None:
    assert desk.api.post("rooms/rooms", json=ROOM).status_code == 201
    enable("rooms", second_centre)
    there = client(at=second_centre, permissions={"rooms.see"})
    assert there.api.get("rooms/rooms").json == []


def test_who_may_not_is_told_so(desk: Any, client: Callable[..., Any]) -> None:
    reader = client(permissions={"rooms.see"})
    assert reader.api.post("rooms/rooms", json=ROOM).status_code == 403


# --- a page, in both languages ---


@pytest.mark.parametrize(("language", "name"), [("zh_Hans", "书法室"), ("en", "Calligraphy room")])
def test_a_room_is_listed_in_the_readers_language(
    desk: Any, client: Callable[..., Any], language: str, name: str
) -> None:
    desk.api.post("rooms/rooms", json=ROOM)
    assert name in client(permissions={"rooms.see"}, language=language).get("rooms/rooms").text


# --- a rule: a table of cases with remarks ---

CASES = [
    ("14:00", "16:00", 303),
    ("14:10", "16:00", 422),  # not on a quarter
    ("07:00", "08:00", 422),  # over: the clock of tests says nine
]


@pytest.mark.parametrize(("start", "end", "status"), CASES)
def test_a_booking_begins_on_a_quarter_that_is_to_come(desk: Any, start: str, end: str, status: int) -> None:
    room = desk.api.post("rooms/rooms", json=ROOM).json
    typed = {"room_id": room["id"], "day": "2026-11-22", "start": start, "end": end, "name": "墨香书社"}
    assert desk.post("rooms/book", data={**typed, "kind": "group"}).status_code == status
