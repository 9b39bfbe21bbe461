"""Who sees whom: a centre sees those registered with it, and a merged record leads to the one that counts."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, exists, select

from huijia.people.errors import NoSuchPerson
from huijia.people.models import Person, Registration
from huijia.storage.work import WorkSession

PERSON = cast("Table", Person.__table__).c
_REGISTERED = cast("Table", Registration.__table__).c
_ROOT = select(PERSON.merged_into).where(PERSON.id == bindparam("person_id"))
_SEEN = select(_REGISTERED.person_id).where(
    _REGISTERED.person_id == bindparam("person_id"),
    _REGISTERED.centre_id == bindparam("centre"),
    _REGISTERED.ended_on.is_(None),
)


def registered_at(centre_id: UUID, person: Any = PERSON.id) -> ColumnElement[bool]:
    """The condition that a person (a column of ids) is registered at a centre."""
    row = (_REGISTERED.person_id == person) & (_REGISTERED.centre_id == centre_id)
    return exists().where(row, _REGISTERED.ended_on.is_(None))


def root_of(session: WorkSession, person_id: UUID) -> UUID:
    """The record that counts: merges are followed to their end."""
    while (further := session.execute(_ROOT, {"person_id": person_id}).scalar()) is not None:
        person_id = further
    return person_id


def is_seen(session: WorkSession, person_id: UUID) -> bool:
    """True where the session's centre may see that very record."""
    values = {"person_id": person_id, "centre": session.centre_id}
    return session.execute(_SEEN, values).first() is not None


def find_person(session: WorkSession, person_id: UUID, *, lock: bool = False) -> Person:
    """The person as this centre sees them, locked where something is to be changed. Raises NoSuchPerson."""
    root = root_of(session, person_id)
    query = select(Person).where(Person.id == root, Person.erased_at.is_(None))
    person = session.scalar(query.with_for_update() if lock else query) if is_seen(session, root) else None
    if person is None:
        raise NoSuchPerson
    return person


def everything_of(session: WorkSession, person_id: UUID) -> list[UUID]:
    """The ids under which records of a person stand: their own, and those merged into it."""
    found, fresh = [person_id], [person_id]
    while fresh:
        fresh = list(session.scalars(select(PERSON.id).where(PERSON.merged_into.in_(fresh))))
        found += fresh
    return found
