"""One box: name, initials, Traditional or Simplified, phone or its last four, a card, a whole number.

Names and phones are looked up among the centre's own tokens, by ranges of an index. A card or a whole
number finds people of other centres too: that is on the record each time, and whoever tries numbers that are
nobody's is soon heard no more, so that nobody fills in a mask by trying.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, select

from huijia.errors import Invalid
from huijia.identity.actor import Actor
from huijia.identity.throttle import check, knock
from huijia.people.models import Person, PersonToken
from huijia.people.permissions import MANAGE, SEE
from huijia.people.service.cards import LENGTH, SIGNS, person_of_card, read_code
from huijia.people.service.numbers import person_of_number, read_number
from huijia.people.service.registering import region_here
from huijia.people.sight import PERSON, is_seen
from huijia.region import DocumentNumber, Region
from huijia.storage import audit
from huijia.storage.work import WorkSession

LIMIT = 20
LOOKED_AT = 400  # of one word's matches; whoever has more adds another word
LAST_SIGN = "\U0010ffff"
_TOKEN = cast("Table", PersonToken.__table__).c
_MATCHES = (
    select(_TOKEN.person_id)
    .where(_TOKEN.centre_id == bindparam("centre"))
    .where(_TOKEN.token >= bindparam("low"), _TOKEN.token < bindparam("high"))
)
_LISTED = select(PERSON.id, PERSON.name, PERSON.sex, PERSON.born_on, PERSON.died_on, PERSON.confirmed_until)
_PHONE = re.compile(r"\+?[\d\s()-]{7,}")  # one word, however it is spaced
_CODE = re.compile(rf"[{SIGNS}]{{{LENGTH}}}")


@dataclass(frozen=True)
class Hit:
    """Somebody that was found. Of a person of another centre there is the name alone, and `by` says how."""

    id: UUID
    name: str
    sex: str = ""
    born_on: date | None = None
    died_on: date | None = None
    confirmed_until: date | None = None
    by: str = "name"  # name, card or number
    here: bool = True


def search_people(session: WorkSession, *, actor: Actor, text: str, limit: int = LIMIT) -> list[Hit]:
    """People whom `text` finds, the best first. Raises CardUnusable, TooMany, Forbidden."""
    actor.need(SEE)
    text = text.strip()
    code = read_code(text)
    if _CODE.fullmatch(code) and (found := person_of_card(session, code)):
        return [_hit(session, actor, found, "card")]
    number = _number(session, text)
    if number is not None:
        return _by_number(session, actor, number)
    words = [text] if _PHONE.fullmatch(text) else text.split()
    return _by_words(session, region_here(session), words, limit)


def _number(session: WorkSession, text: str) -> DocumentNumber | None:
    """A whole number: 18 signs that fit, or a passport's with letters and digits in it."""
    try:
        number = read_number(session, text)
    except Invalid:
        return None
    return number if number.kind != "passport" or re.fullmatch(r"[A-Z]+[0-9]{5,}", number.text) else None


def _by_number(session: WorkSession, actor: Actor, number: DocumentNumber) -> list[Hit]:
    actor.need(MANAGE)
    check(session, number=str(actor.id))
    found = person_of_number(session, number)
    if found is None:
        session.after_the_fact(lambda later: _count(later, actor))
        return []
    return [_hit(session, actor, found, "number")]


def _count(session: WorkSession, actor: Actor) -> None:
    knock(session, number=str(actor.id))
    audit.record(session, action="people.search_by_number", subject="nobody")


def _hit(session: WorkSession, actor: Actor, person: Person, by: str) -> Hit:
    here = is_seen(session, person.id)
    session.after_the_fact(
        lambda later: audit.record(later, action=f"people.search_by_{by}", subject=f"person:{person.id}")
    )
    known = {name: getattr(person, name) for name in ("sex", "born_on", "died_on", "confirmed_until")}
    return Hit(person.id, person.name, by=by, here=here, **(known if here else {}))


def _by_words(session: WorkSession, region: Region, words: list[str], limit: int) -> list[Hit]:
    folded = [word for word in map(region.fold, words) if word]
    if not folded:
        return []
    found: set[UUID] | None = None
    for word in sorted(folded, key=len, reverse=True):
        ids = _of_word(session, word, found)
        found = ids if found is None else found & ids
        if not found:
            return []
    rows = session.execute(_LISTED.where(PERSON.id.in_(found or ())).order_by(PERSON.sort_key, PERSON.id))
    hits = [Hit(**row._mapping) for row in rows]
    whole = "".join(folded)
    return sorted(hits, key=lambda hit: region.fold(hit.name) != whole)[:limit]


def _of_word(session: WorkSession, word: str, among: set[UUID] | None) -> set[UUID]:
    lows = [f"#{word}"] if re.fullmatch(r"[0-9]{4}", word) else []
    ids: set[UUID] = set()
    for low in (*lows, word):
        query = _MATCHES.limit(LOOKED_AT) if among is None else _MATCHES.where(_TOKEN.person_id.in_(among))
        values: dict[str, Any] = {"centre": session.centre_id, "low": low, "high": low + LAST_SIGN}
        ids |= set(session.scalars(query, values))
    return ids
