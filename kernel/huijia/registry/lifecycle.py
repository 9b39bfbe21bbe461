"""Switching a service on and off at a centre, and the plan that is shown before.

`enable` and `disable` open units of work of their own: call them outside of any. `expected` is the
fingerprint of the plan that was shown; where it no longer holds they refuse.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from huijia.errors import NotFound, Refusal
from huijia.i18n import messages
from huijia.identity.roles import provide_roles
from huijia.registry import migrating
from huijia.registry.calls import BoundHooks
from huijia.registry.loading import guarded
from huijia.registry.models import Enabling
from huijia.registry.troubles import Trouble, label
from huijia.registry.version import bump

if TYPE_CHECKING:
    from huijia.contributions import RoleBundle
    from huijia.identity.actor import Actor
    from huijia.installation import Installation
    from huijia.registry.registry import Registry
    from huijia.storage.work import WorkSession

_ = messages("huijia")


class NotReady(Refusal):
    """The service itself does not work; the message says why and what to do."""

    code = "service-not-ready"


class NeedsAnother(Refusal):
    """Another service must be switched on, or off, first."""

    code = "needs-another-service"


class PlanChanged(Refusal):
    """What would be done is no longer what was shown."""

    code = "plan-changed"


def enable(
    installation: Installation,
    centre_id: UUID,
    plugin: str,
    actor: Actor | None,
    expected: str | None = None,
    **told: str | None,
) -> bool:
    """Import, migrate and switch on. False where it was on already. Raises Refusal where it cannot be."""
    _compare(installation, plugin, centre_id, expected)
    _make_ready(installation.registry, plugin)
    return _switch(installation, centre_id, plugin, actor, _put_on, **{"action": "huijia enable", **told})


def disable(
    installation: Installation,
    centre_id: UUID,
    plugin: str,
    actor: Actor | None,
    expected: str | None = None,
    **told: str | None,
) -> bool:
    """Switch off; all data stay. False where it was off already. Refuses while others need it there."""
    _compare(installation, plugin, centre_id, expected)
    return _switch(installation, centre_id, plugin, actor, _take_off, **{"action": "huijia disable", **told})


def _switch(
    installation: Installation,
    centre_id: UUID,
    plugin: str,
    actor: Actor | None,
    change: Callable[[Registry, WorkSession, str, frozenset[str]], bool],
    **told: Any,
) -> bool:
    with installation.doing(centre=centre_id, actor=actor, subject=f"service:{plugin}", **told) as session:
        # First, and so locked: what is needed, or needs it, must not be switched meanwhile.
        bump(session)
        if not change(installation.registry, session, plugin, enabled_at(session, centre_id)):
            session.give_up()
            return False
    installation.refresh()
    return True


def _put_on(registry: Registry, session: WorkSession, plugin: str, here: frozenset[str]) -> bool:
    if plugin in here:
        return False
    missing = [need for need in registry.catalogue[plugin].needs if need not in here]
    if missing:
        words = {"need": label(missing[0]), "service": label(plugin)}
        raise NeedsAnother(_("{service} needs {need}; enable {need} first.", **words), needs=missing)
    actor, at = session.actor, session.centre_id
    by = None if actor is None or actor.id is None else str(actor.id)
    given = registry.loaded[plugin].contributions
    _refuse(provide(session, plugin, given.get("huijia_roles", ())))
    session.add(Enabling(centre_id=at, plugin=plugin, enabled_at=session.now, enabled_by=by))
    _announce(registry, session, "huijia_service_enabled", plugin, here | {plugin})
    return True


def _take_off(registry: Registry, session: WorkSession, plugin: str, here: frozenset[str]) -> bool:
    if plugin not in here:
        return False
    dependents = dependents_of(registry, plugin, here)
    if dependents:
        words = {"service": label(plugin), "dependents": ", ".join(str(label(name)) for name in dependents)}
        message = _("{dependents} cannot go on without {service}; disable {dependents} first.", **words)
        raise NeedsAnother(message, dependents=dependents)
    session.delete(session.get_one(Enabling, (session.centre_id, plugin)))
    # The one that goes hears of it too.
    _announce(registry, session, "huijia_service_disabled", plugin, here)
    return True


def provide(session: WorkSession, owner: str, bundles: Iterable[RoleBundle]) -> Trouble | None:
    """Put the ready-made roles of a plugin, or of the kernel, in place, or bring them up to date.

    All of them or none; the trouble that stopped it, or None.
    """

    def all_or_none() -> None:
        with session.savepoint():
            provide_roles(session, bundles, plugin=owner)

    return guarded(owner, "contribution-failed", all_or_none)


def enabled_at(session: WorkSession, centre_id: UUID) -> frozenset[str]:
    """What is switched on at a centre, whether it works or not."""
    return frozenset(session.scalars(select(Enabling.plugin).where(Enabling.centre_id == centre_id)))


def dependents_of(registry: Registry, plugin: str, among: frozenset[str]) -> list[str]:
    """Which of these cannot run without the plugin."""
    return sorted(n for n in among & registry.catalogue.keys() if plugin in registry.catalogue[n].needs)


def _make_ready(registry: Registry, plugin: str) -> None:
    _import(registry, plugin)
    trouble = registry.troubles.get(plugin)
    for name in registry.with_needs([plugin]):
        if trouble is None and name in registry.pending:
            trouble = migrating.migrate(registry.storage, registry.loaded[name])
            registry.check_schema([name])
    _refuse(trouble)


def _refuse(trouble: Trouble | None) -> None:
    if trouble is not None:
        words = {"why": trouble.message, "remedy": trouble.remedy}
        raise NotReady(_("{why} {remedy}", **words), cause=trouble.code)


def _import(registry: Registry, plugin: str) -> None:
    if plugin not in registry.catalogue:
        raise NotFound(_("There is no service {plugin}; install huijia-{plugin} first.", plugin=plugin))
    registry.load([plugin])


def _announce(
    registry: Registry, session: WorkSession, hook: str, plugin: str, hearing: frozenset[str]
) -> None:
    session.flush()
    hooks = registry.hooks_of(hearing)
    BoundHooks(session, lambda _session: hooks).emit(
        hook, subject=f"service:{plugin}", centre_id=session.centre_id, plugin=plugin
    )


# --- the plan ------------------------------------------------------------------------------------


def plan(installation: Installation, plugin: str, centre_id: UUID) -> dict[str, Any]:
    """What switching this service on or off at the centre means, in builtins. Nothing is changed.

    `fingerprint` stands for all of it but the counts of rows; hand it to `enable` or `disable`.
    """
    registry = installation.registry
    _import(registry, plugin)
    with installation.reading(centre_id) as session:
        made = _describe(registry, plugin, enabled_at(session, centre_id))
        digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
        return {**made, "tables": _row_counts(registry, plugin), "fingerprint": digest[:16]}


def _describe(registry: Registry, plugin: str, here: frozenset[str]) -> dict[str, Any]:
    installed, loaded = registry.catalogue[plugin], registry.loaded.get(plugin)
    trouble = registry.troubles.get(plugin)
    given = loaded.contributions if loaded else {}
    blueprints = loaded.blueprints if loaded else []
    return {
        "plugin": plugin,
        "version": installed.version,
        "enabled": plugin in here,
        "trouble": trouble and str(trouble),
        "needs": {need: need in here for need in installed.needs},
        "partners": {partner: partner in here for partner in installed.partners},
        "dependents": dependents_of(registry, plugin, here),
        "permissions": [p.key for p in given.get("huijia_permissions", [])],
        "routes": {
            f"{b.name}.{end}": a.permission or "public" for b in blueprints for end, a in b.access.items()
        },
        "settings": sorted(given["huijia_settings"].schema().fields) if "huijia_settings" in given else [],
        "migrations": registry.pending.get(plugin, []),
    }


def _row_counts(registry: Registry, plugin: str) -> dict[str, int | None]:
    """Rows by table over all centres; None where the table is not there yet."""
    from huijia.storage.migrate import tables_of

    loaded = registry.loaded.get(plugin)
    with registry.storage.engine.connect() as connection:
        there = tables_of(connection, plugin)
    tables = loaded.metadata.sorted_tables if loaded and loaded.metadata is not None else ()
    return {table.name: there.get(table.name) for table in tables}


def _compare(installation: Installation, plugin: str, centre_id: UUID, expected: str | None) -> None:
    if expected is not None and plan(installation, plugin, centre_id)["fingerprint"] != expected:
        raise PlanChanged(_("Something changed since this plan was shown; look again, then confirm."))
