"""Audit entries sealed into a hash chain, in batches and by a job, so that the chain is no hot row.

What `verify` cannot find: an entry removed before it was sealed; a chain rewritten, or shortened, with its
head by someone who may write to the whole database. Against the latter keep the hash of `head()` elsewhere
(in a backup's receipt, on paper) and pass it to `verify`. An erased detail looks the same whoever erased it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Column, Row, Table, delete, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from huijia.storage.audit import Detail, Entry, canonical, detail_hash
from huijia.storage.base import KernelBase
from huijia.storage.engine import dialect_of
from huijia.storage.work import WorkSession

GENESIS = "0" * 64
LOOK_BACK = timedelta(days=1)  # how late a commit may come and still be sealed by the job
UNSEALED_MAX = timedelta(hours=1)
BATCH = 500  # sealed in one unit: others wait to write for that long
_LOCK = 0x48554953  # PostgreSQL's advisory lock of the chain

# Written out: a column added later must not change the hash of what is sealed.
_HASHED = ("id", "recorded_at", "centre_id", "actor_kind", "actor_id", "action", "subject", "reason")
_HASHED += ("changes", "crossed", "detail_hash", "request_id")


class Seal(KernelBase):
    """A batch of entries, and the seal before it."""

    __tablename__ = "huijia_audit_seal"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    previous_hash: Mapped[str]
    hash: Mapped[str]
    count: Mapped[int]
    newest_at: Mapped[datetime]  # the latest recorded_at in the batch: where the next one starts to look
    sealed_at: Mapped[datetime]


class Sealed(KernelBase):
    """An entry's place in its seal."""

    __tablename__ = "huijia_audit_sealed"
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(index=True)
    position: Mapped[int]
    entry_hash: Mapped[str]


class HeadRow(KernelBase):
    """The last seal: shows where the end of the chain was cut off."""

    __tablename__ = "huijia_audit_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int]
    hash: Mapped[str]


_seals, _places, _heads = (cast("Table", model.__table__) for model in (Seal, Sealed, HeadRow))
_entries, _details = (cast("Table", model.__table__) for model in (Entry, Detail))


class Head(NamedTuple):
    """The last seal's number and hash, to be kept outside the database."""

    number: int
    hash: str


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was sealed: which record, what is wrong, and what to do."""

    record: str
    problem: str
    remedy: str = "Compare it with a backup made before, and find out who had access to the database."


def head(session: WorkSession) -> Head | None:
    """The end of the chain, None before the first seal."""
    row = session.get(HeadRow, 1, populate_existing=True)
    return Head(row.number, row.hash) if row else None


def seal(session: WorkSession, now: datetime, batch: int = BATCH, everything: bool = False) -> int:
    """Seal up to `batch` entries, oldest first; how many. 0 also while another worker is sealing.

    Looks a day further back than the last seal; `everything` finds what was committed later than that.
    """
    lock = select(func.pg_try_advisory_xact_lock(_LOCK))
    if dialect_of(session) == "postgresql" and not session.scalar(lock):
        return 0
    last = session.scalar(select(Seal).order_by(Seal.number.desc()).limit(1))
    since = (
        min(last.newest_at, now) - LOOK_BACK if last and not everything else datetime(1970, 1, 2, tzinfo=UTC)
    )
    unsealed = select(*_columns()).outerjoin(Sealed, Sealed.entry_id == Entry.id)
    unsealed = unsealed.where(Sealed.entry_id.is_(None), Entry.recorded_at >= since)
    found = session.execute(unsealed.order_by(Entry.recorded_at, Entry.id).limit(batch)).all()
    if found:
        _append(session, last, found, now)
    return len(found)


def _append(session: WorkSession, last: Seal | None, found: Any, now: datetime) -> None:
    number = last.number + 1 if last else 1
    hashes = [_entry_hash(entry) for entry in found]
    new = Seal(number=number, previous_hash=last.hash if last else GENESIS, count=len(found), sealed_at=now)
    new.newest_at = found[-1].recorded_at
    new.hash = _seal_hash(new, hashes)
    # Core statements: the session would note changes, and so each seal would make an entry to be sealed.
    session.execute(insert(_seals), {column.name: getattr(new, column.name) for column in _seals.c})
    rows = [
        {"entry_id": entry.id, "number": number, "position": position, "entry_hash": code}
        for position, (entry, code) in enumerate(zip(found, hashes, strict=True), 1)
    ]
    session.execute(insert(_places), rows)
    session.execute(delete(HeadRow))
    session.execute(insert(_heads), {"id": 1, "number": number, "hash": new.hash})


def _columns() -> list[Column[Any]]:
    return [_entries.c[name] for name in _HASHED]


def _entry_hash(entry: Any) -> str:
    plain = [_plain(getattr(entry, name)) for name in _HASHED]
    return hashlib.sha256(canonical(plain)).hexdigest()


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _seal_hash(sealed: Any, entry_hashes: list[str]) -> str:
    header = [
        sealed.number,
        sealed.previous_hash,
        sealed.count,
        _plain(sealed.newest_at),
        _plain(sealed.sealed_at),
    ]
    return hashlib.sha256(canonical([header, entry_hashes])).hexdigest()


def verify(session: WorkSession, known: str = "", most: int = 1000) -> list[Finding]:
    """Recompute all of it; what is wrong, at most `most` findings. `known` is the hash of an old seal."""
    return list(islice(_findings(session, known), most))


def _findings(session: WorkSession, known: str) -> Iterator[Finding]:
    end, at_end, last, previous = head(session), "", 0, {GENESIS}
    for number, rows in groupby(_stream(session), key=lambda row: row.number):
        batch = list(rows)
        if number != last + 1:
            yield Finding(f"seal {last + 1}", f"Missing: the seal after {last} is {number}.")
        elif batch[0].previous_hash not in previous:
            yield Finding(f"seal {number}", f"Does not follow seal {last}: one of the two was exchanged.")
        yield from _check_entries(batch)
        computed = _seal_hash(batch[0], [row.entry_hash for row in batch if row.entry_hash])
        if computed != batch[0].hash:
            yield Finding(f"seal {number}", _what_changed(batch))
        last, previous = number, {batch[0].hash, computed}
        at_end = batch[0].hash if end and number == end.number else at_end
        known = "" if batch[0].hash == known else known
    if end and last < end.number:
        problem = f"Missing: the chain ends at {last}, and this database knows {end.number}."
        yield Finding(f"seal {end.number}", problem)
    elif end and at_end != end.hash:
        yield Finding(f"seal {end.number}", "Its hash is not the one that this database knows.")
    if known:
        yield Finding(f"seal {known[:12]}…", "Missing: no seal has the hash that was kept elsewhere.")
    yield from _check_beside(session, last)


def _stream(session: WorkSession) -> Iterator[Row[Any]]:
    # One statement: on PostgreSQL two would see two states while the job goes on sealing.
    joined = (
        _seals.outerjoin(_places, _places.c.number == _seals.c.number)
        .outerjoin(_entries, _entries.c.id == _places.c.entry_id)
        .outerjoin(_details, _details.c.entry_id == _entries.c.id)
    )
    beside = _places.c.entry_id, _places.c.entry_hash, _details.c.salt, _details.c["values"]
    all_of_it = select(*_seals.c, *_columns(), *beside)
    ordered = all_of_it.select_from(joined).order_by(_seals.c.number, _places.c.position)
    return iter(session.execute(ordered.execution_options(yield_per=1000)))


def _check_entries(batch: list[Row[Any]]) -> Iterator[Finding]:
    for row in batch:
        name = f"entry {row.entry_id}"
        if row.entry_id and row.id is None:
            yield Finding(name, f"Deleted; it was in seal {row.number}.")
        elif row.entry_id and _entry_hash(row) != row.entry_hash:
            yield Finding(name, f"Changed after it was put into seal {row.number}.")
        if row.salt is not None and detail_hash(row.salt, row[-1]) != row.detail_hash:
            yield Finding(f"detail of {name}", "Its personal values are not those that were recorded.")


def _what_changed(batch: list[Row[Any]]) -> str:
    found = sum(1 for row in batch if row.entry_id)
    if found != batch[0].count:
        return f"Holds {found} entries and was made with {batch[0].count}: some were added or taken away."
    return "Changed, or its entries were exchanged or put in another order."


def _check_beside(session: WorkSession, last: int) -> Iterator[Finding]:
    end = head(session)  # read again: the job may have gone on meanwhile
    if last > (end.number if end else 0):
        yield Finding(
            f"seal {last}", "Not known to the head of the chain: it was added by hand, or the head removed."
        )
    lost = select(Sealed.entry_id, Sealed.number).outerjoin(Seal, Seal.number == Sealed.number)
    for entry_id, number in session.execute(
        lost.where(Seal.number.is_(None)).execution_options(yield_per=1000)
    ):
        yield Finding(f"entry {entry_id}", f"Said to be in seal {number}, which is not there.")
    waiting = select(func.count(), func.min(Entry.recorded_at)).outerjoin(Sealed, Sealed.entry_id == Entry.id)
    overdue = waiting.where(Sealed.entry_id.is_(None), Entry.recorded_at < session.now - UNSEALED_MAX)
    count, oldest = cast("tuple[int, datetime]", session.execute(overdue).one())
    if count:
        remedy = "Run huijia verify-audit --seal; if it comes again, see why the job huijia:seal fails."
        yield Finding(f"entries since {oldest:%Y-%m-%d %H:%M}", f"{count} are not sealed yet.", remedy)
