"""Every request passes one door: who, which centre, may they, one unit, one audit entry."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from huijia.identity.models import Area, Staff
from huijia.identity.passwords import PASSWORDS
from huijia.registry import troubles
from huijia.registry.troubles import standing_troubles
from huijia.storage.audit import Entry
from huijia.web.door import Door
from sqlalchemy import update
from werkzeug.test import TestResponse

API = "/api/v1/centres/duling/tiny"
OURS = {"Origin": "http://localhost"}


def same(one: TestResponse, other: TestResponse) -> bool:
    """Equal to the byte, but for the request's id and the address itself, which pages repeat."""
    seen = []
    for answer in (one, other):
        text = re.sub("huayuan|missing", "SLUG", answer.text.replace(answer.headers["X-Request-Id"], "ID"))
        seen.append((answer.status, text, [item for item in answer.headers if item[0] != "X-Request-Id"]))
    return seen[0] == seen[1]


def upload(size: int) -> dict[str, Any]:
    head = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na'
    head += b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    return {"data": head + b"y" * size + b"\r\n--x--\r\n", "content_type": "multipart/form-data; boundary=x"}


def test_a_page_knows_its_centre_its_reader_and_the_date_there(client: Any) -> None:
    answer = client("tiny.see").get("/c/duling/tiny/")
    assert answer.text == "duling 王芳 2026-11-22 /c/duling/tiny/ en"


def test_a_token_opens_the_api(app: Door, someone: Any) -> None:
    headers = {"Authorization": f"Bearer {someone('tiny.add').bearer}"}
    answer = app.test_client().post(f"{API}/things", json={"name": "a"}, headers=headers)
    assert (answer.status_code, answer.json) == (
        201,
        {
            "name": "a",
        },
    )


@pytest.mark.parametrize("header", ["Bearer hj_unknown", "Bearer", "Basic eDp5", "Bearer  "])
def test_a_bad_token_is_refused_even_where_everybody_may(app: Door, header: str) -> None:
    assert app.test_client().get("/c/duling/tiny/door", headers={"Authorization": header}).status_code == 401


def test_public_pages_are_for_everybody(app: Door) -> None:
    assert app.test_client().get("/c/duling/tiny/door").text == "open duling"


def test_who_is_not_signed_in_learns_nothing_of_centres(app: Door) -> None:
    nobody = app.test_client()
    assert same(
        nobody.get("/api/v1/centres/duling/tiny/things"), nobody.get("/api/v1/centres/absent/tiny/things")
    )
    sent = nobody.get("/c/duling/tiny/?day=1")
    assert (sent.status_code, sent.location.partition("?")[2]) == (303, "next=/c/duling/tiny/?day%3D1")


@pytest.mark.parametrize(
    "path",
    [
        "/c/{}/tiny/",  # not permitted there
        "/c/{}/tiny/broken",
        "/api/v1/centres/{}/tiny/things",
        "/api/v1/centres/{}/openapi.json",
        "/api/v1/centres/{}/services",
        "/c/{}/api",
        "/c/{}/nowhere",  # no such page
    ],
)
def test_another_centre_looks_like_none(client: Any, path: str) -> None:
    mine: FlaskClient = client("tiny.see", at="duling")
    assert same(mine.get(path.format("huayuan")), mine.get(path.format("missing")))
    assert mine.get(path.format("huayuan")).status_code == 404


def test_a_public_page_of_a_centre_without_the_service_is_not_there(app: Door) -> None:
    assert app.test_client().get("/c/quiet/tiny/door").status_code == 404


def test_a_service_that_is_off_says_so_to_those_who_belong_there(client: Any) -> None:
    answer = client("tiny.see", at="quiet").get("/c/quiet/tiny/")
    assert (answer.status_code, "not switched on" in answer.text) == (404, True)


def test_a_missing_right_is_named(client: Any) -> None:
    answer = client("tiny.see").post(f"{API}/things", json={"name": "a"})
    assert (answer.status_code, answer.json["details"]) == (403, {"permission": "tiny.add"})


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),  # typed or reloaded
        ({"Sec-Fetch-Site": "same-site", **OURS}, 403),  # a neighbour below the same domain
        ({"Sec-Fetch-Site": "cross-site", **OURS}, 403),
        (OURS, 201),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),  # a sandboxed frame
        ({"Origin": "http://localhost.evil.example"}, 403),
        ({"Origin": "http://[", "Referer": "http://localhost/"}, 403),
        ({"Referer": "http://localhost/c/duling/tiny/"}, 201),  # an old browser
        ({"Referer": "http://evil.example/?http://localhost/"}, 403),
        ({}, 403),  # tells nothing
    ],
)
def test_another_sites_page_cannot_use_the_cookie(app: Door, someone: Any, headers: Any, status: int) -> None:
    browser = app.test_client()
    browser.set_cookie("huijia_session", someone("tiny.add").cookie, domain="localhost")
    assert browser.post(f"{API}/things", json={"name": "a"}, headers=headers).status_code == status


def test_a_program_without_cookies_is_told_to_sign_in(app: Door) -> None:
    assert app.test_client().post(f"{API}/things", json={"name": "a"}).status_code == 401


def test_a_piece_of_a_page_is_not_replaced_by_the_sign_in_page(app: Door) -> None:
    answer = app.test_client().get("/c/duling/tiny/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.text[:8]) == (401, "<section")


def test_who_must_change_the_password_gets_no_further(client: Any, installation: Any) -> None:
    mine = client("tiny.see")
    with installation.writing() as session:
        session.execute(update(Staff).values(must_change_password=True))
    assert mine.get("/c/duling/tiny/").location.startswith("/account?next=")
    assert (mine.get(f"{API}/things").status_code, mine.get(f"{API}/things").json["code"]) == (
        403,
        "password-due",
    )
    assert mine.get("/account").status_code == 200
    assert mine.get("/c/duling/tiny/door").status_code == 200


def test_signing_in_opens_the_house(app: Door, installation: Any, someone: Any) -> None:
    who, words = someone("tiny.see"), "a short sentence does well"
    with installation.writing() as session:
        kept = PASSWORDS.hash(words, username=who.cookie)
        session.execute(update(Staff).where(Staff.id == who.id).values(password_hash=kept))
    browser = app.test_client()
    goal = browser.get("/c/duling/tiny/").location
    typed = {"username": who.cookie, "password": words, "next": "/c/duling/tiny/"}
    assert browser.post(goal, data={**typed, "password": "wrong"}, headers=OURS).status_code == 401
    answer = browser.post(goal, data=typed, headers=OURS)
    assert (answer.status_code, browser.get(answer.location).status_code) == (303, 200)
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert browser.post("/signout", headers=OURS).status_code == 303
    assert browser.get("/c/duling/tiny/").status_code == 303


def test_a_foreign_host_is_not_answered(app: Door) -> None:
    codes = [
        app.test_client().get("/healthz", headers={"Host": h}).status_code
        for h in (
            "localhost",
            "127.0.0.1:8080",
            "[::1]:80",
            "evil.example",
            "",
            "a@b",
            "x" * 300,
            "[::1",
            "[x]",
        )
    ]
    assert codes == [200, 200, 200, 400, 400, 400, 400, 400, 400]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"name": "a"}}, 201),
        ({"json": {"name": "甲😀"}}, 201),
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": b"\xff", "content_type": "application/json"}, 400),
        ({"data": '{"name": "a\\u0000"}', "content_type": "application/json"}, 400),
        (
            {"data": '{"name": "a\\\\u0000"}', "content_type": "application/json"},
            201,
        ),  # a backslash, written out
        ({"data": '{"name": "\\ud800"}', "content_type": "application/json"}, 400),  # half a pair
        ({"data": '{"name": "\\ud83d\\ude00"}', "content_type": "application/json"}, 201),  # a whole one
        ({"data": '{"name": "a", "count": NaN}', "content_type": "application/json"}, 400),
        ({"data": '{"count": ' + "9" * 5000 + "}", "content_type": "application/json"}, 400),
        ({"data": "[" * 100_000, "content_type": "application/json"}, 400),
        ({"data": "[" * 50_000 + "]" * 50_000, "content_type": "application/json"}, 400),
        ({"data": "name=a", "content_type": "application/x-www-form-urlencoded"}, 415),
        ({"data": '{"name": "a"}', "content_type": "text/plain"}, 415),
        ({"json": []}, 422),
        ({"json": {}}, 422),
        ({"data": ""}, 422),
        ({"json": {"name": "a", "count": 1.5}}, 422),
        ({"json": {"name": "a", "count": 10**40}}, 422),
        ({"json": {"name": "a", "more": 1}}, 422),
        ({"data": " " * (2 * 1024 * 1024 + 1), "content_type": "application/json"}, 413),
        ({"json": {"name": "a"}, "query_string": "a=%00"}, 400),
        ({"json": {"name": "a"}, "query_string": "a=%ff"}, 400),
    ],
)
def test_bad_input_ends_at_the_door(client: Any, counted: Any, sent: Any, status: int) -> None:
    before = counted(Area)
    answer = client("tiny.add").post(f"{API}/things", **sent)
    assert (answer.status_code, counted(Area) - before) == (status, int(status == 201))
    if status >= 400:
        assert answer.mimetype == "application/problem+json"
        assert answer.json["detail"].endswith((".", "。"))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": {"name": "甲"}}, 200),
        ({"data": b"name=%ff", "content_type": "application/x-www-form-urlencoded"}, 400),
        ({"data": b"name=\xff", "content_type": "application/x-www-form-urlencoded"}, 400),
        ({"data": {"name": "a\0"}}, 400),
        ({"data": {"name": "a\0", "file": (BytesIO(b"x"), "x.png")}}, 400),
        ({"data": {"name": "甲", "file": (BytesIO(b"\0\xff"), "照.png")}}, 200),
        (upload(3 * 1024 * 1024), 200),
        (upload(6 * 1024 * 1024), 413),
        ({"data": {"name": "甲" * 800_000}}, 413),
    ],
)
def test_bad_forms_end_at_the_door(client: Any, sent: Any, status: int) -> None:
    assert client("tiny.add").post("/c/duling/tiny/form", **sent).status_code == status


@pytest.mark.parametrize(
    "path", ["/c/duling/tiny/%ff", "/c/duling/%00", "/c/DULING/tiny/", "/%2e%2e/etc", "/c/"]
)
def test_strange_addresses_are_nowhere(client: Any, path: str) -> None:
    assert client("tiny.see").get(path).status_code in (400, 404)


def test_a_committed_request_leaves_one_entry(client: Any, installation: Any) -> None:
    answer = client("tiny.add").post(f"{API}/things", json={"name": "a"})
    with installation.reading() as session:
        (entry,) = session.query(Entry).filter(Entry.action == "tiny_api.make")
        assert (entry.request_id, entry.actor_kind) == (answer.headers["X-Request-Id"], "staff")
        assert [change["table"] for change in entry.changes] == ["huijia_area"]


def test_a_view_tells_the_audit_what_it_is_about(client: Any, installation: Any) -> None:
    assert client("tiny.add").post("/c/duling/tiny/told").text == "done"
    with installation.reading() as session:
        entry = session.query(Entry).filter(Entry.action == "tiny.told").one()
        assert (entry.subject, entry.reason) == ("thing:1", "asked on the phone")


LOOKS = [
    # what is asked, subjects of the entries it leaves, remark
    (("GET", "private"), [None], "a sensitive permission"),
    (("HEAD", "private"), [None], "as much as it shows"),
    (("OPTIONS", "private"), [], "shows nothing"),
    (("GET", "person?whole=1"), ["person:1"], "told by the page"),
    (("GET", "person"), [], "nothing told, nothing sensitive"),
    (("GET", "broken"), [], "failed, so nothing was seen"),
]


@pytest.mark.parametrize(("asked", "subjects", "_remark"), LOOKS)
def test_who_looked_at_what_is_sensitive_is_on_the_record(
    client: Any, installation: Any, asked: tuple[str, str], subjects: list[str], _remark: str
) -> None:
    mine = client("tiny.see", "tiny.private")
    with installation.reading() as session:
        before = [entry.id for entry in session.query(Entry)]
    answer = mine.open(f"/c/duling/tiny/{asked[1]}", method=asked[0])
    with installation.reading() as session:
        entries = session.query(Entry).filter(Entry.id.not_in(before)).all()
        assert [entry.subject for entry in entries] == subjects
        for entry in entries:
            assert (entry.action, entry.actor_kind) == (f"tiny.{asked[1].partition('?')[0]}", "staff")
            assert (entry.request_id, entry.centre_id is None) == (answer.headers["X-Request-Id"], False)


def test_what_is_sensitive_is_not_shown_where_it_cannot_be_put_on_the_record(
    app: Door, client: Any, monkeypatch: Any
) -> None:
    mine = client("tiny.private")

    def fails(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(app, "_record", fails)
    answer = mine.get("/c/duling/tiny/private")
    assert (answer.status_code, "what few may see" in answer.text) == (500, False)


def test_who_opened_somebodys_record_is_on_the_record(client: Any, installation: Any) -> None:
    desk, people = client("people.see", "people.manage", "people.cards"), "/api/v1/centres/duling/people"
    person = desk.post(f"{people}/people", json={"name": "陈秀英"}).json["id"]
    card = desk.post(f"{people}/people/{person}/cards").json["id"]
    at = "/c/duling/people"
    for path in (
        f"{people}/people/{person}",
        f"{at}/{person}",
        f"{at}/{person}/change",
        f"{at}/cards/{card}",
    ):
        answer = desk.get(path)
        with installation.reading() as session:
            entry = session.query(Entry).filter(Entry.request_id == answer.headers["X-Request-Id"]).one()
            assert (answer.status_code, entry.subject) == (200, f"person:{person}")


@pytest.mark.parametrize(
    ("path", "status", "entries"),
    [
        (f"{API}/full", 409, 1),  # the refusal is noted
        ("/c/duling/tiny/again", 422, 0),
        (f"{API}/things", 422, 0),
    ],
)
def test_what_is_refused_is_rolled_back(
    client: Any, counted: Any, path: str, status: int, entries: int
) -> None:
    before = counted(Area), counted(Entry)
    assert client("tiny.add").post(path, json={}).status_code == status
    assert (counted(Area) - before[0], counted(Entry) - before[1]) == (0, entries)


@pytest.mark.parametrize("path", ["broken", "leaves", "writes"])
def test_a_fault_is_ours_and_tells_nothing(client: Any, counted: Any, path: str, caplog: Any) -> None:
    before = counted(Area)
    answer = client("tiny.see").get(f"/c/duling/tiny/{path}")
    assert (answer.status_code, counted(Area) - before) == (500, 0)
    assert answer.headers["X-Request-Id"] in answer.text
    assert "4711" not in answer.text
    assert "Traceback" not in answer.text
    (record,) = [r for r in caplog.records if r.getMessage() == "fault"]
    assert record.plugin == "tiny"


def test_a_fault_stands_in_repairs_once_with_its_count_and_the_last_request(
    client: Any, installation: Any
) -> None:
    mine = client("tiny.see", "repairs.see")
    mine.get("/c/duling/tiny/leaves")
    first, last = (mine.get("/c/duling/tiny/broken") for _ in range(2))
    with installation.reading() as session:
        broken, leaves = standing_troubles(session, "page")
        assert (broken.plugin, broken.topic, broken.code) == ("tiny", "tiny.broken", "page-failed")
        assert leaves.topic == "tiny.leaves"
    assert broken.detail.startswith("2 ×, last 2026-11-22")
    assert last.headers["X-Request-Id"] in broken.detail
    assert not any(part in broken.detail for part in (first.headers["X-Request-Id"], "4711"))
    assert "Tiny failed at tiny.broken, 2 times" in mine.get("/c/duling/repairs").text
    installation.clock.move(days=8)
    with installation.reading() as session:
        assert standing_troubles(session, "page") == []


def test_a_fault_that_cannot_be_kept_is_answered_all_the_same(client: Any, monkeypatch: Any) -> None:
    def fails(*_given: Any) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(troubles, "keep_fault", fails)
    answer = client("tiny.see").get("/c/duling/tiny/broken")
    assert (answer.status_code, answer.headers["X-Request-Id"] in answer.text) == (500, True)


def test_what_is_read_lazily_is_read_in_time(client: Any) -> None:
    assert client("tiny.see").get("/c/duling/tiny/lazy").text == "郑州市"


def test_head_and_options_are_answered(client: Any) -> None:
    mine = client("tiny.see")
    head = mine.head("/c/duling/tiny/")
    assert (head.status_code, head.data) == (200, b"")
    assert sorted(mine.options("/c/duling/tiny/").allow) == ["GET", "HEAD", "OPTIONS"]
    refused = mine.delete("/c/duling/tiny/")
    assert (refused.status_code, "GET" in refused.headers["Allow"]) == (405, True)
    assert mine.options("/c/huayuan/tiny/").status_code == 404


def test_people_get_pages_and_htmx_a_piece_of_one(client: Any) -> None:
    mine = client("tiny.see")
    assert "<html" in mine.get("/c/duling/tiny/nowhere").text
    piece = mine.get("/c/duling/tiny/nowhere", headers={"HX-Request": "true"}).text
    assert piece.startswith('<section class="problem"')
