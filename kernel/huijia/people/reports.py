"""What is shown of people: a list by name, and everything of one person that the viewer may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select

from huijia.contributions import CalendarEntry, Panel
from huijia.identity.actor import Actor
from huijia.identity.models import Area, Centre, Staff
from huijia.people.age import age_on
from huijia.people.models import (
    Confirmation,
    Person,
    PersonAddress,
    PersonContact,
    PersonName,
    PersonNumber,
    Registration,
    ResidentCard,
)
from huijia.people.service.cards import cards_of
from huijia.people.sight import PERSON, everything_of, find_person
from huijia.storage.work import WorkSession

CALENDAR_DAYS = 60
_LISTED = cast("Table", Registration.__table__).c
# As the index of a centre's registrations has it; both stand on the person too, by these names.
BY_NAME = (_LISTED.sort_key, _LISTED.person_id.label("id"))


@dataclass(frozen=True)
class Sheet:
    """One person as the desk sees them. Numbers are masked; `panels` are (service, Panel)."""

    person: Person
    age: int | None
    names: list[PersonName]
    contacts: list[PersonContact]
    address: Any
    numbers: list[PersonNumber]
    confirmations: list[Any]
    cards: list[ResidentCard]
    panels: list[tuple[str, Panel]]
    calendar: list[CalendarEntry]

    @property
    def card(self) -> ResidentCard | None:
        """The one that is active."""
        return next((card for card in self.cards if card.state == "active"), None)


def people_here(session: WorkSession) -> Any:
    """The statement that lists everybody registered at the session's centre; page through it `BY_NAME`."""
    assert session.centre_id is not None, "a list is one centre's"
    alive = PERSON.merged_into.is_(None), PERSON.erased_at.is_(None)
    here = _LISTED.centre_id == session.centre_id, _LISTED.ended_on.is_(None)
    return select(Person).join(Registration, _LISTED.person_id == PERSON.id).where(*here, *alive)


def sheet_of(
    session: WorkSession, *, centre: Centre, actor: Actor, person_id: UUID, day: date, now: datetime
) -> Sheet:
    """Everything that this centre may see of a person. Raises NoSuchPerson."""
    person = find_person(session, person_id)
    ids = everything_of(session, person.id)
    born_on = person.born_on
    asked = {"centre": centre, "actor": actor, "person_id": person.id}
    panels = session.hooks.ask("huijia_person_panel", **asked, day=day)
    ahead = {"since": now, "until": now + timedelta(days=CALENDAR_DAYS)}
    calendar = session.hooks.ask("huijia_person_calendar", **asked, **ahead)
    return Sheet(
        person=person,
        age=None if born_on is None else age_on(born_on, person.died_on or day),
        names=_all(session, PersonName, person.id, PersonName.kind, PersonName.text),
        contacts=_all(session, PersonContact, person.id, PersonContact.position),
        address=address_of(session, person.id),
        numbers=_all(session, PersonNumber, person.id, PersonNumber.added_at),
        confirmations=_confirmations(session, ids),
        cards=cards_of(session, person.id),
        panels=sorted(((a.plugin, a.value) for a in panels if a.value), key=lambda one: one[1].order),
        calendar=sorted((e for a in calendar for e in a.value), key=lambda entry: entry.starts_at),
    )


def address_of(session: WorkSession, person_id: UUID) -> Any:
    """Where a person lives: (PersonAddress, Area or None), or None."""
    query = select(PersonAddress, Area).outerjoin(Area, Area.id == PersonAddress.area_id)
    standing = PersonAddress.person_id == person_id, PersonAddress.until.is_(None)
    return session.execute(query.where(*standing).limit(1)).first()


def _all(session: WorkSession, model: Any, person_id: UUID, *order: Any) -> list[Any]:
    return list(session.scalars(select(model).where(model.person_id == person_id).order_by(*order)))


def _confirmations(session: WorkSession, ids: list[UUID]) -> list[Any]:
    query = select(Confirmation, Staff.display_name).outerjoin(Staff, Staff.id == Confirmation.confirmed_by)
    query = query.where(Confirmation.person_id.in_(ids)).order_by(Confirmation.confirmed_at.desc())
    return list(session.execute(query))
