"""One installation, put together: its configuration, storage, keys, registry and clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.exc import ArgumentError

from huijia.clock import Clock, clock_from_environment
from huijia.config import Config, ConfigError
from huijia.contributions import RoleBundle
from huijia.i18n import KERNEL, messages
from huijia.identity.actor import SYSTEM, Actor
from huijia.identity.permissions import KERNEL_ROLES
from huijia.registry import lifecycle, migrating
from huijia.registry.registry import Registry
from huijia.registry.troubles import Trouble
from huijia.storage import audit
from huijia.storage.vault import Vault
from huijia.storage.work import Storage, WorkSession

if TYPE_CHECKING:
    from huijia.registry.holder import Holder


_ = messages("huijia")


class Installation:
    """What a door, a command or a job works with. `open` it, `close` it at the end."""

    def __init__(
        self, config: Config, storage: Storage, vault: Vault, registry: Registry, clock: Clock
    ) -> None:
        self.config, self.storage, self.vault = config, storage, vault
        self.registry, self.clock = registry, clock
        self.holder: Holder | None = None

    @classmethod
    def open(
        cls,
        config: Config,
        *,
        clock: Clock | None = None,
        only: Collection[str] | None = None,
        strict: bool = False,
    ) -> Installation:
        """Open the database and load what is enabled. A plugin's fault is its own trouble, unless `strict`.

        `only` leaves all other plugins unseen. The kernel's own fault is raised.
        """
        clock, vault = clock or _clock(), Vault(config.read_keys())
        storage = _storage(config, clock)
        registry = Registry(storage, only=config.plugins.only if only is None else only, strict=strict)

        def prepare(session: WorkSession) -> None:
            session.vault = vault
            registry.bind(session)

        storage.prepare = prepare
        made = cls(config, storage, vault, registry, clock)
        try:
            if registry.is_installed():
                registry.refresh()
        except BaseException:
            made.close()
            raise
        return made

    def reading(self, centre: Any = None, actor: Actor | None = None) -> AbstractContextManager[WorkSession]:
        """A unit of work that reads, at a centre (or its id) or at none."""
        return self.storage.reading(centre_id=_id(centre), actor=actor)

    def writing(self, centre: Any = None, actor: Actor | None = None) -> AbstractContextManager[WorkSession]:
        """A unit of work that writes, at a centre (or its id) or at none."""
        return self.storage.writing(centre_id=_id(centre), actor=actor)

    @contextmanager
    def doing(
        self, action: str, centre: Any = None, actor: Actor | None = SYSTEM, **told: Any
    ) -> Iterator[WorkSession]:
        """A unit of work that writes and, where it changes anything, leaves its one entry in the audit.

        For commands, and for use cases that open their own units; requests are audited by the door.
        """
        with self.writing(centre, actor) as session:
            yield session
            session.flush()
            if session.changes:
                audit.record(session, action=action, **told)

    def migrate(self) -> list[Trouble]:
        """Bring tables and ready-made roles of the kernel and of enabled plugins up to date.

        Troubles of those that failed.
        """
        migrating.migrate_kernel(self.storage)
        state = self.registry.refresh()
        loaded = self.registry.loaded
        plugins = [loaded[name] for name in self.registry.order if name in state.anywhere & loaded.keys()]
        found = [migrating.migrate(self.storage, plugin) for plugin in plugins]
        self.registry.check_schema([plugin.name for plugin in plugins])
        with self.doing("huijia migrate") as session:
            shipped: dict[str, Iterable[RoleBundle]] = {KERNEL: KERNEL_ROLES}
            for one in self.registry.plugins(state.anywhere):
                shipped[one.name] = one.contributions.get("huijia_roles", ())
            found += [lifecycle.provide(session, *one) for one in shipped.items()]
        self.refresh()
        return [trouble for trouble in found if trouble is not None]

    def refresh(self) -> None:
        """Let this process see at once what was changed in it; others see it within a moment."""
        self.registry.refresh()
        if self.holder is not None:
            self.holder.refresh()

    def close(self) -> None:
        """Give connections and threads back."""
        if self.holder is not None:
            self.holder.close()
        self.storage.close()


def _clock() -> Clock:
    try:
        clock = clock_from_environment()
        if not 2000 <= clock().year < 2100:
            raise ValueError
    except (ValueError, OverflowError):
        text = "HUIJIA_CLOCK is no instant of this century with its offset; write {now}."
        message = _(text, now="2026-11-22T09:00:00+08:00")
        raise ConfigError(message) from None
    return clock


def _storage(config: Config, clock: Clock) -> Storage:
    try:
        return Storage(config.database.url, clock=clock)
    except (ArgumentError, ValueError):  # their words may hold the password
        message = _("HUIJIA_DATABASE_URL, or url of [database], is no database that can be used; "
                    "write sqlite:////folder/file.db or postgresql://user:password@host/name.")  # fmt: skip
        raise ConfigError(message) from None


def _id(centre: Any) -> UUID | None:
    return getattr(centre, "id", centre)
