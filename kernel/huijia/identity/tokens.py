"""Keys for programs. A token is shown once; only its hash is kept."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, or_, select, update

from huijia.errors import Forbidden
from huijia.i18n import messages
from huijia.identity.access import permissions_at
from huijia.identity.actor import Actor, Caller, covers
from huijia.identity.models import ApiToken, Staff
from huijia.identity.roles import find
from huijia.identity.signin import hash_of
from huijia.storage.settings import Scope
from huijia.storage.work import WorkSession

_ = messages("huijia")
PREFIX = "hj_"
USE_NOTED_EVERY = timedelta(minutes=5)

_token, _staff = cast("Table", ApiToken.__table__).c, cast("Table", Staff.__table__).c
_BY_HASH = (
    select(_token.id, _token.staff_id, _token.name, _staff.locale, _token.permissions,
           _token.centre_id, _token.last_used_at)
    .where(_token.token_hash == bindparam("hash"), _token.revoked_at.is_(None))
    .where(_staff.id == _token.staff_id, _staff.active)
    .where(or_(_token.expires_at.is_(None), _token.expires_at > bindparam("now")))
)  # fmt: skip


def issue_token(
    session: WorkSession, *, actor: Actor, name: str, permissions: Collection[str], now: datetime,
    centre_id: UUID | None = None, expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:  # fmt: skip
    """A token of one's own, and its text, which nobody can show again.

    Raises Forbidden where it would pass on more than the actor holds (at the centre, or everywhere).
    """
    scope, wanted = Scope(centre_id=centre_id), frozenset(permissions)
    actor.need_at(session, "tokens.issue", scope)
    if actor.kind != "staff" or not covers(permissions_at(session, actor, scope), wanted):
        raise Forbidden(_("A token passes on only what its owner holds there; choose fewer rights."))
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(token_hash=hash_of(text), staff_id=actor.id, name=name, permissions=sorted(wanted),
                     centre_id=centre_id, created_at=now, expires_at=expires_at)  # fmt: skip
    session.add(token)
    session.flush()
    return token, text


def caller_by_token(session: WorkSession, text: str) -> Caller | None:
    """Whose token this is, or None. One query; its use is noted every five minutes."""
    values = {"hash": hash_of(text), "now": session.now}
    found = session.execute(_BY_HASH, values).one_or_none() if text.startswith(PREFIX) else None
    if found is None:
        return None
    token_id, staff_id, name, locale, permissions, centre_id, last_used_at = found
    if last_used_at is None or session.now - last_used_at >= USE_NOTED_EVERY:
        used = update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=session.now)
        session.after_the_fact(lambda later: later.execute(used))
    bounds: Any = {"limit": frozenset(permissions), "centre_id": centre_id}
    return Caller("token", token_id, staff_id, name, locale, **bounds)


def revoke_token(session: WorkSession, *, actor: Actor, token_id: UUID, now: datetime) -> None:
    """End a token at once: one's own, or as a manager of staff any."""
    token = find(session, ApiToken, token_id)
    if token.staff_id != actor.id:
        actor.need_at(session, "staff.manage", Scope(centre_id=token.centre_id))
    token.revoked_at = token.revoked_at or now


def revoke_tokens_of(session: WorkSession, *, staff_id: UUID, now: datetime) -> None:
    """End every token of somebody."""
    mine = (ApiToken.staff_id == staff_id, ApiToken.revoked_at.is_(None))
    session.execute(update(ApiToken).where(*mine).values(revoked_at=now))
