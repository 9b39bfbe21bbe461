"""Pause what fails again and again: one plugin's answer to one hook, for all workers together."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from huijia.i18n import messages
from huijia.registry import troubles
from huijia.registry.models import BreakerRow
from huijia.registry.version import bump

if TYPE_CHECKING:
    from huijia.registry.calls import Answerer
    from huijia.storage.work import WorkSession

_ = messages("huijia")
logger = logging.getLogger(__name__)
FAILURES_MAX = 3  # in a row, in one process
PAUSE = timedelta(minutes=1)  # doubled each time that the trial fails, up to an hour
DOUBLINGS_MAX = 6
Key = tuple[str, str]  # plugin, hook


class Breaker:
    """Counts failures in this process; what is open stands in the database, for all."""

    def __init__(self) -> None:
        self._failures: Counter[Key] = Counter()
        self._open: dict[Key, datetime] = {}
        self._lock = Lock()

    def read(self, rows: Mapping[Key, datetime]) -> None:
        """Take over what is open, and until when, from the database."""
        self._open = dict(rows)

    def paused_until(self, answerer: Answerer, now: datetime) -> datetime | None:
        """When this answerer is asked again; None where it may be asked now."""
        if not self._open:
            return None
        with self._lock:
            until = self._open.get(answerer.key)
            if until is not None and until <= now:
                # This call is the trial; others wait for its outcome.
                self._open[answerer.key] = now + PAUSE
                return None
            return until

    def succeeded(self, answerer: Answerer, session: WorkSession) -> None:
        """Forget its failures; close the breaker where this was the trial."""
        key = answerer.key
        if self._failures:
            self._failures.pop(key, None)
        if self._open and self._open.pop(key, None) is not None:
            session.after_the_fact(lambda fresh: _resume(fresh, key))

    def failed(self, answerer: Answerer, session: WorkSession, error: BaseException) -> None:
        """Count a failure; after the third in a row, or a failed trial, pause the answerer."""
        key, detail = answerer.key, troubles.where(error)
        logger.error("%s failed to answer %s.", *key, exc_info=error)
        with self._lock:
            self._failures[key] += 1
            if key not in self._open and self._failures[key] < FAILURES_MAX:
                return
            del self._failures[key]
            self._open[key] = max(session.now + PAUSE, self._open.get(key, session.now))
        session.after_the_fact(lambda fresh: _pause(fresh, key, detail))


def _pause(session: WorkSession, key: Key, detail: str) -> None:
    row = session.get(BreakerRow, key)
    if row is None:
        row = BreakerRow(plugin=key[0], hook=key[1], times=0, paused_until=session.now)
        session.add(row)
    elif row.paused_until > session.now:
        return  # no trial has failed: this call was in flight when the pause began
    row.paused_until = session.now + PAUSE * 2 ** min(row.times, DOUBLINGS_MAX)
    row.times += 1
    words = {"service": troubles.label(key[0]), "hook": key[1], "plugin": key[0]}
    message = _("{service} failed three times in a row when asked for {hook}, and is left out.", **words)
    remedy = _(
        "It is tried again by itself. If this stays, update huijia-{plugin} or switch it off.", **words
    )
    troubles.keep(session, troubles.Trouble(key[0], "paused", message, remedy, detail, "breaker", key[1]))
    bump(session)


def _resume(session: WorkSession, key: Key) -> None:
    row = session.get(BreakerRow, key)
    if row is not None:
        session.delete(row)
    troubles.mended(session, "breaker", *key)
    bump(session)
