from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from huijia.errors import Forbidden, Invalid
from huijia.i18n import Text, speaking
from huijia.identity import service
from huijia.identity.actor import NOBODY, SYSTEM, Actor
from huijia.identity.models import Area, Centre
from huijia.storage.base import KernelBase, new_id
from huijia.storage.settings import (
    Scope,
    Setting,
    SettingLocked,
    explain,
    in_force,
    set_setting,
    settings_of,
    today_at,
)
from huijia.storage.work import Storage, WorkSession
from huijia.testing.clock import SettableClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

TODAY = date(2026, 11, 22)


class Tearoom(Schema):
    """The settings of an invented service."""

    cups = fields.Integer(
        load_default=4,
        strict=True,
        validate=validate.Range(1, 20),
        metadata={"label": Text("Cups"), "help": Text("On one tray.")},
    )
    opens_on = fields.Date(load_default=date(2026, 1, 1))
    closed = fields.Boolean(load_default=False)


TEAROOM = Tearoom()


class Tree:
    def __init__(self, session: WorkSession) -> None:
        who = {"session": session, "actor": SYSTEM, "now": session.now}
        self.city: Area = service.add_area(**who, kind="city", name="郑州市", name_en="Zhengzhou")
        self.district = service.add_area(**who, kind="district", name="金水区", parent_id=self.city.id)
        self.far = service.add_area(**who, kind="district", name="中原区", parent_id=self.city.id)
        self.centre: Centre = service.add_centre(**who, area_id=self.district.id, slug="duling", name="杜岭")
        self.other = service.add_centre(**who, area_id=self.far.id, slug="zhongyuan", name="中原")

    def scope(self, place: str) -> Scope:
        if place == "installation":
            return Scope()
        record = getattr(self, place)
        return Scope(area_id=record.id) if isinstance(record, Area) else Scope(centre_id=record.id)


@pytest.fixture
def storage(engine_url: str, clock: SettableClock) -> Iterator[Storage]:
    opened = Storage(engine_url, clock=clock)
    KernelBase.metadata.create_all(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def tree(storage: Storage) -> Tree:
    with storage.writing() as session:
        return Tree(session)


def put(session: WorkSession, tree: Tree, place: str, value: Any, **what: Any) -> Setting:
    actor, key = what.pop("actor", SYSTEM), what.pop("key", "cups")
    where = {"plugin": "tearoom", "schema": TEAROOM, "scope": tree.scope(place)}
    return set_setting(session, actor=actor, key=key, value=value, now=session.now, **where, **what)


def cups(storage: Storage, centre_id: UUID | None, on: date = TODAY) -> int:
    with storage.reading(centre_id=centre_id) as session:
        return settings_of(session, "tearoom", TEAROOM, on=on)["cups"]


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], 4),  # the schema's default
        (["installation"], 1),
        (["installation", "city"], 2),  # the nearer one
        (["installation", "city", "district", "centre"], 4),
        (["installation", "city!", "district", "centre"], 2),  # locked there
        (["installation!", "city!", "centre"], 1),  # two locks: the higher
        (["centre!"], 1),  # a lock hinders nobody above
        (["far"], 4),  # a place on another branch
        (["other"], 4),  # another centre
    ],
)
def test_the_highest_lock_wins_else_the_nearest_place(
    both_engines: str, storage: Storage, tree: Tree, places: list[str], expected: int
) -> None:
    with storage.writing() as session:
        for number, place in reversed(list(enumerate(places, start=1))):  # from below: locks come later
            put(session, tree, place.rstrip("!"), number, locked=place.endswith("!"))
    assert cups(storage, tree.centre.id) == expected


def test_a_decision_counts_from_its_day_on(both_engines: str, storage: Storage, tree: Tree) -> None:
    with storage.writing() as session:
        put(session, tree, "centre", 5)
        put(session, tree, "centre", 6, effective_on=date(2026, 12, 1))
        put(session, tree, "city", 7, effective_on=date(2027, 1, 1), locked=True)
    days = {date(2026, 11, 21): 4, TODAY: 5, date(2026, 11, 30): 5, date(2026, 12, 1): 6, date(2027, 1, 1): 7}
    assert {day: cups(storage, tree.centre.id, day) for day in days} == days
    assert cups(storage, None) == 4  # a unit of no centre has the installation's


def test_a_second_decision_for_the_same_day_replaces_the_first(
    both_engines: str, storage: Storage, tree: Tree
) -> None:
    with storage.writing() as session:
        first = put(session, tree, "centre", 5)
        assert put(session, tree, "centre", 6).id == first.id
    assert cups(storage, tree.centre.id) == 6
    row = {"id": new_id(), "plugin": "tearoom", "key": "cups", "value": 7, "locked": False}
    when = {"effective_on": TODAY, "recorded_at": first.recorded_at, "centre_id": tree.centre.id}
    with pytest.raises(DBAPIError), storage.engine.begin() as connection:
        connection.execute(insert(Setting.__table__), {**row, **when})


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [
        ("cups", 0, "cups"),
        ("cups", "many", "cups"),
        ("cups", None, "cups"),
        ("saucers", 4, "key"),  # no such setting
        ("opens_on", "2026-02-30", "opens_on"),
    ],
)
def test_a_value_fits_its_field(storage: Storage, tree: Tree, key: str, value: Any, field: str) -> None:
    with storage.writing() as session, pytest.raises(Invalid) as refused:
        put(session, tree, "centre", value, key=key)
    assert field in refused.value.errors


def test_values_come_back_as_the_schema_loads_them(both_engines: str, storage: Storage, tree: Tree) -> None:
    with storage.writing(centre_id=tree.centre.id) as session:
        put(session, tree, "city", "2026-12-24", key="opens_on")
        put(session, tree, "city", "yes", key="closed")
        found = settings_of(session, "tearoom", TEAROOM, on=TODAY)
    assert found == {"cups": 4, "opens_on": date(2026, 12, 24), "closed": True}


def test_why_a_value_does_not_fit_is_said_in_the_readers_language(storage: Storage, tree: Tree) -> None:
    with speaking("zh_Hans"), storage.writing() as session, pytest.raises(Invalid) as refused:
        put(session, tree, "city", 0, key="cups")
    assert "Must be" not in str(refused.value.errors)


def test_the_past_is_settled_by_the_centres_own_date(
    storage: Storage, tree: Tree, clock: SettableClock
) -> None:
    clock.set("2026-11-22T17:00:00+00:00")  # already the 23rd in Zhengzhou
    with storage.writing() as session:
        assert today_at(session, tree.scope("centre")) == date(2026, 11, 23)
        with pytest.raises(Invalid) as refused:
            put(session, tree, "centre", 5, effective_on=TODAY)
        assert "effective_on" in refused.value.errors
        assert put(session, tree, "centre", 5).effective_on == date(2026, 11, 23)


def test_a_lock_above_is_named_and_only_on_its_days(storage: Storage, tree: Tree) -> None:
    with storage.writing() as session, speaking("en"):
        put(session, tree, "city", 8, locked=True, effective_on=date(2026, 12, 1))
        put(session, tree, "centre", 5)  # until then it is free
        with pytest.raises(SettingLocked, match=r"Huijia has locked .* Zhengzhou"):
            put(session, tree, "centre", 5, effective_on=date(2026, 12, 1))
        put(session, tree, "city", 9, effective_on=date(2027, 1, 1))  # unlocked again
        put(session, tree, "centre", 6, effective_on=date(2027, 1, 1))
        put(session, tree, "city", 3, locked=True, effective_on=date(2026, 12, 1))  # its own to change


def test_settings_are_changed_by_who_may_there(both_engines: str, storage: Storage, tree: Tree) -> None:
    here = Actor("token", new_id(), "Screen", frozenset({"settings.manage"}))
    with storage.writing(centre_id=tree.centre.id) as session:
        assert put(session, tree, "centre", 5, actor=here).recorded_by is None
        for place, actor in (("city", here), ("other", here), ("installation", here), ("centre", NOBODY)):
            with pytest.raises((Forbidden, Forbidden.__base__)):
                put(session, tree, place, 5, actor=actor)


def test_a_stored_value_that_no_longer_fits_gives_way_to_the_default(
    storage: Storage, tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    class Smaller(Tearoom):
        cups = fields.Integer(load_default=2, validate=validate.Range(1, 3))

    with storage.writing(centre_id=tree.centre.id) as session, caplog.at_level(logging.WARNING):
        put(session, tree, "centre", 19)
        put(session, tree, "centre", True, key="closed")
        found = settings_of(session, "tearoom", Smaller(exclude=["opens_on"]), on=TODAY)
    assert found == {"cups": 2, "closed": True}  # the other one is kept
    assert "tearoom" in caplog.text


def test_the_settings_page_is_told_why(both_engines: str, storage: Storage, tree: Tree) -> None:
    with storage.writing(centre_id=tree.centre.id) as session, speaking("en"):
        put(session, tree, "district", 6)
        put(session, tree, "city", True, key="closed", locked=True)
        put(session, tree, "installation", 9, effective_on=TODAY + timedelta(days=9))
        lines = {line.key: line for line in explain(session, "tearoom", TEAROOM, on=TODAY)}
        above = {
            line.key: line
            for line in explain(session, "tearoom", TEAROOM, on=TODAY, scope=tree.scope("city"))
        }
    line = lines["cups"]
    assert (str(line.label), str(line.help), line.value, line.source) == ("Cups", "On one tray.", 6, "金水区")
    assert line.coming == ((date(2026, 12, 1), 9, "the whole installation"),)
    assert (lines["closed"].locked_by, lines["closed"].value) == ("Huijia (Zhengzhou)", True)
    assert (lines["opens_on"].source, lines["opens_on"].value) == (None, "2026-01-01")
    assert above["cups"].source is None


CHAIN = ("installation", "city", "district", "centre")
DECISION = st.tuples(st.sampled_from(CHAIN), st.integers(1, 20), st.booleans(), st.integers(0, 5))


def naive(decisions: list[tuple[str, int, bool, int]], day: int) -> int:
    """Walk down the chain by hand: stop at the first lock."""
    value = 4
    for place in CHAIN:
        here = {d[3]: d for d in decisions if d[0] == place and d[3] <= day}
        if here:
            _place, value, locked, _day = here[max(here)]
            if locked:
                break
    return value


@given(decisions=st.lists(DECISION, max_size=12), day=st.integers(0, 6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_of_decisions_reads_as_a_walk_down_the_tree(
    storage: Storage, tree: Tree, decisions: list[tuple[str, int, bool, int]], day: int
) -> None:
    with storage.writing(centre_id=tree.centre.id) as session:
        session.give_up()
        kept = []
        for place, value, locked, on in decisions:
            try:
                put(session, tree, place, value, locked=locked, effective_on=TODAY + timedelta(days=on))
            except SettingLocked:
                continue
            kept = [d for d in kept if (d[0], d[3]) != (place, on)] + [(place, value, locked, on)]
        found = settings_of(session, "tearoom", TEAROOM, on=TODAY + timedelta(days=day))["cups"]
    assert found == naive(kept, day)


def test_without_decisions_nothing_is_in_force() -> None:
    assert in_force([], TODAY) == {}
