"""Repairs: what is broken, and what to do about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from marshmallow import fields
from marshmallow.validate import Length
from sqlalchemy import select

from huijia.admin.pages.desk import attempt, done, form, pages, show
from huijia.errors import NotFound
from huijia.i18n import messages
from huijia.registry import deliver
from huijia.registry.troubles import Trouble, standing_troubles
from huijia.storage.outbox import Delivery
from huijia.web.current import current

_ = messages("huijia")
WORDS = {
    "breaker": _("Paused"),
    "delivery": _("Stuck"),
    "migration": _("Database steps failed"),
    "job": _("Job failed"),
    "page": _("Page failed"),
}
RETRY = form(delivery_id=fields.UUID(required=True))
SKIP = form(
    delivery_id=fields.UUID(required=True), reason=fields.String(required=True, validate=Length(3, 200))
)


def standing_here() -> list[Trouble]:
    """The troubles that this centre sees: those of services, and its own stuck deliveries."""
    query = select(Delivery.id).where(Delivery.state == "parked", Delivery.centre_id == current.centre.id)
    mine = {str(key) for key in current.session.scalars(query)}
    found = standing_troubles(current.session)
    return [trouble for trouble in found if trouble.source != deliver.SOURCE or trouble.topic in mine]


@pages.get("/c/<slug:centre>/repairs", permission="repairs.see")
def repairs(**more: Any) -> str:
    return show("repairs", items=standing_here(), words=WORDS, stuck=deliver.SOURCE, **more)


@pages.post("/c/<slug:centre>/repairs", permission="repairs.mend")
def mend() -> Any:
    """Try a stuck delivery again, or go on without it and say why."""
    what = "skip" if request.form.get("what") == "skip" else "retry"
    errors = attempt(*((SKIP, _skip) if what == "skip" else (RETRY, _retry)))
    return (repairs(errors=errors), 422) if errors else done(what, "admin.repairs")


def _retry(delivery_id: UUID) -> None:
    _check_ours(delivery_id)
    deliver.retry(current.session, delivery_id)


def _skip(delivery_id: UUID, reason: str) -> None:
    _check_ours(delivery_id)
    deliver.skip(current.session, delivery_id, reason)


def _check_ours(delivery_id: UUID) -> None:
    if str(delivery_id) not in {trouble.topic for trouble in standing_here()}:
        raise NotFound(_("This is no longer parked; look at Repairs again."))
