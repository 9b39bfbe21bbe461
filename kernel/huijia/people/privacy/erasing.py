"""Erasing a person: everywhere or nowhere. Figures, postings and the audit stay whole, about nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, delete, or_, select, update

from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.people.errors import MattersOpen
from huijia.people.models import Person, Registration, ResidentCard
from huijia.people.permissions import PRIVACY
from huijia.people.privacy.tables import Kept, need_every_table, registry_of, tables_kept
from huijia.people.sight import everything_of, find_person
from huijia.people.tokens import forget_tokens
from huijia.registry.calls import BoundHooks
from huijia.storage.audit import Detail, Entry, erase_details
from huijia.storage.files import File
from huijia.storage.settings import Scope, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
REASON = "erasing a person at every service"
BATCH = 200


def open_matters(session: WorkSession, person_id: UUID) -> list[str]:
    """Sentences on what must be settled first, of every service that works, wherever it is switched on.

    Raises ServiceFailed where one cannot answer.
    """
    registry = registry_of(session)
    hooks = registry.hooks_of(frozenset(registry.loaded))
    asking = BoundHooks(session, lambda _session: hooks)
    with session.across_centres(REASON):
        answers = [
            answer
            for one in everything_of(session, person_id)
            for answer in asking.ask_all("huijia_person_open_matters", person_id=one)
        ]
    return [sentence for answer in answers for sentence in answer.value or ()]


def erase_person(session: WorkSession, *, actor: Actor, person_id: UUID, now: datetime) -> dict[str, int]:
    """Take away whatever tells of a person, in one unit of work; the number of rows by table.

    Raises NoSuchPerson, Forbidden, MattersOpen and ServiceFailed; then nothing was changed.
    """
    actor.need(PRIVACY)
    person = find_person(session, person_id, lock=True)
    registry = registry_of(session)
    kept = tables_kept(registry)
    need_every_table(registry, kept)
    if matters := open_matters(session, person.id):
        raise MattersOpen(_("First settle what is open: {matters}", matters=" ".join(matters)))
    ids = everything_of(session, person.id)
    session.flush()
    photos = select(Person.photo_id).where(Person.id.in_(ids), Person.photo_id.is_not(None))
    files = list(session.scalars(photos))
    entries = _entries_about(session, kept, ids)
    with session.across_centres(REASON):
        done = {one.table.name: erase_rows(session, one, one.of(ids)) for one in reversed(kept)}
        session.execute(delete(File).where(File.id.in_(files)))
    forget_tokens(session, ids)
    _close(session, ids, now)
    erase_details(session, entries)
    session.expire_all()
    return {table: count for table, count in done.items() if count}


def erase_rows(session: WorkSession, kept: Kept, rows: Any) -> int:
    """Remove these rows, or empty what is personal in them; how many. The unit must be across centres."""
    if kept.how.whole:
        done = session.execute(delete(kept.table).where(rows)).rowcount
    elif kept.personal:
        values = {name: mark.erased for name, mark in kept.personal.items()}
        done = session.execute(update(kept.table).where(rows).values(values)).rowcount
    else:
        return 0
    if done:
        action = "delete" if kept.how.whole else "update"
        session.note(kept.table.name, f"{done} rows", () if kept.how.whole else tuple(kept.personal), action)
    return int(done)


def _close(session: WorkSession, ids: list[UUID], now: datetime) -> None:
    today = today_at(session, Scope(centre_id=session.centre_id))
    session.execute(update(Person).where(Person.id.in_(ids)).values(erased_at=now, confirmed_until=None))
    standing = Registration.person_id.in_(ids), Registration.ended_on.is_(None)
    session.execute(update(Registration).where(*standing).values(ended_on=today))
    active = ResidentCard.person_id.in_(ids), ResidentCard.state == "active"
    session.execute(update(ResidentCard).where(*active).values(state="blocked", ended_at=now))


def _entries_about(session: WorkSession, kept: list[Kept], ids: list[UUID]) -> list[UUID]:
    """The audit entries with values beside them that name the person, or a record about them."""
    keys = {str(one) for one in ids}
    with session.across_centres(REASON):
        for one in kept:
            for row in session.execute(select(*one.table.primary_key).where(one.of(ids))):
                keys.add("/".join(map(str, row)))
    wanted: set[UUID] = set()
    listed = sorted(keys)
    for start in range(0, len(listed), BATCH):
        some = listed[start : start + BATCH]
        about = Entry.subject.in_([f"{kind}:{one}" for one in some for kind in ("person",)])
        # A key stands quoted in `changes`, or behind the kind of a subject such as `booking:ID`.
        touched = [Entry.changes.cast(Text).contains(f'"{one}"', autoescape=True) for one in some]
        behind = [Entry.subject.endswith(f":{one}", autoescape=True) for one in some]
        query = (
            select(Entry.id).join(Detail, Detail.entry_id == Entry.id).where(or_(about, *touched, *behind))
        )
        wanted.update(session.scalars(query))
    return sorted(wanted)
