"""Who looked at a person's record, and when: told to that person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from huijia.identity.actor import Actor
from huijia.identity.models import Centre, Staff
from huijia.people.permissions import PRIVACY
from huijia.people.sight import everything_of, find_person
from huijia.storage.audit import Entry
from huijia.storage.work import WorkSession


@dataclass(frozen=True)
class Access:
    """Somebody did something about a person's record; `who` and `where` as people call them."""

    at: datetime
    who: str
    where: str
    action: str
    reason: str


def access_report(
    session: WorkSession, *, actor: Actor, person_id: UUID, since: datetime | None = None, limit: int = 500
) -> list[Access]:
    """What was done about this person, at every centre, newest first. Raises NoSuchPerson, Forbidden."""
    actor.need(PRIVACY)
    ids = everything_of(session, find_person(session, person_id).id)
    query = select(Entry).where(Entry.subject.in_([f"person:{one}" for one in ids]))
    if since is not None:
        query = query.where(Entry.recorded_at >= since)
    found = list(session.scalars(query.order_by(Entry.recorded_at.desc(), Entry.id.desc()).limit(limit)))
    by = [UUID(one.actor_id) for one in found if one.actor_kind == "staff" and one.actor_id]
    query_staff = select(Staff).where(Staff.id.in_(by))
    staff = {str(one.id): one.display_name for one in session.scalars(query_staff)}
    centres = {one.id: one.title for one in session.scalars(select(Centre))}
    return [
        Access(
            one.recorded_at,
            staff.get(one.actor_id or "", one.actor_kind),
            str(centres.get(one.centre_id, "")) if one.centre_id else "",
            one.action,
            one.reason or "",
        )
        for one in found
    ]
