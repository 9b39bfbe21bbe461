"""Who did what, where and why: one entry for each unit of work.

Entries hold ids and field names and are append-only in the database. Personal values stand beside, in a
`Detail` that can be erased; its salted hash in the entry shows later that it was never changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from secrets import token_bytes
from typing import Any, cast
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Table, delete, insert
from sqlalchemy.orm import Mapped, mapped_column

from huijia.storage.base import KernelBase, new_id, pk
from huijia.storage.work import WorkSession

SALT_BYTES = 16


class Entry(KernelBase):
    """One unit of work: actor, action, and what it changed."""

    __tablename__ = "huijia_audit_entry"
    id: Mapped[UUID] = pk()
    recorded_at: Mapped[datetime]
    centre_id: Mapped[UUID | None]  # a plain key: entries outlive the centre
    actor_kind: Mapped[str]
    actor_id: Mapped[str | None]
    action: Mapped[str]  # endpoint, command or job
    subject: Mapped[str | None]
    reason: Mapped[str | None]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)  # table, key, action, fields
    crossed: Mapped[list[str]] = mapped_column(JSON)  # reasons of across_centres
    detail_hash: Mapped[str | None]
    request_id: Mapped[str | None]
    __table_args__ = (
        Index(None, "recorded_at", "id"),
        Index(None, "centre_id", "recorded_at", "id"),
        Index(None, "actor_id", "recorded_at"),
    )


class Detail(KernelBase):
    """The personal values of an entry, as long as they may be kept."""

    __tablename__ = "huijia_audit_detail"
    entry_id: Mapped[UUID] = mapped_column(ForeignKey(Entry.id), primary_key=True)
    salt: Mapped[str]
    values: Mapped[Any] = mapped_column("values", JSON)


_details = cast("Table", Detail.__table__)
_INSERT_ENTRY, _INSERT_DETAIL = insert(cast("Table", Entry.__table__)), insert(_details)


def canonical(value: Any) -> bytes:
    """The one way to write `value` as JSON, so that it hashes alike on every engine."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return text.encode()


def detail_hash(salt: str, values: Any) -> str:
    """What an entry says of its detail; without the salt, guessing the values does not help."""
    return hashlib.sha256(bytes.fromhex(salt) + canonical(values)).hexdigest()


def record(
    session: WorkSession,
    *,
    action: str,
    subject: str | None = None,
    reason: str | None = None,
    values: Any = None,
    request_id: str | None = None,
) -> UUID:
    """Write down what this unit did; called once, at its end, by the door, command or job.

    `values` are personal and go into the erasable detail; everything else must name keys only.
    """
    session.flush()  # so that `changes` is complete
    entry_id, salt = new_id(), token_bytes(SALT_BYTES).hex()
    kept = None if values is None else json.loads(canonical(values))
    actor = session.actor
    row = {
        "id": entry_id,
        "recorded_at": session.now,
        "centre_id": session.centre_id,
        "actor_kind": actor.kind if actor else "nobody",
        "actor_id": str(actor.id) if actor and actor.id is not None else None,
        "action": action,
        "subject": subject,
        "reason": reason,
        "changes": [
            {"table": one.table, "key": one.key, "action": one.action, "fields": [*one.fields]}
            for one in session.changes
        ],
        "crossed": list(session.crossed),
        "detail_hash": None if kept is None else detail_hash(salt, kept),
        "request_id": request_id,
    }
    session.execute(_INSERT_ENTRY, row)
    if kept is not None:
        session.execute(_INSERT_DETAIL, {"entry_id": entry_id, "salt": salt, "values": kept})
    return entry_id


def erase_details(session: WorkSession, entry_ids: Iterable[UUID]) -> None:
    """Remove personal values; the entries and their seals stay whole."""
    for entry_id in entry_ids:
        session.execute(delete(_details).where(_details.c.entry_id == entry_id))
        session.note(Detail.__tablename__, entry_id, action="delete")
