"""Lists in pages by key: complete, without doubles, and deaf to rubbish."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from huijia import paged
from huijia.errors import Invalid
from huijia.identity.models import Area, Centre
from huijia.storage.audit import Entry
from huijia.storage.base import new_id
from sqlalchemy import select

ID = "01a20599-629f-712a-826a-78b6ce2246da"
THINGS = "/api/v1/centres/duling/tiny/things"


def entry(second: int) -> Entry:
    at = datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=second // 3)  # three share an instant
    return Entry(
        id=new_id(), recorded_at=at, actor_kind="system", action=f"a{second % 5}", changes=[], crossed=[]
    )


@pytest.mark.parametrize(
    "keys",
    [
        (Entry.recorded_at, Entry.id),
        (Entry.recorded_at.desc(), Entry.id.desc()),
        (Entry.recorded_at.desc(), Entry.id.asc()),  # both ways at once
        (Entry.action, Entry.recorded_at.desc(), Entry.id),
    ],
)
@pytest.mark.parametrize("columns", [(Entry,), (Entry.id, Entry.recorded_at, Entry.action)])
def test_pages_put_together_are_the_list(installation: Any, keys: Any, columns: Any) -> None:
    with installation.writing() as session:
        session.add_all(entry(second) for second in range(40))
        session.flush()
        whole = [row.id for row in session.execute(select(Entry.id).order_by(*keys))]
        found, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            rows, cursor = paged(session, select(*columns), *keys, cursor=cursor, limit=7)
            found, pages = found + [row.id for row in rows], pages + 1
        assert (found, pages) == (whole, -(-len(whole) // 7))
        session.give_up()


def test_a_list_goes_on_rightly_while_rows_arrive(installation: Any) -> None:
    with installation.writing() as session:
        session.add_all(Area(kind="city", name=f"{n:03}") for n in range(0, 40, 2))
        session.flush()
        first, cursor = paged(session, select(Area), Area.name, Area.id, limit=5)
        session.add(Area(kind="city", name="001"))  # before the place reached: not shown, nothing doubled
        session.flush()
        second, _ = paged(session, select(Area), Area.name, Area.id, cursor=cursor, limit=5)
        names = [area.name for area in (*first, *second)]
        assert all(one < other for one, other in pairwise(names))
        session.give_up()


def crafted(*values: Any) -> str:
    return urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "甲",
        "=====",
        "AAAA",
        crafted(),
        crafted("a"),
        crafted("a", "b"),
        crafted(1, ID),
        crafted("a\0", ID),
        crafted("\ud800", ID),
        crafted(None, None),
        crafted(["a"], {}),
        crafted("a", ID, 3),
        urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
def test_a_rubbish_cursor_is_refused_in_words(client: Any, cursor: str) -> None:
    answer = client("tiny.see").get(THINGS, query_string={"cursor": cursor})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["cursor"])
    assert "first page" in answer.json["detail"]


@pytest.mark.parametrize("value", ["2026-11-22T01:00:00", "yesterday", 7, None])
def test_a_cursor_of_times_holds_instants(installation: Any, value: Any) -> None:
    with installation.reading() as session, pytest.raises(Invalid):
        paged(session, select(Centre), Centre.created_at, Centre.id, cursor=crafted(value, ID))


@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.9", "1_0", "１０", "1e2", "9" * 30, "", "ten"])
def test_a_limit_is_1_to_200_in_plain_digits(client: Any, limit: str) -> None:
    answer = client("tiny.see").get(THINGS, query_string={"limit": limit})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["limit"])
    assert client("tiny.see").get(THINGS, query_string={"limit": "200"}).status_code == 200


def test_a_misspelt_argument_is_an_error(client: Any) -> None:
    assert client("tiny.see").get(THINGS, query_string={"limt": "3"}).json["errors"] == {
        "limt": ["Unknown field."]
    }
