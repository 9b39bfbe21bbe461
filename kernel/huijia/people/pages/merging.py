"""Records that may be one person's: looked at side by side, merged or kept apart, and parted again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect
from marshmallow import fields
from marshmallow.validate import Length, OneOf
from sqlalchemy import select

from huijia.people import reports, service
from huijia.people.models import Merge, Person
from huijia.people.pages.desk import about, by, done, pages, show
from huijia.people.permissions import MERGE
from huijia.people.sight import find_person
from huijia.web.current import current
from huijia.web.forms import attempt, form
from huijia.web.pages import url

MERGING = form(
    kept=fields.String(required=True, validate=OneOf(("one", "other"))),
    merge_why=fields.String(validate=Length(max=200)),
)
NOTHING = form()


def merged_into(person_id: UUID) -> list[Person]:
    """The records that lead to this one, for those who may part them again."""
    if not current.actor.may(MERGE):
        return []
    standing = Merge.kept_id == person_id, Merge.undone_at.is_(None)
    query = select(Person).join(Merge, Merge.merged_id == Person.id).where(*standing)
    return list(current.session.scalars(query.order_by(Merge.merged_at.desc())))


@pages.get("/merging", permission=MERGE)
def duplicates() -> str:
    """Pairs that nobody has judged yet."""
    return show("merging", pairs=service.propose_duplicates(current.session, actor=current.actor))


@pages.get("/<uuid:person_id>/same/<uuid:other_id>", permission=MERGE)
def compare(person_id: UUID, other_id: UUID, **more: Any) -> Any:
    one, other = (find_person(current.session, it) for it in (person_id, other_id))
    about(one.id)
    if one.id == other.id:
        return redirect(url("people.person", person_id=one.id), 302)
    seen = {"centre": current.centre, "actor": current.actor, "day": current.today, "now": current.now}
    sheets = [reports.sheet_of(current.session, person_id=it.id, **seen) for it in (one, other)]
    return show("compare", one=one, other=other, sheets=sheets, **more)


@pages.post("/<uuid:person_id>/same/<uuid:other_id>", permission=MERGE)
def merge(person_id: UUID, other_id: UUID) -> Any:
    both = {"one": person_id, "other": other_id}

    def deed(kept: str, merge_why: str = "") -> None:
        merged = both["other" if kept == "one" else "one"]
        why = {"why": merge_why, **by()}
        merge = service.merge_people(current.session, kept_id=both[kept], merged_id=merged, **why)
        made.append(merge.kept_id)

    made: list[UUID] = []
    about(find_person(current.session, person_id).id)
    errors = attempt(MERGING, deed)
    if not errors:
        return done("merged", made[0])
    shown = compare(person_id, other_id, errors=errors)
    return (shown, 422) if isinstance(shown, str) else shown  # one record already: its page


@pages.post("/<uuid:person_id>/apart/<uuid:other_id>", permission=MERGE)
def keep_apart(person_id: UUID, other_id: UUID) -> Any:
    about(find_person(current.session, person_id).id)
    service.keep_apart(current.session, one_id=person_id, other_id=other_id, **by())
    return redirect(url("people.duplicates", done="apart"), 303)


@pages.post("/<uuid:person_id>/separate", permission=MERGE)
def separate(person_id: UUID) -> Any:
    """Undo the merge of this record into another."""
    from huijia.people.pages.people import person

    kept = find_person(current.session, person_id)
    about(person_id)
    errors = attempt(NOTHING, lambda: service.separate_people(current.session, merged_id=person_id, **by()))
    return (person(kept.id, errors=errors), 422) if errors else done("separated", kept.id)
