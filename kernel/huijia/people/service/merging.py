"""Duplicates: proposed by rules, decided by a person, remembered; a merge rewrites no history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, groupby
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_

from huijia.i18n import Text, messages
from huijia.identity.actor import Actor
from huijia.people.errors import CannotMerge, CannotSeparate, NoSuchPerson
from huijia.people.models import (
    Different,
    Merge,
    Person,
    PersonNumber,
    PersonToken,
    Registration,
    ResidentCard,
)
from huijia.people.permissions import MERGE, NUMBERS
from huijia.people.service.confirming import is_confirmed, keep_latest
from huijia.people.service.registering import region_here
from huijia.people.service.telling import tell_everywhere
from huijia.people.sight import everything_of, find_person, registered_at
from huijia.people.tokens import write_tokens
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
PHONE_DIGITS_MIN = 7
SAME_BIRTH = _("the same name and birth date")
SAME_PHONE = _("the same name and phone")
UNDONE = "merge undone"


@dataclass(frozen=True)
class Duplicate:
    """Two records that may be one person's, and why it looks so."""

    one: Person
    other: Person
    reason: Text


def propose_duplicates(session: WorkSession, *, actor: Actor, limit: int = 50) -> list[Duplicate]:
    """Pairs among this centre's people that nobody has judged yet; all by rules, none by likeness alone."""
    actor.need(MERGE)
    found: dict[tuple[UUID, UUID], Duplicate] = {}
    judged = {(one, other) for one, other in session.execute(select(Different.person_id, Different.other_id))}
    for one, other, reason in (*_same_birth(session), *_same_phone(session)):
        pair = _pair(one.id, other.id)
        if pair not in judged and len(found) < limit:
            found.setdefault(pair, Duplicate(one, other, reason))
    return list(found.values())


def keep_apart(session: WorkSession, *, actor: Actor, one_id: UUID, other_id: UUID, now: datetime) -> None:
    """These two are two persons; they are not proposed again. Raises NoSuchPerson, Forbidden."""
    actor.need(MERGE)
    pair = _pair(find_person(session, one_id).id, find_person(session, other_id).id)
    if session.get(Different, pair) is None:
        session.add(Different(person_id=pair[0], other_id=pair[1], decided_at=now, decided_by=actor.staff_id))
        session.flush()


def merge_people(
    session: WorkSession, *, actor: Actor, kept_id: UUID, merged_id: UUID, why: str = "", now: datetime
) -> Merge:
    """Let `merged_id` lead to `kept_id` from now on; what stands under either stays where it stands.

    The kept one's card goes on and the other's is ended; where only the merged one has a card, that one goes
    on. Raises NoSuchPerson, CannotMerge, Forbidden.
    """
    actor.need(MERGE)
    kept, merged = _both(session, kept_id, merged_id)
    _check(session, actor, kept, merged, why)
    moved = {"centres": _unite(session, kept, merged, now), "cards": _end_cards(session, kept, merged, now)}
    merged.merged_into = kept.id
    made = Merge(kept_id=kept.id, merged_id=merged.id, why=why, moved=moved, merged_at=now)
    made.merged_by = actor.staff_id
    session.add(made)
    _settle(session, kept, merged)
    tell_everywhere(session, "huijia_person_merged", kept, kept_id=kept.id, merged_id=merged.id)
    return made


def separate_people(session: WorkSession, *, actor: Actor, merged_id: UUID, now: datetime) -> Person:
    """Undo a merge while nothing contradicts it: the record stands for itself again, without a card.

    Raises NoSuchPerson, CannotSeparate, Forbidden.
    """
    actor.need(MERGE)
    made = session.scalar(select(Merge).where(Merge.merged_id == merged_id, Merge.undone_at.is_(None)))
    merged = session.get(Person, merged_id, with_for_update=True)
    if made is None or merged is None:
        raise NoSuchPerson
    kept = find_person(session, made.kept_id, lock=True)
    if kept.id != made.kept_id or merged.merged_into != kept.id:
        raise CannotSeparate(_("{name}'s record was merged on since; undo that first.", name=merged.name))
    if kept.died_on != merged.died_on:
        raise CannotSeparate(_("A death was recorded since; correct that first."))
    merged.merged_into, made.undone_at = None, now
    _part(session, kept, made.moved["centres"])
    _settle(session, kept, merged)
    tell_everywhere(session, "huijia_person_separated", kept, kept_id=kept.id, merged_id=merged.id)
    return merged


def _centres_of(session: WorkSession, person: Person) -> list[UUID]:
    there = Registration.person_id == person.id, Registration.ended_on.is_(None)
    return list(
        session.scalars(select(Registration.centre_id).where(*there).order_by(Registration.centre_id))
    )


# --- what is proposed ----------------------------------------------------------------------------


def _same_birth(session: WorkSession) -> Iterator[tuple[Person, Person, Text]]:
    key = Person.born_on, Person.sort_key
    here = _here(session), Person.born_on.is_not(None)
    twice = select(*key).where(*here).group_by(*key).having(func.count() > 1)
    query = select(Person).where(*here, tuple_(*key).in_(twice)).order_by(*key, Person.id)
    for _key, group in groupby(session.scalars(query), lambda one: (one.born_on, one.sort_key)):
        yield from _alike(session, group, SAME_BIRTH)


def _same_phone(session: WorkSession) -> Iterator[tuple[Person, Person, Text]]:
    token = PersonToken.token
    digits = (token >= "0", token < ":", func.length(token) >= PHONE_DIGITS_MIN)
    phones = (PersonToken.centre_id == session.centre_id, *digits)
    twice = select(token).where(*phones).group_by(token).having(func.count() > 1)
    joined = select(token, Person).join(Person, Person.id == PersonToken.person_id)
    query = joined.where(*phones, token.in_(twice), _here(session)).order_by(token, Person.id)
    for _token, group in groupby(session.execute(query), lambda row: row[0]):
        yield from _alike(session, (person for _same, person in group), SAME_PHONE)


def _alike(
    session: WorkSession, group: Iterable[Person], reason: Text
) -> Iterator[tuple[Person, Person, Text]]:
    region = region_here(session)
    for one, other in combinations(group, 2):
        if region.fold(one.name) == region.fold(other.name):
            yield one, other, reason


def _here(session: WorkSession) -> ColumnElement[bool]:
    assert session.centre_id is not None, "duplicates are one centre's"
    return (
        Person.merged_into.is_(None)
        & Person.erased_at.is_(None)
        & registered_at(session.centre_id, Person.id)
    )


def _pair(one: UUID, other: UUID) -> tuple[UUID, UUID]:
    return (one, other) if one < other else (other, one)


# --- what a merge does ---------------------------------------------------------------------------


def _both(session: WorkSession, kept_id: UUID, merged_id: UUID) -> tuple[Person, Person]:
    first, second = sorted((kept_id, merged_id))  # always in one order: two merges must not wait in a ring
    found = {one: find_person(session, one, lock=True) for one in (first, second)}
    if found[first].id == found[second].id:
        raise CannotMerge(_("These are one record already."))
    return found[kept_id], found[merged_id]


def _check(session: WorkSession, actor: Actor, kept: Person, merged: Person, why: str) -> None:
    if kept.died_on != merged.died_on:
        raise CannotMerge(_("One of the two is recorded as dead; record or correct that first."))
    today = today_at(session, Scope(centre_id=session.centre_id))
    confirmed = is_confirmed(kept, today) and is_confirmed(merged, today)
    kinds = _number_kinds(session, kept) & _number_kinds(session, merged)
    if confirmed and kinds and not (why.strip() and actor.may(NUMBERS)):
        raise CannotMerge(
            _(
                "Both are confirmed, with different numbers: they look like two persons. "
                "Somebody who may see numbers whole can merge them, and says why."
            )
        )
    if len(why) > 200:
        raise invalid("why", _("Say it in 200 characters at most."))


def _number_kinds(session: WorkSession, person: Person) -> set[str]:
    # A number stands once in the installation, so two of one kind are two different ones.
    whose = PersonNumber.person_id.in_(everything_of(session, person.id))
    return set(session.scalars(select(PersonNumber.kind).where(whose)))


def _unite(session: WorkSession, kept: Person, merged: Person, now: datetime) -> list[str]:
    had = set(_centres_of(session, kept))
    added = [centre_id for centre_id in _centres_of(session, merged) if centre_id not in had]
    for centre_id in added:
        found = session.get(Registration, (kept.id, centre_id))
        if found is None:
            session.add(Registration(person_id=kept.id, centre_id=centre_id, registered_at=now))
        else:
            found.ended_on, found.ended_why = None, ""
    return [str(centre_id) for centre_id in added]


def _part(session: WorkSession, kept: Person, centres: list[str]) -> None:
    today = today_at(session, Scope(centre_id=session.centre_id))
    for centre_id in map(UUID, centres):
        found = session.get(Registration, (kept.id, centre_id))
        if found is not None:
            found.ended_on, found.ended_why = today, UNDONE


def _end_cards(session: WorkSession, kept: Person, merged: Person, now: datetime) -> list[str]:
    whose = everything_of(session, kept.id), everything_of(session, merged.id)
    active = select(ResidentCard).where(ResidentCard.state == "active").with_for_update()
    ours = session.scalars(active.where(ResidentCard.person_id.in_(whose[0]))).all()
    theirs = session.scalars(active.where(ResidentCard.person_id.in_(whose[1]))).all()
    for card in theirs if ours else ():
        card.state, card.ended_at, card.ended_why = "replaced", now, str(_("two records became one"))
    return [str(card.id) for card in theirs] if ours else []


def _settle(session: WorkSession, kept: Person, merged: Person) -> None:
    session.flush()
    for person in (kept, merged):
        keep_latest(session, person)
        write_tokens(session, region_here(session), person)
