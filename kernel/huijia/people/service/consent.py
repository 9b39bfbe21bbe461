"""Consent by purpose, in the very words that were agreed to; and who answers for a minor."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select

from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.people.age import age_on
from huijia.people.errors import ConsentMissing, NoSuchPerson, PersonGone
from huijia.people.models import Consent, Guardian, Person
from huijia.people.permissions import MANAGE, MINORS
from huijia.people.sight import everything_of, find_person, root_of
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
OF_AGE = 18
TEXT_MAX = 4000


def is_minor(person: Person, day: date) -> bool:
    """True under 18 on that day; False where the birth date is not known."""
    return person.born_on is not None and age_on(person.born_on, day) < OF_AGE


def add_guardian(
    session: WorkSession,
    *,
    actor: Actor,
    person_id: UUID,
    guardian_id: UUID,
    relation: str,
    evidence: str,
    since: date | None = None,
    now: datetime,
) -> Guardian:
    """Put down who answers for a minor, on what evidence. Both are registered here.

    Raises NoSuchPerson, Invalid, PersonGone, Forbidden.
    """
    actor.need(MINORS)
    person, guardian = find_person(session, person_id, lock=True), find_person(session, guardian_id)
    today = _today(session)
    if person.id == guardian.id or is_minor(guardian, today):
        raise invalid("guardian_id", _("A guardian is somebody else, and of age."))
    if guardian.died_on is not None:
        raise PersonGone(guardian.name, _("they have died."))
    if not relation.strip() or not evidence.strip():
        raise invalid("evidence", _("Say how they are related, and what was shown."))
    made = Guardian(person_id=person.id, guardian_id=guardian.id, relation=relation.strip())
    made.evidence, made.since = evidence.strip(), since or today
    session.add(made)
    session.flush()
    return made


def end_guardian(
    session: WorkSession, *, actor: Actor, guardianship_id: UUID, until: date, now: datetime
) -> None:
    """Somebody answers for the person through `until` only. Raises NoSuchPerson, Invalid, Forbidden."""
    actor.need(MINORS)
    found = session.get(Guardian, guardianship_id, with_for_update=True)
    if found is None:
        raise NoSuchPerson
    find_person(session, found.person_id)
    if until < found.since:
        raise invalid("until", _("This ends before it began; check the date."))
    found.until = until
    session.flush()


def guardians_of(session: WorkSession, *, actor: Actor, person_id: UUID, day: date) -> list[Guardian]:
    """Who answers for the person on that day. Raises NoSuchPerson, Forbidden."""
    actor.need(MINORS)
    return _guardians(session, find_person(session, person_id), day)


def give_consent(
    session: WorkSession,
    *,
    actor: Actor,
    person_id: UUID,
    purpose: str,
    text: str,
    given_on: date | None = None,
    given_by: UUID | None = None,
    now: datetime,
) -> Consent:
    """Put down what was agreed to, in its very text: by oneself or, under 18 that day, by a guardian.

    Raises NoSuchPerson, PersonGone, Invalid, Forbidden.
    """
    actor.need(MANAGE)
    person, today = find_person(session, person_id, lock=True), _today(session)
    day = given_on or today
    if person.died_on is not None:
        raise PersonGone(person.name, _("they have died."))
    if not purpose.strip() or not text.strip() or len(text) > TEXT_MAX:
        raise invalid("text", _("Keep the purpose and the very text that was agreed to."))
    if day > today:
        raise invalid("given_on", _("This day has not come yet; check the date."))
    by = _who_agrees(session, person, given_by, day)
    made = Consent(person_id=person.id, purpose=purpose.strip(), text=text, given_on=day, given_by=by)
    made.recorded_at, made.recorded_by = now, actor.staff_id
    session.add(made)
    session.flush()
    return made


def withdraw_consent(
    session: WorkSession, *, actor: Actor, consent_id: UUID, on: date | None = None, now: datetime
) -> None:
    """It holds no longer from that day on, and stays on record. Raises NoSuchPerson, Invalid, Forbidden."""
    actor.need(MANAGE)
    found = session.get(Consent, consent_id, with_for_update=True)
    if found is None:
        raise NoSuchPerson
    find_person(session, found.person_id)
    day = on or _today(session)
    if not found.given_on <= day <= _today(session):
        raise invalid("on", _("Choose a day since it was given, today at the latest."))
    found.withdrawn_on = min(found.withdrawn_on or day, day)
    session.flush()


def has_consent(session: WorkSession, person: Person, purpose: str, day: date) -> bool:
    """True where the person, or their guardian, agreed to the purpose and it holds on that day."""
    whose = Consent.person_id.in_(everything_of(session, root_of(session, person.id)))
    holds = Consent.given_on <= day, or_(Consent.withdrawn_on.is_(None), Consent.withdrawn_on > day)
    query = select(Consent.id).where(whose, Consent.purpose == purpose, *holds)
    return session.scalar(query.limit(1)) is not None


def need_consent(session: WorkSession, person: Person, purpose: str, day: date) -> None:
    """Raises ConsentMissing, in words that say whom to ask, unless `has_consent`."""
    if has_consent(session, person, purpose, day):
        return
    words = {"name": person.name, "purpose": purpose}
    if is_minor(person, day):
        raise ConsentMissing(
            _("A guardian of {name} has not agreed to “{purpose}”; ask one, and put it down first.", **words)
        )
    raise ConsentMissing(_("{name} has not agreed to “{purpose}”; ask, and put it down first.", **words))


def _who_agrees(session: WorkSession, person: Person, given_by: UUID | None, day: date) -> UUID | None:
    """Whose agreement counts on that day: None for oneself."""
    by = None if given_by is None else root_of(session, given_by)
    if person.born_on is None:
        raise invalid("given_by", _("Put down the birth date first: it decides who may agree."))
    if not is_minor(person, day):
        if by not in (None, person.id):
            raise invalid("given_by", _("{name} is of age and agrees in person.", name=person.name))
        return None
    standing = {root_of(session, one.guardian_id) for one in _guardians(session, person, day)}
    if by not in standing:
        raise invalid("given_by", _("Under {age}, a guardian on record agrees.", age=OF_AGE))
    guardian = session.get_one(Person, by)
    if guardian.died_on is not None and guardian.died_on < day:
        raise PersonGone(guardian.name, _("they have died."))
    return by


def _guardians(session: WorkSession, person: Person, day: date) -> list[Guardian]:
    whose = Guardian.person_id.in_(everything_of(session, person.id))
    standing = Guardian.since <= day, or_(Guardian.until.is_(None), Guardian.until >= day)
    return list(session.scalars(select(Guardian).where(whose, *standing).order_by(Guardian.since)))


def _today(session: WorkSession) -> date:
    return today_at(session, Scope(centre_id=session.centre_id))
