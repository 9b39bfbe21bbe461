"""A request sent twice is carried out once, by key or by a form's hidden field."""

from __future__ import annotations

from typing import Any

import pytest
from huijia.identity.models import ApiToken, Area, Centre
from huijia.storage.audit import Entry
from huijia.storage.idempotency import Record
from sqlalchemy import select

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


def test_a_secret_is_shown_once_and_kept_nowhere(client: Any, counted: Any, installation: Any) -> None:
    mine = client("tokens.issue", "tiny.see")
    with installation.reading() as session:
        centre_id = session.scalars(select(Centre.id).where(Centre.slug == "duling")).one()
    typed = {"_once": "1", "name": "till", "days": 30, "centre_id": centre_id}
    before = counted(ApiToken)
    first, again = (mine.post("/account/tokens", data=typed) for _ in range(2))
    assert (first.status_code, "hj_" in first.text) == (200, True)
    assert (again.status_code, "hj_" in again.text, "shown only once" in again.text) == (409, False, True)
    assert counted(ApiToken) - before == 1
    with installation.reading() as session:
        (kept,) = session.scalars(select(Record))
        context = f"huijia_idempotency:{kept.actor_id} {kept.route} {kept.key}:answer"
        assert b"hj_" not in installation.vault.decrypt(context, kept.answer)


def test_a_route_that_keeps_no_answer_says_so_to_programs(client: Any, counted: Any) -> None:
    mine, before = client("tiny.add"), counted(Area)
    secret = "/api/v1/centres/duling/tiny/secret"
    assert mine.post(secret, headers=KEY).json == {"name": "secret"}
    again = mine.post(secret, headers=KEY)
    assert (again.status_code, again.json["code"], counted(Area) - before) == (409, "seen-once", 1)
    assert mine.post(secret, headers={"Idempotency-Key": "till-2"}).status_code == 200
