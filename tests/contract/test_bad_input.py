"""Rubbish at every door: never a 500, a message in the reader's language, and nothing saved.

Routes come from the app, fields from the forms on the pages and from the interface's own description, so that
a new route or form is covered as soon as it is there.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from probe import ASKED, KNOWN, House, Page
from rubbish import BODIES, PARTS, VALUES, WORDS, share

pytestmark = pytest.mark.grows
# They take no body, and do what they are for whatever is sent with it.
BODILESS = {
    "admin.sign_out",
    "huijia_api.disable_service",
    "huijia_api.enable_service",
    "rooms_api.lift_closure",
}
BODILESS |= {"rooms.lift", "people.erase", "people.keep_apart", "people.separate"}
# Their forms stand only after a spreadsheet was sent: tests/kernel/people/test_importing.py walks them.
AFTER_AN_UPLOAD = {"people.take_in", "people.undo_import"}
# Addresses that lead nowhere.
NOWHERE = ("/%00", "//", "/../", "/c/", "/c//", "/api", "/c/%E6%9D%9C", "/.git/config", "/c/duling/../../")


def pages_of(house: House) -> dict[str, Any]:
    """Every page that takes no more than a centre and real ids: its rule and what stands on it."""
    found = {}
    for _get, rule in house.rules("GET", api=False):
        answer = house.client.get(house.path(rule))
        if answer.status_code == 200 and answer.mimetype == "text/html":
            page = found[rule.endpoint] = house.path(rule), Page(answer.get_data(as_text=True))
            for form in page[1].forms:
                form.action = form.action or page[0]
    return found


def test_every_route_takes_whole_bodies_of_rubbish(house: House) -> None:
    before = house.counts()
    for method, rule in house.rules("POST", "PUT", "PATCH", "DELETE"):
        for kind, body, why in BODIES if rule.endpoint not in BODILESS else ():
            house.send(method, house.path(rule), why, data=body, content_type=kind)
    assert house.asked > 300
    assert house.counts() == before
    assert not house.faults, house.faults_in_lines


def test_every_json_member_takes_rubbish(chinese: House) -> None:
    house = chinese
    document = house.client.api.get("openapi.json").json
    for method, path, operation in house.operations():
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        good = example(document, schema["schema"], house) if schema else {}
        for number, name in enumerate((*good, "unknown") if schema else ()):
            for value in (*VALUES, *share(number)):
                body = {**good, name: value}
                house.send_refused(method, path, f"{name}={str(value)[:30]!r}", json=body)
            less = {key: value for key, value in good.items() if key != name}
            house.send_refused(method, path, f"no {name}", json=less)
    assert house.asked > 500
    assert not house.faults, house.faults_in_lines


def example(document: dict[str, Any], schema: dict[str, Any], house: House, name: str = "") -> Any:
    """A value of that schema which the service would take, as far as names and types tell."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if name in KNOWN:
        return KNOWN[name]
    kinds = schema.get("type", "object")
    kind = next((k for k in kinds if k != "null"), "") if isinstance(kinds, list) else kinds
    if kind == "object":
        members = {n: s for n, s in schema.get("properties", {}).items() if not s.get("readOnly")}
        return {n: example(document, s, house, n) for n, s in members.items()}
    if "enum" in schema:
        return schema["enum"][0]
    texts = {"uuid": house.values.get(name, house.values["room_id"]), "date": "2026-11-23"}
    plain = {"integer": schema.get("minimum", 1), "boolean": True, "array": [], "number": 1}
    return texts.get(schema.get("format", ""), "字") if kind == "string" else plain[kind]


def test_every_form_takes_rubbish_in_every_field(chinese: House) -> None:
    chinese.busy()
    pages = [page for _path, page in pages_of(chinese).values()]
    pages.append(Page(chinese.factories.client(None, chinese.centre).get("/signin").text))
    pages += [Page(chinese.client.get(path).text) for path in chinese.states()]
    forms = {form.key: form for page in pages for form in page.forms if form.method == "POST"}
    adapter = chinese.app.url_map.bind("localhost")
    reached = {adapter.match(urlsplit(form.action).path, "POST")[0] for form in forms.values()}
    posted = {rule.endpoint for _post, rule in chinese.rules("POST", api=False)}
    assert posted - AFTER_AN_UPLOAD == reached
    for form in forms.values():
        for number, name in enumerate(name for name in form.fields if name != "_once"):
            for value, why in share(number).items():
                sent = {**form.fields, name: value}
                answer = chinese.send_refused("POST", form.action, f"{name}: {why}", data=sent)
                if answer.status_code < 400:
                    chinese.settle()
    assert chinese.asked > 500
    assert not chinese.faults, chinese.faults_in_lines


def arguments_of(house: House) -> dict[str, set[str]]:
    """What each address may be asked behind the question mark: by its forms, its links, its description."""
    pages = pages_of(house)
    asked = {path: set(ASKED.get(endpoint, ())) for endpoint, (path, _page) in pages.items()}
    for _path, page in pages.values():
        for form in (one for one in page.forms if one.method == "GET"):
            asked.setdefault(form.action, set()).update(form.fields)
        for link in map(urlsplit, page.links):
            asked.get(link.path, set()).update(parse_qs(link.query))
    for method, path, operation in house.operations():
        if method == "GET":
            named = (given for given in operation.get("parameters", ()) if given.get("in") == "query")
            asked[path] = {given["name"] for given in named}
    return asked


def test_every_address_takes_rubbish_behind_the_question_mark(chinese: House) -> None:
    asked = arguments_of(chinese)
    for path, names in asked.items():
        for name in sorted(names):
            for value, why in WORDS.items():
                chinese.send("GET", f"{path}?{urlencode({name: value[:5000]})}", why)
        for query in ("%00", "a=%ff", "a=%ED%A0%80", "&&==;", "a[]=1&a[]=2", "%", "limit=1&limit=2"):
            chinese.send("GET", f"{path}?{query}", "a spoilt query")
    assert not chinese.faults, chinese.faults_in_lines


def test_every_part_of_a_path_takes_rubbish(chinese: House) -> None:
    before = chinese.counts()
    for method, rule in chinese.rules("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        for name in sorted(rule.arguments):
            for part in PARTS:
                chinese.send(method, chinese.path(rule, **{name: part}), f"{name} {part[:20]}")
    for path in NOWHERE:
        chinese.send("GET", path, "a path of nothing")
    assert chinese.counts() == before
    assert not chinese.faults, chinese.faults_in_lines


def test_every_address_takes_wrong_methods(chinese: House) -> None:
    before = chinese.counts()
    taken: dict[str, set[str]] = {}
    for _any, rule in chinese.rules("GET", "POST", "PUT", "PATCH", "DELETE"):
        taken.setdefault(chinese.path(rule), set()).update(rule.methods)
    for path, methods in taken.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW"} - methods:
            answer = chinese.send(method, path, "a wrong method")
            if answer.status_code != 405 or not answer.headers.get("Allow"):
                chinese.blame(
                    f"{method} {path}", f"{method} is answered by {answer.status_code}, not by 405 and Allow"
                )
    assert chinese.counts() == before
    assert not chinese.faults, chinese.faults_in_lines


HEADERS: tuple[tuple[dict[str, str], str], ...] = (
    ({"Host": "evil.example"}, "another host"),
    ({"Host": ""}, "no host"),
    ({"Host": "a b"}, "a host that is none"),
    ({"Host": "[::1"}, "half an address"),
    ({"Host": "localhost:99999999"}, "a port that is none"),
    ({"Host": "xn--\u00e4"}, "a host in Latin-1"),
    ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, "another site's page"),
    ({"Origin": "http://[", "Sec-Fetch-Site": ""}, "half an origin"),
    ({"Origin": "", "Sec-Fetch-Site": "", "Referer": "http://["}, "half a referer"),
    ({"Idempotency-Key": "x" * 5000}, "a key of 5,000 characters"),
    ({"Idempotency-Key": "\u00ff\u00fe"}, "a key that is not ASCII"),
    ({"Idempotency-Key": " "}, "a blank key"),
    ({"Authorization": "Bearer"}, "no token"),
    ({"Authorization": "Bearer \u00ff"}, "a token that is not ASCII"),
    ({"Authorization": "Basic Og=="}, "another scheme"),
    ({"Authorization": "Bearer " + "x" * 20_000}, "a token of 20,000 characters"),
    (
        {"Cookie": "huijia_session=\u00ff; huijia_session=x; huijia_locale=%00"},
        "spoilt cookies",
    ),
    ({"Accept-Language": "zz-ZZ;q=nonsense, *;q=9, \u00ff"}, "languages of nowhere"),
    ({"Accept": "nonsense/", "Accept-Encoding": "\u00ff"}, "wishes of nowhere"),
    (
        {"Range": "bytes=9999999-1", "If-None-Match": "\u00ff", "If-Modified-Since": "yesterday"},
        "spoilt conditions",
    ),
    ({"Content-Length": "-1"}, "a length below nothing"),
    ({"Content-Length": "nonsense"}, "a length that is none"),
    ({"Content-Length": str(10**40)}, "a length without end"),
    ({"Transfer-Encoding": "chunked"}, "a body of unknown length"),
    (
        {"X-Forwarded-For": "\u00ff", "X-Forwarded-Host": "evil.example", "Forwarded": "for=["},
        "a proxy's words",
    ),
)


def test_every_door_takes_rubbish_in_headers(chinese: House) -> None:
    before = chinese.counts()
    doors = [("GET", chinese.path(rule)) for _get, rule in chinese.rules("GET")]
    doors += [
        ("POST", chinese.path(rule)) for _post, rule in chinese.rules("POST") if rule.endpoint not in BODILESS
    ]
    for method, path in doors:
        for headers, why in HEADERS:
            chinese.send(method, path, why, headers=headers, data=b"{}", content_type="application/json")
    assert chinese.counts() == before
    assert not chinese.faults, chinese.faults_in_lines


ROOM = {"name": "书法室", "floor": 2, "capacity": 12}
# What is sent to add a room, and what it is told.
ANSWERS: tuple[tuple[str, Any, int, str], ...] = (
    ("nothing", b"", 422, "invalid"),
    ("an array", b"[]", 422, "invalid"),
    ("an unknown member", {**ROOM, "colour": "red"}, 422, "invalid"),
    ("1.9 for a whole number", {**ROOM, "floor": 1.9}, 422, "invalid"),
    ("text for a whole number", {**ROOM, "floor": "2"}, 422, "invalid"),
    ("yes for a whole number", {**ROOM, "floor": True}, 422, "invalid"),
    ("more than any column holds", {**ROOM, "capacity": 10**40}, 422, "invalid"),
    ("a number for yes", {**ROOM, "active": 1}, 422, "invalid"),
    ("a book for a name", {**ROOM, "name": "字" * 100_000}, 422, "invalid"),
    ("blanks for a name", {**ROOM, "name": " \u3000"}, 422, "invalid"),
    ("half a document", b'{"name":', 400, "not-understood"),
    ("a document nested too deeply", b"[" * 100_000, 400, "not-understood"),
    ("NUL in a name", b'{"name": "a\\u0000"}', 400, "not-understood"),
    ("a whole film", b" " * 3_000_000, 413, "too-large"),
)


@pytest.mark.parametrize(("why", "body", "status", "code"), ANSWERS, ids=[one[0] for one in ANSWERS])
def test_a_program_is_told_what_was_wrong(
    chinese: House, why: str, body: Any, status: int, code: str
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body)
    before = chinese.counts()
    answer = chinese.client.api.post("rooms/rooms", data=raw, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.mimetype == "application/problem+json"
    assert chinese.counts() == before


# In Berlin the clock goes from 2:00 to 3:00 on 28 March 2027, and from 3:00 back to 2:00 on 31 October.
HOURS = (
    ("2027-03-28", "02:15", "02:45", 422, "neither is on the clock"),
    ("2027-03-28", "01:45", "02:30", 422, "the end is not on the clock"),
    ("2027-03-28", "01:45", "03:15", 303, "half an hour"),
    ("2027-10-31", "02:00", "03:00", 303, "an hour that comes twice"),
    ("2027-10-31", "03:00", "02:00", 422, "backward"),
    ("2027-03-29", "10:00", "10:00", 422, "no time at all"),
)


@pytest.mark.parametrize(("day", "start", "end", "status", "why"), HOURS, ids=[one[-1] for one in HOURS])
def test_hours_that_the_clock_leaves_out_or_repeats(
    chinese: House, day: str, start: str, end: str, status: int, why: str
) -> None:
    with chinese.installation.writing() as session:
        session.merge(chinese.centre).time_zone = "Europe/Berlin"
    hours = {str(number): [["00:00", "24:00"]] for number in range(1, 8)}
    room = chinese.ids["room_id"]
    assert chinese.client.api.patch(f"rooms/rooms/{room}", json={"hours": hours}).status_code == 200
    sent = {"room_id": room, "name": "合唱团", "day": day, "start": start, "end": end}
    answer = chinese.send_refused("POST", f"/c/{chinese.centre.slug}/rooms/book", why, data=sent)
    assert not chinese.faults, chinese.faults_in_lines
    assert answer.status_code == status, answer.text
