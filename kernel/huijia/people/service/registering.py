"""Registering people at a centre, and changing what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from huijia.errors import Invalid
from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.identity.models import Area, Centre
from huijia.people.models import (
    CONTACT_KINDS,
    NAME_KINDS,
    SEXES,
    Person,
    PersonAddress,
    PersonContact,
    PersonName,
    Registration,
)
from huijia.people.permissions import MANAGE
from huijia.people.service.numbers import add_number
from huijia.people.sight import find_person
from huijia.people.tokens import write_tokens
from huijia.region import Region, region_of
from huijia.storage.base import new_id
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
BORN_SINCE = date(1880, 1, 1)
FACTS = ("name", "sex", "born_on", "languages", "note", "photo_id")


def register_person(
    session: WorkSession,
    *,
    actor: Actor,
    name: str,
    now: datetime,
    number: str = "",
    names: Iterable[Mapping[str, str]] = (),
    contacts: Iterable[Mapping[str, Any]] = (),
    address: Mapping[str, Any] | None = None,
    import_id: UUID | None = None,
    **facts: Any,
) -> Person:
    """Take somebody in at the session's centre. `facts`: sex, born_on, languages, note, photo_id.

    `names` are {kind, text}, `contacts` {kind, value, whose, emergency}, `address` {area_id, building,
    detail}.
    A `number` fills in birth date and sex. Raises Invalid, NumberTaken, Forbidden.
    """
    actor.need(MANAGE)
    assert session.centre_id is not None, "people are registered at a centre"
    person = Person(id=new_id(), name="", sort_key="", created_at=now, import_id=import_id)
    session.add(_with(session, person, {"name": name, **facts}))
    by = {"registered_at": now, "registered_by": actor.staff_id}
    session.flush()
    session.add(Registration(person_id=person.id, centre_id=session.centre_id, **by))
    if number:
        add_number(session, actor=actor, person=person, text=number, now=now)
    _set_names(session, person, names)
    _set_contacts(session, person, contacts)
    if address:
        _move_to(session, person, address, since=None)
    write_tokens(session, region_here(session), person)
    return person


def change_person(
    session: WorkSession,
    *,
    actor: Actor,
    person_id: UUID,
    now: datetime,
    names: Iterable[Mapping[str, str]] | None = None,
    contacts: Iterable[Mapping[str, Any]] | None = None,
    address: Mapping[str, Any] | None = None,
    **facts: Any,
) -> Person:
    """Change what is given; a new name keeps the old one as a former one, a new address the old one's end.

    Raises NoSuchPerson, Invalid, Forbidden.
    """
    actor.need(MANAGE)
    person = find_person(session, person_id, lock=True)
    former = person.name
    _with(session, person, facts)
    if names is not None:
        _set_names(session, person, names)
    if person.name != former:
        session.add(PersonName(person_id=person.id, kind="former", text=former))
    if contacts is not None:
        _set_contacts(session, person, contacts)
    if address is not None:
        _move_to(session, person, address, since=today_at(session, Scope(centre_id=session.centre_id)))
    write_tokens(session, region_here(session), person)
    return person


def register_here(session: WorkSession, *, actor: Actor, person: Person, now: datetime) -> Registration:
    """Let this centre see somebody it was shown by card or number; once is as good as twice."""
    actor.need(MANAGE)
    assert session.centre_id is not None, "people are registered at a centre"
    found = session.get(Registration, (person.id, session.centre_id))
    if found is None:
        by = {"registered_at": now, "registered_by": actor.staff_id}
        session.add(found := Registration(person_id=person.id, centre_id=session.centre_id, **by))
    found.ended_on, found.ended_why = None, ""
    write_tokens(session, region_here(session), person)
    return found


def end_registration(
    session: WorkSession, *, actor: Actor, person_id: UUID, why: str, on: date, now: datetime
) -> None:
    """Somebody is no longer this centre's: moved away, or asked for it. Their records stay."""
    actor.need(MANAGE)
    person = find_person(session, person_id, lock=True)
    found = session.get(Registration, (person.id, session.centre_id))
    assert found is not None, "who is seen is registered"
    if not why.strip():
        raise invalid("why", _("Say why, so that whoever looks later understands."))
    found.ended_on, found.ended_why = on, why
    write_tokens(session, region_here(session), person)


def region_here(session: WorkSession) -> Region:
    """The region of the session's centre."""
    centre = session.get(Centre, session.centre_id)
    assert centre is not None, "a unit of work at a centre that is there"
    return region_of(centre)


def _with(session: WorkSession, person: Person, facts: Mapping[str, Any]) -> Person:
    strange = facts.keys() - set(FACTS)
    assert not strange, f"a person has no {strange}"
    today = today_at(session, Scope(centre_id=session.centre_id))
    for fact, value in facts.items():
        setattr(person, fact, value)
    person.name = " ".join(person.name.split())
    if not person.name:
        raise invalid("name", _("Write a name; one that is on a document, where there is one."))
    if person.sex is not None and person.sex not in SEXES:
        raise invalid("sex", _("Choose one of these, or leave it open."))
    if person.born_on is not None and not BORN_SINCE <= person.born_on <= today:
        raise invalid("born_on", _("Nobody here was born on {day}; check the date.", day=person.born_on))
    person.sort_key = region_here(session).sort_key(person.name)[:200] or person.name
    return person


def _set_names(session: WorkSession, person: Person, names: Iterable[Mapping[str, str]]) -> None:
    session.execute(delete(PersonName).where(PersonName.person_id == person.id))
    for one in names:
        if one["kind"] not in NAME_KINDS or not one["text"].strip():
            raise invalid("names", _("Another name is one in another script, or a former one."))
        session.add(PersonName(person_id=person.id, kind=one["kind"], text=one["text"].strip()))


def _set_contacts(session: WorkSession, person: Person, contacts: Iterable[Mapping[str, Any]]) -> None:
    session.execute(delete(PersonContact).where(PersonContact.person_id == person.id))
    for position, one in enumerate(contacts):
        if one.get("kind", "phone") not in CONTACT_KINDS or not str(one.get("value", "")).strip():
            raise invalid("contacts", _("A contact is a phone number, an e-mail address or another way."))
        facts = {"whose": one.get("whose", ""), "emergency": bool(one.get("emergency"))}
        kind, value = one.get("kind", "phone"), one["value"].strip()
        session.add(PersonContact(person_id=person.id, kind=kind, value=value, position=position, **facts))


def _move_to(session: WorkSession, person: Person, address: Mapping[str, Any], since: date | None) -> None:
    area_id = address.get("area_id")
    area = session.get(Area, area_id) if area_id else None
    if area_id and (area is None or area.kind not in ("community", "compound")):
        said = _("Choose a community or a compound.")
        raise Invalid(said, {"address": {"area_id": [said]}})
    standing = PersonAddress.person_id == person.id, PersonAddress.until.is_(None)
    new = {"area_id": area_id, "building": address.get("building", ""), "detail": address.get("detail", "")}
    for old in session.scalars(select(PersonAddress).where(*standing)):
        if (old.area_id, old.building, old.detail) == tuple(new.values()):
            return
        old.until = since
    session.add(PersonAddress(person_id=person.id, since=since, **new))
