"""Who comes after whom, and who cannot come because of whom."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from huijia.i18n import messages
from huijia.registry.catalogue import Installed
from huijia.registry.troubles import Trouble, label, update_or_remove

_ = messages("huijia")


def in_order(installed: Mapping[str, Installed]) -> tuple[list[str], dict[str, Trouble]]:
    """Names with each after what it needs, and the troubles of those that cannot run, by name."""
    troubles = {name: one.problem for name, one in installed.items() if one.problem}
    graph = {name: [n for n in one.needs if n in installed] for name, one in sorted(installed.items())}
    while True:
        try:
            order = list(TopologicalSorter(graph).static_order())
            break
        except CycleError as error:
            ring = error.args[1][:-1]
            troubles |= {name: troubles.get(name) or _circle(name, ring) for name in ring}
            graph |= {name: [] for name in ring}
    for name in order:
        missing = [need for need in installed[name].needs if need not in installed or need in troubles]
        if missing and name not in troubles:
            troubles[name] = need_trouble(name, missing[0], known=missing[0] in installed)
    return [name for name in order if name not in troubles], troubles


def need_trouble(name: str, need: str, *, known: bool) -> Trouble:
    """The trouble of a service whose need is not installed, or is and does not work."""
    words = {"service": label(name), "need": label(need), "distribution": f"huijia-{need}"}
    if known:
        message = _("{service} needs {need}, which does not work here.", **words)
        return Trouble(name, "need-broken", message, _("Mend {need} first; its own entry says how.", **words))
    message = _("{service} needs {need}, which is not installed.", **words)
    return Trouble(name, "unknown-need", message, _("Install {distribution} and restart.", **words))


def _circle(name: str, ring: list[str]) -> Trouble:
    message = _("{ring} need one another in a circle; none can be first.", ring=" → ".join([*ring, ring[0]]))
    return Trouble(name, "need-cycle", message, update_or_remove(name))
