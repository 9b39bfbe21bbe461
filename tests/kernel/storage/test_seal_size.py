"""Verifying the audit takes no more memory for a longer chain."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from huijia.storage.audit import Entry
from huijia.storage.base import new_id
from huijia.storage.seal import seal, verify
from huijia.storage.work import Storage
from sqlalchemy import insert


@pytest.fixture
def storage(database: str, clock: Any) -> Iterator[Storage]:
    storage = Storage(database, clock=clock)
    yield storage
    storage.close()


def seal_all(storage: Storage) -> None:
    left = True
    while left:
        with storage.writing() as session:
            left = bool(seal(session, session.now))


@pytest.mark.parametrize(
    "size", [20_000, pytest.param(1_000_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_verifying_needs_no_more_memory_for_a_longer_chain(storage: Storage, clock: Any, size: int) -> None:
    change = {"table": "t", "key": "k" * 30, "action": "insert", "fields": []}
    row = {
        "centre_id": None,
        "actor_kind": "staff",
        "action": "x",
        "crossed": [],
        "recorded_at": clock(),
        "changes": [change] * 3,
    }
    for _chunk in range(size // 5000):
        with storage.writing() as session:
            session.execute(insert(Entry.__table__), [{**row, "id": new_id()} for _entry in range(5000)])
        seal_all(storage)
    tracemalloc.start()
    with storage.reading() as session:
        assert list(verify(session)) == []
    peak = tracemalloc.get_traced_memory()[1]
    assert peak < 20 * 2**20
