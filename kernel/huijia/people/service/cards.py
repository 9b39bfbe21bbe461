"""Cards: handed out, blocked at once, replaced; their code is random and says nothing."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from huijia.i18n import messages
from huijia.identity.actor import Actor
from huijia.people.errors import AlreadyHasCard, CardUnusable, NoSuchPerson, PersonGone
from huijia.people.models import Person, ResidentCard
from huijia.people.permissions import CARDS
from huijia.people.sight import everything_of, find_person, root_of
from huijia.storage.settings import invalid
from huijia.storage.work import WorkSession

_ = messages("huijia")
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: nothing that is mistaken for something else
LENGTH = 12  # 60 bits
_MISREAD = str.maketrans("OIL", "011")


def issue_card(session: WorkSession, *, actor: Actor, person_id: UUID, now: datetime) -> ResidentCard:
    """A card for somebody who has none. Raises AlreadyHasCard, PersonGone, NoSuchPerson, Forbidden."""
    actor.need(CARDS)
    assert session.centre_id is not None, "cards are handed out at a centre"
    person = find_person(session, person_id, lock=True)
    if person.died_on is not None:
        raise PersonGone(person.name, _("they have died."))
    code = "".join(secrets.choice(SIGNS) for _sign in range(LENGTH))
    whose = {"person_id": person.id, "centre_id": session.centre_id}
    card = ResidentCard(code=code, state="active", issued_at=now, issued_by=actor.staff_id, **whose)
    try:
        with session.savepoint():
            session.add(card)
            session.flush()
    except IntegrityError:
        raise AlreadyHasCard(person.name) from None
    return card


def block_card(
    session: WorkSession, *, actor: Actor, card_id: UUID, why: str, now: datetime, state: str = "blocked"
) -> ResidentCard:
    """End a card at once: lost, lent, found. It is never active again."""
    actor.need(CARDS)
    card = session.get(ResidentCard, card_id, with_for_update=True)
    if card is None:
        raise NoSuchPerson
    find_person(session, card.person_id)
    if not why.strip():
        raise invalid("why", _("Say why: lost, lent, damaged."))
    if card.state == "active":
        card.state, card.ended_at, card.ended_why = state, now, why
        session.flush()
    return card


def replace_card(
    session: WorkSession, *, actor: Actor, card_id: UUID, why: str, now: datetime
) -> ResidentCard:
    """A new card instead of one that ends."""
    old = block_card(session, actor=actor, card_id=card_id, why=why, now=now, state="replaced")
    return issue_card(session, actor=actor, person_id=old.person_id, now=now)


def person_of_card(session: WorkSession, code: str) -> Person | None:
    """Whose card this is, at whatever centre they are registered. Raises CardUnusable for an ended one."""
    card = session.scalar(select(ResidentCard).where(ResidentCard.code == read_code(code)))
    if card is None:
        return None
    if card.state != "active":
        raise CardUnusable(_("This card was ended ({why}); ask for the new one.", why=card.ended_why))
    return session.get(Person, root_of(session, card.person_id))


def cards_of(session: WorkSession, person_id: UUID) -> list[ResidentCard]:
    """Every card a person ever had, the newest first."""
    whose = ResidentCard.person_id.in_(everything_of(session, person_id))
    query = select(ResidentCard).where(whose)
    return list(session.scalars(query.order_by(ResidentCard.issued_at.desc(), ResidentCard.id)))


def read_code(text: str) -> str:
    """A code as it is kept, from what was scanned or typed."""
    return "".join(text.split()).replace("-", "").upper().translate(_MISREAD)[:16]
