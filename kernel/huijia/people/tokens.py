"""What a person is found by, written in the transaction that changes the person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, insert, select, update

from huijia.people.models import Person, PersonContact, PersonName, PersonToken, Registration
from huijia.region import Region, folded
from huijia.storage.work import WorkSession

TOKEN_LENGTH_MAX = 80
_TOKEN, _REGISTERED = cast("Table", PersonToken.__table__), cast("Table", Registration.__table__)
_ADD = insert(_TOKEN)
_PERSON, _NAME, _CONTACT = (cast("Table", model.__table__).c for model in (Person, PersonName, PersonContact))
# A person is found by what stood on the records merged into theirs, too.
_FIRST = select(_PERSON.id).where(_PERSON.id == bindparam("person_id")).cte(recursive=True)
_ALL = _FIRST.union_all(select(_PERSON.id).where(_PERSON.merged_into == _FIRST.c.id))
_IDS = select(_ALL.c.id)
_NAMES = select(_PERSON.name).where(_PERSON.id.in_(_IDS))
_NAMES = _NAMES.union(select(_NAME.text).where(_NAME.person_id.in_(_IDS)))
_PHONES = select(_CONTACT.value).where(_CONTACT.person_id.in_(_IDS), _CONTACT.kind == "phone")
_PHONES = _PHONES.where(_CONTACT.emergency.is_(False))


def tokens_of(region: Region, names: Iterable[str], contacts: Iterable[str]) -> set[str]:
    """Every token of these names and contacts: a phone whole, and its last four digits after a #."""
    found = {token for name in names for token in region.name_tokens(name)}
    for value in contacts:
        plain = folded(value)
        found.add(plain)
        if plain.isdigit() and len(plain) >= 7:
            found.add(f"#{plain[-4:]}")
    return {token[:TOKEN_LENGTH_MAX] for token in found if token}


def write_tokens(session: WorkSession, region: Region, person: Person) -> None:
    """Write a person's tokens, and their place in lists, anew for every centre where they are registered."""
    session.flush()
    session.execute(delete(_TOKEN).where(_TOKEN.c.person_id == person.id))
    listed = update(_REGISTERED).where(_REGISTERED.c.person_id == person.id)
    session.execute(listed.values(sort_key=person.sort_key))
    if person.merged_into is not None or person.erased_at is not None:
        return
    tokens = tokens_of(region, *_texts(session, person))
    alive = _REGISTERED.c.ended_on.is_(None)
    centres = session.scalars(
        select(_REGISTERED.c.centre_id).where(_REGISTERED.c.person_id == person.id, alive)
    )
    rows = [
        {"centre_id": centre_id, "token": token, "person_id": person.id}
        for centre_id in centres
        for token in sorted(tokens)
    ]
    if rows:
        session.execute(_ADD, rows)


def _texts(session: WorkSession, person: Person) -> tuple[list[str], list[str]]:
    whose = {"person_id": person.id}
    names = [name for (name,) in session.execute(_NAMES, whose)]
    return names, [value for (value,) in session.execute(_PHONES, whose)]


def forget_tokens(session: WorkSession, person_ids: Iterable[UUID]) -> None:
    """Nobody finds these people any more."""
    session.execute(delete(_TOKEN).where(_TOKEN.c.person_id.in_(list(person_ids))))
