"""Confirming who somebody is: by whom, on what evidence, until when."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select

from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.people.errors import NoSuchPerson, PersonGone
from huijia.people.models import EVIDENCE, Confirmation, Person
from huijia.people.permissions import CONFIRM
from huijia.people.sight import everything_of, find_person
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
YEARS_MAX = 10


def confirm_identity(
    session: WorkSession, *, actor: Actor, person_id: UUID, evidence: str, until: date, now: datetime
) -> Confirmation:
    """Say that this is who they say they are. Raises NoSuchPerson, PersonGone, Invalid, Forbidden."""
    actor.need(CONFIRM)
    assert session.centre_id is not None, "identities are confirmed at a centre"
    person = find_person(session, person_id, lock=True)
    if person.died_on is not None:
        raise PersonGone(person.name, _("they have died."))
    today = today_at(session, Scope(centre_id=session.centre_id))
    if evidence not in EVIDENCE:
        raise invalid("evidence", _("Choose what was shown."))
    if not today < until <= _years_on(today, YEARS_MAX):
        raise invalid("until", _("Choose a day after today, {years} years ahead at most.", years=YEARS_MAX))
    whose = {"person_id": person.id, "centre_id": session.centre_id}
    by = {"confirmed_by": actor.staff_id, "confirmed_at": now}
    session.add(said := Confirmation(evidence=evidence, until=until, **whose, **by))
    session.flush()
    keep_latest(session, person)
    return said


def withdraw_confirmation(
    session: WorkSession, *, actor: Actor, confirmation_id: UUID, why: str, now: datetime
) -> None:
    """It was a mistake, or a fraud: it counts no longer, and stays on record."""
    actor.need(CONFIRM)
    said = session.get(Confirmation, confirmation_id)
    if said is None:
        raise NoSuchPerson
    person = find_person(session, said.person_id, lock=True)
    if not why.strip():
        raise invalid("why", _("Say why, so that whoever looks later understands."))
    said.withdrawn_at, said.withdrawn_why = said.withdrawn_at or now, said.withdrawn_why or why
    session.flush()
    keep_latest(session, person)


def is_confirmed(person: Person, day: date) -> bool:
    """True where the identity is confirmed on that day, and the person was alive on it."""
    alive = person.died_on is None or day <= person.died_on
    return alive and person.confirmed_until is not None and day <= person.confirmed_until


def keep_latest(session: WorkSession, person: Person) -> None:
    """Let the person's `confirmed_until` be what the standing confirmations say, merged ones included."""
    whose = Confirmation.person_id.in_(everything_of(session, person.id))
    standing = whose, Confirmation.withdrawn_at.is_(None)
    person.confirmed_until = session.scalar(select(func.max(Confirmation.until)).where(*standing))
    session.flush()


def _years_on(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)
