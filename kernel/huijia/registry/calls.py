"""Calling hooks: our own loop, every answer attributed, every kind with its own policy of failure.

What a call costs follows who answers it, never how many plugins there are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pluggy

from huijia.contributions import Answer
from huijia.errors import Fault, NobodyAnswers, Refusal
from huijia.i18n import messages
from huijia.registry.breaker import Breaker
from huijia.registry.loading import Loaded, manager_of
from huijia.registry.troubles import label
from huijia.spelling import nearest
from huijia.storage.engine import is_undone

if TYPE_CHECKING:
    from huijia.storage.work import WorkSession

_ = messages("huijia")
logger = logging.getLogger(__name__)
AT_ONCE_SECONDS_MAX = 0.1


class ServiceFailed(Refusal):
    """The service that was asked broke down or is paused; what it began is undone."""

    status = 503
    code = "service-failed"


class Answerer:
    """One plugin's implementation of one hook."""

    __slots__ = ("at_once", "function", "hook", "key", "plugin", "takes")

    def __init__(self, hook: str, implementation: pluggy.HookImpl) -> None:
        self.plugin, self.hook = implementation.plugin_name, hook
        self.key = self.plugin, hook
        self.function: Any = implementation.function
        self.takes = (*implementation.argnames, *implementation.kwargnames)
        self.at_once = getattr(self.function, "huijia_at_once", False)

    def __call__(self, given: Mapping[str, Any]) -> Any:
        return self.function(**{name: given[name] for name in self.takes if name in given})


class Hooks:
    """The hooks of one set of enabled plugins, in the order of their needs: who offers, and who answers."""

    def __init__(self, plugins: Sequence[Loaded], breaker: Breaker) -> None:
        self.plugins = {one.name: one for one in plugins}
        self.breaker = breaker
        self._known: dict[str, tuple[str, frozenset[str], tuple[Answerer, ...]]] = {}
        self._manager = manager_of(plugins)
        # Pluggy calls the last one first; ours are to answer in the order of their needs.
        for one in reversed(plugins):
            self._manager.register(one.module, one.name)

    def answering(self, name: str, kind: str, given: Mapping[str, Any]) -> tuple[Answerer, ...]:
        """Who answers a hook. Raises Fault for a wrong name, another kind, or missing arguments."""
        offered, wanted, found = self._known.get(name) or self._look_up(name)
        if offered not in ("", kind) or not wanted <= given.keys():
            missing = ", ".join(sorted(wanted - given.keys())) or f"to be called as a {offered}"
            raise Fault(f"{name} wants {missing}; see its spec.")
        return found

    def _look_up(self, name: str) -> tuple[str, frozenset[str], tuple[Answerer, ...]]:
        caller, owner = getattr(self._manager.hook, name, None), name.partition("_")[0]
        if caller is not None and caller.has_spec():
            spec = caller.spec
            who = tuple(Answerer(name, one) for one in reversed(caller.get_hookimpls()))
            self._known[name] = spec.function.huijia_kind, frozenset(spec.argnames), who
        elif owner in self.plugins or owner == "huijia":
            known = (hook for hook in vars(self._manager.hook) if hook.startswith(f"{owner}_"))
            raise Fault(f"{owner} offers no hook {name}. Meant: {nearest(name, known)}?")
        else:
            self._known[name] = "", frozenset(), ()  # nobody offers it here, so nobody answers
        return self._known[name]

    def describe(self) -> list[dict[str, Any]]:
        """Every hook known here: kind, words, owner, and who answers."""
        found = []
        for name, caller in sorted(vars(self._manager.hook).items()):
            if caller.has_spec():
                kind, _wanted, who = self._look_up(name)
                doc = (caller.spec.function.__doc__ or "").strip()
                answers = [one.plugin for one in who]
                owner = name.partition("_")[0]
                found.append({"hook": name, "kind": kind, "owner": owner, "doc": doc, "answers": answers})
        return found


class BoundHooks:
    """Calls within one unit of work; whose hooks they are is looked up when the first is made.

    What is passed by name is the hook's own, whatever it is called: `plugin` and `name` too.
    """

    def __init__(self, session: WorkSession, find: Callable[[WorkSession], Hooks]) -> None:
        self._session, self._find = session, find
        self._hooks: dict[UUID | None, Hooks] = {}  # by centre: a unit may tell another one's services

    @property
    def all(self) -> Hooks:
        """The hooks of the services that are enabled here."""
        at = self._session.centre_id
        if at not in self._hooks:
            self._hooks[at] = self._find(self._session)
        return self._hooks[at]

    def collect(self, name: str, /) -> list[Answer]:
        """What the plugins contributed when they were wired."""
        return [
            Answer(p.name, p.contributions[name])
            for p in self.all.plugins.values()
            if name in p.contributions
        ]

    def ask(self, name: str, /, **given: Any) -> list[Answer]:
        """All answers, each with its plugin's name. Who fails, declines or is paused is left out."""
        given = self._complete(given)
        asked = [one for one in self.all.answering(name, "question", given) if not self._paused_until(one)]
        answers = [Answer(one.plugin, self._try(one, given)) for one in asked]
        return [answer for answer in answers if answer.value is not None]

    def request(self, name: str, /, **given: Any) -> Any:
        """What the first answerer returns. Raises its Refusal, ServiceFailed, or NobodyAnswers."""
        given = self._complete(given)
        who = self.all.answering(name, "request", given)
        if not who:
            raise NobodyAnswers(_("No service that is switched on here does this ({hook}).", hook=name))
        until = self._paused_until(who[0])
        if until is not None:
            message = _("{service} is paused after failing; try again later.", service=label(who[0].plugin))
            raise ServiceFailed(message, until=until, hook=name)
        return self._attempt(who[0], given)

    def emit(self, name: str, /, *, subject: str, **payload: Any) -> None:
        """Tell what became true about `subject`, such as `order:ID`: at once, or after the commit."""
        from huijia.storage.outbox import enqueue

        given = self._complete(payload)
        who = self.all.answering(name, "event", given)
        later = [one.plugin for one in who if not (one.at_once and self._heard_at_once(one, given))]
        enqueue(self._session, name=name, subject=subject, payload=payload, listeners=later)

    def ask_all(self, name: str, /, **given: Any) -> list[Answer]:
        """As `ask`, where no answer may be missing. Raises ServiceFailed for one that fails or is paused."""
        given = self._complete(given)
        asked = self.all.answering(name, "question", given)
        for one in asked:
            if until := self._paused_until(one):
                message = _("{service} is paused after failing; try again later.", service=label(one.plugin))
                raise ServiceFailed(message, until=until, hook=name)
        return [Answer(one.plugin, self._attempt(one, given)) for one in asked]

    def deliver(self, plugin: str, name: str, /, **payload: Any) -> None:
        """Let one listener hear an enqueued event. Raises what it raises."""
        given = self._complete(payload)
        for one in self.all.answering(name, "event", given):
            if one.plugin == plugin:
                one(given)
                self._session.flush()

    def _complete(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"now": self._session.now, **given, "session": self._session}

    def _paused_until(self, one: Answerer) -> datetime | None:
        return self.all.breaker.paused_until(one, self._session.now)

    def _attempt(self, one: Answerer, given: Mapping[str, Any]) -> Any:
        """The answer, inside a savepoint. A fault is counted and becomes ServiceFailed."""
        session, breaker = self._session, self.all.breaker
        try:
            with session.savepoint():
                value = one(given)
                session.flush()
        except Refusal:
            breaker.succeeded(one, session)
            raise
        except (Exception, SystemExit) as error:
            if is_undone(error) or getattr(error, "connection_invalidated", False):
                raise  # the database's doing and nobody's fault; the door tries again
            breaker.failed(one, session, error)
            message = _("{service} failed; nothing of it was kept. Try again.", service=label(one.plugin))
            raise ServiceFailed(message, hook=one.hook) from error
        breaker.succeeded(one, session)
        return value

    def _try(self, one: Answerer, given: Mapping[str, Any]) -> Any:
        """The answer to a question, or None where it fails or refuses."""
        with suppress(Refusal):
            return self._attempt(one, given)

    def _heard_at_once(self, one: Answerer, given: Mapping[str, Any]) -> bool:
        if self._paused_until(one):
            return False
        started = perf_counter()
        try:
            self._attempt(one, given)
        except Refusal:
            return False
        seconds = perf_counter() - started
        if seconds > AT_ONCE_SECONDS_MAX:
            logger.warning("%s took %.2f s at once in %s.", one.plugin, seconds, one.hook)
        return True
