"""Rooms through the door, for programs: REST, permissions, the other centre."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import ALL, ROOM, Client, at, book_by_api, booking

# --- REST ---


def test_a_room_is_made_changed_and_listed(desk: Any, room_id: str) -> None:
    hours = {"1": [["08:00", "12:00"], ["14:00", "24:00"]]}
    changed = desk.api.patch(f"rooms/rooms/{room_id}", json={"hours": hours, "equipment": ["毛毡"]})
    assert changed.status_code == 200, changed.text
    assert changed.json["hours"] == hours
    assert desk.api.get("rooms/rooms").json == [changed.json]
    assert desk.api.get(f"rooms/rooms/{room_id}").json["equipment"] == ["毛毡"]


def test_a_booking_is_made_shown_listed_and_cancelled(desk: Any, room_id: str) -> None:
    made = book_by_api(desk, room_id, 14, 16, seats=7, purpose="临帖")
    assert made.status_code == 201, made.text
    where = f"rooms/bookings/{made.json['id']}"
    assert desk.api.get(where).json == made.json
    assert made.json["starts_at"] == at(14).isoformat()
    assert [one["id"] for one in desk.api.get("rooms/bookings").json["items"]] == [made.json["id"]]
    cancelled = desk.api.post(f"{where}/cancel", json={"reason": "下雨"})
    assert (cancelled.json["status"], cancelled.json["cancel_reason"]) == ("cancelled", "下雨")
    assert desk.api.get("rooms/bookings?status=booked").json["items"] == []


def test_a_taken_room_answers_409_with_code_and_until(desk: Any, room_id: str) -> None:
    assert book_by_api(desk, room_id, 14, 16).status_code == 201
    refused = book_by_api(desk, room_id, 15, 17)
    assert (refused.status_code, refused.json["code"]) == (409, "room-taken")
    assert refused.json["detail"] == "书法室 14:00–16:00 已被预约，最早 16:00 有空。"
    assert refused.json["until"] == at(16).isoformat()


@pytest.mark.parametrize("how", [{}, {"seats": 7}, {"head_count": 3, "kind": "group", "contact": "门卫"}])
def test_a_new_booking_is_told_to_the_letter_as_it_is_told_later(
    desk: Any, room_id: str, both_engines: str, how: dict
) -> None:
    made = book_by_api(desk, room_id, 14, 16, **how)
    assert made.data == desk.api.get(f"rooms/bookings/{made.json['id']}").data


def test_the_interface_describes_the_rules_of_a_booking(desk: Any) -> None:
    described = desk.api.get("openapi.json").json
    shape = described["components"]["schemas"]["rooms.BookingBody"]["properties"]
    assert (shape["starts_at"]["x-step-minutes"], shape["ends_at"]["x-longest-minutes"]) == (15, 1440)
    assert "quarter hour" in shape["starts_at"]["description"]
    assert "booked_as" in shape["seats"]["description"]
    assert (shape["name"]["minLength"], shape["name"]["maxLength"]) == (1, 80)
    operation = described["paths"]["/api/v1/centres/{centre}/rooms/bookings"]["post"]
    assert "booked_as" in operation["description"]


def test_lists_go_on_by_key(desk: Any, room_id: str) -> None:
    for hour in range(9, 14):
        book_by_api(desk, room_id, hour, hour + 1)
    seen, cursor = [], ""
    while cursor is not None:
        got = desk.api.get(f"rooms/bookings?limit=2{cursor and '&cursor=' + cursor}").json
        seen += [one["starts_at"] for one in got["items"]]
        cursor = got["next"]
    assert seen == [at(hour).isoformat() for hour in range(9, 14)]


def test_the_day_tells_hours_closures_and_standing_bookings(
    desk: Any, room_id: str, both_engines: str
) -> None:
    kept, gone = book_by_api(desk, room_id, 9, 11).json["id"], book_by_api(desk, room_id, 14, 15).json["id"]
    desk.api.post(f"rooms/bookings/{gone}/cancel", json={"reason": "下雨"})
    closed = {
        "room_id": room_id,
        "starts_at": at(18).isoformat(),
        "ends_at": at(30).isoformat(),
        "reason": "停电",
    }
    assert desk.api.post("rooms/closures", json=closed).status_code == 201
    day = desk.api.get("rooms/days/2026-11-22").json
    room = day["rooms"][0]
    assert (day["date"], day["time_zone"], room["id"]) == ("2026-11-22", "Asia/Shanghai", room_id)
    assert [one["id"] for one in room["bookings"]] == [kept]
    assert room["bookings"][0]["starts_at"] == "2026-11-22T01:00:00Z"
    assert room["open"] == [{"starts_at": "2026-11-22T00:00:00Z", "ends_at": "2026-11-22T10:00:00Z"}]
    assert room["closures"][0]["reason"] == "停电"


def test_a_closure_names_the_bookings_it_meets_and_can_be_lifted(desk: Any, room_id: str) -> None:
    standing = book_by_api(desk, room_id, 9, 11).json["id"]
    body = {"starts_at": at(8).isoformat(), "ends_at": at(12).isoformat(), "reason": "停电"}
    made = desk.api.post("rooms/closures", json=body)
    assert made.json["bookings"] == [standing]
    assert desk.api.get("rooms/closures").json[0]["reason"] == "停电"
    assert desk.api.delete(f"rooms/closures/{made.json['id']}").status_code == 204
    assert desk.api.get("rooms/closures").json == []


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("rooms", {"capacity": 0}),
        ("rooms", {"capacity": 1.9}),
        ("rooms", {"capacity": 10**40}),
        ("rooms", {"capacity": "12"}),
        ("rooms", {"name": "  "}),
        ("rooms", {"name": "长" * 61}),
        ("rooms", {"hours": {"8": []}}),  # there are seven days
        ("rooms", {"hours": {"1": [["12:00", "08:00"]]}}),
        ("rooms", {"hours": {"1": [["08:10", "09:00"]]}}),  # off the quarter hour
        ("rooms", {"colour": "red"}),
        ("bookings", {"starts_at": "2026-11-22T14:00:00"}),  # no offset
        ("bookings", {"starts_at": at(17).isoformat()}),  # ends before it starts
        ("bookings", {"ends_at": "9999-12-31T23:59:59-12:00"}),
        ("bookings", {"seats": 0}),
        ("bookings", {"name": ""}),
        ("bookings", {"kind": "ghost"}),
        ("bookings", {"room_id": "1"}),
        ("bookings", {"starts_at": at(14.1).isoformat()}),  # off the quarter hour
    ],
)
def test_input_out_of_bounds_is_refused_with_its_field(
    desk: Any, room_id: str, path: str, change: dict
) -> None:
    body = ROOM if path == "rooms" else booking(room_id, 14, 16)
    refused = desk.api.post(f"rooms/{path}", json={**body, "name": "棋牌室", **change})
    assert refused.status_code == 422, refused.text
    assert "errors" in refused.json or refused.json["code"] == "bad-period"


@pytest.mark.parametrize("day", ["2026-02-30", "20261122", "2026-W47-7", "1999-12-31", "today"])
def test_a_day_that_is_none_is_not_found(desk: Any, day: str) -> None:
    assert desk.api.get(f"rooms/days/{day}").status_code == 404
    assert desk.get(f"rooms/?day={day}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "held", "status"),
    [
        ("GET", "rooms/rooms", {"rooms.see"}, 200),
        ("GET", "rooms/rooms", {"rooms.book"}, 403),
        ("POST", "rooms/rooms", {"rooms.see", "rooms.book"}, 403),
        ("POST", "rooms/bookings", {"rooms.see"}, 403),
        ("POST", "rooms/closures", {"rooms.see", "rooms.book"}, 403),
    ],
)
def test_each_route_asks_for_its_permission(
    client: Client, method: str, path: str, held: set, status: int
) -> None:
    assert client(permissions=held).api.open(path, method=method, json={}).status_code == status
    assert client(None).api.open(path, method=method, json={}).status_code == 401


def test_another_centre_sees_nothing(
    desk: Any, room_id: str, client: Client, factories: Any, enable: Callable, second_centre: Any
) -> None:
    made = book_by_api(desk, room_id, 9, 11).json["id"]
    enable("rooms", second_centre)
    there = client(factories.staff(at=second_centre, permissions=ALL), at=second_centre)
    assert there.api.get("rooms/rooms").json == []
    assert there.api.get(f"rooms/bookings/{made}").status_code == 404
    assert book_by_api(there, room_id, 14, 15).status_code == 404
    assert "墨香书社" not in there.get("rooms/").text
