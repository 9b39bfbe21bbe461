"""Signing in and out. argon2 never runs inside a transaction: it would hold up every writer for 150 ms."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NoReturn, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, bindparam, select, update

from huijia.errors import NotSignedIn
from huijia.i18n import messages
from huijia.identity.actor import Caller
from huijia.identity.models import Staff, StaffSession, Throttle
from huijia.identity.passwords import PASSWORDS
from huijia.identity.throttle import FORGOTTEN_AFTER, Marks, knock, pardon
from huijia.storage.base import purge_some
from huijia.storage.work import Storage, WorkSession

_ = messages("huijia")
IDLE = timedelta(minutes=60)  # colleagues share a computer
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=30)


class WrongPassword(NotSignedIn):
    """Name and password do not belong together; which of the two is wrong is never said."""

    code = "wrong-password"


@dataclass(frozen=True)
class Proof:
    """A password that was right a moment ago."""

    staff_id: UUID
    username: str
    kept: str
    marks: Marks


def fold(username: str) -> str:
    """A username as it is kept and compared."""
    return username.strip().casefold()


def hash_of(token: str) -> str:
    """What is kept of a token. Tokens are random, so a quick hash is enough."""
    return sha256(token.encode()).hexdigest()


def prove(storage: Storage, *, username: str, password: str, address: str = "") -> Proof:
    """Check a password. Raises WrongPassword, or TooMany before anything is checked."""
    name = fold(username)
    with storage.writing() as session:
        marks = knock(session, user=name, address=address)
    with storage.reading() as session:
        wanted = select(Staff.id, Staff.password_hash).where(Staff.username == name, Staff.active)
        found = session.execute(wanted).one_or_none()
    if not PASSWORDS.match(found.password_hash if found else None, password) or found is None:
        _refuse()
    return Proof(found.id, name, found.password_hash, marks)


def _refuse() -> NoReturn:
    raise WrongPassword(_("Name or password is wrong; try again, or ask whoever manages staff."))


def _settle(session: WorkSession, proof: Proof, kept: str) -> Staff:
    """Use up a proof: the account may have changed while argon2 ran."""
    staff = session.get(Staff, proof.staff_id, with_for_update=True)
    if staff is None or not staff.active or staff.password_hash != proof.kept:
        _refuse()
    staff.password_hash = kept
    pardon(session, proof.marks, user=proof.username)
    return staff


def sign_in(
    storage: Storage, *, username: str, password: str, address: str = "", agent: str = "", replaces: str = ""
) -> tuple[str, UUID]:
    """A new session's token, to be kept in the browser, and whose it is. The session it replaces ends."""
    proof = prove(storage, username=username, password=password, address=address)
    renewed, token = PASSWORDS.renewed(proof.kept, password), secrets.token_urlsafe(32)
    with storage.writing() as session:
        staff = _settle(session, proof, renewed)
        sign_out(session, token=replaces)
        times = {"created_at": session.now, "last_seen_at": session.now, "expires_at": session.now + LONGEST}
        facts = {"address": address[:64], "agent": agent[:120]}
        session.add(StaffSession(token_hash=hash_of(token), staff_id=staff.id, **times, **facts))
    return token, staff.id


def change_password(
    storage: Storage, *, username: str, old: str, new: str, token: str, address: str = ""
) -> None:
    """Replace one's own password. Every other session of oneself ends; the one of `token` goes on."""
    proof = prove(storage, username=username, password=old, address=address)
    kept = PASSWORDS.hash(new, username=proof.username)
    with storage.writing() as session:
        staff = _settle(session, proof, kept)
        staff.must_change_password = False
        revoke_all(session, staff_id=staff.id, but=token)


_session, _staff = cast("Table", StaffSession.__table__).c, cast("Table", Staff.__table__).c
_BY_TOKEN = (
    select(_staff.id, _staff.display_name, _staff.locale, _staff.large_type, _staff.must_change_password,
           _session.last_seen_at)
    .where(_staff.id == _session.staff_id, _staff.active)
    .where(_session.token_hash == bindparam("hash"), _session.revoked_at.is_(None))
    .where(_session.expires_at > bindparam("now"), _session.last_seen_at > bindparam("idle_since"))
)  # fmt: skip


def staff_by_token(session: WorkSession, token: str, *, idle: timedelta = IDLE) -> Caller | None:
    """Who is signed in under a session's token, or None. One query; last seen is noted once a minute."""
    values = {"hash": hash_of(token), "now": session.now, "idle_since": session.now - idle}
    row = session.execute(_BY_TOKEN, values).one_or_none()
    if row is None:
        return None
    if session.now - row.last_seen_at >= SEEN_EVERY:
        this, seen = StaffSession.token_hash == values["hash"], session.now
        session.after_the_fact(lambda later: _change(later, this, last_seen_at=seen))
    return Caller("staff", row.id, *row[:-1])


def sign_out(session: WorkSession, *, token: str) -> None:
    """End the session of a token, at once and everywhere."""
    _change(session, StaffSession.token_hash == hash_of(token), revoked_at=session.now)


def revoke_all(session: WorkSession, *, staff_id: UUID, but: str = "") -> None:
    """End every session of somebody, except that of the token `but`."""
    mine = (StaffSession.staff_id == staff_id, StaffSession.token_hash != hash_of(but))
    _change(session, *mine, revoked_at=session.now)


def _change(session: WorkSession, *which: ColumnElement[bool], **values: datetime) -> None:
    alive = StaffSession.revoked_at.is_(None)
    session.execute(update(StaffSession).where(alive, *which).values(**values))


def purge(session: WorkSession, now: datetime) -> bool:
    """Remove some old sessions, and some of what the throttle forgot; True where there may be more."""
    ended = purge_some(session, StaffSession, StaffSession.expires_at < now - KEPT)
    return purge_some(session, Throttle, Throttle.heard_again_at < now - FORGOTTEN_AFTER) or ended
