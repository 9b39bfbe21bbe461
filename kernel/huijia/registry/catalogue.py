"""What is installed, read from the metadata of distributions. Nothing is imported for it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import huijia
from huijia.i18n import Text, messages
from huijia.registry.troubles import Trouble, label, update_or_remove, where

_ = messages("huijia")
GROUP = "huijia.plugins"
_NAME = re.compile(r"[a-z][a-z0-9]{1,30}")
# The kernel's own words in addresses and commands.
_RESERVED = """account admin api audit centre centres check counts demo doctor figures files find health hooks
huijia init installation login map official people plugins problems repairs serve services settings staff
static test testing today tokens workspace"""
RESERVED = frozenset(_RESERVED.split())


@dataclass(frozen=True)
class Installed:
    """A plugin as its distribution describes it. `problem` says why it cannot run with this kernel."""

    name: str
    version: str
    summary: Text
    needs: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    problem: Trouble | None = None

    @property
    def label(self) -> Text:
        return label(self.name)

    @property
    def package(self) -> str:
        return f"huijia_{self.name}"


def discover(only: Collection[str] | None = None) -> dict[str, Installed]:
    """All installed plugins by name, or those of `only`."""
    offers: dict[str, list[EntryPoint]] = defaultdict(list)
    for entry in entry_points(group=GROUP):
        if entry.dist is not None and (only is None or entry.name in only):
            offers[entry.name].append(entry)
    return {name: _read(name, entries) for name, entries in sorted(offers.items())}


def _read(name: str, entries: list[EntryPoint]) -> Installed:
    dist = entries[0].dist
    assert dist is not None, "discover leaves out entry points without a distribution"
    problem = _problem_of_name(name, entries)
    needs: dict[str, list[str]] = {"": [], "partners": []}
    try:
        for requirement in map(Requirement, dist.requires or ()):
            problem = _sort_in(name, requirement, needs) or problem
    except Exception as error:
        words = _("The metadata of huijia-{plugin} cannot be read: {error}", plugin=name, error=where(error))
        told = words, update_or_remove(name), where(error, words=True)
        problem = problem or Trouble(name, "unreadable-metadata", *told)
    summary = Text(dist.metadata["Summary"] or name, name)
    return Installed(name, dist.version, summary, tuple(needs[""]), tuple(needs["partners"]), problem)


def _sort_in(name: str, requirement: Requirement, needs: dict[str, list[str]]) -> Trouble | None:
    other = canonicalize_name(requirement.name)
    if other == "huijia" and not requirement.specifier.contains(huijia.__version__, prereleases=True):
        words = {"service": label(name), "wanted": str(requirement.specifier), "version": huijia.__version__}
        message = _("{service} wants huijia {wanted}, and this is {version}.", **words)
        remedy = _("Install a huijia-{plugin} made for this kernel, or another kernel.", plugin=name)
        return Trouble(name, "wrong-kernel", message, remedy)
    for extra, found in needs.items() if other.startswith("huijia-") else ():
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            found.append(other.removeprefix("huijia-"))
            break
    return None


def _problem_of_name(name: str, entries: list[EntryPoint]) -> Trouble | None:
    if len(entries) > 1:
        words = ", ".join(sorted(f"{p.dist.name} {p.dist.version}" for p in entries if p.dist))
        message = _("{all} all call themselves {name}, so none of them is used.", all=words, name=name)
        return Trouble(name, "duplicate-name", message, _("Remove all but one of them and restart."))
    if name in RESERVED or not _NAME.fullmatch(name):
        message = _(
            "{name} cannot be a service's name: the kernel's own, or no plain lower-case word.", name=name
        )
        return Trouble(name, "reserved-name", message, update_or_remove(name))
    if entries[0].value != f"huijia_{name}.plugin":
        words = {"name": name, "found": entries[0].value, "expected": f"huijia_{name}.plugin"}
        message = _("The entry point of {name} is {found} and must be {expected}.", **words)
        return Trouble(name, "wrong-package", message, update_or_remove(name))
    return None
