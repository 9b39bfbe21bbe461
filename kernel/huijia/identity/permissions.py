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
    Permission("people.see", _("See people")),
    Permission("people.manage", _("Register people and change their records")),
    Permission("people.confirm", _("Confirm identities")),
    Permission("people.cards", _("Hand out and block cards")),
    Permission("people.numbers", _("See identity numbers whole"), sensitive=True),
    Permission("people.merge", _("Merge records, and record moves and deaths")),
    Permission("people.privacy", _("Export and erase all about a person"), sensitive=True),
    Permission("people.import", _("Take people in from spreadsheets")),
    Permission("people.export", _("Give out lists of people"), sensitive=True),
    Permission("people.health", _("See and change health notes"), sensitive=True),
    Permission("people.diet", _("See and change diets of faith"), sensitive=True),
    Permission("people.counselling", _("See and change counselling notes"), sensitive=True),
    Permission("people.minors", _("See and change what concerns minors"), sensitive=True),
    Permission("organisations.manage", _("Manage organisations")),
    Permission("figures.see", _("See the figures of the services")),
)
_labels: dict[str, Text] = {p.key: p.label for p in KERNEL_PERMISSIONS} | {ALL: _("Everything")}

# Granted by name to whoever needs them, never along with managing a centre.
DELICATE = frozenset({"people.health", "people.diet", "people.counselling", "people.minors"})

DESK = ("people.see", "people.manage", "people.confirm", "people.cards")
ADMINISTRATOR = "installation.admin"
KERNEL_ROLES = (
    RoleBundle(ADMINISTRATOR, _("Installation administrator"), frozenset({ALL})),
    RoleBundle(
        "centre.manager",
        _("Centre manager"),
        frozenset(p.key for p in KERNEL_PERMISSIONS) - {"centres.manage"} - DELICATE,
    ),
    RoleBundle(
        "centre.desk",
        _("Front desk"),
        frozenset({"today.see", "files.see", *DESK}),
    ),
    RoleBundle(
        "official.reader",
        _("Official, read only"),
        frozenset({"today.see", "staff.see", "settings.see", "repairs.see", "files.see", "figures.see"}),
    ),
)


def name_permissions(permissions: Iterable[Permission]) -> None:
    """Make a plugin's permissions known by their labels, so that refusals name them in words."""
    _labels.update({p.key: p.label for p in permissions})


def label_of(permission: str) -> Text | str:
    """The permission in words; its key where nobody has named it."""
    return _labels.get(permission, permission)
