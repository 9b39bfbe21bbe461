"""The administration's pages, a module for each entry of the rail."""

from huijia.admin.pages import (
    account,
    audit,
    centres,
    entrance,
    repairs,
    roles,
    services,
    settings,
    staff,
    today,
)
from huijia.admin.pages.desk import pages

__all__ = [
    "account",
    "audit",
    "centres",
    "entrance",
    "pages",
    "repairs",
    "roles",
    "services",
    "settings",
    "staff",
    "today",
]
