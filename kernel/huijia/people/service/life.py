"""A person's life as services must know it: moved away, died, or lives after all."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from huijia.errors import NotFound
from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.identity.models import Centre
from huijia.people.errors import PersonGone
from huijia.people.models import Person, Registration, ResidentCard
from huijia.people.permissions import MERGE
from huijia.people.service.registering import region_here
from huijia.people.service.telling import tell_everywhere
from huijia.people.sight import everything_of, find_person
from huijia.people.tokens import write_tokens
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")


def record_move(
    session: WorkSession,
    *,
    actor: Actor,
    person_id: UUID,
    on: date,
    why: str,
    to_centre: UUID | None = None,
    now: datetime,
) -> Person:
    """End the registration here, and begin one at another centre where that is named.

    Services of every centre that knew the person hear of it. Raises NoSuchPerson, Invalid, Forbidden.
    """
    actor.need(MERGE)
    person = find_person(session, person_id, lock=True)
    here = session.centre_id
    assert here is not None, "who moves leaves a centre"
    if not why.strip():
        raise invalid("why", _("Say why, so that whoever looks later understands."))
    if on > today_at(session, Scope(centre_id=here)):
        raise invalid("on", _("Record a move once it has happened."))
    ending = session.get_one(Registration, (person.id, here))
    ending.ended_on, ending.ended_why = on, why
    if to_centre is not None and to_centre != here:
        _arrive(session, actor, person, to_centre, now)
    write_tokens(session, region_here(session), person)
    what = {"person_id": person.id, "centre_id": here, "on": on}
    tell_everywhere(session, "huijia_person_moved", person, **what)
    return person


def record_death(
    session: WorkSession, *, actor: Actor, person_id: UUID, died_on: date, now: datetime
) -> Person:
    """Cards end and confirmation counts no longer, at once and everywhere; every service hears of it.

    Raises NoSuchPerson, PersonGone where it is recorded already, Invalid, Forbidden.
    """
    actor.need(MERGE)
    person = find_person(session, person_id, lock=True)
    if person.died_on is not None:
        raise PersonGone(person.name, _("their death is recorded; correct it where the day is wrong."))
    if died_on > today_at(session, Scope(centre_id=session.centre_id)):
        raise invalid("died_on", _("This day has not come yet; check the date."))
    if person.born_on is not None and died_on < person.born_on:
        raise invalid("died_on", _("This is before the birth, on {day}; check the date.", day=person.born_on))
    person.died_on = died_on
    _end_cards(session, person, now)
    what = {"person_id": person.id, "died_on": died_on}
    tell_everywhere(session, "huijia_person_died", person, **what)
    return person


def take_death_back(
    session: WorkSession, *, actor: Actor, person_id: UUID, why: str, now: datetime
) -> Person:
    """The person lives: confirmations count again, and a new card can be handed out; `why` is for the audit.

    Raises NoSuchPerson, Invalid, Forbidden.
    """
    actor.need(MERGE)
    person = find_person(session, person_id, lock=True)
    if person.died_on is None:
        raise invalid("person_id", _("No death is recorded for {name}.", name=person.name))
    if not why.strip():
        raise invalid("why", _("Say why, so that whoever looks later understands."))
    person.died_on = None
    tell_everywhere(session, "huijia_person_death_corrected", person, person_id=person.id)
    return person


def _arrive(session: WorkSession, actor: Actor, person: Person, centre_id: UUID, now: datetime) -> None:
    if session.get(Centre, centre_id) is None:
        raise NotFound(_("There is no such centre, or none that you may enter."))
    found = session.get(Registration, (person.id, centre_id))
    if found is None:
        by = {"registered_at": now, "registered_by": actor.staff_id}
        session.add(found := Registration(person_id=person.id, centre_id=centre_id, **by))
    found.ended_on, found.ended_why = None, ""


def _end_cards(session: WorkSession, person: Person, now: datetime) -> None:
    whose = ResidentCard.person_id.in_(everything_of(session, person.id)), ResidentCard.state == "active"
    for card in session.scalars(select(ResidentCard).where(*whose).with_for_update()):
        card.state, card.ended_at, card.ended_why = "blocked", now, str(_("their holder died"))
