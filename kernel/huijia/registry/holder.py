"""The WSGI application that never changes, around the one that does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from huijia.i18n import messages
from huijia.registry import troubles

if TYPE_CHECKING:
    from huijia.installation import Installation

_ = messages("huijia")
logger = logging.getLogger(__name__)
POLL_SECONDS = 0.3
Build = Callable[["Installation", list[Any]], tuple[Any, list[troubles.Trouble]]]


class Holder:
    """Serves by the app built for what is enabled anywhere, and swaps it when that changes.

    `build(installation, plugins)` returns a WSGI app and the troubles of plugins that it left out. The first
    build raises what it raises; later, the app that works is kept. Requests in flight end in the old app.
    """

    def __init__(self, installation: Installation, build: Build, *, watch: bool = True) -> None:
        self._installation, self._build = installation, build
        self._single, self._asking, self._asked_at = Lock(), Lock(), float("-inf")
        self._closed = Event()
        self._failed: frozenset[str] | None = None
        self.app, self.serves = self._built(self._wanted())
        installation.holder = self
        self._watcher = Thread(target=self._watch, name="huijia-holder", daemon=True)
        if watch:
            self._watcher.start()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        service = service_of(environ.get("PATH_INFO", ""))
        if service not in self.serves and service in self._installation.registry.catalogue:
            # Perhaps it was switched on elsewhere a moment ago: look before saying 404.
            self._look_again()
        return self.app(environ, start_response)

    def refresh(self) -> None:
        """Read the state; where other plugins are enabled, build and swap. One thread builds, others wait."""
        with self._single:
            wanted = self._wanted()
            if wanted in (self.serves, self._failed):
                return
            try:
                self.app, self.serves = self._built(wanted)
                self._failed = None
            except Exception as error:
                logger.exception("The new set of services could not be built; the old one goes on.")
                self._failed = wanted
                found = [_trouble(error)]
            else:
                found = []
            troubles.show(self._installation.storage, "holder", found)

    def _look_again(self) -> None:
        """Refresh, at most once per POLL_SECONDS whoever asks; those who ask meanwhile wait for that look."""
        with self._asking:
            if monotonic() - self._asked_at >= POLL_SECONDS:
                try:
                    self.refresh()
                finally:
                    self._asked_at = monotonic()

    def _wanted(self) -> frozenset[str]:
        self._installation.registry.refresh()
        return self._installation.registry.serving()

    def _built(self, wanted: frozenset[str]) -> tuple[Any, frozenset[str]]:
        registry = self._installation.registry
        app, left_out = self._build(self._installation, registry.plugins(wanted))
        for trouble in left_out:
            registry.quarantine(trouble)
        return app, wanted - {trouble.plugin for trouble in left_out}

    def _watch(self) -> None:
        told = ""
        while not self._closed.wait(POLL_SECONDS):
            try:
                self.refresh()
            except Exception as error:  # the database may be away for a while; say so once
                if told != (told := repr(error)):
                    logger.exception("The state could not be read; trying again until it can.")
            else:
                told = ""

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()
        if self._watcher.is_alive():
            self._watcher.join()


def service_of(path: str) -> str:
    """The service that an address is about: NAME for /c/SLUG/NAME/… and /api/v1/centres/SLUG/NAME/…."""
    parts = path.split("/", 6)
    place = 3 if parts[1:2] == ["c"] else 5 if parts[1:4] == ["api", "v1", "centres"] else len(parts)
    return parts[place] if place < len(parts) else ""


def _trouble(error: Exception) -> troubles.Trouble:
    message = _("The changed set of services could not be opened; those before the change go on.")
    remedy = _("Switch off what was switched on last, or update it and restart; the log says more.")
    return troubles.Trouble(
        "huijia", "swap-failed", message, remedy, troubles.where(error, words=True), "holder"
    )
