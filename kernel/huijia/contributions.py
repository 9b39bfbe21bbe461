"""What a plugin brings: the small types that contribution and question hooks return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from huijia.i18n import Text


@dataclass(frozen=True)
class Permission:
    """A right that a role can give. `key` is `NAME.what`, e.g. `rooms.book`."""

    key: str
    label: Text
    sensitive: bool = False  # never part of a bundle by wildcard; each use is audited


@dataclass(frozen=True)
class RoleBundle:
    """A ready-made role that a plugin ships, e.g. `rooms.keeper`; operators may copy and change it."""

    key: str
    label: Text
    permissions: frozenset[str]


@dataclass(frozen=True)
class NavigationItem:
    """An entry of the rail. `endpoint` is a Flask endpoint that takes the centre's slug alone."""

    label: Text
    endpoint: str
    permission: str
    order: int = 100


@dataclass(frozen=True)
class Card:
    """A figure on Today: a label, a figure that links to its records, a line below it."""

    label: Text
    figure: str
    href: str
    detail: Text | str = ""
    order: int = 100


@dataclass(frozen=True)
class Row:
    """A line of what comes next on Today."""

    at: datetime
    title: str
    detail: str
    href: str
    state: Text | None = None
    tone: str = "info"  # good, warn or info


@dataclass(frozen=True)
class Today:
    """What one service shows on Today. `todo` are sentences with a link: (text, href)."""

    cards: tuple[Card, ...] = ()
    rows: tuple[Row, ...] = ()
    todo: tuple[tuple[Text, str], ...] = ()


@dataclass(frozen=True)
class Job:
    """Work done in the background, by one worker at a time. `run(session, now)` must be repeatable.

    What takes longer than a blink is done `in_batches`: `run` does a part and returns True while there is
    more. Each part is a unit of its own, a second after the last, and others write in between.
    """

    name: str
    every: timedelta
    run: Callable[..., object]
    per_centre: bool = True  # once per centre that enabled the service, else once per installation
    in_batches: bool = False


@dataclass(frozen=True)
class Demo:
    """Demonstration data. `make(session, *, centre_key, seed, today, now, progress)` uses use cases only.

    `centre_key` is "main" or "small"; `progress(done, total)` is called now and then.
    """

    make: Callable[..., None]
    order: int = 100


@dataclass(frozen=True)
class Answer:
    """One plugin's answer to a question."""

    plugin: str
    value: Any


@dataclass(frozen=True)
class SettingsSection:
    """A plugin's settings: a marshmallow Schema class whose fields carry `load_default` and
    `metadata={"label": Text, "help": Text}`. Scopes are installation, area and centre."""

    schema: type[Any]


@dataclass(frozen=True)
class Period:
    """A half-open stretch of time, both ends UTC and aware; it never is empty or backward."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        assert self.start.tzinfo is not None, "a period starts at an aware time"
        assert self.start < self.end, "a period ends after it starts"

    def overlaps(self, other: Period) -> bool:
        """True where the two share an instant; touching ends do not."""
        return self.start < other.end and other.start < self.end

    @property
    def minutes(self) -> int:
        """Whole minutes between start and end."""
        return int((self.end - self.start).total_seconds() // 60)


@dataclass(frozen=True)
class Panel:
    """What one service shows on a person's page: lines of (label, value), and where more of it is."""

    title: Text
    lines: tuple[tuple[Text | str, Text | str], ...]
    href: str = ""
    order: int = 100


@dataclass(frozen=True)
class CalendarEntry:
    """Something at a time in a person's calendar; `ends_at` may be the same instant."""

    starts_at: datetime
    ends_at: datetime
    title: str
    href: str = ""
    state: Text | None = None


@dataclass(frozen=True)
class Figure:
    """A kind of visit that a service counts, e.g. `rooms.use`. `giving`: the person gave, not received.

    `endpoint` is a page of the records behind it; it takes the slug, and `since` and `until` as dates.
    """

    key: str
    label: Text
    giving: bool = False
    endpoint: str = ""
