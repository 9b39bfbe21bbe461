"""What every answer carries, in which language it speaks, and what stands around a page."""

from __future__ import annotations

import json
import logging
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Response
from huijia.config import Config
from huijia.identity.models import Area
from huijia.storage.engine import is_undone
from huijia.storage.files import keep_file
from huijia.web import problems, security
from huijia.web.app import build
from huijia.web.blueprints import Api, Pages
from huijia.web.door import Door
from huijia.web.logs import JsonLines
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy.exc import OperationalError

THINGS = "/api/v1/centres/duling/tiny/things"


@pytest.mark.parametrize("path", ["/c/duling/tiny/", "/c/duling/tiny/door", "/healthz", "/nowhere", THINGS])
def test_every_answer_is_guarded(client: Any, path: str) -> None:
    headers = client("tiny.see").get(path).headers
    assert "script-src" not in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert "Strict-Transport-Security" not in headers


def test_https_binds_cookies_to_the_host(tmp_path: Path) -> None:
    config, response = Config(tmp_path, {"web": {"external_url": "https://huijia.example"}}), Response()
    security.set_cookie(response, config, "huijia_session", "x")
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-huijia_session=x;")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))


def test_static_files_are_kept_for_ever_under_their_digest(app: Door) -> None:
    with app.test_request_context():
        address = app.jinja_env.globals["static_url"]("huijia/huijia/look.css")  # type: ignore[operator]
    browser = app.test_client()
    digest = address.split("/")[2]
    with browser.get(address) as kept, browser.get(address.replace(digest, "0" * 16)) as old:
        assert "immutable" in kept.headers["Cache-Control"]
        assert old.headers["Cache-Control"] == "no-cache"
    for beyond in ("../huijia.db", "%2e%2e/huijia.db", "../../web/door.py", "nothing.css"):
        assert browser.get(f"/static/{digest}/huijia/{beyond}").status_code in (400, 404)
        assert browser.get(f"/static/{digest}/absent/{beyond}").status_code in (400, 404)


@pytest.mark.parametrize(
    ("cookie", "accepted", "title"),
    [
        (None, None, "这里没有内容"),
        (None, "en-GB,en;q=0.9", "Nothing here"),
        (None, "fr", "这里没有内容"),
        (None, "fr,zh-TW;q=0.5,en;q=0.3", "这里没有内容"),
        ("en", "zh-CN", "Nothing here"),  # chosen on the page
        ("klingon", "en", "Nothing here"),
    ],
)
def test_who_is_not_known_is_answered_as_the_browser_asks(
    app: Door, cookie: str | None, accepted: str | None, title: str
) -> None:
    browser = app.test_client()
    if cookie:
        browser.set_cookie("huijia_locale", cookie, domain="localhost")
    headers = {"Accept-Language": accepted} if accepted else {}
    assert title in browser.get("/nowhere", headers=headers).text


def test_staff_are_answered_in_their_own_language(client: Any) -> None:
    answer = client("tiny.see", locale="zh_Hans").post(
        THINGS, json={"name": "a"}, headers={"Accept-Language": "en"}
    )
    assert answer.json["title"] == "没有权限"


class Asked(Schema):
    one = fields.Integer(strict=True, validate=validate.Range(1, 9))
    two = fields.String(validate=validate.Length(1, 3))
    three = fields.String(required=True)
    four = fields.Nested({"five": fields.String(validate=validate.OneOf(["x"]))})


def test_fields_are_told_in_the_readers_language(app: Door) -> None:
    from huijia.i18n import speaking

    with pytest.raises(ValidationError) as caught:
        Asked().load({"one": 10, "two": "1234", "four": {"five": "y"}, "six": 6})
    with speaking("zh_Hans"):
        said = json.dumps(problems.translated(caught.value.messages), ensure_ascii=False)
    assert not any(english in said for english in ("Must", "Length", "Missing", "Unknown"))


@pytest.mark.parametrize(
    ("words", "status"),
    [("database is locked", 503), ("no such table: x", 500), ("disk I/O error", 500)],
)
def test_a_busy_database_is_no_fault(app: Door, words: str, status: int) -> None:
    error = OperationalError("SELECT 1", {}, sqlite3.OperationalError(words))
    with app.test_request_context("/api/v1/x"):
        found = problems.problem_of(error, SimpleNamespace(request_id="r", plugin="tiny"))  # type: ignore[arg-type]
    assert (found.status, "Retry-After" in found.headers) == (status, status == 503)


@pytest.mark.parametrize(
    ("state", "status", "again"),
    [
        ("40001", 503, True),  # serialization failure
        ("40P01", 503, True),  # deadlock
        ("55P03", 503, True),  # lock not available
        ("57014", 503, False),  # statement timeout
        ("57P01", 503, False),  # the server goes down: the commit may have been heard
        ("53300", 503, False),  # too many connections
        ("42P01", 500, False),  # no such table
        ("23505", 500, False),  # a guard that no service put into words
    ],
)
def test_postgresql_says_what_may_be_tried_again(app: Door, state: str, status: int, again: bool) -> None:
    original = type("Original", (Exception,), {"sqlstate": state})()
    error = OperationalError("SELECT 1", {}, original)
    with app.test_request_context("/api/v1/x"):
        found = problems.problem_of(error, SimpleNamespace(request_id="r", plugin="tiny"))  # type: ignore[arg-type]
    assert (found.status, is_undone(error)) == (status, again)


def test_what_was_undone_is_done_again_once(app: Door, client: Any, counted: Any) -> None:
    made, tries = app.view_functions["tiny_api.make"], []

    def locked_at_first(*given: Any, **named: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))
        return made(*given, **named)

    app.view_functions["tiny_api.make"] = locked_at_first
    before = counted(Area)
    assert client("tiny.add").post(THINGS, json={"name": "a"}).status_code == 201
    assert (len(tries), counted(Area) - before) == (2, 1)


def test_the_frame_shows_what_its_reader_may_open(client: Any) -> None:
    for permissions, shown in ((("tiny.see",), True), (("tiny.add",), False)):
        text = client(*permissions, locale="zh_Hans").get("/c/duling/api").text
        assert ('href="/c/duling/tiny/"' in text) == shown
        assert '<html lang="zh-Hans"' in text


def test_a_file_is_for_its_centre_and_its_permission(client: Any, installation: Any, app: Door) -> None:
    from huijia.identity.models import Centre
    from sqlalchemy import select

    with installation.reading() as session:
        centre = session.scalars(select(Centre).where(Centre.slug == "duling")).one()
    with installation.writing(centre) as session:
        png = b"\x89PNG\r\n\x1a\n"
        file_id = keep_file(session, body=png, name="a.png", permission="tiny.see", now=session.now)
    for who, at, status in (
        ("tiny.see", "duling", 200),
        ("tiny.add", "duling", 403),
        ("tiny.see", "huayuan", 404),
    ):
        answer = client(who, at=at).get(f"/c/{at}/files/{file_id}")
        assert answer.status_code == status
    assert client("tiny.see").get(f"/api/v1/centres/duling/files/{file_id}").data == png


def test_services_are_switched_off_and_on_again(client: Any, counted: Any) -> None:
    from huijia.storage.audit import Entry

    boss = client("services.manage", "tiny.see")
    service, before = "/api/v1/centres/duling/services/tiny", counted(Entry)
    assert boss.delete(service).json["enabled"] is False
    assert boss.get("/c/duling/tiny/").status_code == 404
    assert boss.put(service).json["enabled"] is True
    assert boss.get("/c/duling/tiny/").status_code == 200
    assert counted(Entry) - before == 2
    assert boss.put("/api/v1/centres/duling/services/absent").status_code == 404
    (listed,) = boss.get("/api/v1/centres/duling/services").json
    assert (listed["name"], listed["state"]) == ("tiny", "ready")


def test_i_see_my_centres(client: Any) -> None:
    assert [c["slug"] for c in client("tiny.see").get("/api/v1/centres").json] == ["duling"]
    assert [c["slug"] for c in client("tiny.see", at=None).get("/api/v1/centres").json] == [
        "duling",
        "huayuan",
        "quiet",
    ]


def test_health_is_told_to_everybody(app: Door) -> None:
    browser = app.test_client()
    assert (browser.get("/healthz").json, browser.get("/readyz").json["checks"]["database"]) == (
        {"status": "ok"},
        True,
    )


def test_logs_are_json_lines_without_what_was_typed(client: Any, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    client("tiny.add").post(f"{THINGS}?secret=4711", json={"name": "秘密" * 20})
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records]
    (line,) = [line for line in lines if line["logger"] == "huijia.access"]
    assert (line["status"], line["centre"], line["rule"][-7:]) == (422, "duling", "/things")
    assert not any(word in json.dumps(lines, ensure_ascii=False) for word in ("4711", "秘密"))


def plugin(name: str, *blueprints: Any) -> Any:
    module = SimpleNamespace(__file__=f"/nowhere/huijia_{name}/plugin.py")
    return SimpleNamespace(name=name, module=module, contributions={"huijia_blueprints": list(blueprints)})


def test_a_plugin_whose_routes_clash_is_left_out_and_the_others_stand(installation: Any) -> None:
    twice, fine, open_door = Pages("twice", "huijia"), Pages("fine", "huijia"), Api("opened", "huijia")
    for endpoint in ("one", "other"):
        twice.add_url_rule("/", endpoint, lambda: "", permission="twice.see")
    fine.add_url_rule("/", "index", lambda: "fine", public=True)
    open_door.add_url_rule("/", "index", lambda: "open")
    assert open_door.access == {"index": None}  # by this the registry quarantines it; the door stays shut
    app, troubles = build(
        installation, [plugin("twice", twice), plugin("fine", fine), plugin("again", Pages("fine", "huijia"))]
    )
    assert [(t.plugin, t.code) for t in troubles] == [("twice", "routes-failed"), ("again", "routes-failed")]
    assert {"fine.index"} == {e for e in app.access if e.partition(".")[0] in ("fine", "twice")}
