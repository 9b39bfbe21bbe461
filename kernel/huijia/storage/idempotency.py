"""A request sent twice is done once: its answer is kept for its actor, route and Idempotency-Key.

`claim` comes first in a writing unit and inserts the record, so a rival with the same key waits until that
unit ends (on SQLite for the write lock, on PostgreSQL at the unique key). Where it committed, the rival reads
the kept answer; where not, the claim is gone too and the rival does the work. So failures are never kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import LargeBinary, bindparam, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from huijia.errors import Refusal
from huijia.i18n import messages
from huijia.storage.base import KernelBase, purge_some
from huijia.storage.engine import dialect_of
from huijia.storage.vault import Vault
from huijia.storage.work import WorkSession

_ = messages("huijia")
KEPT_FOR = timedelta(hours=48)
HEADERS = ("content-type", "location", "etag")


class Record(KernelBase):
    """A key in use. `answer`, the fingerprint in it, is encrypted; only the claiming unit sees it empty."""

    __tablename__ = "huijia_idempotency"
    actor_id: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)


_records: Any = Record.__table__
_OURS = (
    (_records.c.actor_id == bindparam("whose")) & (_records.c.route == bindparam("where"))
    & (_records.c.key == bindparam("which"))
)  # fmt: skip
_ANSWER = select(_records.c.answer).where(_OURS, _records.c.expires_at > bindparam("at"))
_KEEP = update(_records).where(_OURS).values(answer=bindparam("kept"))


def _upsert(dialect: Any) -> Any:
    inserted = dialect.insert(_records)
    renewed = {"expires_at": inserted.excluded.expires_at, "answer": None}
    # An expired record that waits to be purged is as good as none.
    old = _records.c.expires_at <= bindparam("at", type_=_records.c.expires_at.type)
    claimed = inserted.on_conflict_do_update(index_elements=_records.primary_key, set_=renewed, where=old)
    return claimed.returning(literal(1))


_CLAIM = {"sqlite": _upsert(sqlite), "postgresql": _upsert(postgresql)}


class Kept(NamedTuple):
    """An answer as it was given the first time."""

    status: int
    headers: dict[str, str]
    body: bytes


class KeyReused(Refusal):
    """The key came with another body before."""

    status, code = 422, "idempotency-key-reused"


class KeyUnfit(Refusal):
    """The key is empty, too long or of other characters."""

    status, code = 400, "idempotency-key-unfit"


class AnswerLost(Refusal):
    """The unit that claimed the key was kept, and its answer was not."""

    code = "idempotency-answer-lost"


def claim(session: WorkSession, vault: Vault, *,
          actor_id: str, route: str, key: str, fingerprint: str, now: datetime) -> Kept | None:  # fmt: skip
    """None: the key is ours, go on and `keep` the answer. Else what to send. Raises as `lookup` does."""
    row = {
        "actor_id": actor_id,
        "route": route,
        "key": _checked(key),
        "expires_at": now + KEPT_FOR,
        "at": now,
    }
    if session.execute(_CLAIM[dialect_of(session)], row).first():
        return None
    return lookup(session, vault, actor_id=actor_id, route=route, key=key, fingerprint=fingerprint, now=now)


def lookup(session: WorkSession, vault: Vault, *,
           actor_id: str, route: str, key: str, fingerprint: str, now: datetime) -> Kept | None:  # fmt: skip
    """The kept answer, or None. Raises KeyReused for another body, KeyUnfit for a key that is none."""
    ours = {"whose": actor_id, "where": route, "which": _checked(key)}
    found = session.execute(_ANSWER, {**ours, "at": now}).first()
    if found is None:
        return None
    if found.answer is None:
        raise AnswerLost(_("This request was done and its answer was not kept; look at the record itself."))
    head, _newline, body = vault.decrypt(_context(actor_id, route, key), found.answer).partition(b"\n")
    first, status, headers = json.loads(head)
    if first != fingerprint:
        raise KeyReused(_("This Idempotency-Key was used for another request; send a new key."))
    return Kept(status, headers, body)


def keep(session: WorkSession, vault: Vault, *, actor_id: str, route: str, key: str, fingerprint: str,
         status: int, headers: Mapping[str, str], body: bytes) -> None:  # fmt: skip
    """Keep the answer of a unit that succeeded, in that unit, after `claim`."""
    chosen = {name: value for name, value in headers.items() if name.lower() in HEADERS}
    plain = json.dumps([fingerprint, status, chosen]).encode() + b"\n" + body
    answer = vault.encrypt(_context(actor_id, route, key), plain)
    session.execute(_KEEP, {"whose": actor_id, "where": route, "which": key, "kept": answer})


def purge(session: WorkSession, now: datetime) -> bool:
    """Forget some of what is older than 48 hours; True where there may be more."""
    return purge_some(session, Record, Record.expires_at <= now)


def _context(actor_id: str, route: str, key: str) -> str:
    return f"huijia_idempotency:{actor_id} {route} {key}:answer"


def _checked(key: str) -> str:
    if not re.fullmatch(r"[!-~]{1,200}", key):
        raise KeyUnfit(
            _("An Idempotency-Key is 1 to 200 visible ASCII characters; send a UUID, for example.")
        )
    return key
