"""Rooms through the door, for people: pages, forms, photos, languages."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from .conftest import ALL, ROOM, Client, at, book_by_api


def test_the_day_grid_shows_rooms_bookings_and_free_cells(desk: Any, room_id: str) -> None:
    book_by_api(desk, room_id, 14, 16)
    book_by_api(desk, room_id, 16, 17, seats=7)
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
        book_by_api(desk, room_id, start, end)
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
        assert book_by_api(desk, room_id, start, end, seats=2).status_code == 201
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
    made = book_by_api(desk, room_id, 14, 16).json["id"]
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
    book_by_api(desk, room_id, 14, 16, seats=7)
    times = {"starts_at": at(20).isoformat(), "ends_at": at(21).isoformat()}
    desk.api.post("rooms/closures", json={**times, "reason": "停电", "room_id": room_id})
    text = client(permissions={"rooms.see"}).get(f"rooms/rooms/{room_id}").text
    for words in ("12 人", "2 楼", "墨香书社", "14:00–16:00", "7 座", "停电", "08:00–21:00"):
        assert words in text
    assert "修改功能室" not in text
    assert "修改功能室" in desk.get(f"rooms/rooms/{room_id}").text
    assert f"rooms/rooms/{room_id}" in desk.get("rooms/").text  # one click from the day


def test_closures_are_made_and_lifted_on_their_page(desk: Any, room_id: str) -> None:
    book_by_api(desk, room_id, 14, 16)
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
    book_by_api(desk, room_id, 14, 16)
    text = client(permissions=ALL | {"today.see"}).get("").text
    assert "今天功能室使用率" in text
    assert "墨香书社" in text
