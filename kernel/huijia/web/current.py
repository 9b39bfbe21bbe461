"""The request in hand, for views: `current.session`, `current.actor`, `current.centre`, …"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask import g

from huijia.errors import Fault
from huijia.i18n import current_locale
from huijia.identity.actor import NOBODY, Actor

if TYPE_CHECKING:
    from huijia.identity.actor import Caller
    from huijia.identity.models import Centre
    from huijia.storage.work import WorkSession


@dataclass
class Visit:
    """What the door found out about one request."""

    request_id: str
    now: datetime
    actor: Actor = NOBODY
    caller: Caller | None = None
    centre: Centre | None = None
    enabled: frozenset[str] = field(default_factory=frozenset)
    session: WorkSession | None = None
    plugin: str = "huijia"  # whose view it is
    told: dict[str, Any] = field(default_factory=dict)  # what the audit is to know


class Current:
    """Stands for the request in hand. Outside one, or where the door promised nothing, asking is a Fault."""

    @property
    def visit(self) -> Visit:
        found = g.get("visit") if g else None
        if found is None:
            raise Fault("No request is in hand; pass the session, actor and time as arguments instead.")
        return found

    @property
    def session(self) -> WorkSession:
        """The unit of work: it reads for safe methods, writes for others, and commits by itself."""
        if self.visit.session is None:
            raise Fault("This route was declared with unit=False and opens its own transactions.")
        return self.visit.session

    @property
    def centre(self) -> Centre:
        if self.visit.centre is None:
            raise Fault("This page belongs to no centre.")
        return self.visit.centre

    @property
    def actor(self) -> Actor:
        return self.visit.actor

    @property
    def now(self) -> datetime:
        """The instant of the unit of work, UTC."""
        return self.visit.now

    @property
    def zone(self) -> ZoneInfo:
        """The centre's time zone."""
        return ZoneInfo(self.centre.time_zone)

    @property
    def today(self) -> date:
        """The date at the centre."""
        return self.now.astimezone(self.zone).date()

    @property
    def locale(self) -> str:
        """The reader's: one of `i18n.LOCALES`."""
        return current_locale()

    def tell_audit(
        self, *, subject: str | None = None, reason: str | None = None, values: Any = None
    ) -> None:
        """Add to this request's entry: what it is about, why, and personal values (kept erasable).

        Who only looks leaves an entry too where this is told, or where the route's permission is sensitive.
        """
        self.visit.told.update(subject=subject, reason=reason, values=values)


current = Current()
