"""The parts of the kernel that are brought in by the hooks services use; met by name, never imported."""

from __future__ import annotations

from importlib import import_module
from typing import Any

BUILT_IN = ("huijia.admin.plugin", "huijia.people.plugin", "huijia.figures.plugin")


def contributed(hook: str) -> list[Any]:
    """What all of them contribute by one hook that gives lists."""
    return [item for name in BUILT_IN for item in getattr(import_module(name), hook, list)()]
