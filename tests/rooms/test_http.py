"""Rooms through the door: REST and pages, with permissions, languages and the other centre."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from .conftest import ALL, at

ROOM = {"name": "书法室", "name_en": "Calligraphy room", "floor": 2, "capacity": 12, "booked_as": "either"}
Client = Callable[..., Any]


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


def book(desk: Any, room_id: str, start: float, end: float, **how: Any) -> Any:
    return desk.api.post("rooms/bookings", json=booking(room_id, start, end, **how))


# --- REST ---


def test_a_room_is_made_changed_and_listed(desk: Any, room_id: str) -> None:
    hours = {"1": [["08:00", "12:00"], ["14:00", "24:00"]]}
    changed = desk.api.patch(f"rooms/rooms/{room_id}", json={"hours": hours, "equipment": ["毛毡"]})
    assert changed.status_code == 200, changed.text
    assert changed.json["hours"] == hours
    assert desk.api.get("rooms/rooms").json == [changed.json]
    assert desk.api.get(f"rooms/rooms/{room_id}").json["equipment"] == ["毛毡"]


def test_a_booking_is_made_shown_listed_and_cancelled(desk: Any, room_id: str) -> None:
    made = book(desk, room_id, 14, 16, seats=7, purpose="临帖")
    assert made.status_code == 201, made.text
    where = f"rooms/bookings/{made.json['id']}"
    assert desk.api.get(where).json == made.json
    assert made.json["starts_at"] == at(14).isoformat()
    assert [one["id"] for one in desk.api.get("rooms/bookings").json["items"]] == [made.json["id"]]
    cancelled = desk.api.post(f"{where}/cancel", json={"reason": "下雨"})
    assert (cancelled.json["status"], cancelled.json["cancel_reason"]) == ("cancelled", "下雨")
    assert desk.api.get("rooms/bookings?status=booked").json["items"] == []


def test_a_taken_room_answers_409_with_code_and_until(desk: Any, room_id: str) -> None:
    assert book(desk, room_id, 14, 16).status_code == 201
    refused = book(desk, room_id, 15, 17)
    assert (refused.status_code, refused.json["code"]) == (409, "room-taken")
    assert refused.json["detail"] == "书法室 14:00–16:00 已被预约，最早 16:00 有空。"
    assert refused.json["until"] == at(16).isoformat()


@pytest.mark.parametrize("how", [{}, {"seats": 7}, {"head_count": 3, "kind": "group", "contact": "门卫"}])
def test_a_new_booking_is_told_to_the_letter_as_it_is_told_later(
    desk: Any, room_id: str, both_engines: str, how: dict
) -> None:
    made = book(desk, room_id, 14, 16, **how)
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
        book(desk, room_id, hour, hour + 1)
    seen, cursor = [], ""
    while cursor is not None:
        got = desk.api.get(f"rooms/bookings?limit=2{cursor and '&cursor=' + cursor}").json
        seen += [one["starts_at"] for one in got["items"]]
        cursor = got["next"]
    assert seen == [at(hour).isoformat() for hour in range(9, 14)]


def test_the_day_tells_hours_closures_and_standing_bookings(
    desk: Any, room_id: str, both_engines: str
) -> None:
    kept, gone = book(desk, room_id, 9, 11).json["id"], book(desk, room_id, 14, 15).json["id"]
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
    standing = book(desk, room_id, 9, 11).json["id"]
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
    made = book(desk, room_id, 9, 11).json["id"]
    enable("rooms", second_centre)
    there = client(factories.staff(at=second_centre, permissions=ALL), at=second_centre)
    assert there.api.get("rooms/rooms").json == []
    assert there.api.get(f"rooms/bookings/{made}").status_code == 404
    assert book(there, room_id, 14, 15).status_code == 404
    assert "墨香书社" not in there.get("rooms/").text


# --- pages ---


def test_the_day_grid_shows_rooms_bookings_and_free_cells(desk: Any, room_id: str) -> None:
    book(desk, room_id, 14, 16)
    book(desk, room_id, 16, 17, seats=7)
    text = desk.get("rooms/").text
    assert "功能室 · 11月22日 星期日" in text
    assert "农历十月十四" in text
    assert 'colspan="8" title="14:00–16:00 墨香书社"' in text
    assert "16:00–17:00 7 / 12 墨香书社" in text
    assert f"room={room_id}&amp;at=11:00" in text
    assert "style=" not in text


def test_every_row_of_the_grid_has_all_its_columns(desk: Any, room_id: str) -> None:
    desk.api.post(
        "rooms/rooms",
        json={**ROOM, "name": "棋牌室", "hours": {"7": [["09:00", "12:00"], ["14:00", "18:00"]]}},
    )
    for start, end in ((8, 9), (9, 11), (14, 16)):
        book(desk, room_id, start, end)
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", desk.get("rooms/").text, re.DOTALL)
    assert len(rows) == 2
    for row in rows:
        spans = [int(span) for span in re.findall(r'<td[^>]* colspan="(\d+)"', row)]
        assert sum(spans) == 13 * 4
        assert 0 not in spans


def test_what_reaches_over_midnight_is_drawn_on_both_days(desk: Any) -> None:
    hours = {str(day): [["00:00", "24:00"]] for day in range(1, 8)}
    room_id = desk.api.post("rooms/rooms", json={**ROOM, "hours": hours}).json["id"]
    for start, end in ((22, 25), (23, 24.5)):
        assert book(desk, room_id, start, end, seats=2).status_code == 201
    for day, drawn in (("22", "23:00–24:00 4 / 12"), ("23", "00:00–00:30 4 / 12")):
        text = desk.get(f"rooms/?day=2026-11-{day}").text
        assert drawn in text
        assert sum(int(span) for span in re.findall(r'<td[^>]* colspan="(\d+)"', text)) == 24 * 4


def test_a_cell_leads_to_the_form_and_the_form_to_a_booking(desk: Any, room_id: str) -> None:
    form = desk.get(f"rooms/book?day=2026-11-22&room={room_id}&at=14:00").text
    assert 'value="14:00"' in form
    assert 'value="15:00"' in form
    typed = {"room_id": room_id, "day": "2026-11-22", "start": "14:00", "end": "15:00", "name": "马老师"}
    made = desk.post("rooms/book", data={**typed, "kind": "person", "seats": "", "head_count": "3"})
    assert made.status_code == 303, made.text
    assert "马老师" in desk.get(made.location).text
    again = desk.post("rooms/book", data=typed)
    assert again.status_code == 409
    assert "书法室 14:00–15:00 已被预约，最早 15:00 有空。" in again.text
    assert "改约 15:00" in again.text  # one click takes the next free time


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"name": " "}, "name-error"),
        ({"start": "16:00"}, "结束时间须晚于开始时间。"),
        ({"seats": "1e3"}, "seats-error"),
        ({"start": "14:10"}, "请填整刻钟"),
        ({"day": "0001-01-01"}, "day-error"),
        ({"room_id": "x"}, "marked"),
    ],
)
def test_a_form_with_mistakes_comes_back_with_what_was_typed(
    desk: Any, room_id: str, typed: dict, says: str
) -> None:
    usual = {"room_id": room_id, "day": "2026-11-22", "start": "14:00", "end": "15:00", "name": "马老师"}
    got = desk.post("rooms/book", data={**usual, "purpose": "习字", **typed})
    assert got.status_code == 422, got.text
    assert 'value="习字"' in got.text
    assert says in got.text or says == "marked"


def test_cancelling_on_the_page_asks_for_a_reason(desk: Any, room_id: str) -> None:
    made = book(desk, room_id, 14, 16).json["id"]
    assert desk.post(f"rooms/bookings/{made}/cancel", data={"reason": " "}).status_code == 422
    assert desk.post(f"rooms/bookings/{made}/cancel", data={"reason": "下雨"}).status_code == 303
    assert "下雨" in desk.get(f"rooms/bookings/{made}").text


def test_the_room_editor_reads_hours_as_people_type_them(desk: Any, room_id: str) -> None:
    assert 'value="08:00–21:00"' in desk.get(f"rooms/rooms/{room_id}/edit").text
    typed = {**ROOM, "hours_1": "8:00-12:00，14：00—21:00", "equipment": "毛毡、笔架, 砚台", "active": "yes"}
    saved = desk.post(f"rooms/rooms/{room_id}/edit", data=typed)
    assert saved.status_code == 303, saved.text
    room = desk.api.get(f"rooms/rooms/{room_id}").json
    assert room["hours"] == {"1": [["08:00", "12:00"], ["14:00", "21:00"]]}
    assert room["equipment"] == ["毛毡", "笔架", "砚台"]
    wrong = desk.post(f"rooms/rooms/{room_id}/edit", data={**typed, "hours_1": "早上"})
    assert wrong.status_code == 422
    assert 'value="早上"' in wrong.text


PNG, JPEG = b"\x89PNG\r\n\x1a\n" + b"0" * 20, b"\xff\xd8\xff" + b"0" * 20


def sent(body: bytes, name: str, kind: str) -> tuple[Any, str, str]:
    return BytesIO(body), name, kind


def test_a_new_room_and_its_photo_are_kept(desk: Any) -> None:
    picture = sent(PNG, "room.png", "image/png")
    made = desk.post("rooms/rooms/new", data={**ROOM, "active": "yes", "photo": picture})
    assert made.status_code == 303, made.text
    assert desk.api.get("rooms/rooms").json[0]["photo_id"]
    assert desk.post("rooms/rooms/new", data=ROOM).status_code == 409  # the name is in use


def test_a_photo_is_shown_where_rooms_are_listed_and_chosen_and_to_readers_only(
    desk: Any, client: Client, room_id: str
) -> None:
    where = f"rooms/rooms/{room_id}"
    assert "<img" not in desk.get(where).text
    data = {**ROOM, "active": "yes", "photo": sent(PNG, "room.png", "image/png")}
    assert desk.post(f"{where}/edit", data=data).location.endswith(where)
    photo = f"files/{desk.api.get(where).json['photo_id']}"
    reader = client(permissions={"rooms.see", "rooms.book"})
    for path in (where, "rooms/rooms", f"rooms/book?room={room_id}"):
        [shown] = re.findall("<img[^>]*>", reader.get(path).text)
        assert f'src="/c/duling/{photo}" alt="书法室的照片" width="800" height="600" loading="lazy"' in shown
    assert (reader.get(photo).data, reader.get(photo).mimetype) == (PNG, "image/png")
    assert client(permissions={"today.see"}).get(photo).status_code == 403
    assert client(None).get(photo).status_code in (302, 303, 401)


def test_a_photo_that_is_replaced_or_removed_is_erased(desk: Any, room_id: str) -> None:
    where, kept = f"rooms/rooms/{room_id}", {**ROOM, "active": "yes"}
    seen = []
    for photo in (sent(PNG, "a.png", "image/png"), sent(JPEG, "b.jpg", "image/jpeg")):
        desk.post(f"{where}/edit", data={**kept, "photo": photo})
        seen.append(f"files/{desk.api.get(where).json['photo_id']}")
    assert [desk.get(one).status_code for one in seen] == [404, 200]
    desk.post(f"{where}/edit", data=kept)  # it stays where nothing is said of it
    assert desk.get(seen[1]).data == JPEG
    assert desk.post(f"{where}/edit", data={**kept, "remove_photo": "yes"}).status_code == 303
    assert desk.api.get(where).json["photo_id"] is None
    assert desk.get(seen[1]).status_code == 404


@pytest.mark.parametrize(
    ("body", "kind", "says"),
    [
        (b"GIF89a" + b"0" * 20, "image/gif", "JPEG"),  # of a kind that we do not keep
        (b"hello", "image/png", "JPEG"),  # no picture at all
        (PNG, "image/jpeg", "image/png"),  # says one thing and is another
        (PNG + b"0" * 5 * 1024 * 1024, "image/png", "5 MB"),
    ],
)
def test_a_file_that_is_no_fit_photo_is_refused_beside_its_field(
    desk: Any, room_id: str, body: bytes, kind: str, says: str
) -> None:
    photo = FileStorage(BytesIO(body), "room", content_type=kind)
    boundary, data = encode_multipart({**ROOM, "use": "习字", "photo": photo})
    how = {"data": data, "content_type": f"multipart/form-data; boundary={boundary}"}
    refused = desk.post(f"rooms/rooms/{room_id}/edit", **how)
    assert refused.status_code == 422
    [error] = re.findall('id="photo-error">(.*?)</p>', refused.text)
    assert says in error
    assert 'value="习字"' in refused.text
    assert desk.api.get(f"rooms/rooms/{room_id}").json["photo_id"] is None


def test_the_page_of_a_room_tells_what_it_is_like_and_who_comes(
    desk: Any, client: Client, room_id: str
) -> None:
    book(desk, room_id, 14, 16, seats=7)
    times = {"starts_at": at(20).isoformat(), "ends_at": at(21).isoformat()}
    desk.api.post("rooms/closures", json={**times, "reason": "停电", "room_id": room_id})
    text = client(permissions={"rooms.see"}).get(f"rooms/rooms/{room_id}").text
    for words in ("12 人", "2 楼", "墨香书社", "14:00–16:00", "7 座", "停电", "08:00–21:00"):
        assert words in text
    assert "修改功能室" not in text
    assert "修改功能室" in desk.get(f"rooms/rooms/{room_id}").text
    assert f"rooms/rooms/{room_id}" in desk.get("rooms/").text  # one click from the day


def test_closures_are_made_and_lifted_on_their_page(desk: Any, room_id: str) -> None:
    book(desk, room_id, 14, 16)
    typed = {"first_day": "2026-11-22", "last_day": "2026-11-23", "reason": "停电"}
    assert desk.post("rooms/closures", data=typed).status_code == 303
    text = desk.get("rooms/closures").text
    assert "这段时间有 1 个预约" in text
    assert "11月22日 星期日 00:00 – 11月23日 星期一 24:00" in text  # not: until 0:00 of the 24th
    assert desk.api.get("rooms/closures").json[0]["ends_at"] == at(24, 23).isoformat()
    closure_id = desk.api.get("rooms/closures").json[0]["id"]
    assert desk.post(f"rooms/closures/{closure_id}/lift").status_code == 303
    assert desk.post(f"rooms/closures/{uuid4()}/lift").status_code == 404


@pytest.mark.parametrize(
    ("day", "start", "end", "closed"),
    [
        ("2027-03-14", "01:00", "02:30", ("06:00", "07:00")),  # to a time that the clocks leave out
        ("2027-03-14", "02:15", "04:00", ("07:00", "08:00")),  # from one
        ("2027-03-14", "02:00", "03:00", None),  # nothing but such times: never open anyway
        ("2027-11-07", "01:15", "01:45", ("05:15", "06:45")),  # the hour that comes twice is closed twice
        ("2027-11-07", "00:00", "", ("04:00", "05:00")),  # a day of 25 hours
    ],
)
def test_closing_follows_clocks_that_go_forward_or_back(
    desk: Any, installation: Any, centre: Any, day: str, start: str, end: str, closed: Any
) -> None:
    from huijia import Centre

    with installation.writing(centre) as session:
        session.get(Centre, centre.id).time_zone = "America/New_York"
    typed = {"first_day": day, "last_day": day, "start": start, "end": end, "reason": "停电"}
    answer = desk.post("rooms/closures", data=typed)
    assert answer.status_code == (303 if closed else 422), answer.text
    assert closed or "没有这个时刻" in answer.text
    made = [(one["starts_at"][11:16], one["ends_at"][11:16]) for one in desk.api.get("rooms/closures").json]
    assert made == ([closed] if closed else [])


def test_a_worked_weekend_is_set_in_words(client: Client) -> None:
    keeper = client(permissions=ALL | {"settings.see", "settings.manage"})
    text = keeper.get("settings?plugin=rooms").text
    assert '<option value="1" selected>周一</option>' in text
    assert '<option value="0">当天本来的周六或周日</option>' in text
    typed = {"moved_working_day_follows": "5", "closed_on_holidays": "yes", "horizon_days": "365"}
    saved = keeper.post(
        "settings?plugin=rooms", data={**typed, "effective_from": "2026-12-01"}, follow_redirects=True
    )
    assert "周五" in saved.text.partition("12月1日")[0].rpartition("tag")[2], saved.text


@pytest.mark.parametrize(
    "path", ["rooms/", "rooms/book", "rooms/bookings", "rooms/rooms", "rooms/rooms/new", "rooms/closures"]
)
def test_pages_speak_one_language_at_a_time(desk: Any, client: Client, path: str) -> None:
    english = desk.get(path, headers={"Cookie": "huijia_locale=en"})
    main = re.search(r"<main.*?</main>", desk.get(path).text, re.DOTALL)
    assert english.status_code == 200
    assert main is not None
    assert not re.search(r">[^<]*\b(Book|Room|Day|Close|Hours|Floor|Save)\b", main[0])


def test_empty_pages_say_what_comes_next(desk: Any) -> None:
    assert "还没有功能室" in desk.get("rooms/").text
    assert "没有预约" in desk.get("rooms/bookings").text
    assert "没有停用安排" in desk.get("rooms/closures").text


def test_today_tells_use_and_who_comes_next(desk: Any, client: Client, room_id: str) -> None:
    book(desk, room_id, 14, 16)
    text = client(permissions=ALL | {"today.see"}).get("").text
    assert "今天功能室使用率" in text
    assert "墨香书社" in text
