"""REST: `/api/v1/centres/SLUG/people/…`. Load, one use case, dump."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields
from marshmallow.validate import Length

from huijia.people import reports, service
from huijia.people.permissions import CARDS, CONFIRM, MANAGE, SEE
from huijia.people.schemas import (
    CardShape,
    ConfirmationBody,
    ConfirmationShape,
    HitShape,
    NewPersonBody,
    PersonBody,
    PersonPage,
    PersonShape,
    WhyBody,
)
from huijia.people.search import search_people
from huijia.people.sight import find_person
from huijia.web.blueprints import Api
from huijia.web.current import current
from huijia.web.paging import Cursor, paged

api = Api("people", "huijia.people")


class Sought(Cursor):
    """What finds people."""

    text = fields.String(required=True, validate=Length(1, 80))


def _by() -> dict[str, Any]:
    return {"actor": current.actor, "now": current.now}


def _about(person_id: UUID) -> None:
    current.tell_audit(subject=f"person:{person_id}")


@api.get("/people", permission=SEE)
@api.arguments(Cursor, location="query")
@api.response(200, PersonPage)
def list_people(page: dict[str, Any]) -> Any:
    """Everybody registered at this centre, by name."""
    rows, following = paged(current.session, reports.people_here(current.session), *reports.BY_NAME, **page)
    return {"items": rows, "next": following}


@api.get("/found", permission=SEE)
@api.arguments(Sought(only=("text",)), location="query")
@api.response(200, HitShape(many=True))
def search(asked: dict[str, Any]) -> Any:
    """People by name, initials, phone or its last four, card, or a whole number."""
    return search_people(current.session, actor=current.actor, text=asked["text"])


@api.post("/people", permission=MANAGE)
@api.arguments(NewPersonBody)
@api.response(201, PersonShape)
def register(body: dict[str, Any]) -> Any:
    """Register somebody at this centre."""
    person = service.register_person(current.session, **_by(), **body)
    _about(person.id)
    return person


@api.get("/people/<uuid:person_id>", permission=SEE)
@api.response(200, PersonShape)
def get_person(person_id: UUID) -> Any:
    """One person. A merged record leads to the one that counts."""
    person = find_person(current.session, person_id)
    _about(person.id)
    return person


@api.patch("/people/<uuid:person_id>", permission=MANAGE)
@api.arguments(PersonBody(partial=True))
@api.response(200, PersonShape)
def change(body: dict[str, Any], person_id: UUID) -> Any:
    """Change the members given; lists are replaced whole."""
    _about(person_id)
    return service.change_person(current.session, person_id=person_id, **_by(), **body)


@api.post("/people/<uuid:person_id>/confirmations", permission=CONFIRM)
@api.arguments(ConfirmationBody)
@api.response(201, ConfirmationShape)
def confirm(body: dict[str, Any], person_id: UUID) -> Any:
    """Confirm who somebody is."""
    _about(person_id)
    return service.confirm_identity(current.session, person_id=person_id, **_by(), **body)


@api.post("/people/<uuid:person_id>/cards", permission=CARDS)
@api.response(201, CardShape)
def issue_card(person_id: UUID) -> Any:
    """Hand out a card to somebody who has none."""
    _about(person_id)
    return service.issue_card(current.session, person_id=person_id, **_by())


@api.post("/cards/<uuid:card_id>/block", permission=CARDS)
@api.arguments(WhyBody)
@api.response(200, CardShape)
def block_card(body: dict[str, Any], card_id: UUID) -> Any:
    """End a card at once."""
    return service.block_card(current.session, card_id=card_id, **_by(), **body)
