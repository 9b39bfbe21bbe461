"""Households: people who live and reckon together, over time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.people.models import Household, HouseholdMember, Person
from huijia.people.permissions import MANAGE, SEE
from huijia.people.sight import everything_of, find_person, registered_at
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")


def join_household(
    session: WorkSession,
    *,
    actor: Actor,
    person_id: UUID,
    with_person_id: UUID | None = None,
    relation: str = "",
    since: date | None = None,
    now: datetime,
) -> HouseholdMember:
    """Let somebody live with another, or, where nobody is named, in a household of their own.

    They leave the one where they were the day before. Raises NoSuchPerson, Invalid, Forbidden.
    """
    actor.need(MANAGE)
    person = find_person(session, person_id, lock=True)
    day = since or today_at(session, Scope(centre_id=session.centre_id))
    goal = _household_of(session, with_person_id, day, now)
    for old in _standing(session, person.id, day):
        if old.household_id == goal:
            return old
        if day <= old.since:
            raise invalid("since", _("They joined another household that day or later; check the date."))
        old.until = day - timedelta(days=1)
    member = HouseholdMember(household_id=goal, person_id=person.id, relation=relation.strip(), since=day)
    session.add(member)
    session.flush()
    return member


def leave_household(
    session: WorkSession, *, actor: Actor, person_id: UUID, until: date, now: datetime
) -> None:
    """Somebody lives there through `until` only. Raises NoSuchPerson, Invalid, Forbidden."""
    actor.need(MANAGE)
    person = find_person(session, person_id, lock=True)
    for member in _standing(session, person.id, until):
        member.until = until
    session.flush()


def household_of(
    session: WorkSession, *, actor: Actor, person_id: UUID, day: date
) -> list[tuple[HouseholdMember, Person]]:
    """Who lives with a person on that day, themselves included; of the others those registered here."""
    actor.need(SEE)
    person = find_person(session, person_id)
    homes = [one.household_id for one in _standing(session, person.id, day)]
    assert session.centre_id is not None, "a household is seen from a centre"
    seen = registered_at(session.centre_id), Person.merged_into.is_(None), Person.erased_at.is_(None)
    query = select(HouseholdMember, Person).join(Person, Person.id == HouseholdMember.person_id)
    query = query.where(HouseholdMember.household_id.in_(homes), *_on(day), *seen)
    return [(member, one) for member, one in session.execute(query.order_by(Person.sort_key, Person.id))]


def _household_of(session: WorkSession, person_id: UUID | None, day: date, now: datetime) -> UUID:
    other = None if person_id is None else find_person(session, person_id)
    if other is not None:
        for member in _standing(session, other.id, day):
            return member.household_id
    home = Household(created_at=now)
    session.add(home)
    session.flush()
    if other is not None:
        session.add(HouseholdMember(household_id=home.id, person_id=other.id, relation="", since=day))
    return home.id


def _standing(session: WorkSession, person_id: UUID, day: date) -> list[HouseholdMember]:
    whose = HouseholdMember.person_id.in_(everything_of(session, person_id))
    return list(session.scalars(select(HouseholdMember).where(whose, *_on(day))))


def _on(day: date) -> tuple[ColumnElement[bool], ...]:
    return HouseholdMember.since <= day, or_(HouseholdMember.until.is_(None), HouseholdMember.until >= day)
