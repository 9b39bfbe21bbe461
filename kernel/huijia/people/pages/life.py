"""A person moves away, dies, or lives after all."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from marshmallow import fields
from marshmallow.validate import Length

from huijia.i18n import messages
from huijia.people import service
from huijia.people.pages.desk import about, by, done, pages
from huijia.people.permissions import MERGE
from huijia.storage.settings import invalid
from huijia.web.current import current
from huijia.web.forms import attempt, form
from huijia.web.recognise import centres_of

_ = messages("huijia")
WHY = fields.String(required=True, validate=Length(1, 200))
MOVE = form(on=fields.Date(required=True), why=WHY, to_centre=fields.UUID())
DEATH, ALIVE = form(died_on=fields.Date(required=True)), form(why=WHY)


def centres_to_move_to() -> list[tuple[str, Any]]:
    """The other centres that the viewer may enter, after "none of them"."""
    beside = [it for it in centres_of(current.session, current.visit) if it.id != current.centre.id]
    return [("", _("away, to none of them")), *((str(it.id), it.title) for it in beside)]


@pages.post("/<uuid:person_id>/move", permission=MERGE)
def move(person_id: UUID) -> Any:
    def deed(**entries: Any) -> None:
        goal = entries.get("to_centre")
        if goal and str(goal) not in dict(centres_to_move_to()):
            raise invalid("to_centre", _("There is no such centre, or none that you may enter."))
        service.record_move(current.session, person_id=person_id, **by(), **entries)

    return _answer(person_id, attempt(MOVE, deed, prefix="move_"), "moved", gone=True)


@pages.post("/<uuid:person_id>/died", permission=MERGE)
def died(person_id: UUID) -> Any:
    def deed(**entries: Any) -> None:
        service.record_death(current.session, person_id=person_id, **by(), **entries)

    return _answer(person_id, attempt(DEATH, deed, prefix="death_"), "died")


@pages.post("/<uuid:person_id>/alive", permission=MERGE)
def alive(person_id: UUID) -> Any:
    def deed(why: str) -> None:
        service.take_death_back(current.session, person_id=person_id, why=why, **by())

    why = request.form.get("alive_why", "")[:200]
    return _answer(person_id, attempt(ALIVE, deed, prefix="alive_"), "alive", why=why)


def _answer(person_id: UUID, errors: dict[str, Any], what: str, *, gone: bool = False, why: str = "") -> Any:
    from huijia.people.pages.people import person

    about(person_id, why)
    if errors:
        return person(person_id, errors=errors), 422
    return done(what, None if gone else person_id)
