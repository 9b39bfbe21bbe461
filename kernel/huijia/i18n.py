"""Words in the reader's language.

A plugin binds its own catalogue once, `_ = messages("rooms")`, and writes English sentences:
`_("{room} is booked until {end}; choose a later start.", room=…, end=…)`. What comes back is a `Text`,
rendered when it is shown, in the language of whoever reads it. Catalogues are gettext .po files at
`translations/LOCALE/LC_MESSAGES/NAME.po`, read as they are; a plugin's domain never reaches another's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

KERNEL = "huijia"
LOCALES = ("zh_Hans", "en")
DEFAULT_LOCALE = "zh_Hans"
# Sentences of marshmallow that hold values; those without are looked up as they are.
FIELD_SENTENCES = (
    "Must be one of: {choices}.",
    "Must be equal to {other}.",
    "Must be greater than or equal to {min} and less than or equal to {max}.",
    "Must be greater than or equal to {min}.",
    "Must be less than or equal to {max}.",
    "Shorter than minimum length {min}.",
    "Longer than maximum length {max}.",
    "Length must be between {min} and {max}.",
    "Length must be {equal}.",
)

_locale: ContextVar[str] = ContextVar("huijia_locale", default=DEFAULT_LOCALE)


class Text:
    """A sentence and its values, not yet in any language; `str()` renders it in the current one."""

    __slots__ = ("domain", "message", "values")

    def __init__(self, message: str, domain: str = KERNEL, **values: Any) -> None:
        self.message, self.domain, self.values = message, domain, values

    def __str__(self) -> str:
        template = catalogue(self.domain, current_locale()).get(self.message, self.message)
        return template.format(**self.values) if self.values else template

    def __html__(self) -> str:
        from markupsafe import escape

        return str(escape(str(self)))

    def __repr__(self) -> str:
        return f"Text({self.message!r}, {self.domain!r})"

    def __eq__(self, other: object) -> bool:
        # Never by what it renders to: that depends on who reads, and a hash may not.
        return self._parts() == other._parts() if isinstance(other, Text) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.domain, self.message))  # values may be lists

    def _parts(self) -> tuple[Any, ...]:
        return self.domain, self.message, self.values


def messages(domain: str) -> Callable[..., Text]:
    """Bind a catalogue: the result makes a `Text` of that domain from an English sentence and its values."""

    def translate(message: str, **values: Any) -> Text:
        return Text(message, domain, **values)

    return translate


def current_locale() -> str:
    """One of `LOCALES`."""
    return _locale.get()


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Render in `locale` until the block ends."""
    token = _locale.set(normalise(locale))
    try:
        yield
    finally:
        _locale.reset(token)


def normalise(locale: str | None) -> str:
    """Map what browsers and people write (zh-CN, zh_Hans_CN, en-GB) to one of `LOCALES`."""
    return "en" if (locale or "").lower().startswith("en") else DEFAULT_LOCALE


@cache
def catalogue(domain: str, locale: str) -> dict[str, str]:
    """Translations of one domain, by English sentence; empty where there is no catalogue."""
    # Found without being imported: a plugin that is switched off, or breaks when imported, has words too.
    package = find_spec(KERNEL if domain == KERNEL else f"huijia_{domain}")
    folders = (package and package.submodule_search_locations) or ()
    paths = [Path(folder) / "translations" / locale / "LC_MESSAGES" / f"{domain}.po" for folder in folders]
    lines = [line for path in paths if path.exists() for line in path.read_bytes().splitlines(keepends=True)]
    if not lines:
        return {}
    from babel.messages.pofile import read_po

    return {str(m.id): str(m.string) for m in read_po(lines) if m.id and m.string and not m.fuzzy}


def translated(errors: Any) -> Any:
    """marshmallow's nest of messages, each in the reader's language."""
    if isinstance(errors, dict):
        return {str(name): translated(value) for name, value in errors.items()}
    if isinstance(errors, list | tuple):
        return [translated(value) for value in errors]
    for sentence, pattern in _patterns():
        found = pattern.fullmatch(str(errors))
        if found:
            return str(Text(sentence, **found.groupdict()))
    return str(Text(errors) if isinstance(errors, str) else errors)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(s, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(s)))) for s in FIELD_SENTENCES]
