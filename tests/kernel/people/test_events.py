"""What becomes true of a person reaches the services of every centre where they are registered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from huijia.identity.actor import Actor
from huijia.identity.models import Centre
from huijia.people import service
from huijia.people.permissions import MANAGER
from huijia.people.service.merging import merge_people, separate_people
from huijia.storage.outbox import Delivery, Event
from huijia.testing.broken import make_plugin, on_path
from sqlalchemy import select

CHIEF = Actor("staff", None, "chief", MANAGER)
EVENTS = (
    "huijia_person_merged",
    "huijia_person_separated",
    "huijia_person_died",
    "huijia_person_death_corrected",
    "huijia_person_moved",
)
LISTENER = "\n".join(f"@hookimpl\ndef {name}(session): pass\n" for name in EVENTS)


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[None]:
    with on_path(tmp_path / "plugins"):
        make_plugin(tmp_path / "plugins", "listener", {"plugin.py": LISTENER})
        yield


@pytest.fixture
def listening(planted: None, enable: Any, centre: Centre, second_centre: Centre) -> set[Any]:
    for at in (centre, second_centre):
        enable("listener", at)
    return {centre.id, second_centre.id}


def test_events_reach_every_centre(
    planted: None, listening: set[Any], work: Any, centre: Centre, second_centre: Centre
) -> None:
    kept, merged = (
        service.register_person(work, actor=CHIEF, name="陈秀英", born_on=date(1952, 3, 3), now=work.now)
        for _ in range(2)
    )
    with work.at_centre(second_centre.id, "test"):
        service.register_here(work, actor=CHIEF, person=kept, now=work.now)
    by: Any = {"actor": CHIEF, "now": work.now}
    merge_people(work, kept_id=kept.id, merged_id=merged.id, why="同一人", **by)
    separate_people(work, merged_id=merged.id, **by)
    service.record_death(work, person_id=kept.id, died_on=date(2026, 11, 1), **by)
    service.take_death_back(work, person_id=kept.id, why="弄错了", **by)
    service.record_move(work, person_id=kept.id, on=date(2026, 11, 22), why="搬到外地", **by)
    rows = select(Event.name, Delivery.centre_id).join(Event, Event.id == Delivery.event_id)
    heard: dict[str, set[Any]] = {}
    for name, at in work.execute(rows):
        heard.setdefault(name, set()).add(at)
    assert heard == dict.fromkeys(EVENTS, listening)
