"""Audit: who did what, when, to which record."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import current_app, request
from marshmallow import EXCLUDE, ValidationError, fields
from marshmallow.validate import Length, Range
from sqlalchemy import Text as SqlText
from sqlalchemy import cast, select

from huijia.admin.pages.desk import pages, show
from huijia.i18n import Text, messages, translated
from huijia.identity.models import ApiToken, Staff
from huijia.identity.permissions import label_of
from huijia.registry.troubles import label
from huijia.storage import seal
from huijia.storage.audit import Entry
from huijia.web.current import current
from huijia.web.paging import Cursor, paged

_ = messages("huijia")
OUR_DAYS = Range(date(2000, 1, 1), date(2100, 1, 1))  # a day at either end of the calendar has no neighbour


class Wanted(Cursor):
    """The filter; `record` is a part of a table's name or a record's key, `until` counts."""

    who = fields.UUID()
    since = fields.Date(validate=OUR_DAYS)
    until = fields.Date(validate=OUR_DAYS)
    record = fields.String(validate=Length(max=80))


@pages.get("/c/<slug:centre>/audit", permission="audit.see")
def audit() -> str:
    given = {name: value.strip() for name, value in request.args.items() if value.strip()}
    rows, following, errors = [], None, {}
    try:
        asked: Any = Wanted().load(given, unknown=EXCLUDE)
        rows, following = _entries(**asked)
    except ValidationError as problem:
        errors = translated(problem.normalized_messages())
    people = list(current.session.execute(select(Staff.id, Staff.display_name).order_by(Staff.username)))
    tokens = current.session.execute(select(ApiToken.id, ApiToken.name))
    return show(
        "audit",
        wanted={name: given.get(name, "") for name in Wanted().fields},
        errors=errors,
        people=people,
        names={str(key): name for key, name in (*people, *tokens)},
        entries=rows,
        deed=_deed,
        seal=current.session.scalar(select(seal.Seal).order_by(seal.Seal.number.desc()).limit(1)),
        following=following,
    )


def _entries(cursor: str | None, limit: int, **wanted: Any) -> tuple[list[Entry], str | None]:
    rules = {
        "who": lambda who: Entry.actor_id == str(who),
        "since": lambda day: Entry.recorded_at >= _midnight(day),
        "until": lambda day: Entry.recorded_at < _midnight(day + timedelta(days=1)),
        "record": lambda words: cast(Entry.changes, SqlText).contains(words, autoescape=True),
    }
    query = select(Entry).where(Entry.centre_id == current.centre.id)
    query = query.where(*(rules[name](value) for name, value in wanted.items()))
    return paged(
        current.session, query, Entry.recorded_at.desc(), Entry.id.desc(), cursor=cursor, limit=limit
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), current.zone)


COMMANDS = {
    "huijia init": _("Set up from the command line"),
    "huijia demo": _("Made the demonstration"),
    "huijia migrate": _("Migrated from the command line"),
    "huijia enable": _("Switched on from the command line"),
    "huijia disable": _("Switched off from the command line"),
    "huijia token issue": _("Issued a token from the command line"),
    "huijia token revoke": _("Revoked a token from the command line"),
}


def _deed(entry: Entry) -> Text | str:
    """What was done, called as the right that it took; jobs and commands take none and are named."""
    access, owner = current_app.access.get(entry.action, (None, ""))  # type: ignore[attr-defined]
    named = COMMANDS.get(entry.action) or entry.action
    right = label_of(access.permission) if access and access.permission else named
    return right if owner in ("", "huijia") else _("{right} ({service})", right=right, service=label(owner))
