"""The desk finds, registers, confirms and hands out cards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import segno
from flask import redirect, request
from marshmallow import fields
from marshmallow.validate import Length, OneOf
from sqlalchemy import select

from huijia.i18n import messages
from huijia.identity.models import Area
from huijia.people import reports, service
from huijia.people.errors import NoSuchPerson
from huijia.people.models import EVIDENCE, SEXES, Person, PersonNumber, ResidentCard
from huijia.people.pages.desk import about, by, done, pages, show
from huijia.people.pages.life import centres_to_move_to
from huijia.people.pages.merging import merged_into
from huijia.people.permissions import CARDS, CONFIRM, MANAGE, NUMBERS, SEE
from huijia.people.search import search_people
from huijia.people.sight import find_person, root_of
from huijia.web.current import current
from huijia.web.forms import attempt, form, typed
from huijia.web.pages import url
from huijia.web.paging import paged

_ = messages("huijia")
CONFIRMED_FOR = timedelta(days=365)
FACTS = {
    "name": fields.String(required=True, validate=Length(1, 80)),
    "other_name": fields.String(validate=Length(max=120)),
    "sex": fields.String(validate=OneOf(SEXES)),
    "born_on": fields.Date(),
    "phone": fields.String(validate=Length(max=40)),
    "emergency_name": fields.String(validate=Length(max=80)),
    "emergency_phone": fields.String(validate=Length(max=40)),
    "area_id": fields.UUID(),
    "building": fields.String(validate=Length(max=40)),
    "detail": fields.String(validate=Length(max=160)),
    "note": fields.String(validate=Length(max=500)),
}
NUMBER = {"number": fields.String(validate=Length(max=40))}
NEW, CHANGED = form(**FACTS, **NUMBER), form(**FACTS)
CONFIRMATION = form(
    evidence=fields.String(required=True, validate=OneOf(EVIDENCE)), until=fields.Date(required=True)
)
WHY = form(why=fields.String(required=True, validate=Length(1, 200)))


@pages.get("/", permission=SEE)
def find_people() -> str:
    """One box; empty, it lists everybody by name."""
    text = request.args.get("q", "").strip()[:80]
    if text:
        hits = search_people(current.session, actor=current.actor, text=text)
        return show("people", q=text, people=hits, following=None)
    listed = paged(
        current.session,
        reports.people_here(current.session),
        *reports.BY_NAME,
        cursor=request.args.get("cursor"),
    )
    return show("people", q="", people=listed[0], following=listed[1])


@pages.get("/new", permission=MANAGE)
def new_person(**more: Any) -> str:
    return show("form", person=None, areas=_areas(), **more)


@pages.post("/new", permission=MANAGE)
def register_person() -> Any:
    made: list[UUID] = []
    errors = attempt(NEW, lambda **typed: made.append(_register(**typed)), field="number")
    return (new_person(errors=errors), 422) if errors else done("registered", made[0])


def _register(number: str = "", **facts: Any) -> UUID:
    person = service.register_person(current.session, number=number, **by(), **_facts(**facts))
    about(person.id)
    return person.id


def _facts(
    *,
    name: str,
    other_name: str = "",
    phone: str = "",
    emergency_name: str = "",
    emergency_phone: str = "",
    area_id: UUID | None = None,
    building: str = "",
    detail: str = "",
    **facts: Any,
) -> dict[str, Any]:
    """A form's entries as the use cases take them; what is left empty is taken away."""
    contacts = [{"value": phone}] if phone else []
    if emergency_phone:
        contacts.append({"value": emergency_phone, "whose": emergency_name, "emergency": True})  # type: ignore[dict-item]
    return {
        "name": name,
        "names": [{"kind": "other", "text": other_name}] if other_name else [],
        "contacts": contacts,
        "address": {"area_id": area_id, "building": building, "detail": detail},
        **{"sex": "", "born_on": None, "note": "", **facts},
    }


def _areas() -> list[tuple[str, str]]:
    """The communities and compounds, each community before its compounds."""
    query = select(Area).where(Area.kind.in_(("community", "compound"))).order_by(Area.name)
    found = list(current.session.scalars(query))
    below: dict[UUID | None, list[Area]] = {}
    for area in found:
        below.setdefault(area.parent_id, []).append(area)
    communities = [area for area in found if area.kind == "community"]
    lines = [(c, c.title) for c in communities]
    lines += [(a, f"{c.title} · {a.title}") for c in communities for a in below.get(c.id, [])]
    return [
        ("", str(_("not known"))),
        *((str(a.id), words) for a, words in sorted(lines, key=lambda it: it[1])),
    ]


@pages.get("/<uuid:person_id>", permission=SEE)
def person(person_id: UUID, **more: Any) -> Any:
    root = root_of(current.session, person_id)
    if root != person_id:
        return redirect(url("people.person", person_id=root), 302)
    seen = {"centre": current.centre, "actor": current.actor, "day": current.today, "now": current.now}
    sheet = reports.sheet_of(current.session, person_id=person_id, **seen)
    about(person_id)
    until = current.today + CONFIRMED_FOR
    more = {"centres_beside": centres_to_move_to(), "merged": merged_into(person_id), **more}
    return show("person", sheet=sheet, person=sheet.person, typed=typed(until=until), **more)


@pages.get("/<uuid:person_id>/change", permission=MANAGE)
def edit_person(person_id: UUID, **more: Any) -> str:
    found = find_person(current.session, person_id)
    about(found.id)
    return show("form", person=found, areas=_areas(), typed=typed(**_kept(found)), **more)


def _kept(person: Any) -> dict[str, Any]:
    seen = {"centre": current.centre, "actor": current.actor, "day": current.today, "now": current.now}
    sheet = reports.sheet_of(current.session, person_id=person.id, **seen)
    own = next((one.value for one in sheet.contacts if not one.emergency), "")
    other = next((one for one in sheet.contacts if one.emergency), None)
    lives = sheet.address[0] if sheet.address else None
    return {
        "name": person.name,
        "other_name": next((one.text for one in sheet.names if one.kind == "other"), ""),
        "sex": person.sex,
        "born_on": person.born_on or "",
        "phone": own,
        "emergency_name": other.whose if other else "",
        "emergency_phone": other.value if other else "",
        "area_id": lives.area_id or "" if lives else "",
        "building": lives.building if lives else "",
        "detail": lives.detail if lives else "",
        "note": person.note,
    }


@pages.post("/<uuid:person_id>/change", permission=MANAGE)
def change_person(person_id: UUID) -> Any:
    def deed(**entries: Any) -> None:
        service.change_person(current.session, person_id=person_id, **by(), **_facts(**entries))

    about(person_id)
    errors = attempt(CHANGED, deed)
    return (edit_person(person_id, errors=errors), 422) if errors else done("saved", person_id)


@pages.post("/<uuid:person_id>/here", permission=MANAGE)
def register_here(person_id: UUID) -> Any:
    """Take in somebody of another centre, found by the card or number that is typed again here."""
    hits = search_people(current.session, actor=current.actor, text=request.form.get("q", ""))
    found = next((hit for hit in hits if hit.id == person_id and hit.by != "name"), None)
    if found is None:
        raise NoSuchPerson
    shown = current.session.get_one(Person, person_id)
    service.register_here(current.session, person=shown, **by())
    about(person_id)
    return done("here", person_id)


@pages.post("/<uuid:person_id>/confirm", permission=CONFIRM)
def confirm(person_id: UUID) -> Any:
    def deed(**entries: Any) -> None:
        service.confirm_identity(current.session, person_id=person_id, **by(), **entries)

    about(person_id)
    errors = attempt(CONFIRMATION, deed, field="evidence")
    return (person(person_id, errors=errors), 422) if errors else done("confirmed", person_id)


@pages.post("/<uuid:person_id>/card", permission=CARDS)
def issue_card(person_id: UUID) -> Any:
    about(person_id)
    card = service.issue_card(current.session, person_id=person_id, **by())
    return redirect(url("people.card", card_id=card.id), 303)


@pages.get("/cards/<uuid:card_id>", permission=CARDS)
def card(card_id: UUID) -> str:
    """The card to print, with its code as QR."""
    found = current.session.get(ResidentCard, card_id)
    whose = find_person(current.session, found.person_id if found else UUID(int=0))
    about(whose.id)
    drawn = segno.make_qr(found.code, error="m").svg_inline(scale=6, border=4) if found else ""
    return show("card", card=found, person=whose, qr=drawn)


@pages.post("/cards/<uuid:card_id>/end", permission=CARDS)
def end_card(card_id: UUID) -> Any:
    """Block a card, or replace it by a new one."""
    found = current.session.get(ResidentCard, card_id)
    whose = find_person(current.session, found.person_id if found else UUID(int=0))
    about(whose.id)
    replacing = request.form.get("what") == "replace"
    deed = service.replace_card if replacing else service.block_card
    made: list[Any] = []
    errors = attempt(WHY, lambda why: made.append(deed(current.session, card_id=card_id, why=why, **by())))
    if errors:
        return person(whose.id, errors=errors), 422
    if replacing:
        return redirect(url("people.card", card_id=made[0].id), 303)
    return done("blocked", whose.id)


@pages.post("/numbers/<uuid:number_id>", permission=NUMBERS, keeps=False)
def reveal_number(number_id: UUID) -> str:
    """The whole number, on a page of its own that nothing keeps; each view is on the record."""
    whole = service.reveal_number(current.session, actor=current.actor, number_id=number_id)
    kept = current.session.get_one(PersonNumber, number_id)
    about(kept.person_id)
    return show("number", number=whole, person=find_person(current.session, kept.person_id))
