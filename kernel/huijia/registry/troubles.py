"""What went wrong with a service, whose fault it was, and what the operator can do: the items of Repairs."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from huijia.i18n import Text, messages
from huijia.registry.models import TroubleRow

if TYPE_CHECKING:
    from huijia.storage.work import Storage, WorkSession

_ = messages("huijia")
PAGE = "page"
FORGOTTEN_AFTER = timedelta(days=7)  # since the last time that a page failed


@dataclass(frozen=True)
class Trouble:
    """One trouble. `source` says who found it and takes it away: start, migration, breaker, …

    `topic` tells several troubles of one plugin and source apart; `detail` is for programmers.
    """

    plugin: str
    code: str
    message: Text
    remedy: Text
    detail: str = ""
    source: str = "start"
    topic: str = ""

    @property
    def key(self) -> str:
        return f"{self.source}:{self.plugin}:{self.topic}"

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


def label(plugin: str) -> Text:
    """The name of a service as operators see it: its own catalogue may translate the capitalised name."""
    return Text(plugin.capitalize(), plugin)


def update_or_remove(plugin: str) -> Text:
    """The usual remedy for a programmer's error."""
    return _(
        "Install a mended huijia-{plugin}, or remove it, and restart; other services go on.", plugin=plugin
    )


def where(error: BaseException, *, words: bool = False) -> str:
    """An error's type and place. Its words only on request: they may hold personal values."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    said = " ".join(str(error).split())
    return type(error).__name__ + (f": {said}" if words and said else "") + place


def keep(session: WorkSession, trouble: Trouble) -> TroubleRow:
    """Put a trouble into Repairs, or bring the one of the same key up to date."""
    row = session.get(TroubleRow, trouble.key)
    if row is None:
        row = TroubleRow(key=trouble.key, source=trouble.source, plugin=trouble.plugin, since=session.now)
        session.add(row)
    row.code, row.topic, row.detail = trouble.code, trouble.topic, trouble.detail
    row.message, row.remedy = _pack(trouble.message), _pack(trouble.remedy)
    session.flush()
    return row


def keep_fault(session: WorkSession, plugin: str, endpoint: str, error: BaseException, request: str) -> None:
    """Count a fault of a page or route in Repairs: one trouble for each, with the last request's id."""
    row = session.get(TroubleRow, f"{PAGE}:{plugin}:{endpoint}", with_for_update=True)
    recent = row is not None and row.since > session.now - FORGOTTEN_AFTER
    times = row.message[2]["times"] + 1 if row is not None and recent else 1
    words = {"service": label(plugin), "page": endpoint, "times": times}
    message = _("{service} failed at {page}, {times} times by now; nothing was saved then.", **words)
    remedy = _(
        "Tell whoever maintains {service} what stands below. It leaves this list a week after the last time.",
        **words,
    )
    detail = f"{times} ×, last {session.now:%Y-%m-%d %H:%M:%S} UTC, request {request}: {where(error)}"
    trouble = Trouble(plugin, "page-failed", message, remedy, detail, PAGE, endpoint)
    keep(session, trouble).since = session.now


def mended(session: WorkSession, source: str, plugin: str, topic: str = "") -> None:
    """Take a trouble out of Repairs; nothing happens where there is none."""
    row = session.get(TroubleRow, f"{source}:{plugin}:{topic}")
    if row is not None:
        session.delete(row)
        session.flush()


def standing_troubles(session: WorkSession, source: str | None = None) -> list[Trouble]:
    """What Repairs shows, by plugin and age; of one source where it is named."""
    stands = or_(TroubleRow.source != PAGE, TroubleRow.since > session.now - FORGOTTEN_AFTER)
    query = select(TroubleRow).where(stands).order_by(TroubleRow.plugin, TroubleRow.since, TroubleRow.key)
    rows = session.scalars(query if source is None else query.where(TroubleRow.source == source))
    return [
        Trouble(r.plugin, r.code, _unpack(r.message), _unpack(r.remedy), r.detail, r.source, r.topic)
        for r in rows
    ]


def show(storage: Storage, source: str, found: Collection[Trouble]) -> None:
    """Make the found ones all that Repairs shows of this source; written only where that changes anything."""
    wanted = {(t.key, t.code, t.detail) for t in found}
    with storage.reading() as session:
        shown = {(t.key, t.code, t.detail) for t in standing_troubles(session, source)}
    if shown == wanted:
        return
    with storage.writing() as session:
        for old in standing_troubles(session, source):
            if old.key not in {t.key for t in found}:
                mended(session, source, old.plugin, old.topic)
        for trouble in found:
            keep(session, trouble)


def _pack(text: Any) -> Any:
    if isinstance(text, Text):
        return [text.message, text.domain, {name: _pack(value) for name, value in text.values.items()}]
    return text if isinstance(text, int | float | None) else str(text)


def _unpack(packed: Any) -> Any:
    if not isinstance(packed, list):
        return packed
    return Text(packed[0], packed[1], **{name: _unpack(value) for name, value in packed[2].items()})
