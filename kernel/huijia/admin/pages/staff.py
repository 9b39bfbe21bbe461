"""Staff: who signs in, and which roles they hold where."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import fields
from marshmallow.validate import Length, OneOf
from sqlalchemy import ColumnElement, or_, select

from huijia.admin.pages.desk import attempt, done, form, pages, places, scope_of, scopes_here, show, typed
from huijia.errors import NotFound
from huijia.i18n import LOCALES, messages
from huijia.identity import roles, service
from huijia.identity.access import permissions_at
from huijia.identity.actor import covers
from huijia.identity.models import Grant, Role, Staff
from huijia.storage.settings import Scope
from huijia.web.current import current
from huijia.web.paging import paged

_ = messages("huijia")
LANGUAGES = [("zh_Hans", "简体中文"), ("en", "English")]
ACCOUNT = {
    "display_name": fields.String(required=True, validate=Length(1, 80)),
    "locale": fields.String(required=True, validate=OneOf(LOCALES)),
}
GRANT = {"role": fields.UUID(required=True), "place": fields.String(required=True), "ends_on": fields.Date()}
PASSWORD = {"password": fields.String(required=True)}
NEW = form(username=fields.String(required=True, validate=Length(2, 64)), **ACCOUNT, **GRANT, **PASSWORD)


def _by() -> dict[str, Any]:
    return {"actor": current.actor, "now": current.now}


def _here() -> ColumnElement[bool]:
    """Grants that count at this centre."""
    areas = [scope.area_id for scope in scopes_here() if scope.area_id]
    nowhere = Grant.area_id.is_(None) & Grant.centre_id.is_(None)
    return or_(Grant.centre_id == current.centre.id, Grant.area_id.in_(areas), nowhere)


def _visible() -> ColumnElement[bool]:
    """Staff with a role that counts here; who manages the whole installation sees everybody."""
    held = permissions_at(current.session, current.actor, Scope())
    everybody = covers(held, frozenset({roles.MANAGE}))
    return Staff.id.is_not(None) if everybody else Staff.id.in_(select(Grant.staff_id).where(_here()))


@pages.get("/c/<slug:centre>/staff", permission="staff.see")
def staff() -> str:
    wanted = request.args.get("name", "").strip()[:80]
    matches = (column.icontains(wanted, autoescape=True) for column in (Staff.display_name, Staff.username))
    query = select(Staff).where(_visible(), or_(*matches))
    people, following = paged(current.session, query, Staff.username, cursor=request.args.get("cursor"))
    return show("staff", people=people, grants=_grants(*people), wanted=wanted, following=following)


def _grants(*people: Staff) -> dict[UUID, list[Any]]:
    """By member of staff: grants that count here, with their roles."""
    found: dict[UUID, list[Any]] = {one.id: [] for one in people}
    query = (
        select(Grant, Role).join(Role).where(Grant.staff_id.in_(found), _here()).order_by(Grant.granted_at)
    )
    for grant, role in current.session.execute(query):
        found[grant.staff_id].append((grant, role))
    return found


def _choices() -> dict[str, Any]:
    found = current.session.scalars(select(Role).order_by(Role.plugin, Role.key))
    mine = [(r.id, r.title) for r in found if covers(current.actor.permissions, frozenset(r.permissions))]
    return {"roles": mine, "places": places(roles.MANAGE), "languages": LANGUAGES}


@pages.get("/c/<slug:centre>/staff/new", permission=roles.MANAGE)
def add_staff(**more: Any) -> str:
    return show("staff_add", typed=typed(locale=current.locale), **_choices(), **more)


@pages.post("/c/<slug:centre>/staff/new", permission=roles.MANAGE)
def create_staff() -> Any:
    errors = attempt(NEW, _create, field="username")
    return (
        (add_staff(errors=errors), 422)
        if errors
        else done("added", "admin.staff", name=request.form["username"])
    )


def _create(role: UUID, place: str, ends_on: date | None = None, **facts: Any) -> None:
    made = service.add_staff(current.session, **_by(), **facts, must_change_password=True)
    _grant(current.session, staff_id=made.id, role=role, place=place, ends_on=ends_on, **_by())


def _grant(
    session: Any, *, staff_id: UUID, role: UUID, place: str, ends_on: date | None = None, **by: Any
) -> None:
    what = {"staff_id": staff_id, "role_id": role, "scope": scope_of(place), "ends_on": ends_on}
    roles.grant_role(session, **by, **what)


def _person(staff_id: UUID) -> Staff:
    found = current.session.scalar(select(Staff).where(Staff.id == staff_id, _visible()))
    if found is None:
        raise NotFound(_("There is no such record; choose one from the list."))
    return found


@pages.get("/c/<slug:centre>/staff/<uuid:staff_id>", permission="staff.see")
def staff_member(staff_id: UUID, **more: Any) -> str:
    person = _person(staff_id)
    kept = typed(display_name=person.display_name, locale=person.locale)
    return show(
        "staff_member", person=person, grants=_grants(person)[person.id], typed=kept, **_choices(), **more
    )


CHANGES: dict[str, tuple[Any, Any, str]] = {
    "account": (form(**ACCOUNT), service.change_staff, "saved"),
    "grant": (form(**GRANT), _grant, "granted"),
    "password": (form(**PASSWORD), service.set_password, "password"),
    "deactivate": (form(), service.deactivate_staff, "deactivated"),
}


@pages.post("/c/<slug:centre>/staff/<uuid:staff_id>", permission=roles.MANAGE)
def change_staff(staff_id: UUID) -> Any:
    """Change the account, give a role, set a first password, or close the account."""
    person = _person(staff_id)
    shape, deed, said = CHANGES.get(request.form.get("what", ""), CHANGES["account"])
    errors = attempt(shape, lambda **facts: deed(current.session, staff_id=person.id, **_by(), **facts))
    return _answer(staff_id, errors, said)


@pages.post("/c/<slug:centre>/staff/<uuid:staff_id>/grants/<uuid:grant_id>/end", permission=roles.MANAGE)
def end_grant(staff_id: UUID, grant_id: UUID) -> Any:
    _person(staff_id)
    errors = attempt(form(), lambda: roles.revoke_grant(current.session, grant_id=grant_id, **_by()))
    return _answer(staff_id, errors, "revoked")


def _answer(staff_id: UUID, errors: Any, said: str) -> Any:
    if errors:
        return staff_member(staff_id, errors=errors), 422
    return done(said, "admin.staff_member", staff_id=staff_id)
