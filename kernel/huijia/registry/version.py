"""The state version: one row that tells every worker when to read again what is enabled and paused."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import CursorResult, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from huijia.registry.models import StateRow

if TYPE_CHECKING:
    from huijia.storage.work import WorkSession

_STATE = cast("Table", StateRow.__table__)
_READ = select(_STATE.c.version).where(_STATE.c.id == 1)
_RAISE = update(_STATE).where(_STATE.c.id == 1).values(version=_STATE.c.version + 1)
BUMPED = "huijia_bumped"  # session.info: this unit changes the state, and may yet be undone


def version_of(session: WorkSession) -> int:
    """The version that this unit of work sees; 0 before the first change."""
    return session.execute(_READ).scalar() or 0


def bump(session: WorkSession) -> None:
    """Tell all workers, once this unit is kept, that the state changed. Until then no other unit does."""
    session.flush()
    if not cast("CursorResult[Any]", session.execute(_RAISE)).rowcount:
        with suppress(IntegrityError), session.savepoint():  # another unit may be the first as well
            session.execute(insert(_STATE), {"id": 1, "version": 0})
        session.execute(_RAISE)
    session.info[BUMPED] = True
