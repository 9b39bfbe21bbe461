"""Organisations that centres work with, and the people who act in them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.people.errors import NoSuchOrganisation
from huijia.people.models import (
    ORGANISATION_KINDS,
    Organisation,
    OrganisationMember,
    OrganisationPresence,
    Person,
)
from huijia.people.permissions import ORGANISATIONS, SEE
from huijia.people.sight import find_person, registered_at
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
FACTS = ("kind", "name", "name_en", "code", "phone", "address", "active")


def add_organisation(
    session: WorkSession, *, actor: Actor, kind: str, name: str, now: datetime, **facts: Any
) -> Organisation:
    """An organisation that this centre works with. `facts`: name_en, code, phone, address.

    One with that official `code` is in the installation once: it is then shared. Raises Invalid, Forbidden.
    """
    actor.need(ORGANISATIONS)
    assert session.centre_id is not None, "organisations are present at centres"
    code = (facts.get("code") or "").strip() or None
    known = session.scalar(select(Organisation).where(Organisation.code == code)) if code else None
    if known is None:
        known = Organisation(created_at=now, active=True)
        _with(known, {**facts, "kind": kind, "name": name, "code": code})
        session.add(known)
        session.flush()
    if session.get(OrganisationPresence, (known.id, session.centre_id)) is None:
        session.add(OrganisationPresence(organisation_id=known.id, centre_id=session.centre_id))
        session.flush()
    return known


def find_organisation(session: WorkSession, organisation_id: UUID) -> Organisation:
    """The organisation, where this centre works with it. Raises NoSuchOrganisation."""
    found = session.get(Organisation, organisation_id)
    there = session.get(OrganisationPresence, (organisation_id, session.centre_id))
    if found is None or there is None:
        raise NoSuchOrganisation
    return found


def organisations_here(session: WorkSession, *, actor: Actor, kind: str = "") -> list[Organisation]:
    """Those that this centre works with, by name."""
    actor.need(SEE)
    query = select(Organisation).join(OrganisationPresence)
    query = query.where(OrganisationPresence.centre_id == session.centre_id)
    if kind:
        query = query.where(Organisation.kind == kind)
    return list(session.scalars(query.order_by(Organisation.name, Organisation.id)))


def change_organisation(
    session: WorkSession, *, actor: Actor, organisation_id: UUID, now: datetime, **facts: Any
) -> Organisation:
    """Change what is given: kind, name, name_en, code, phone, address, active. Raises Invalid, Forbidden."""
    actor.need(ORGANISATIONS)
    found = find_organisation(session, organisation_id)
    code = (facts.get("code") or "").strip() or None
    taken = select(Organisation.id).where(Organisation.code == code, Organisation.id != found.id)
    if code and session.scalar(taken):
        raise invalid("code", _("Another organisation has this number; check it."))
    _with(found, {**facts, **({"code": code} if "code" in facts else {})})
    session.flush()
    return found


def part_with(session: WorkSession, *, actor: Actor, organisation_id: UUID, now: datetime) -> None:
    """This centre no longer works with it, and no longer sees it. Raises NoSuchOrganisation, Forbidden."""
    actor.need(ORGANISATIONS)
    found = find_organisation(session, organisation_id)
    session.delete(session.get_one(OrganisationPresence, (found.id, session.centre_id)))
    session.flush()


def add_member(
    session: WorkSession,
    *,
    actor: Actor,
    organisation_id: UUID,
    person_id: UUID,
    role: str = "",
    since: date | None = None,
    now: datetime,
) -> OrganisationMember:
    """Somebody acts in the organisation, as `role`. Raises NoSuchOrganisation, NoSuchPerson, Forbidden."""
    actor.need(ORGANISATIONS)
    found, person = find_organisation(session, organisation_id), find_person(session, person_id)
    day = since or today_at(session, Scope(centre_id=session.centre_id))
    member = OrganisationMember(organisation_id=found.id, person_id=person.id, role=role.strip(), since=day)
    session.add(member)
    session.flush()
    return member


def end_member(session: WorkSession, *, actor: Actor, member_id: UUID, until: date, now: datetime) -> None:
    """They act there through `until` only. Raises NoSuchOrganisation, Invalid, Forbidden."""
    actor.need(ORGANISATIONS)
    member = session.get(OrganisationMember, member_id, with_for_update=True)
    if member is None:
        raise NoSuchOrganisation
    find_organisation(session, member.organisation_id)
    if until < member.since:
        raise invalid("until", _("This ends before it began; check the date."))
    member.until = until
    session.flush()


def members_of(
    session: WorkSession, *, actor: Actor, organisation_id: UUID, day: date
) -> list[tuple[OrganisationMember, Person]]:
    """Who acts in the organisation on that day, of those registered here. Raises NoSuchOrganisation."""
    actor.need(SEE)
    found = find_organisation(session, organisation_id)
    assert session.centre_id is not None, "organisations are present at centres"
    # A merged record's membership is shown under the name that counts.
    joined = select(OrganisationMember).where(OrganisationMember.organisation_id == found.id)
    on = (
        OrganisationMember.since <= day,
        or_(OrganisationMember.until.is_(None), OrganisationMember.until >= day),
    )
    query = joined.join(Person, Person.id == OrganisationMember.person_id).add_columns(Person)
    seen = registered_at(session.centre_id), Person.erased_at.is_(None)
    rows = session.execute(query.where(*on, *seen).order_by(Person.sort_key, OrganisationMember.id))
    return [(member, find_person(session, person.id)) for member, person in rows]


def _with(found: Organisation, facts: dict[str, Any]) -> None:
    strange = facts.keys() - set(FACTS)
    assert not strange, f"an organisation has no {strange}"
    for fact, value in facts.items():
        setattr(found, fact, value.strip() if isinstance(value, str) else value)
    if found.kind not in ORGANISATION_KINDS:
        raise invalid("kind", _("Choose one of these."))
    if not found.name:
        raise invalid("name", _("An organisation needs a name."))
