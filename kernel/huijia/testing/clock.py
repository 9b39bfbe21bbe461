"""A clock that tests set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SettableClock:
    """Stands still until it is set (an aware instant, or one in ISO 8601 with its offset) or moved."""

    def __init__(self, start: datetime | str = "2026-11-22T09:00:00+08:00") -> None:
        self.set(start)

    def __call__(self) -> datetime:
        return self._now

    def set(self, now: datetime | str) -> datetime:
        """Returns the new time in UTC."""
        instant = datetime.fromisoformat(now) if isinstance(now, str) else now
        assert instant.tzinfo is not None, f"{now} has no offset; write 2026-11-22T09:00:00+08:00"
        self._now = instant.astimezone(UTC)
        return self._now

    def move(self, **step: float) -> datetime:
        """`clock.move(minutes=15)`; returns the new time."""
        return self.set(self._now + timedelta(**step))
