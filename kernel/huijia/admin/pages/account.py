"""My account: password, sessions, tokens for programs. It belongs to no centre."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import fields
from marshmallow.validate import Length, OneOf
from sqlalchemy import select

from huijia.admin.pages.desk import attempt, done, form, installation, pages, show
from huijia.admin.pages.entrance import session_token
from huijia.errors import Forbidden
from huijia.i18n import messages
from huijia.identity import signin, tokens
from huijia.identity.access import permissions_at
from huijia.identity.models import ApiToken, Staff, StaffSession
from huijia.storage import audit
from huijia.storage.settings import Scope
from huijia.web.blueprints import MEMBER
from huijia.web.current import current
from huijia.web.recognise import centres_of

_ = messages("huijia")
PASSWORD = form(old=fields.String(required=True), new=fields.String(required=True))
TOKEN = form(
    name=fields.String(required=True, validate=Length(1, 80)),
    days=fields.Integer(required=True, validate=OneOf([30, 365])),
    centre_id=fields.UUID(required=True),
)


@pages.get("/account", permission=MEMBER)
def account(**more: Any) -> str:
    centres = centres_of(current.session, current.visit)
    return show(
        "account",
        person=current.session.get_one(Staff, _me()),
        sessions=_live(StaffSession, StaffSession.last_seen_at),
        this=signin.hash_of(session_token()),
        tokens=_live(ApiToken, ApiToken.created_at),
        zone=centres[0].zone if centres else None,
        places=[(one.id, one.title) for one in centres if {"tokens.issue", "*"} & _held(one.id)],
        **{"token": "", **more},
    )


def _me() -> UUID:
    """Whose account it is. Raises Forbidden for a token, which has none of its own."""
    actor = current.actor
    if actor.kind != "staff" or actor.id is None:
        raise Forbidden(_("An account belongs to whoever signs in; a token has none. Sign in in a browser."))
    return actor.id


def _held(centre_id: UUID) -> frozenset[str]:
    return permissions_at(current.session, current.actor, Scope(centre_id=centre_id))


def _live(model: Any, order: Any) -> Any:
    unended = model.expires_at.is_(None) | (model.expires_at > current.now)
    mine = model.staff_id == _me(), model.revoked_at.is_(None), unended
    return list(current.session.scalars(select(model).where(*mine).order_by(order.desc())))


@pages.post("/account/password", permission=MEMBER, unit=False)
def change_account() -> Any:
    """One's own, outside any unit: argon2 takes its time."""
    visit, opened = current.visit, installation()
    errors = attempt(PASSWORD, _password, field="old")
    if errors:
        errors["new"] = errors.pop("password", errors.get("new"))
        with opened.reading(None, visit.actor) as visit.session:
            return account(errors=errors), 422
    with opened.writing(None, visit.actor) as session:
        audit.record(session, action="admin.change_account", request_id=visit.request_id)
    return done("password", "admin.account")


def _password(old: str, new: str) -> None:
    with installation().reading() as session:
        username = session.get_one(Staff, _me()).username
    facts = {"username": username, "token": session_token(), "address": request.remote_addr or ""}
    signin.change_password(installation().storage, old=old, new=new, **facts)


@pages.post("/account/elsewhere", permission=MEMBER)
def sign_out_elsewhere() -> Any:
    signin.revoke_all(current.session, staff_id=_me(), but=session_token())
    return done("elsewhere", "admin.account")


@pages.post("/account/tokens", permission=MEMBER, keeps=False)
def issue_token() -> Any:
    """The page, showing the new token this once."""
    issued: list[str] = []
    errors = attempt(TOKEN, lambda **asked: issued.append(_issue(**asked)))
    return account(errors=errors, token="".join(issued)), 422 if errors else 200


def _issue(name: str, days: int, centre_id: UUID) -> str:
    until = current.now + timedelta(days=days)
    what: Any = {"name": name, "permissions": _held(centre_id), "centre_id": centre_id, "expires_at": until}
    return tokens.issue_token(current.session, actor=current.actor, now=current.now, **what)[1]


@pages.post("/account/tokens/<uuid:token_id>/revoke", permission=MEMBER)
def revoke_token(token_id: UUID) -> Any:
    tokens.revoke_token(current.session, actor=current.actor, token_id=token_id, now=current.now)
    return done("revoked", "admin.account")
