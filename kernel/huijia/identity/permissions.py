"""The kernel's own rights, and the ready-made roles over them."""

from __future__ import annotations

from collections.abc import Iterable

from huijia.contributions import Permission, RoleBundle
from huijia.i18n import Text, messages

_ = messages("huijia")
ALL = "*"  # every right, those of services not yet written included

KERNEL_PERMISSIONS = (
    Permission("today.see", _("See Today")),
    Permission("services.manage", _("Switch services on and off")),
    Permission("staff.see", _("See staff and their roles")),
    Permission("staff.manage", _("Manage staff and grant roles")),
    Permission("tokens.issue", _("Issue access tokens for programs")),
    Permission("settings.see", _("See settings")),
    Permission("settings.manage", _("Change settings")),
    Permission("repairs.see", _("See repairs")),
    Permission("repairs.mend", _("Mend repairs")),
    Permission("audit.see", _("Read the audit"), sensitive=True),
    Permission("files.see", _("Open files")),
    Permission("centres.manage", _("Manage areas and centres")),
)
_labels: dict[str, Text] = {p.key: p.label for p in KERNEL_PERMISSIONS} | {ALL: _("Everything")}

ADMINISTRATOR = "installation.admin"
KERNEL_ROLES = (
    RoleBundle(ADMINISTRATOR, _("Installation administrator"), frozenset({ALL})),
    RoleBundle(
        "centre.manager",
        _("Centre manager"),
        frozenset(p.key for p in KERNEL_PERMISSIONS) - {"centres.manage"},
    ),
    RoleBundle("centre.desk", _("Front desk"), frozenset({"today.see", "files.see"})),
    RoleBundle(
        "official.reader",
        _("Official, read only"),
        frozenset({"today.see", "staff.see", "settings.see", "repairs.see", "files.see"}),
    ),
)


def name_permissions(permissions: Iterable[Permission]) -> None:
    """Make a plugin's permissions known by their labels, so that refusals name them in words."""
    _labels.update({p.key: p.label for p in permissions})


def label_of(permission: str) -> Text | str:
    """The permission in words; its key where nobody has named it."""
    return _labels.get(permission, permission)
