from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from huijia.identity.actor import Actor
from huijia.storage.audit import Detail, Entry, detail_hash, erase_details, record
from huijia.storage.base import KernelBase, new_id, pk, plugin_base
from huijia.storage.work import Storage, WorkSession
from sqlalchemy import select
from sqlalchemy.orm import Mapped

HERE = new_id()
WANG = Actor("staff", new_id(), "wang")
Base = plugin_base("audited")


class Thing(Base):
    __tablename__ = "audited_thing"
    id: Mapped[Any] = pk()
    name: Mapped[str]


@pytest.fixture
def storage(engine_url: str, clock) -> Iterator[Storage]:
    storage = Storage(engine_url, clock=clock)
    KernelBase.metadata.create_all(storage.engine, tables=[Entry.__table__, Detail.__table__])
    Base.metadata.create_all(storage.engine)
    yield storage
    storage.close()


def entries(session: WorkSession) -> Sequence[Entry]:
    return session.scalars(select(Entry).order_by(Entry.id)).all()


def test_an_entry_says_who_did_what_where_to_which_records(storage: Storage, both_engines: str) -> None:
    with storage.writing(centre_id=HERE, actor=WANG) as session:
        thing = Thing(name="hall")
        session.add(thing)
        with session.across_centres("a district report"):
            pass
        session.note("audited_total", "2026-11", ("sum",))
        entry_id = record(
            session, action="rooms.book", subject="booking:1", reason="by phone", request_id="r1"
        )
    with storage.reading() as session:
        [entry] = entries(session)
    assert entry.id == entry_id
    assert entry.recorded_at == datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert (entry.centre_id, entry.actor_kind, entry.actor_id) == (HERE, "staff", str(WANG.id))
    assert (entry.action, entry.subject, entry.reason) == ("rooms.book", "booking:1", "by phone")
    assert (entry.crossed, entry.request_id) == (["a district report"], "r1")
    assert entry.changes == [
        {"table": "audited_thing", "key": str(thing.id), "action": "insert", "fields": []},
        {"table": "audited_total", "key": "2026-11", "action": "update", "fields": ["sum"]},
    ]


def test_what_was_rolled_back_leaves_no_entry(storage: Storage) -> None:
    with storage.writing() as session:
        record(session, action="x", values={"name": "王"})
        session.give_up()
    with storage.reading() as session:
        assert entries(session) == []
        assert session.query(Detail).count() == 0


def test_personal_values_stand_beside_the_entry_and_can_be_erased(
    storage: Storage, both_engines: str
) -> None:
    with storage.writing(actor=WANG) as session:
        entry_id = record(
            session, action="people.edit", values={"name": ["王", "汪"], "id": new_id(), "of": (1,)}
        )
    with storage.writing() as session:
        [entry] = entries(session)
        detail = session.get_one(Detail, entry_id)
        assert detail.values["name"] == ["王", "汪"]
        assert entry.detail_hash == detail_hash(detail.salt, detail.values)
        erase_details(session, [entry_id])
        assert [(c.table, c.key, c.action) for c in session.changes] == [
            ("huijia_audit_detail", str(entry_id), "delete")
        ]
    with storage.reading() as session:
        assert session.get(Detail, entry_id) is None
        assert len(entries(session)) == 1


def test_the_same_values_hash_differently_in_every_entry(storage: Storage) -> None:
    with storage.writing() as session:
        record(session, action="x", values="王")
        record(session, action="x", values="王")
        one, other = entries(session)
    assert one.detail_hash != other.detail_hash


def test_nobody_is_written_down_as_nobody(storage: Storage) -> None:
    with storage.writing() as session:
        record(session, action="signin")
        [entry] = entries(session)
    assert (entry.actor_kind, entry.actor_id, entry.centre_id, entry.detail_hash) == (
        "nobody",
        None,
        None,
        None,
    )


def test_a_unit_is_dated_by_its_start(storage: Storage, clock) -> None:
    with storage.writing() as session:
        clock.set(session.now + timedelta(minutes=5))
        record(session, action="x")
        [entry] = entries(session)
    assert entry.recorded_at == datetime(2026, 11, 22, 1, tzinfo=UTC)
