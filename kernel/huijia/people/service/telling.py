"""Telling every service, at every centre where somebody is registered, what became true of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from huijia.people.models import Person, Registration
from huijia.storage.work import WorkSession


def tell_everywhere(session: WorkSession, name: str, person: Person, **payload: Any) -> None:
    """Emit an event about a person at each centre where they are, or were, registered."""
    rows = select(Registration.centre_id).where(Registration.person_id == person.id)
    centres: list[UUID] = list(session.scalars(rows.order_by(Registration.centre_id)))
    for centre_id in centres:
        with session.at_centre(centre_id, f"{name}: told wherever the person is registered"):
            session.hooks.emit(name, subject=f"person:{person.id}", **payload)
