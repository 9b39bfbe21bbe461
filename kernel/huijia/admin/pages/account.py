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
from huijia.identity import signin, tokens
from huijia.identity.access import permissions_at
from huijia.identity.models import ApiToken, Staff, StaffSession
from huijia.storage import audit
from huijia.storage.settings import Scope
from huijia.web.blueprints import MEMBER
from huijia.web.current import current
from huijia.web.recognise import centres_of

PASSWORD = {"old": fields.String(required=True), "new": fields.String(required=True)}
TOKEN = {
    "name": fields.String(required=True, validate=Length(1, 80)),
    "days": fields.Integer(required=True, validate=OneOf([30, 365])),
    "centre_id": fields.UUID(required=True),
}


@pages.get("/account", permission=MEMBER)
def account(**more: Any) -> str:
    centres = centres_of(current.session, current.visit)
    return show(
        "account",
        person=current.session.get_one(Staff, current.actor.id),
        sessions=_live(StaffSession, StaffSession.last_seen_at),
        this=signin.hash_of(session_token()),
        tokens=_live(ApiToken, ApiToken.created_at),
        zone=centres[0].zone if centres else None,
        places=[
            (one.id, one.title) for one in centres if {"tokens.issue", "*"} & _held(current.session, one.id)
        ],
        **{"token": "", **more},
    )


def _held(session: Any, centre_id: UUID) -> frozenset[str]:
    return permissions_at(session, current.actor, Scope(centre_id=centre_id))


def _live(model: Any, order: Any) -> Any:
    unended = model.expires_at.is_(None) | (model.expires_at > current.now)
    mine = model.staff_id == current.actor.id, model.revoked_at.is_(None), unended
    return list(current.session.scalars(select(model).where(*mine).order_by(order.desc())))


@pages.post("/account", permission=MEMBER, unit=False)
def change_account() -> Any:
    """Change the password, end other sessions, issue or revoke a token. It opens its own units of work."""
    opened, actor, issued = installation(), current.actor, []

    def password(old: str, new: str) -> None:
        with opened.reading() as session:
            username = session.get_one(Staff, actor.id).username
        facts = {"username": username, "token": session_token(), "address": request.remote_addr or ""}
        signin.change_password(opened.storage, old=old, new=new, **facts)

    def issue(name: str, days: int, centre_id: UUID) -> None:
        with opened.writing(None, actor) as session:
            given = {
                "permissions": _held(session, centre_id),
                "expires_at": session.now + timedelta(days=days),
            }
            named = {"name": name, "centre_id": centre_id, "now": session.now}
            issued.append(tokens.issue_token(session, actor=actor, **named, **given)[1])

    def revoke(token_id: UUID) -> None:
        with opened.writing(None, actor) as session:
            tokens.revoke_token(session, actor=actor, token_id=token_id, now=session.now)

    def elsewhere() -> None:
        with opened.writing(None, actor) as session:
            signin.revoke_all(session, staff_id=actor.id, but=session_token())

    deeds: dict[str, Any] = {
        "password": (PASSWORD, password), "issue": (TOKEN, issue),
        "revoked": ({"token_id": fields.UUID(required=True)}, revoke), "elsewhere": ({}, elsewhere),
    }  # fmt: skip
    what = request.form.get("what", "")
    shape, deed = deeds.get(what, deeds["password"])
    errors = attempt(form(**shape), deed, field="old")
    if "password" in errors:
        errors["new"] = errors.pop("password")
    if not errors:
        with opened.writing(None, actor) as session:
            audit.record(
                session, action="admin.change_account", reason=what, request_id=current.visit.request_id
            )
        if not issued:
            return done(what, "admin.account")
    with opened.reading(None, actor) as current.visit.session:
        return account(errors=errors, token="".join(issued)), 422 if errors else 200
