"""What a command changes is in the audit like everything else."""

from __future__ import annotations

from typing import Any

from huijia.identity.actor import SYSTEM
from huijia.registry import lifecycle
from huijia.storage.audit import Entry
from sqlalchemy import select


def entries(installation: Any) -> list[Entry]:
    with installation.reading() as session:
        return list(session.scalars(select(Entry).order_by(Entry.recorded_at, Entry.id)))


def test_switching_a_service_leaves_one_entry_that_names_it(installation: Any, centre: Any) -> None:
    before = len(entries(installation))
    lifecycle.enable(installation, centre.id, "rooms", SYSTEM)
    [entry] = [one for one in entries(installation)[before:] if one.action == "huijia enable"]
    assert (entry.subject, entry.centre_id, entry.actor_kind) == ("service:rooms", centre.id, "system")
    assert any(change["table"] == "huijia_enabling" for change in entry.changes)


def test_switching_what_is_on_already_leaves_nothing(installation: Any, centre: Any) -> None:
    lifecycle.enable(installation, centre.id, "rooms", SYSTEM)
    before = len(entries(installation))
    assert not lifecycle.enable(installation, centre.id, "rooms", SYSTEM)
    assert len(entries(installation)) == before


def test_what_fails_leaves_no_entry(installation: Any, centre: Any) -> None:
    before = len(entries(installation))
    try:
        with installation.doing("huijia test", centre) as session:
            session.note("rooms_room", "1")
            raise LookupError
    except LookupError:
        pass
    assert len(entries(installation)) == before
