"""A plugin's tables: what is still to be migrated, and doing it, its failure kept as its own trouble."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from huijia.i18n import messages
from huijia.registry import troubles
from huijia.registry.loading import Loaded, guarded
from huijia.registry.version import bump

if TYPE_CHECKING:
    from huijia.storage.migrate import Line
    from huijia.storage.work import Storage

_ = messages("huijia")


def migrate_kernel(storage: Storage) -> None:
    """Bring the kernel's own tables up to date; its failure is the kernel's, and raised."""
    from huijia.storage.migrate import kernel_line, upgrade  # here: Alembic takes long to import

    upgrade(storage.engine, kernel_line())


def line_of(plugin: Loaded) -> Line | None:
    """The plugin's line of migrations; None where it has no tables."""
    from huijia.storage.migrate import Line

    return Line(plugin.name, plugin.migrations, plugin.metadata) if plugin.migrations else None


def pending_of(storage: Storage, plugin: Loaded) -> list[str]:
    """Revisions that have not run, oldest first."""
    line = line_of(plugin)
    if line is None:
        return []
    from huijia.storage.migrate import pending

    with storage.engine.connect() as connection:
        return [str(step) for step in pending(connection, line)]


def migrate(storage: Storage, plugin: Loaded) -> troubles.Trouble | None:
    """Bring the plugin's tables up to date, wholly or not at all. The trouble that stopped it, or None."""
    line, ran = line_of(plugin), None
    if line is not None:
        from huijia.storage.migrate import upgrade

        ran = guarded(plugin.name, "migration-failed", partial(upgrade, storage.engine, line))
    with storage.writing() as session:
        if isinstance(ran, troubles.Trouble):
            remedy = _("Install a mended huijia-{plugin}, then run huijia migrate.", plugin=plugin.name)
            trouble = replace(ran, remedy=remedy, source="migration")
            troubles.keep(session, trouble)
            return trouble
        troubles.mended(session, "migration", plugin.name)
        if ran:
            bump(session)  # other workers look at its tables again
    return None
