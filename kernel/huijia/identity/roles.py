"""Roles and who holds them where. Nobody gives, takes or edits more than they hold themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from huijia.contributions import RoleBundle
from huijia.errors import Forbidden, Invalid, NotFound, PluginFault, Refusal
from huijia.i18n import KERNEL, Text, messages, speaking
from huijia.identity.access import permissions_at
from huijia.identity.actor import Actor, covers
from huijia.identity.models import Grant, Role, Staff
from huijia.identity.permissions import ALL, label_of
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
MANAGE = "staff.manage"
UNIQUE_VIOLATION = "23505"  # of PostgreSQL; on SQLite writers stand in line
T = TypeVar("T")


class Escalation(Forbidden):
    """The actor would reach beyond their own rights."""

    code = "escalation"


class LastAdministrator(Refusal):
    """Nobody would be left who may do everything."""

    code = "last-administrator"


class Taken(Refusal):
    """A name that must be unique is in use."""

    code = "taken"


def need_whole(session: WorkSession, actor: Actor, scope: Scope, wanted: Iterable[str]) -> None:
    """Raises Escalation unless the actor manages staff at the place and holds all of `wanted` there."""
    held = permissions_at(session, actor, scope)
    needed = frozenset(wanted) | {MANAGE}
    if not covers(held, needed):
        rights = ", ".join(str(label_of(key)) for key in sorted(needed - held))
        text = _("You do not hold there yourself: {rights}; ask somebody who does.", rights=rights)
        raise Escalation(text, missing=sorted(needed - held))


def need_above(session: WorkSession, actor: Actor, staff_id: UUID) -> None:
    """Raises Forbidden where somebody holds a role that the actor could not have given."""
    actor.need(MANAGE)
    query = select(Grant, Role.permissions).join(Role).where(Grant.staff_id == staff_id)
    for grant, permissions in session.execute(query):
        if grant.ends_on is None or grant.ends_on >= today_at(session, grant.scope):
            need_whole(session, actor, grant.scope, permissions)


@contextmanager
def an_administrator_stays(session: WorkSession) -> Iterator[None]:
    """Undo what happens inside, and raise LastAdministrator, where it leaves nobody who may do everything."""
    before = _administrators(session)
    with session.savepoint():
        yield
        session.flush()
        if before and not _administrators(session):
            raise LastAdministrator(_("This is the last administrator; make somebody else one first."))


def _administrators(session: WorkSession) -> bool:
    everywhere = (Grant.area_id.is_(None), Grant.centre_id.is_(None), Grant.ends_on.is_(None))
    query = select(Role.permissions).join_from(Grant, Role).join(Staff, Staff.id == Grant.staff_id)
    # Locked: two administrators may be taking each other's role back at once.
    rows = session.scalars(query.where(*everywhere, Staff.active).with_for_update())
    return any(ALL in permissions for permissions in rows.all())


def add_role(
    session: WorkSession, *, actor: Actor, key: str, name: str, permissions: Collection[str], now: datetime,
    name_en: str = "",
) -> Role:  # fmt: skip
    """A role of the operator's own."""
    need_whole(session, actor, Scope(), permissions)
    taken = _("There is a role {key} already; choose another key.", key=key)
    if session.scalars(select(Role).where(Role.key == key)).first():
        raise Taken(taken)
    role = Role(key=key, name=name, name_en=name_en, permissions=sorted(permissions))
    return add_only(session, role, taken)


def change_role(
    session: WorkSession, *, actor: Actor, role_id: UUID, permissions: Collection[str], now: datetime
) -> Role:
    """Give a role other permissions, for everybody who holds it."""
    role = find(session, Role, role_id)
    if role.plugin:
        raise Invalid(_("{role} is ready-made; copy it and change the copy.", role=role.title))
    need_whole(session, actor, Scope(), {*role.permissions, *permissions})
    with an_administrator_stays(session):
        role.permissions = sorted(permissions)
    return role


def provide_roles(session: WorkSession, bundles: Iterable[RoleBundle], *, plugin: str = KERNEL) -> None:
    """Put ready-made roles in place, as the kernel or a plugin ships them. They are copied, not edited."""
    for bundle in bundles:
        found = session.scalars(select(Role).where(Role.key == bundle.key)).first()
        if found is not None and found.plugin != plugin:
            raise PluginFault(plugin, f"There is another role {bundle.key} already; rename it in plugin.py.")
        role = found or Role(key=bundle.key)
        with speaking("zh_Hans"):
            role.name = str(bundle.label)
        with speaking("en"):
            role.name_en = str(bundle.label)
        role.permissions, role.plugin = sorted(bundle.permissions), plugin
        session.add(role)
    session.flush()


def grant_role(
    session: WorkSession, *, actor: Actor, staff_id: UUID, role_id: UUID, scope: Scope, now: datetime,
    ends_on: date | None = None,
) -> Grant:  # fmt: skip
    """Give somebody a role at a place; where they have it already, the last day changes."""
    role, staff = find(session, Role, role_id), find(session, Staff, staff_id)
    need_whole(session, actor, scope, role.permissions)
    if ends_on is not None and ends_on < today_at(session, scope):
        raise invalid("ends_on", _("The last day is over already; choose a later one."))
    what = {"staff_id": staff.id, "role_id": role.id, "area_id": scope.area_id, "centre_id": scope.centre_id}
    grant = session.scalars(select(Grant).filter_by(**what)).first() or Grant(**what)
    with an_administrator_stays(session):
        grant.granted_by = actor.staff_id
        grant.granted_at, grant.ends_on = now, ends_on
        session.add(grant)
    return grant


def revoke_grant(session: WorkSession, *, actor: Actor, grant_id: UUID, now: datetime) -> None:
    """Take a role back; it counts from the next request on."""
    grant = find(session, Grant, grant_id)
    need_whole(session, actor, grant.scope, find(session, Role, grant.role_id).permissions)
    with an_administrator_stays(session):
        session.delete(grant)


def add_only(session: WorkSession, record: T, taken: Text) -> T:
    """Add the record. Raises Taken, with these words, where somebody else adds its like at the same time."""
    try:
        with session.savepoint():
            session.add(record)
            session.flush()
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != UNIQUE_VIOLATION:
            raise
        raise Taken(taken) from None
    return record


def find(session: WorkSession, model: type[T], key: UUID) -> T:
    """The record. Raises NotFound."""
    found = session.get(model, key)
    if found is None:
        raise NotFound(_("There is no such record; choose one from the list."))
    return found
