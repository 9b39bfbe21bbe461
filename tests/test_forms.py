"""Every form of the house, sent with something wrong, comes back with what was typed and says where it is."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from probe import House

pytestmark = pytest.mark.grows
UNSEEN = ("hidden", "password", "file", "checkbox", "radio", "submit", "search")
WRONG = {"select": "nothing of the list", "number": "viele", "date": "yesterday", "time": "noon"}


class Forms(HTMLParser):
    """The POST forms of a page: by where they go and what for; fields by kind, value, mark."""

    def __init__(self, words: str, path: str) -> None:
        super().__init__()
        self.path, self.found, self._open, self._field = path, dict[Any, dict[str, list[Any]]](), None, ""
        self._now: dict[str, list[Any]] = {}
        self.feed(words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = (given.get("action") or self.path) if given.get("method") == "post" else None
            self._now = {}
        elif self._open and given.get("name") and tag in ("input", "textarea", "select", "button"):
            self._field = given["name"] if tag in ("textarea", "select") else ""
            kind = given.get("type", "text") if tag == "input" else "hidden" if tag == "button" else tag
            kind = "hidden" if "readonly" in given else kind
            invalid = "aria-invalid" in given
            self._now.setdefault(given["name"], [kind, given.get("value", ""), invalid])
        elif self._open and tag == "option" and self._field:
            kept = self._now[self._field]
            kept[1] = given["value"] if "selected" in given or not kept[1] else kept[1]

    def handle_data(self, data: str) -> None:
        if self._field and self._now[self._field][0] == "textarea":
            self._now[self._field][1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._field = ""
        elif tag == "form" and self._open:
            what = [self._now[name][1] for name in ("what", "delivery_id") if name in self._now]
            self.found[(self._open, *what)] = self._now
            self._open = None


def test_what_was_typed_comes_back_with_the_error_at_its_field(chinese: House) -> None:
    chinese.busy()
    paths = [chinese.path(rule) for _get, rule in chinese.rules("GET", api=False)]
    for path in (*paths, *(f"/c/{chinese.centre.slug}/{more}" for more in chinese.states())):
        answer = chinese.client.get(path)
        if answer.status_code == 200 and answer.mimetype == "text/html":
            for key, fields in Forms(answer.text, path).found.items():
                for name in [name for name, (kind, *_rest) in fields.items() if kind not in UNSEEN]:
                    send_wrong(chinese, key, fields, name)
    assert chinese.asked > 50
    assert not chinese.faults, chinese.faults_in_lines


def send_wrong(house: House, key: Any, fields: dict[str, list[Any]], name: str) -> None:
    sent = {one: value for one, (kind, value, _bad) in fields.items() if kind not in ("checkbox", "file")}
    # What is still empty must not stand before the one that is wrong.
    plain = {"text": "wang-fang.26", "password": "a short sentence does well"}
    sent |= {one: plain[fields[one][0]] for one in sent if not sent[one] and fields[one][0] in plain}
    sent[name] = WRONG.get(fields[name][0], "字" * 3000)
    answer = house.send("POST", key[0], name, data={one: v for one, v in sent.items() if one != "_once"})
    if answer.status_code not in (409, 422):
        return house.settle()
    path = urlsplit(key[0]).path
    back = {
        (urlsplit(k[0]).path, *k[1:]): found for k, found in Forms(answer.text, key[0]).found.items()
    }.get((path, *key[1:]))
    if back is None:
        return house.blame(f"POST {path}", f"{name}: the form does not come back")
    for one, (kind, value, _bad) in back.items():
        if one in sent and kind not in (*UNSEEN, "select") and value.strip() != sent[one].strip():
            house.blame(f"POST {path}", f"{one} comes back as {value[:20]!r}")
    if not back[name][2]:
        house.blame(f"POST {path}", f"{name} is not marked as wrong")
    return None


@pytest.fixture
def chinese(installation: Any, factories: Any, centre: Any) -> House:
    return House(installation, factories, centre, "zh_Hans")


def test_a_day_that_is_over_is_told_where_it_was_typed(chinese: House) -> None:
    path = f"/c/{chinese.centre.slug}/settings"
    found = Forms(chinese.client.get(path).text, path).found
    key, fields = next((key, fields) for key, fields in found.items() if "effective_from" in fields)
    sent = {one: value for one, (_kind, value, _bad) in fields.items() if one != "_once"}
    sent |= {"horizon_days": "17", "effective_from": "2020-01-01"}
    back = Forms(chinese.client.post(key[0], data=sent).text, path).found[key]
    assert back["effective_from"][1:] == ["2020-01-01", True]
    assert back["horizon_days"][1] == "17"
