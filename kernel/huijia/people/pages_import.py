"""Pages that take people in from a spreadsheet, and give them out: send, look, take in, undo.

The sheet waits under seal between the look and the deed, for an hour at most. It is read outside the write
lock: only its rows go in under it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Response, current_app, redirect, request, send_file
from sqlalchemy import select

from huijia.errors import Invalid, NotFound
from huijia.i18n import Text, messages
from huijia.people import checking, importing
from huijia.people.models import ImportRun
from huijia.people.pages import pages
from huijia.people.permissions import EXPORT, IMPORT
from huijia.sheets import XLSX, Sheet, read_sheet, write_sheet
from huijia.storage import audit
from huijia.storage.base import new_id, purge_some
from huijia.storage.files import File, drop_file, read_file
from huijia.storage.settings import invalid
from huijia.storage.work import WorkSession
from huijia.web.current import current
from huijia.web.pages import page, url

_ = messages("huijia")
WAITING = "application/x-huijia-sealed-sheet"
WAITS = timedelta(hours=1)
SHOWN_MAX, RUNS_SHOWN = 100, 5


def _unit(*, writable: bool = False) -> Any:
    opened: Any = current_app.installation  # type: ignore[attr-defined]
    return (opened.writing if writable else opened.reading)(current.centre, current.actor)


def _audited(session: WorkSession, subject: str) -> None:
    told = {"action": request.endpoint or "", "request_id": current.visit.request_id}
    audit.record(session, **told, subject=subject)


def _download(body: bytes, name: Text) -> Response:
    # Whole or not at all: a range of a sheet is of use to nobody.
    named = f"{name}.xlsx"
    return send_file(BytesIO(body), XLSX, as_attachment=True, download_name=named, conditional=False)


@pages.get("/import", permission=IMPORT)
def import_form() -> str:
    """A place for the sheet, and what was taken in lately."""
    return _form(current.session, {})


def _form(session: WorkSession, errors: dict[str, Any]) -> str:
    of_centre = ImportRun.centre_id == session.centre_id, ImportRun.what == "people"
    runs = select(ImportRun).where(*of_centre).order_by(ImportRun.imported_at.desc()).limit(RUNS_SHOWN)
    return page(
        "huijia/people/import.html", runs=list(session.scalars(runs)), errors=errors, undone=_undone()
    )


def _undone() -> bool:
    return request.args.get("done") == "undone"


@pages.get("/import/template", permission=IMPORT)
def import_template() -> Response:
    """An empty sheet with its headers."""
    return _download(write_sheet(_("People"), checking.columns(), ()), _("People to take in"))


@pages.post("/import", permission=IMPORT, unit=False)
def check_import() -> Any:
    """Look through the sheet; it waits to be taken in, or to be given back marked."""
    sent = request.files.get("sheet")
    try:
        if sent is None or not sent.filename:
            raise invalid("sheet", _("Choose a file first."))
        body = sent.stream.read()
        checked = _checked(read_sheet(body, sent.filename))
    except Invalid as no:
        with _unit() as session:
            return _form(session, {"sheet": [no.message]}), 422
    with _unit(writable=True) as session:
        key = _keep(session, body, sent.filename)
        _audited(session, f"import:{key}")
    return _looked_at(key, sent.filename, checked)


def _looked_at(key: UUID, name: str, checked: checking.Checked) -> Any:
    about = {"key": key, "name": name, "checked": checked, "shown": checked.errors[:SHOWN_MAX]}
    answer = page("huijia/people/import_checked.html", **about)
    return (answer, 422) if checked.errors or not checked.entries else answer


def _checked(sheet: Sheet) -> checking.Checked:
    with _unit() as session:
        return checking.check_people(session, sheet, actor=current.actor)


def _keep(session: WorkSession, body: bytes, name: str) -> UUID:
    forget_sheets(session, session.now)
    key = new_id()
    sealed = session.vault.encrypt(f"{File.__tablename__}:{key}:body", body)
    kept = File(id=key, centre_id=session.centre_id, media_type=WAITING, name=name[-200:], body=sealed)
    kept.size, kept.sha256, kept.permission = len(sealed), hashlib.sha256(sealed).hexdigest(), IMPORT
    kept.created_at, kept.created_by = session.now, str(current.actor.id)
    session.add(kept)
    return key


def forget_sheets(session: WorkSession, now: datetime) -> bool:
    """Drop sheets that waited too long; True where there may be more."""
    return purge_some(session, File, File.media_type == WAITING, File.created_at < now - WAITS)


def _waiting(session: WorkSession, key: UUID) -> tuple[str, bytes]:
    """Name and bytes of a sheet that waits. Raises NotFound where it does no longer."""
    kept = read_file(session, key)
    if kept.media_type != WAITING:
        raise NotFound(_("This sheet is here no longer; send it again."))
    return kept.name, session.vault.decrypt(f"{File.__tablename__}:{key}:body", kept.body)


@pages.get("/import/<uuid:key>/marked", permission=IMPORT)
def marked_import(key: UUID) -> Response:
    """The sheet as it came, with what is wrong beside each row."""
    name, body = _waiting(current.session, key)
    sheet = read_sheet(body, name)
    checked = checking.check_people(current.session, sheet, actor=current.actor)
    current.tell_audit(subject=f"import:{key}")
    return _download(checking.marked_copy(sheet, checked.errors), _("Rows to correct"))


@pages.post("/import/<uuid:key>", permission=IMPORT, unit=False)
def take_in(key: UUID) -> Any:
    """Everybody of the sheet, or nobody; a second time it is done already."""
    there = redirect(url("people.import_done", run_id=key), 303)
    with _unit() as session:
        if _run(session, key) is not None:
            return there
        name, body = _waiting(session, key)
    checked = _checked(read_sheet(body, name))
    if checked.errors:  # somebody was registered since
        return _looked_at(key, name, checked)
    with _unit(writable=True) as session:
        if _run(session, key) is None:
            who = {"actor": current.actor, "file_name": name, "now": session.now, "key": key}
            importing.import_people(session, checked, **who)
            drop_file(session, key)
            _audited(session, f"import:{key}")
    return there


def _run(session: WorkSession, key: UUID) -> ImportRun | None:
    run = session.get(ImportRun, key)
    return run if run and run.centre_id == session.centre_id else None


@pages.get("/import/<uuid:run_id>", permission=IMPORT)
def import_done(run_id: UUID) -> str:
    """What was taken in, and how to undo it."""
    run = _run(current.session, run_id)
    if run is None:
        raise NotFound(_("There is no such import here."))
    return page("huijia/people/import_done.html", run=run)


@pages.post("/import/<uuid:run_id>/undo", permission=IMPORT)
def undo_import(run_id: UUID) -> Any:
    """Take everybody out again, while nobody of them is in use."""
    who = {"actor": current.actor, "import_id": run_id, "now": current.now}
    importing.undo_import(current.session, **who)
    current.tell_audit(subject=f"import:{run_id}")
    return redirect(url("people.import_form", done="undone"), 303)


@pages.get("/export", permission=EXPORT)
def export_people() -> Response:
    """Everybody registered here, as a spreadsheet; that it was given out is on the record."""
    current.tell_audit(subject=f"centre:{current.centre.id}")
    return _download(importing.export_people(current.session, actor=current.actor), _("People"))
