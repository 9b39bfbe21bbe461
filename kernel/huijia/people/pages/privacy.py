"""What is kept of a person, who looked at it, and its end."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Response, current_app

from huijia.i18n import Text, messages
from huijia.identity.permissions import label_of
from huijia.people.errors import MattersOpen
from huijia.people.pages.desk import about, by, done, pages, show
from huijia.people.pages.words import COLUMN_WORDS, TABLE_WORDS
from huijia.people.permissions import PRIVACY
from huijia.people.privacy import access_report, erase_person, export_person, export_sheet
from huijia.people.privacy.erasing import open_matters
from huijia.people.sight import find_person
from huijia.registry.troubles import label
from huijia.web.current import current
from huijia.web.forms import attempt, form

_ = messages("huijia")
NOTHING = form()


@pages.get("/<uuid:person_id>/everything", permission=PRIVACY)
def everything(person_id: UUID) -> str:
    person = find_person(current.session, person_id)
    about(person.id)
    export = export_person(current.session, person_id=person.id, **by())
    return show("export", person=person, **export_sheet(export), **_words())


@pages.get("/<uuid:person_id>/everything.json", permission=PRIVACY)
def everything_as_json(person_id: UUID) -> Response:
    about(find_person(current.session, person_id).id)
    export = export_person(current.session, person_id=person_id, **by())
    named = {"Content-Disposition": f'attachment; filename="person-{person_id}.json"'}
    body = json.dumps(export, ensure_ascii=False, indent=2)
    return Response(body, mimetype="application/json", headers=named)


@pages.get("/<uuid:person_id>/seen", permission=PRIVACY)
def seen(person_id: UUID) -> str:
    """Who looked and who changed, when."""
    person = find_person(current.session, person_id)
    about(person.id)
    found = access_report(current.session, actor=current.actor, person_id=person.id)
    return show("seen", person=person, entries=found, deed=_deed)


@pages.get("/<uuid:person_id>/erase", permission=PRIVACY)
def erase_form(person_id: UUID, **more: Any) -> str:
    """The plan: what goes, what must be settled first."""
    person = find_person(current.session, person_id)
    about(person.id)
    tables: list[Any] = []
    try:
        tables = export_person(current.session, person_id=person.id, **by())["tables"]
        matters: list[Any] = open_matters(current.session, person.id)
    except MattersOpen as no:
        matters = [no.message]
    return show("erase", person=person, tables=tables, matters=matters, **_words(), **more)


@pages.post("/<uuid:person_id>/erase", permission=PRIVACY)
def erase(person_id: UUID) -> Any:
    about(find_person(current.session, person_id).id)
    errors = attempt(NOTHING, lambda: erase_person(current.session, person_id=person_id, **by()))
    return (erase_form(person_id, errors=errors), 422) if errors else done("erased")


def _words() -> dict[str, Any]:
    return {"tables_in_words": TABLE_WORDS, "columns_in_words": COLUMN_WORDS}


def _deed(action: str) -> Text | str:
    """What was done, called as the right that it took."""
    access, owner = current_app.access.get(action, (None, ""))  # type: ignore[attr-defined]
    right = label_of(access.permission) if access and access.permission else action
    return right if owner in ("", "huijia") else _("{right} ({service})", right=right, service=label(owner))
