"""Roles: bundles of rights, the services' own and the operator's."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import fields
from marshmallow.validate import Length
from sqlalchemy import select

from huijia.admin.pages.desk import attempt, done, form, pages, show, typed
from huijia.i18n import messages
from huijia.identity import roles as use_cases
from huijia.identity.models import Role
from huijia.identity.permissions import KERNEL_PERMISSIONS, KERNEL_ROLES, label_of
from huijia.registry.troubles import label
from huijia.storage.base import new_id
from huijia.web.current import current

_ = messages("huijia")
NAMES = {
    "name": fields.String(required=True, validate=Length(1, 120)),
    "name_en": fields.String(validate=Length(max=120)),
}
OURS = frozenset(bundle.key for bundle in KERNEL_ROLES)


@pages.get("/c/<slug:centre>/staff/roles", permission="staff.see")
def roles() -> str:
    found = list(current.session.scalars(select(Role).order_by(Role.key)))
    return show("roles", roles=found, ours=OURS, label_of=label_of)


@pages.get(
    "/c/<slug:centre>/staff/role",
    defaults={"role_id": None},
    permission=use_cases.MANAGE,
    endpoint="new_role",
)
@pages.get("/c/<slug:centre>/staff/role/<uuid:role_id>", permission=use_cases.MANAGE)
def role(role_id: Any, **more: Any) -> str:
    """A form for a role, its rights by service as far as the actor holds them."""
    old = current.session.get(Role, role_id) if role_id else None
    typed_in = request.form.getlist("permissions") if request.form else None
    chosen = (old.permissions if old else []) if typed_in is None else typed_in
    given = [(_("Huijia"), KERNEL_PERMISSIONS)]
    given += [(label(a.plugin), a.value) for a in current.session.hooks.collect("huijia_permissions")]
    return show("role", old=old, chosen=chosen, groups=given, typed=typed(), **more)


@pages.post(
    "/c/<slug:centre>/staff/role",
    defaults={"role_id": None},
    permission=use_cases.MANAGE,
    endpoint="add_role",
)
@pages.post("/c/<slug:centre>/staff/role/<uuid:role_id>", permission=use_cases.MANAGE)
def save_role(role_id: Any) -> Any:
    """Make a role, or give an existing one other rights."""
    common = {"actor": current.actor, "now": current.now, "permissions": request.form.getlist("permissions")}

    def save(**names: Any) -> None:
        if role_id:
            use_cases.change_role(current.session, role_id=role_id, **common)
        else:
            use_cases.add_role(current.session, key=f"own.{new_id().hex}", **names, **common)

    errors = attempt(form(**({} if role_id else NAMES)), save)
    return (role(role_id, errors=errors), 422) if errors else done("saved", "admin.roles")
