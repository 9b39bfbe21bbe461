"""What the administration brings to the house."""

from __future__ import annotations

from flask import Blueprint

from huijia.contributions import NavigationItem, Permission, RoleBundle
from huijia.hookspecs import hookimpl
from huijia.i18n import messages
from huijia.identity.permissions import KERNEL_PERMISSIONS, KERNEL_ROLES
from huijia.web.blueprints import MEMBER

_ = messages("huijia")


@hookimpl
def huijia_permissions() -> list[Permission]:
    return list(KERNEL_PERMISSIONS)


@hookimpl
def huijia_roles() -> list[RoleBundle]:
    return list(KERNEL_ROLES)


@hookimpl
def huijia_blueprints() -> list[Blueprint]:
    from huijia.admin.pages import pages

    return [pages]


@hookimpl
def huijia_navigation() -> list[NavigationItem]:
    return [
        NavigationItem(_("Today"), "admin.today", MEMBER, 0),
        NavigationItem(_("Services"), "admin.services", "services.manage", 900),
        NavigationItem(_("Staff"), "admin.staff", "staff.see", 910),
        NavigationItem(_("Centres"), "admin.centres", "centres.manage", 920),
        NavigationItem(_("Settings"), "admin.settings", "settings.see", 930),
        NavigationItem(_("Repairs"), "admin.repairs", "repairs.see", 940),
        NavigationItem(_("Audit"), "admin.audit", "audit.see", 950),
    ]
