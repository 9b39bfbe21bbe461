"""Import a plugin, check it by the rules of the house, and keep what it contributes.

Whatever a plugin does wrong here is its own trouble: it is attributed, and no other plugin notices.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import Any

import pluggy

from huijia import hookspecs
from huijia.i18n import Text, messages
from huijia.registry.catalogue import Installed
from huijia.registry.troubles import Trouble, label, update_or_remove, where
from huijia.spelling import nearest

_ = messages("huijia")
logger = logging.getLogger(__name__)


# What a plugin was doing when it raised something.
STAGES = {
    "import-failed": _("{service} cannot be imported: {error}."),
    "wrong-signature": _("{service} answers a hook with arguments that nobody passes: {error}."),
    "wrong-tables": _("The tables and the migrations of {service} do not fit: {error}."),
    "migration-failed": _("The tables of {service} could not be brought up to date; they are as before."),
    "contribution-failed": _("What {service} contributes failed: {error}."),
}


class Broken(Exception):
    """A plugin breaks a rule; the message says which."""

    def __init__(self, code: str, message: Text) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(eq=False)
class Loaded:
    """A plugin that passed: its modules, the hooks it offers and answers, its contributions, its tables."""

    name: str
    module: ModuleType
    offers: ModuleType | None = None
    hooks: frozenset[str] = frozenset()
    answers: tuple[str, ...] = ()
    contributions: dict[str, Any] = field(default_factory=dict)
    metadata: Any = None
    migrations: Path | None = None

    @property
    def blueprints(self) -> list[Any]:
        return self.contributions.get("huijia_blueprints", [])

    @property
    def navigation(self) -> list[Any]:
        return self.contributions.get("huijia_navigation", [])


def guarded(name: str, stage: str, work: Callable[[], Any]) -> Any:
    """What `work` returns, or the trouble that plugin `name` made in it, SystemExit included."""
    try:
        return work()
    except (Exception, SystemExit) as error:
        # Words of ours are translated; what the error itself says is for programmers, in the detail.
        code, message = stage, _(STAGES[stage].message, service=label(name), error=where(error))
        if isinstance(error, Broken):
            code, message = error.code, _("{service}: {why}", service=label(name), why=error.message)
        trouble = Trouble(name, code, message, update_or_remove(name), where(error, words=True))
        logger.error("%s: %s", name, trouble, exc_info=error)
        return trouble


def load(one: Installed) -> Loaded | Trouble:
    """The plugin, or its trouble."""
    return guarded(one.name, "import-failed", lambda: _load(one.name, one.package))


def _load(name: str, package: str) -> Loaded:
    module = import_module(f"{package}.plugin")
    offers, models = _optional(f"{package}.hookspecs"), _optional(f"{package}.models")
    home = Path(module.__file__ or "").parent
    _check_words(name, home)
    migrations = home / "migrations" if (home / "migrations").is_dir() else None
    metadata = _tables(name, package, models)
    return Loaded(name, module, offers, _hooks_of(name, offers), metadata=metadata, migrations=migrations)


def _optional(module: str) -> ModuleType | None:
    return import_module(module) if find_spec(module) else None


# --- hooks ---------------------------------------------------------------------------------------


def _hooks_of(name: str, offers: Any) -> frozenset[str]:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    found = {attr for attr in dir(offers) if manager.parse_hookspec_opts(offers, attr) is not None}
    for hook in sorted(found):
        if not hook.startswith(f"{name}_"):
            raise Broken("hook-prefix", _("Its hook {hook} must start with {name}_.", hook=hook, name=name))
        if getattr(getattr(offers, hook), "huijia_kind", None) not in hookspecs.KINDS:
            raise Broken("hook-kind", _("Its hook {hook} does not say of which kind it is.", hook=hook))
    return frozenset(found)


KERNEL_HOOKS = _hooks_of("huijia", hookspecs)


def manager_of(offering: Collection[Loaded]) -> pluggy.PluginManager:
    """A plugin manager that knows the hooks of the kernel and of these plugins."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    offers: list[Any] = [hookspecs, *(one.offers for one in offering if one.hooks)]
    for module in offers:
        manager.add_hookspecs(module)
    return manager


def check_together(everyone: Mapping[str, Loaded]) -> dict[str, Trouble]:
    """Check what each plugin answers against the hooks that the kernel and everyone offer."""
    manager, found = manager_of(everyone.values()), {}
    for name, one in everyone.items():
        check = partial(_check_hooks, manager, one, everyone)
        found[name] = guarded(name, "wrong-signature", check)
    return {name: trouble for name, trouble in found.items() if trouble is not None}


def _check_hooks(manager: pluggy.PluginManager, one: Loaded, everyone: Mapping[str, Loaded]) -> None:
    answers = []
    for attr in dir(one.module):
        options = manager.parse_hookimpl_opts(one.module, attr)
        if options is None and attr in KERNEL_HOOKS:
            raise Broken("unmarked-hook", _("Its function {hook} lacks the mark @hookimpl.", hook=attr))
        if options is None:
            continue
        if options.get("wrapper") or options.get("hookwrapper"):
            raise Broken("hook-wrapper", _("It wraps the hook {hook}; wrappers are refused.", hook=attr))
        if options.get("specname"):
            raise Broken("hook-renamed", _("It answers {hook} under another name; name it so.", hook=attr))
        _check_known(attr, everyone)
        answers.append(attr)
    manager.register(one.module, one.name)
    one.answers = tuple(answers)


def _check_known(hook: str, everyone: Mapping[str, Loaded]) -> None:
    owner = hook.partition("_")[0]
    known = KERNEL_HOOKS if owner == "huijia" else everyone[owner].hooks if owner in everyone else {hook}
    if hook not in known:
        words = {"hook": hook, "owner": owner, "nearest": nearest(hook, known)}
        raise Broken(
            "unknown-hook", _("It answers {hook}, which {owner} does not offer. Meant: {nearest}?", **words)
        )


def contribute(one: Loaded, everyone: Mapping[str, Loaded]) -> Trouble | None:
    """Call each contribution of the plugin once and keep what it gives. Its trouble, or None."""
    return guarded(one.name, "contribution-failed", partial(_contribute, one, everyone))


def _contribute(one: Loaded, everyone: Mapping[str, Loaded]) -> None:
    from huijia.registry.contributing import check_contributions, check_value

    for hook in one.answers:
        owner = everyone.get(hook.partition("_")[0])
        spec = getattr(hookspecs if owner is None else owner.offers, hook, None)
        if getattr(spec, "huijia_kind", None) == "contribution":
            one.contributions[hook] = check_value(spec, getattr(one.module, hook)())
    check_contributions(one)


# --- tables and words ----------------------------------------------------------------------------


def _tables(name: str, package: str, models: ModuleType | None) -> Any:
    from sqlalchemy import MetaData, Table

    from huijia.storage.base import KernelBase

    things = [] if models is None else list(vars(models).values())
    classes = [one for one in things if isinstance(one, type) and str(one.__module__).startswith(package)]
    found = [one.metadata for one in things if isinstance(one, Table)]
    found += [one.metadata for one in classes if isinstance(getattr(one, "metadata", None), MetaData)]
    if len(set(map(id, found))) > 1 or KernelBase.metadata in found:
        raise Broken("table-base", _("Its tables must all come from one plugin_base({name}).", name=name))
    for table in found[0].tables.values() if found else ():
        others = {key.target_fullname.partition(".")[0] for key in table.foreign_keys}
        if not table.name.startswith(f"{name}_"):
            raise Broken(
                "table-prefix", _("Its table {table} must be named {name}_….", table=table.name, name=name)
            )
        for other in sorted(others):
            if not other.startswith((f"{name}_", "huijia_")):
                words = {"table": table.name, "other": other}
                raise Broken(
                    "table-reference", _("Its table {table} refers to {other}, another service's.", **words)
                )
    return found[0] if found else None


def _check_words(name: str, home: Path) -> None:
    for path in home.glob("translations/*/*/*.[pm]o"):
        if path.name != f"{name}.po":
            raise Broken(
                "message-domain", _("Its catalogue {file} must be {name}.po.", file=path.name, name=name)
            )
        from babel.messages.pofile import read_po

        for found in read_po(path.read_bytes().splitlines(keepends=True), abort_invalid=True):
            if found.id and found.string and _values(found.id) != _values(found.string):
                words = {"file": path.name, "sentence": repr(found.id)}
                raise Broken(
                    "message-values", _("{file} translates {sentence} with other values in braces.", **words)
                )


def _values(sentence: Any) -> set[str | None]:
    return {part[1] for part in Formatter().parse(str(sentence)) if part[1] is not None}
