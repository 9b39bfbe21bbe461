"""Numbers on documents: sealed, found by keyed hash, unmasked only on the record."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from huijia.errors import Invalid
from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.people.errors import NoSuchPerson, NumberTaken
from huijia.people.models import Person, PersonNumber
from huijia.people.permissions import MANAGE, NUMBERS
from huijia.people.sight import find_person, is_seen, root_of
from huijia.region import DocumentNumber
from huijia.storage.base import new_id
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
PURPOSE = "person-number"


def read_number(session: WorkSession, text: str) -> DocumentNumber:
    """What somebody typed, as this centre's region reads it. Raises Invalid."""
    from huijia.people.service.registering import region_here

    today = today_at(session, Scope(centre_id=session.centre_id))
    return region_here(session).read_number(text, today=today)


def add_number(
    session: WorkSession, *, actor: Actor, person: Person, text: str, now: datetime
) -> PersonNumber:
    """Keep a number of somebody's document; it fills in birth date and sex where these are open.

    Raises Invalid where it contradicts them, NumberTaken where it is somebody's already.
    """
    actor.need(MANAGE)
    number = read_number(session, text)
    if number.born_on and person.born_on not in (None, number.born_on):
        raise invalid(
            "number", _("The number says born on {day}; correct one of the two.", day=number.born_on)
        )
    if number.sex and person.sex not in ("", None, number.sex):
        raise invalid("number", _("The number does not fit the sex written down; correct one of the two."))
    _refuse_taken(session, person, number)
    person.born_on, person.sex = person.born_on or number.born_on, person.sex or number.sex
    kept = PersonNumber(
        id=new_id(), person_id=person.id, kind=number.kind, masked=number.masked, added_at=now
    )
    _seal(session, kept, number.text)
    session.add(kept)
    session.flush()
    return kept


def person_of_number(session: WorkSession, number: DocumentNumber) -> Person | None:
    """Whose number this is, at whatever centre they are registered; the caller audits and throttles."""
    hashes = session.vault.keyed_hashes(PURPOSE, f"{number.kind}:{number.text}")
    found = session.scalar(select(PersonNumber.person_id).where(PersonNumber.hash.in_(hashes)))
    return session.get(Person, root_of(session, found)) if found else None


def reveal_number(session: WorkSession, *, actor: Actor, number_id: UUID) -> str:
    """The whole number. The route that shows it is audited each time. Raises NoSuchPerson, Forbidden."""
    actor.need(NUMBERS)
    kept = session.get(PersonNumber, number_id)
    if kept is None:
        raise NoSuchPerson
    find_person(session, kept.person_id)
    return session.vault.decrypt(_context(kept.id), kept.sealed).decode()


def reseal(session: WorkSession, *, limit: int = 500) -> int:
    """Seal numbers of an older key under the newest one, and say how many these were; call it until 0."""
    newest = session.vault.newest
    query = select(PersonNumber).where(PersonNumber.key_version < newest).limit(limit)
    rows = list(session.scalars(query.with_for_update(skip_locked=True)))
    for kept in rows:
        _seal(session, kept, session.vault.decrypt(_context(kept.id), kept.sealed).decode())
    session.flush()
    return len(rows)


def _seal(session: WorkSession, kept: PersonNumber, text: str) -> None:
    kept.sealed = session.vault.encrypt(_context(kept.id), text.encode())
    kept.hash = session.vault.keyed_hash(PURPOSE, f"{kept.kind}:{text}")
    kept.key_version = session.vault.newest


def _context(number_id: UUID) -> str:
    return f"{PersonNumber.__tablename__}:{number_id}:sealed"


def _refuse_taken(session: WorkSession, person: Person, number: DocumentNumber) -> None:
    owner = person_of_number(session, number)
    if owner is None:
        return
    if owner.id == person.id:
        said = _("This number is on the record already.")
        raise Invalid(said, {"number": [said]})
    raise NumberTaken(owner.name, seen=is_seen(session, owner.id))
