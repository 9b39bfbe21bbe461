"""What is installed, loaded and enabled where: read again when the state version says so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from threading import RLock
from uuid import UUID

from sqlalchemy import inspect, select

from huijia.errors import PluginFault
from huijia.i18n import messages
from huijia.registry import migrating, troubles
from huijia.registry.breaker import Breaker
from huijia.registry.calls import BoundHooks, Hooks
from huijia.registry.catalogue import discover
from huijia.registry.loading import Loaded, check_together, contribute, guarded, load
from huijia.registry.models import BreakerRow, Enabling
from huijia.registry.order import in_order, need_trouble
from huijia.registry.troubles import Trouble, label
from huijia.registry.version import BUMPED, version_of
from huijia.storage.work import Storage, WorkSession

_ = messages("huijia")
REGISTRY = "huijia.registry"  # in a session's info: for what must know services that are off, too


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The state at one version: what is enabled at which centre, and what is paused until when."""

    version: int = 0
    centres: Mapping[UUID, frozenset[str]] = field(default_factory=dict)
    paused: Mapping[tuple[str, str], datetime] = field(default_factory=dict)

    @cached_property
    def anywhere(self) -> frozenset[str]:
        return frozenset().union(*self.centres.values())


class Registry:
    """One process's knowledge of its plugins. A plugin enabled nowhere is imported only on request."""

    def __init__(
        self, storage: Storage, *, only: Collection[str] | None = None, strict: bool = False
    ) -> None:
        self.storage, self.strict, self._only = storage, strict, only
        self.catalogue = discover(only)
        self.order, self.troubles = in_order(self.catalogue)
        self.loaded: dict[str, Loaded] = {}
        self.pending: dict[str, list[str]] = {}  # migrations that have not run, by plugin
        self.breaker = Breaker()
        self.snapshot = Snapshot()
        self._hooks: dict[frozenset[str], Hooks] = {}  # by what is enabled; replaced, never cleared
        self._recorded = False
        self._lock = RLock()

    # --- loading ---

    def load(self, names: Collection[str]) -> None:
        """Import and check these plugins and what they need; each one's trouble stays its own."""
        with self._lock:
            for name in self.troubles.keys() & set(names) if self.strict else ():
                self._keep(name, self.troubles[name])
            known = self.loaded.keys() | self.troubles.keys()
            fresh = [name for name in self.with_needs(names) if name not in known]
            for name in fresh:
                self._keep(name, load(self.catalogue[name]))
            found = check_together(self.loaded) if fresh else {}
            for name, trouble in found.items():
                self._keep(name, trouble)
            for name in fresh:
                if name in self.loaded:
                    self._keep(name, contribute(self.loaded[name], self.loaded))
            self.check_schema([*fresh, *self.pending])  # another worker may have migrated

    def with_needs(self, names: Collection[str]) -> list[str]:
        """The names that can run and what they need, each after its needs."""
        wanted = set(names)
        for name in reversed(self.order):
            wanted |= set(self.catalogue[name].needs if name in wanted else ())
        return [name for name in self.order if name in wanted]

    def _keep(self, name: str, outcome: Loaded | Trouble | None) -> None:
        if self.strict and isinstance(outcome, Trouble):
            raise PluginFault(name, f"{name}: {outcome}")
        if isinstance(outcome, Loaded):
            self.loaded[name] = outcome
        elif outcome is not None:
            self.troubles[name] = outcome
            self.loaded.pop(name, None)
            self._recorded = False

    def _break_dependents(self) -> None:
        for name in self.order:
            need = next((n for n in self.catalogue[name].needs if n in self.troubles), None)
            if need and name in self.loaded:
                self._keep(name, need_trouble(name, need, known=True))

    def quarantine(self, trouble: Trouble) -> None:
        """Leave a plugin out of this process from now on, and whoever needs it."""
        with self._lock:
            self._keep(trouble.plugin, trouble)
            self._break_dependents()
            self._hooks = {}
        self.record()

    def check_schema(self, names: Collection[str]) -> None:
        """Find out which of these have migrations that did not run."""
        for name in set(names):
            loaded, steps = self.loaded.get(name), None
            if loaded is not None:
                steps = guarded(name, "wrong-tables", partial(migrating.pending_of, self.storage, loaded))
            if isinstance(steps, Trouble):
                self._keep(name, steps)
            elif steps:
                self.pending[name] = steps
            else:
                self.pending.pop(name, None)
        self._break_dependents()
        self._hooks = {}
        self._recorded = False

    def works(self, name: str) -> bool:
        """True where the plugin is loaded, without trouble, and its tables and its needs' are there."""
        return (
            name in self.loaded
            and name not in self.pending
            and all(map(self.works, self.catalogue[name].needs))
        )

    def is_gone(self, name: str) -> bool:
        """True where the plugin is not installed; never of one that this process was told not to see."""
        return self._only is None and name not in self.catalogue

    def record(self) -> None:
        """Show this process's troubles in Repairs, and take out what is mended."""
        if self._only is not None:
            return  # who sees some plugins only does not know what is mended
        anywhere = self.snapshot.anywhere
        words = {name: {"service": label(name), "plugin": name} for name in anywhere}
        found = [t for name, t in self.troubles.items() if name in anywhere or name not in self.order]
        for name in sorted(anywhere & self.pending.keys()):
            message = _("{service} rests: its tables are not up to date.", **words[name])
            found.append(Trouble(name, "schema-pending", message, _("Run huijia migrate.")))
        for name in sorted(anywhere - self.catalogue.keys()):
            message = _("{service} is switched on and no longer installed.", **words[name])
            remedy = _("Install huijia-{plugin} again and restart, or switch it off.", **words[name])
            found.append(Trouble(name, "not-installed", message, remedy))
        troubles.show(self.storage, "start", found)
        self._recorded = True

    # --- the state ---

    def is_installed(self) -> bool:
        """True once the kernel's tables are there."""
        return inspect(self.storage.engine).has_table("huijia_state")

    def refresh(self) -> Snapshot:
        """Read the state again where its version changed, and load what is newly enabled."""
        with self.storage.reading() as session:
            state = self.current(session)
        if not self._recorded:
            self.record()
        return state

    def current(self, session: WorkSession, version: int | None = None) -> Snapshot:
        """The state, read again where its version is newer; hand the version over where you know it."""
        version = version_of(session) if version is None else version
        kept = self.snapshot
        if BUMPED in session.info:
            # What this unit changed may yet be undone: nobody else is to see it.
            return self._read(session, version)
        if version <= kept.version:
            return kept
        with self._lock:
            if version > self.snapshot.version:
                fresh = self._read(session, version)
                self.load(fresh.anywhere)
                self.snapshot = fresh
                self.breaker.read(fresh.paused)
                self._recorded = False
            return self.snapshot

    def _read(self, session: WorkSession, version: int) -> Snapshot:
        centres: dict[UUID, set[str]] = {}
        for centre_id, plugin in session.execute(select(Enabling.centre_id, Enabling.plugin)):
            centres.setdefault(centre_id, set()).add(plugin)
        rows = session.execute(select(BreakerRow.plugin, BreakerRow.hook, BreakerRow.paused_until))
        paused = {(plugin, hook): until for plugin, hook, until in rows}
        return Snapshot(version, {c: frozenset(names) for c, names in centres.items()}, paused)

    # --- what is served ---

    def serving(self, centre_id: UUID | None = None, snapshot: Snapshot | None = None) -> frozenset[str]:
        """What is enabled at this centre and works; at any centre where none is named."""
        return frozenset(filter(self.works, self._enabled(centre_id, snapshot)))

    def _enabled(self, centre_id: UUID | None, snapshot: Snapshot | None) -> frozenset[str]:
        state = snapshot or self.snapshot
        return state.anywhere if centre_id is None else state.centres.get(centre_id, frozenset())

    def plugins(self, names: Collection[str]) -> list[Loaded]:
        """Those of the names that work, each after what it needs."""
        return [self.loaded[name] for name in self.order if name in names and self.works(name)]

    def hooks_for(self, centre_id: UUID | None, snapshot: Snapshot | None = None) -> Hooks:
        """The hooks of a centre's services, or of all services enabled anywhere."""
        return self.hooks_of(self._enabled(centre_id, snapshot))

    def hooks_of(self, names: frozenset[str]) -> Hooks:
        """The hooks of those of the names that work, made once for all centres that have the same."""
        kept = self._hooks  # what is made of plugins that change meanwhile goes into the dict that is dropped
        found = kept.get(names)
        if found is None:
            found = kept[names] = Hooks(self.plugins(names), self.breaker)
        return found

    def bind(self, session: WorkSession) -> None:
        """Give a unit of work its hooks, looked up when first used, and the way back to this registry."""
        session.info[REGISTRY] = self
        session.hooks = BoundHooks(session, lambda s: self.hooks_for(s.centre_id, self.current(s)))
