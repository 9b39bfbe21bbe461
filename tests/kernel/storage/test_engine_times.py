"""Instants in the database: aware on the way in, UTC on the way out, in order on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from huijia.storage.base import UtcDateTime, new_id, pk, plugin_base
from huijia.storage.work import Storage
from sqlalchemy import String, func, insert, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Mapped, mapped_column

Base = plugin_base("moment")
EAST = timezone(timedelta(hours=8))


class Note(Base):
    __tablename__ = "moment_note"
    id: Mapped[UUID] = pk()
    words: Mapped[str] = mapped_column(String(40), unique=True)
    at: Mapped[datetime | None] = mapped_column(UtcDateTime())


n = Note.__table__


@pytest.fixture
def storage(engine_url: str, clock: Any) -> Iterator[Storage]:
    storage = Storage(engine_url, clock=clock)
    Base.metadata.create_all(storage.engine)
    yield storage
    storage.close()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (datetime(2026, 11, 22, 9, tzinfo=UTC), datetime(2026, 11, 22, 9, tzinfo=UTC)),
        (
            datetime(2026, 11, 22, 9, tzinfo=timezone(timedelta(hours=8))),
            datetime(2026, 11, 22, 1, tzinfo=UTC),
        ),
        (datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)),
        (None, None),
    ],
)
def test_times_go_in_aware_and_come_out_in_utc(
    storage: Storage, both_engines: str, given: Any, kept: Any
) -> None:
    with storage.writing() as session:
        session.add(Note(words="x", at=given))
    with storage.reading() as session:
        found = session.scalar(select(Note.at))
        assert found == kept
        assert found is None or found.utcoffset() == timedelta(0)
        if given:
            assert session.scalar(select(func.count(Note.id)).where(Note.at == given)) == 1


def test_naive_times_are_refused(storage: Storage) -> None:
    with storage.writing() as session, pytest.raises(StatementError, match="time zone"):
        session.execute(insert(n), {"id": new_id(), "words": "x", "at": datetime(2026, 1, 1)})


def test_times_compare_in_order_whatever_their_zone(storage: Storage, both_engines: str) -> None:
    times = [datetime(2026, 1, 1, 8, 0, tzinfo=EAST), datetime(2026, 1, 1, 0, 0, 0, 500, tzinfo=UTC)]
    times.append(datetime(2026, 1, 1, 0, 1, tzinfo=UTC))
    with storage.writing() as session:
        session.execute(
            insert(n), [{"id": new_id(), "words": str(k), "at": at} for k, at in enumerate(times)]
        )
        assert list(session.scalars(select(Note.words).order_by(Note.at))) == ["0", "1", "2"]
        assert session.scalar(select(func.count(n.c.id)).where(n.c.at > times[0])) == 2
