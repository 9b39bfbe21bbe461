"""Sensitive notes: sealed, and each kind with a right of its own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select

from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.people.models import SENSITIVE_KINDS, Person, SensitiveNote
from huijia.people.permissions import COUNSELLING, DIET, HEALTH, MINORS
from huijia.people.service.consent import is_minor
from huijia.people.sight import everything_of, find_person
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
RIGHTS = {"health": HEALTH, "diet": DIET, "counselling": COUNSELLING}
TEXT_MAX = 4000


def write_note(
    session: WorkSession, *, actor: Actor, person_id: UUID, kind: str, text: str, now: datetime
) -> SensitiveNote | None:
    """Keep a note instead of the one of that kind; an empty one removes it. Raises as `read_note`."""
    person = _admitted(session, actor, person_id, kind)
    if len(text) > TEXT_MAX:
        raise invalid("text", _("Say it in {count} characters at most.", count=TEXT_MAX))
    note = session.get(SensitiveNote, (person.id, kind), with_for_update=True)
    if not text.strip():
        if note is not None:
            session.delete(note)
            session.flush()
        return None
    if note is None:
        session.add(note := SensitiveNote(person_id=person.id, kind=kind))
    _seal(session, note, text.strip())
    note.changed_at = now
    session.flush()
    return note


def read_note(session: WorkSession, *, actor: Actor, person_id: UUID, kind: str) -> str:
    """The note, with those of merged records below it; "" where there is none. The caller audits each view.

    Raises NoSuchPerson, Forbidden.
    """
    person = _admitted(session, actor, person_id, kind)
    ids = everything_of(session, person.id)
    found = {one.person_id: one for one in session.scalars(_of(ids, kind))}
    return "\n".join(open_note(session, found[one]) for one in ids if one in found)


def open_note(session: WorkSession, note: SensitiveNote) -> str:
    """What a note says; for whoever has checked that it may be read."""
    return session.vault.decrypt(_context(note), note.sealed).decode()


def reseal_notes(session: WorkSession, *, limit: int = 500) -> int:
    """Seal notes of an older key under the newest one, and say how many these were; call it until 0."""
    older = SensitiveNote.key_version < session.vault.newest
    query = select(SensitiveNote).where(older).limit(limit)
    rows = list(session.scalars(query.with_for_update(skip_locked=True)))
    for note in rows:
        _seal(session, note, open_note(session, note))
    session.flush()
    return len(rows)


def _admitted(session: WorkSession, actor: Actor, person_id: UUID, kind: str) -> Person:
    assert kind in SENSITIVE_KINDS, f"there are no notes on {kind}"
    actor.need(RIGHTS[kind])
    person = find_person(session, person_id)
    if is_minor(person, today_at(session, Scope(centre_id=session.centre_id))):
        actor.need(MINORS)
    return person


def _of(ids: list[UUID], kind: str) -> Select[SensitiveNote]:
    return select(SensitiveNote).where(SensitiveNote.person_id.in_(ids), SensitiveNote.kind == kind)


def _seal(session: WorkSession, note: SensitiveNote, text: str) -> None:
    note.sealed = session.vault.encrypt(_context(note), text.encode())
    note.key_version = session.vault.newest


def _context(note: SensitiveNote) -> str:
    return f"{SensitiveNote.__tablename__}:{note.person_id}/{note.kind}:sealed"
