"""People from a spreadsheet and back: all that was checked goes in, or nothing; and out again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, delete, insert, or_, select

from huijia.i18n import current_locale, messages
from huijia.identity.actor import Actor
from huijia.identity.models import Area
from huijia.people import reports
from huijia.people.checking import HEADERS, LOOKED_UP, Checked, Entry, columns, taken_among
from huijia.people.errors import ImportInUse, NoSuchPerson
from huijia.people.models import (
    ImportRun,
    Person,
    PersonAddress,
    PersonContact,
    PersonNumber,
    PersonToken,
    Registration,
)
from huijia.people.permissions import EXPORT, IMPORT, NUMBERS
from huijia.people.privacy.tables import need_every_table, registry_of, tables_kept
from huijia.people.sight import PERSON
from huijia.region import DocumentNumber
from huijia.sheets import write_sheet
from huijia.storage.base import new_id
from huijia.storage.settings import invalid
from huijia.storage.work import WorkSession

_ = messages("huijia")
CHUNK = 5_000
CHANGED = ("died_on", "photo_id", "confirmed_until", "merged_into", "erased_at")  # by the desk, since


def import_people(
    session: WorkSession,
    checked: Checked,
    *,
    actor: Actor,
    file_name: str,
    now: datetime,
    key: UUID | None = None,
) -> ImportRun:
    """Register everybody in the sheet here, in this unit of work. `key` will be the run's.

    Raises Forbidden, and Invalid where a number became somebody's since the sheet was checked.
    """
    actor.need(IMPORT)
    assert not checked.errors, "a sheet with errors is not taken in"
    assert session.centre_id is not None, "people are registered at a centre"
    if taken := taken_among(session, checked.entries):
        row, words = next(iter(taken.items()))
        raise invalid("sheet", _("Row {row}: {words}", row=row, words=words))
    run = ImportRun(
        id=key or new_id(), centre_id=session.centre_id, what="people", file_name=file_name[-200:]
    )
    run.rows, run.imported_at, run.imported_by = len(checked.entries), now, actor.staff_id
    session.add(run)
    session.flush()
    for start in range(0, len(checked.entries), CHUNK):
        made: dict[Any, list[dict[str, Any]]] = {}
        for entry in checked.entries[start : start + CHUNK]:
            for model, row in _rows(session, entry, run):
                made.setdefault(model, []).append(row)
        for model, rows in made.items():
            session.execute(insert(cast("Table", model.__table__)), rows)
    session.note(Person.__tablename__, f"{run.rows} rows", action="insert")
    return run


def _rows(session: WorkSession, entry: Entry, run: ImportRun) -> Iterator[tuple[Any, dict[str, Any]]]:
    """What one row of the sheet becomes, the person first."""
    facts, key = entry.facts, new_id()
    whose, named = {"person_id": key}, {"sort_key": entry.sort_key}
    plain = {name: facts[name] for name in ("name", "sex", "born_on", "note")}
    yield (
        Person,
        {"id": key, **plain, **named, "languages": [], "import_id": run.id, "created_at": run.imported_at},
    )
    by = {"registered_at": run.imported_at, "registered_by": run.imported_by}
    yield Registration, {**whose, "centre_id": run.centre_id, **named, **by}
    if entry.number:
        yield PersonNumber, {**whose, **_sealed(session, entry), "added_at": run.imported_at}
    for place, (phone, other) in enumerate((("phone", ""), ("emergency_phone", "emergency_name"))):
        if facts[phone]:
            how = {"kind": "phone", "value": facts[phone], "position": place, "emergency": bool(other)}
            yield PersonContact, {"id": new_id(), **whose, **how, "whose": facts[other] if other else ""}
    if entry.area_id or facts["building"] or facts["detail"]:
        where = {"area_id": entry.area_id, "building": facts["building"], "detail": facts["detail"]}
        yield PersonAddress, {"id": new_id(), **whose, **where}
    for token in entry.tokens:
        yield PersonToken, {"centre_id": run.centre_id, "token": token, **whose}


def _sealed(session: WorkSession, entry: Entry) -> dict[str, Any]:
    number, key = cast("DocumentNumber", entry.number), new_id()
    sealed = session.vault.encrypt(f"{PersonNumber.__tablename__}:{key}:sealed", number.text.encode())
    kept = {"kind": number.kind, "masked": number.masked, "key_version": session.vault.newest}
    return {"id": key, "sealed": sealed, "hash": entry.hashes[0], **kept}


def undo_import(session: WorkSession, *, actor: Actor, import_id: UUID, now: datetime) -> ImportRun:
    """Take everybody out again whom a sheet brought in. Raises NoSuchPerson, ImportInUse, Forbidden."""
    actor.need(IMPORT)
    run = session.get(ImportRun, import_id, with_for_update=True)
    if run is None or run.centre_id != session.centre_id:
        raise NoSuchPerson
    if run.undone_at is not None:
        return run
    ids = select(PERSON.id).where(PERSON.import_id == run.id)
    with session.across_centres("undoing an import: is anybody of it known elsewhere?"):
        if table := _in_use(session, run, ids):
            raise ImportInUse(table)
        for model in (PersonToken, PersonAddress, PersonContact, PersonNumber, Registration):
            session.execute(delete(cast("Table", model.__table__)).where(model.person_id.in_(ids)))
        session.execute(delete(cast("Table", Person.__table__)).where(PERSON.import_id == run.id))
    session.note(Person.__tablename__, f"{run.rows} rows", action="delete")
    run.undone_at = now
    session.flush()
    return run


def _in_use(session: WorkSession, run: ImportRun, ids: Any) -> str:
    """The first table with something about these people that the import did not make, or ""."""
    later = {
        Person: or_(*(PERSON[name].is_not(None) for name in CHANGED)),
        PersonNumber: PersonNumber.added_at != run.imported_at,
        PersonAddress: PersonAddress.since.is_not(None),
        PersonContact: PersonContact.id.is_(None),
        PersonToken: PersonToken.token.is_(None),
        Registration: or_(Registration.centre_id != run.centre_id, Registration.ended_on.is_not(None)),
    }
    own = {model.__tablename__: condition for model, condition in later.items()}
    registry = registry_of(session)
    need_every_table(registry, kept := tables_kept(registry))
    for one in kept:
        for column in one.table.c:
            refers = any(key.target_fullname == "huijia_person.id" for key in column.foreign_keys)
            if column is not one.subject and not refers:
                continue
            more = own.get(one.table.name) if column is one.subject else None
            found = select(column).where(column.in_(ids), *([] if more is None else [more])).limit(1)
            if session.execute(found).first() is not None:
                return one.table.name
    return ""


def export_people(session: WorkSession, *, actor: Actor) -> bytes:
    """Everybody registered here by name, as the template has it; numbers whole for those who may see them."""
    actor.need(EXPORT)
    listed = (PERSON.id, PERSON.name, PERSON.sex, PERSON.born_on, PERSON.note)
    query = reports.people_here(session).with_only_columns(*listed).order_by(*reports.BY_NAME)
    people = list(session.execute(query))
    rows = (
        row
        for start in range(0, len(people), LOOKED_UP)
        for row in _exported(session, actor, people[start : start + LOOKED_UP])
    )
    return write_sheet(_("People"), columns(), rows)


def _exported(session: WorkSession, actor: Actor, people: list[Any]) -> Iterator[list[Any]]:
    ids = [person.id for person in people]
    facts: dict[UUID, dict[str, Any]] = {}
    for kept in session.scalars(select(PersonNumber).where(PersonNumber.person_id.in_(ids))):
        context = f"{PersonNumber.__tablename__}:{kept.id}:sealed"
        whole = actor.may(NUMBERS)
        text = session.vault.decrypt(context, kept.sealed).decode() if whole else kept.masked
        facts.setdefault(kept.person_id, {}).setdefault("number", text)
    contacts = select(PersonContact).where(PersonContact.person_id.in_(ids), PersonContact.kind == "phone")
    for one in session.scalars(contacts.order_by(PersonContact.position)):
        here = facts.setdefault(one.person_id, {})
        if here.setdefault("emergency_phone" if one.emergency else "phone", one.value) and one.emergency:
            here.setdefault("emergency_name", one.whose)
    areas = {area.id: area for area in session.scalars(select(Area))}
    addresses = select(PersonAddress).where(PersonAddress.person_id.in_(ids), PersonAddress.until.is_(None))
    for lives in session.scalars(addresses):
        here = facts.setdefault(lives.person_id, {})
        here |= {"building": lives.building, "detail": lives.detail}
        area = areas.get(lives.area_id) if lives.area_id else None
        while area is not None and area.kind in ("community", "compound"):
            here[area.kind] = area.name
            area = areas.get(area.parent_id) if area.parent_id else None
    sexes = {"female": ("女", "female"), "male": ("男", "male")}
    for person in people:
        sex = sexes[person.sex][current_locale() == "en"] if person.sex else ""
        own = {"name": person.name, "sex": sex, "born_on": person.born_on, "note": person.note}
        yield [{**own, **facts.get(person.id, {})}.get(key, "") for key in HEADERS]
