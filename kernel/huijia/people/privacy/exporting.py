"""Everything about a person, as they may take it away: one dict, and a page to read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, select

from huijia.identity.actor import Actor
from huijia.people.models import PersonNumber, SensitiveNote
from huijia.people.permissions import PRIVACY
from huijia.people.privacy.tables import Kept, need_every_table, registry_of, tables_kept
from huijia.people.sight import everything_of, find_person
from huijia.registry.troubles import label
from huijia.storage.work import WorkSession

REASON = "all about a person, for that person"
HIDDEN = ("hash", "key_version")  # of use to nobody but the machine
SEALED = (PersonNumber.__tablename__, SensitiveNote.__tablename__)


def export_person(session: WorkSession, *, actor: Actor, person_id: UUID, now: datetime) -> dict[str, Any]:
    """All that every service keeps of a person, merged records included, sealed values opened; JSON as it is.

    Each table: service, table, columns (purpose and sensitivity), rows. Raises NoSuchPerson, Forbidden, and
    MattersOpen where a table cannot be read by its marks.
    """
    actor.need(PRIVACY)
    person = find_person(session, person_id)
    registry = registry_of(session)
    ids, kept = everything_of(session, person.id), tables_kept(registry)
    need_every_table(registry, kept)
    with session.across_centres(REASON):
        tables = [_table(session, one, ids) for one in kept]
    return {
        "person": str(person.id),
        "records": [str(one) for one in ids],
        "made_at": now.isoformat(),
        "tables": [table for table in tables if table["rows"]],
    }


def export_sheet(export: dict[str, Any]) -> dict[str, Any]:
    """The same for `huijia/people/export.html`: tables with their service in the reader's words."""
    return {"export": export, "services": {one["service"]: label(one["service"]) for one in export["tables"]}}


def _table(session: WorkSession, kept: Kept, ids: list[UUID]) -> dict[str, Any]:
    columns = [column for column in kept.table.c if column.name not in HIDDEN]
    found = session.execute(select(*columns).where(kept.of(ids))).mappings().all()
    return {
        "service": kept.owner,
        "table": kept.table.name,
        "columns": {
            name: {"purpose": mark.purpose, "sensitivity": mark.sensitivity}
            for name, mark in kept.personal.items()
        },
        "rows": [_row(session, kept, dict(row)) for row in found],
    }


def _row(session: WorkSession, kept: Kept, row: dict[str, Any]) -> dict[str, Any]:
    if kept.table.name in SEALED:
        key = "/".join(str(row[column.name]) for column in kept.table.primary_key)
        row["sealed"] = session.vault.decrypt(f"{kept.table.name}:{key}:sealed", row["sealed"]).decode()
    return {
        name: _plain(value)
        for name, value in row.items()
        if not (isinstance(kept.table.c[name].type, LargeBinary) and isinstance(value, bytes))
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
