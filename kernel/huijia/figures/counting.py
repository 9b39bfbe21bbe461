"""Counting a visit, and taking it back: the record and every total of it in one transaction."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from random import randrange
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, exists, select, update

from huijia.figures.models import NOWHERE, Visit, Visitor, VisitorTotal, VisitTotal
from huijia.identity.models import Area
from huijia.people.age import band_of
from huijia.people.models import Person, PersonAddress
from huijia.people.sight import root_of
from huijia.storage.base import new_id
from huijia.storage.engine import dialect_of
from huijia.storage.work import WorkSession

SLOTS = 8
_VISIT, _VISITOR = cast("Table", Visit.__table__), cast("Table", Visitor.__table__)
_AREA, _LIVES = cast("Table", Area.__table__), cast("Table", PersonAddress.__table__)
_PERSON = cast("Table", Person.__table__).c
_HOME = (
    select(_PERSON.born_on, _LIVES.c.area_id, _AREA.c.kind, _AREA.c.parent_id)
    .select_from(
        _PERSON.id.table.outerjoin(_LIVES, (_LIVES.c.person_id == _PERSON.id) & _LIVES.c.until.is_(None))
    )
    .outerjoin(_AREA, _AREA.c.id == _LIVES.c.area_id)
    .where(_PERSON.id == bindparam("person_id"))
    .limit(1)
)
_CAME_BEFORE = select(
    exists().where(
        _VISITOR.c.centre_id == bindparam("centre"),
        _VISITOR.c.person_id == bindparam("person_id"),
        _VISITOR.c.scope == bindparam("scope"),
        _VISITOR.c.month < bindparam("month"),
    )
)
_FIND = select(_VISIT).where(_VISIT.c.key == bindparam("sought"))


def count_visit(
    session: WorkSession,
    *,
    kind: str,
    subject: str,
    on: date,
    now: datetime,
    person_id: UUID | None = None,
    place: str = "centre",
    heads: int = 1,
    giving: bool = False,
) -> bool:
    """Count that somebody was served at the session's centre, or gave; False where that was counted already.

    `kind` is a figure that the service declared (`rooms.use`), `subject` its record (`booking:ID`). Without a
    person, `heads` people without names are counted.
    """
    person_id = person_id and root_of(session, person_id)
    key = f"{session.centre_id}:{kind}:{subject}:{person_id or ''}"
    month = on.replace(day=1)
    where = {"centre_id": session.centre_id, "month": month, **_home(session, person_id, on)}
    what = {"service": kind.partition(".")[0], "place": place}
    row = {
        "id": new_id(), "key": key, "kind": kind, "person_id": person_id, "heads": heads, "on": on,
        "giving": giving, "subject": subject, "counted_at": now, **where, **what,
    }  # fmt: skip
    if not _is_new(session, Visit, row):
        return False
    _add(session, VisitTotal, {**where, **what}, visits=1, heads=heads)
    if person_id is not None:
        for scope in _scopes(**what):
            _count_person(session, {**where, "scope": scope}, person_id, giving=giving)
    return True


def take_visit_back(session: WorkSession, *, kind: str, subject: str, person_id: UUID | None = None) -> bool:
    """It did not happen after all: take it out of every total. False where it was not counted."""
    person_id = person_id and root_of(session, person_id)
    sought = f"{session.centre_id}:{kind}:{subject}:{person_id or ''}"
    row = session.execute(_FIND, {"sought": sought}).mappings().first()
    if row is None:
        return False
    session.execute(delete(_VISIT).where(_VISIT.c.id == row["id"]))
    where = {name: row[name] for name in ("centre_id", "month", "community_id", "band")}
    what = {name: row[name] for name in ("service", "place")}
    _add(session, VisitTotal, {**where, **what}, visits=-1, heads=-row["heads"])
    if row["person_id"] is not None:
        for scope in _scopes(**what):
            _uncount_person(session, row, scope)
    return True


def _scopes(*, service: str, place: str) -> tuple[str, str, str]:
    return "", f"s:{service}", f"p:{place}"


def _home(session: WorkSession, person_id: UUID | None, on: date) -> dict[str, Any]:
    """The community where somebody lives now, and their age band on the day."""
    row = session.execute(_HOME, {"person_id": person_id}).first() if person_id else None
    if row is None:
        return {"community_id": NOWHERE, "band": ""}
    community = row.parent_id if row.kind == "compound" else row.area_id
    return {"community_id": community or NOWHERE, "band": band_of(row.born_on, on)}


def _count_person(session: WorkSession, where: dict[str, Any], person_id: UUID, *, giving: bool) -> None:
    known = {"month": where["month"], "scope": where["scope"], "person_id": person_id}
    first = not session.execute(_CAME_BEFORE, {"centre": where["centre_id"], **known}).scalar()
    row = {**where, "person_id": person_id, "first": first, "giving": giving}
    if _is_new(session, Visitor, row):
        if first:
            _mark_first(session, row, first=False)  # what was their first month until now comes after
        _add(session, VisitorTotal, where, persons=1, first=int(first), giving=int(giving))
    elif giving:
        mine = _mine(where["centre_id"], where["month"], where["scope"], person_id)
        changed = session.execute(update(_VISITOR).where(*mine, ~_VISITOR.c.giving).values(giving=True))
        if cast("Any", changed).rowcount:
            kept = session.execute(select(_VISITOR).where(*mine)).mappings().one()
            _add(session, VisitorTotal, _dimensions(kept), persons=0, first=0, giving=1)


def _uncount_person(session: WorkSession, visit: Any, scope: str) -> None:
    others = [_VISIT.c[name] == visit[name] for name in ("centre_id", "month", "person_id")]
    if scope:
        column = _VISIT.c.service if scope.startswith("s:") else _VISIT.c.place
        others.append(column == scope[2:])
    left = session.execute(select(_VISIT.c.giving).where(*others)).scalars().all()
    mine = _mine(visit["centre_id"], visit["month"], scope, visit["person_id"])
    kept = session.execute(select(_VISITOR).where(*mine)).mappings().one()
    if not left:
        session.execute(delete(_VISITOR).where(*mine))
        gone = {"persons": -1, "first": -int(kept["first"]), "giving": -int(kept["giving"])}
        _add(session, VisitorTotal, _dimensions(kept), **gone)
        if kept["first"]:
            _mark_first(session, kept, first=True)
    elif kept["giving"] and not any(left):
        session.execute(update(_VISITOR).where(*mine).values(giving=False))
        _add(session, VisitorTotal, _dimensions(kept), persons=0, first=0, giving=-1)


def _mark_first(session: WorkSession, month: Any, *, first: bool) -> None:
    """The next month in which they came is now their first, or is so no longer."""
    same = [_VISITOR.c[name] == month[name] for name in ("centre_id", "person_id", "scope")]
    query = select(_VISITOR).where(*same, _VISITOR.c.month > month["month"]).order_by(_VISITOR.c.month)
    following = session.execute(query.limit(1)).mappings().first()
    if following is not None and following["first"] is not first:
        mine = _mine(month["centre_id"], following["month"], month["scope"], month["person_id"])
        session.execute(update(_VISITOR).where(*mine).values(first=first))
        _add(session, VisitorTotal, _dimensions(following), persons=0, first=1 if first else -1, giving=0)


def _mine(centre_id: UUID, month: date, scope: str, person_id: UUID) -> list[Any]:
    values = {"centre_id": centre_id, "month": month, "scope": scope, "person_id": person_id}
    return [_VISITOR.c[name] == value for name, value in values.items()]


def _dimensions(visitor: Any) -> dict[str, Any]:
    return {name: visitor[name] for name in ("centre_id", "month", "scope", "community_id", "band")}


def _add(session: WorkSession, model: Any, where: dict[str, Any], **amounts: int) -> None:
    # One writer at a time on SQLite: slots would only be summed in vain there.
    slot = randrange(SLOTS) if dialect_of(session) == "postgresql" else 0
    session.execute(_upsert(session, model, tuple(amounts)), {**where, "slot": slot, **amounts})


def _is_new(session: WorkSession, model: Any, row: dict[str, Any]) -> bool:
    # By what comes back: how many rows an insert met is not told alike by both engines.
    return session.execute(_upsert(session, model, ()), row).first() is not None


def _upsert(session: WorkSession, model: Any, amounts: tuple[str, ...]) -> Any:
    return _made(model, amounts, dialect_of(session))


@cache
def _made(model: Any, amounts: tuple[str, ...], dialect: str) -> Any:
    """Insert; where the row is there, add the amounts to it, or with none leave it alone."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    table = model.__table__
    new = insert(table)
    if not amounts:
        return new.on_conflict_do_nothing().returning(next(iter(table.primary_key.columns)))
    sums = {name: table.c[name] + new.excluded[name] for name in amounts}
    return new.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=sums)
