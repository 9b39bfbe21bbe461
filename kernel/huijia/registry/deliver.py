"""Deliveries: each listener hears an event in a unit of its own, marked done in that same unit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from huijia.errors import Fault, NotFound
from huijia.i18n import Text, messages
from huijia.identity.actor import SYSTEM
from huijia.registry import troubles
from huijia.storage import audit, outbox

if TYPE_CHECKING:
    from huijia.installation import Installation
    from huijia.storage.outbox import Claimed, Delivery
    from huijia.storage.work import WorkSession

_ = messages("huijia")
logger = logging.getLogger(__name__)
SOURCE = "delivery"
NOT_ENABLED_PAUSE = timedelta(minutes=1)


def deliver_due(
    installation: Installation, *, limit: int = 20, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Make up to `limit` deliveries that are due; how many were tried. Failures are kept, never raised."""
    with installation.storage.reading() as session:
        if not outbox.anything_due(session):
            return 0
    with installation.storage.writing() as session:
        claimed = outbox.claim(session, limit=limit)
    for place, one in enumerate(claimed):
        if stopping():
            with installation.storage.writing() as session:
                for left in claimed[place:]:
                    outbox.settle(session, left)
            break
        _deliver(installation, one)
    return len(claimed)


def _deliver(installation: Installation, one: Claimed) -> None:
    try:
        with installation.storage.writing(centre_id=one.centre_id, actor=SYSTEM) as session:
            if not outbox.still_ours(session, one):
                return
            if installation.registry.is_gone(one.listener):
                raise Fault(f"{one.listener} is not installed.")
            if one.listener not in session.hooks.all.plugins:
                # Switched off, or in trouble: it waits, and that is no failure.
                outbox.settle(session, one, due_at=session.now + NOT_ENABLED_PAUSE)
                return
            session.hooks.deliver(one.listener, one.name, **one.payload)
            if session.given_up:
                raise Fault(
                    f"{one.listener} gave up its unit of work; a listener raises, or lets it be kept."
                )
            outbox.settle(session, one, state="done", error=None)
            if session.changes:
                audit.record(session, action=f"deliver {one.name} to {one.listener}", subject=one.subject)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        logger.warning("%s failed at %s of %s.", one.listener, one.name, one.subject, exc_info=True)
        _failed(installation, one, troubles.where(error))


def _failed(installation: Installation, one: Claimed, error: str) -> None:
    with installation.storage.writing(centre_id=one.centre_id, actor=SYSTEM) as session:
        if not outbox.still_ours(session, one):
            return
        how: dict[str, Any] = {"attempts": one.attempts + 1, "error": error}
        if one.attempts < len(outbox.BACK_OFF_SECONDS):
            due_at = session.now + timedelta(seconds=outbox.BACK_OFF_SECONDS[one.attempts])
            outbox.settle(session, one, due_at=due_at, **how)
        else:
            outbox.settle(session, one, state="parked", **how)
            gone = installation.registry.is_gone(one.listener)
            troubles.keep(session, _trouble(one, error, gone=gone))


def _trouble(one: Claimed, error: str, *, gone: bool) -> troubles.Trouble:
    message = _("{service} failed {times} times at {event} about {subject}.",
                service=troubles.label(one.listener), times=one.attempts + 1,
                event=one.name, subject=one.subject)  # fmt: skip
    if gone:
        absent = _("{service} is not installed, and was to hear {event} about {subject}.")
        message = Text(absent.message, **message.values)
    remedy = _("Mend the cause, then try again here; or skip it and say why. What follows on it waits.")
    return troubles.Trouble(one.listener, "parked", message, remedy, error, SOURCE, str(one.id))


def retry(session: WorkSession, delivery_id: UUID) -> None:
    """Let a parked delivery be tried anew, as if for the first time. NotFound where it is not parked."""
    delivery = _taken_up(session, delivery_id)
    delivery.state, delivery.attempts, delivery.due_at = "waiting", 0, session.now


def skip(session: WorkSession, delivery_id: UUID, reason: str) -> None:
    """Go on without a parked delivery; the reason is kept with it. NotFound where it is not parked."""
    delivery = _taken_up(session, delivery_id)
    delivery.state, delivery.error = "skipped", reason


def _taken_up(session: WorkSession, delivery_id: UUID) -> Delivery:
    delivery = session.get(outbox.Delivery, delivery_id, with_for_update=True)
    if delivery is None or delivery.state != "parked":
        raise NotFound(_("This is no longer parked; look at Repairs again."))
    troubles.mended(session, SOURCE, delivery.listener, str(delivery_id))
    return delivery
