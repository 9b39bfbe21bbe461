"""Where a plugin stands in its life, in words, with why and the way out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from huijia.i18n import Text, messages
from huijia.registry.troubles import Trouble, label, standing_troubles

if TYPE_CHECKING:
    from huijia.registry.registry import Registry
    from huijia.storage.work import WorkSession

_ = messages("huijia")
INSTALLED, INCOMPATIBLE, BROKEN = "installed", "incompatible", "broken"
PENDING, FAILED, READY = "schema-pending", "failed", "ready"
WORDS = {
    INSTALLED: _("installed"),
    INCOMPATIBLE: _("incompatible"),
    BROKEN: _("broken"),
    PENDING: _("schema pending"),
    FAILED: _("failed"),
    READY: _("ready"),
}


@dataclass(frozen=True)
class Standing:
    """One plugin's state (a key of `WORDS`), its reason, and what to do where something is to be done."""

    plugin: str
    state: str
    why: Text
    remedy: Text | None = None

    @property
    def word(self) -> Text:
        """The state as operators read it."""
        return WORDS[self.state]


def standing(registry: Registry, name: str, session: WorkSession) -> Standing:
    """Where the installed plugin `name` stands in this process."""
    trouble, service = registry.troubles.get(name), label(name)
    if trouble is not None:
        return _because(trouble, BROKEN if name in registry.order else INCOMPATIBLE)
    failed = [t for t in standing_troubles(session, "migration") if t.plugin == name]
    if failed:
        return _because(failed[0], FAILED)
    if name not in registry.loaded:
        return Standing(name, INSTALLED, _("{service} is switched on nowhere.", service=service))
    if name in registry.pending:
        why = _("{service} has {count} steps to go.", service=service, count=len(registry.pending[name]))
        return Standing(name, PENDING, why, _("Run huijia migrate, or switch it on anywhere."))
    return Standing(name, READY, _("{service} works; its tables are up to date.", service=service))


def _because(trouble: Trouble, state: str) -> Standing:
    return Standing(trouble.plugin, state, trouble.message, trouble.remedy)
