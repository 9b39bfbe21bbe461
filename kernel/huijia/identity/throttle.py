"""Failed sign-ins are counted before the password is looked at, in rows that all processes share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import bindparam, select, text

from huijia.errors import TooMany
from huijia.i18n import messages
from huijia.identity.models import Throttle
from huijia.storage.base import UtcDateTime
from huijia.storage.work import WorkSession

_ = messages("huijia")
# Forty colleagues may share one address; ten numbers in a row that are nobody's are no typing errors.
FREE_TRIES = {"user": 5, "address": 20, "number": 10}
PAUSE_MINUTES_MAX = 15
FORGOTTEN_AFTER = timedelta(hours=1)

# Makes the row or locks it; one statement, since another process may be sweeping.
_LOCK = text(
    "INSERT INTO huijia_throttle (key, failures, heard_again_at) VALUES (:key, 0, :now) "
    "ON CONFLICT (key) DO UPDATE SET failures = huijia_throttle.failures"
).bindparams(bindparam("now", type_=UtcDateTime()))
Marks = dict[str, datetime]


def _keys(who: Mapping[str, str]) -> dict[str, int]:
    # Hashed: people type their password where the name belongs.
    names = {f"{kind}:{name}": FREE_TRIES[kind] for kind, name in who.items() if name or kind == "user"}
    return {sha256(name.encode()).hexdigest(): free for name, free in names.items()}


def _locked(session: WorkSession, keys: Iterable[str]) -> list[Throttle]:
    for key in sorted(keys):  # everybody locks in the same order
        session.execute(_LOCK, {"key": key, "now": session.now})
    return list(session.scalars(select(Throttle).where(Throttle.key.in_(keys))))


def check(session: WorkSession, **who: str) -> None:
    """Raises TooMany while a pause lasts; counts nothing."""
    keys = _keys(who)
    _refuse_early(session, session.scalars(select(Throttle.heard_again_at).where(Throttle.key.in_(keys))))


def _refuse_early(session: WorkSession, heard_again_at: Iterable[datetime]) -> None:
    until = max(heard_again_at, default=session.now)
    if until > session.now:
        minutes = -(-(until - session.now) // timedelta(minutes=1))
        text = _("Too many failed attempts; try again in {minutes} minutes.", minutes=minutes)
        raise TooMany(text, until=until)


def knock(session: WorkSession, **who: str) -> Marks:
    """Count a try as failed until `pardon` takes it back; so racing tries cannot slip past together.

    `who` is `user=…, address=…`. Raises TooMany, with `until`, while a pause lasts.
    """
    keys = _keys(who)
    rows = _locked(session, keys)
    _refuse_early(session, (row.heard_again_at for row in rows))
    for row in rows:
        row.failures = 1 if row.heard_again_at < session.now - FORGOTTEN_AFTER else row.failures + 1
        over = row.failures - keys[row.key]
        pause = min(2 ** min(over, 10), PAUSE_MINUTES_MAX) if over >= 0 else 0
        row.heard_again_at = session.now + timedelta(minutes=pause)
    return {row.key: row.heard_again_at for row in rows}


def pardon(session: WorkSession, marks: Marks, *, user: str) -> None:
    """The try was good: forget the user's failures, and this one of the address."""
    (users,) = _keys({"user": user})
    for row in _locked(session, marks):
        row.failures = 0 if row.key == users else max(row.failures - 1, 0)
        # Of an address only the pause that this try set: another's failure since then keeps its own.
        if row.key == users or row.heard_again_at == marks[row.key]:
            row.heard_again_at = session.now
