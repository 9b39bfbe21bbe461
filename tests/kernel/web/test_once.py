"""A request sent twice is carried out once, by key or by a form's hidden field."""

from __future__ import annotations

from typing import Any

import pytest
from huijia.identity.models import Area
from huijia.storage.audit import Entry

THINGS = "/api/v1/centres/duling/tiny/things"
FORM = "/c/duling/tiny/form"
KEY = {"Idempotency-Key": "till-1"}


def test_the_first_answer_comes_back_and_nothing_is_done_twice(client: Any, counted: Any) -> None:
    mine = client("tiny.add")
    before = counted(Area), counted(Entry)
    first, again = (mine.post(THINGS, json={"name": "a"}, headers=KEY) for _ in range(2))
    assert (first.status_code, first.data) == (again.status_code, again.data)
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert (counted(Area) - before[0], counted(Entry) - before[1]) == (1, 1)


def test_a_key_belongs_to_its_actor_route_and_body(client: Any) -> None:
    mine = client("tiny.add")
    assert mine.post(THINGS, json={"name": "a"}, headers=KEY).status_code == 201
    other = mine.post(THINGS, json={"name": "b"}, headers=KEY)
    assert (other.status_code, other.json["code"]) == (422, "idempotency-key-reused")
    assert "Idempotency-Replayed" not in mine.post(FORM, data={"name": "a"}, headers=KEY).headers
    assert (
        "Idempotency-Replayed" not in client("tiny.add").post(THINGS, json={"name": "a"}, headers=KEY).headers
    )


def test_a_failure_is_not_kept(client: Any) -> None:
    mine = client("tiny.add")
    assert mine.post(THINGS, json={}, headers=KEY).status_code == 422
    assert mine.post(THINGS, json={"name": "a"}, headers=KEY).status_code == 201


@pytest.mark.parametrize(
    ("second", "rows"),
    [
        ({"_once": "1", "name": "a"}, 1),  # a double click
        ({"_once": "1", "name": "b"}, 2),  # gone back, corrected, sent again
        ({"_once": "2", "name": "a"}, 2),
        ({"name": "a"}, 2),
    ],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_form_counts_once(client: Any, counted: Any, second: Any, rows: int, kind: str) -> None:
    mine, before = client("tiny.add"), counted(Area)
    for data in ({"_once": "1", "name": "a"}, second):
        assert mine.post(FORM, data=data, content_type=kind).status_code == 200
    assert counted(Area) - before == rows


def test_views_never_see_the_hidden_field(client: Any, installation: Any) -> None:
    client("tiny.add").post(FORM, data={"_once": "1", "name": "a"})
    with installation.reading() as session:
        assert "namea" in session.scalars(Area.__table__.select().with_only_columns(Area.name)).all()
