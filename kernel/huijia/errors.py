"""What can go wrong, in two families: a *refusal* (the caller may mend it) and a *fault* (we must).

A refusal carries a message that says what and what next, a code that programs can read, and an HTTP
status. It never counts against the plugin that raised it. Everything else is a fault.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from huijia.i18n import Text


class Refusal(Exception):
    """A rule says no. Subclass it once per rule; the message says what and what next.

    `until` is when it may succeed (UTC), where that is known; `details` are builtins for programs.
    """

    status: ClassVar[int] = 409
    code: ClassVar[str] = "refused"

    def __init__(self, message: Text | str, *, until: datetime | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.until = until
        self.details = details

    def __str__(self) -> str:
        return str(self.message)


class NotFound(Refusal):
    """There is no such thing, or none that the caller may know of."""

    status = 404
    code = "not-found"


class NotSignedIn(Refusal):
    """Nobody is signed in, or the session or token has ended."""

    status = 401
    code = "not-signed-in"


class Forbidden(Refusal):
    """The actor lacks a permission; the message names it."""

    status = 403
    code = "forbidden"


class Invalid(Refusal):
    """Input of the wrong shape. `errors` maps field names to lists of messages, as marshmallow does."""

    status = 422
    code = "invalid"

    def __init__(self, message: Text | str, errors: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or {}


class TooMany(Refusal):
    """Too many attempts; `until` says when the next one is heard."""

    status = 429
    code = "too-many"


class NobodyAnswers(Refusal):
    """A request was put to a hook that no enabled service answers."""

    code = "nobody-answers"


class Fault(Exception):
    """A programmer's error: the kernel's or a plugin's. Never the caller's."""


class PluginFault(Fault):
    """A plugin broke a rule of the house; `plugin` names it, the message says what to do about it."""

    def __init__(self, plugin: str, message: str) -> None:
        super().__init__(message)
        self.plugin = plugin
