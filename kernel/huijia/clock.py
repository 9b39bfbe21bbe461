"""Time as an argument: the one place where the wall clock is read.

`HUIJIA_CLOCK` (an ISO 8601 instant with offset) starts the clock elsewhere, for demos and tests that
run whole processes; it then runs on at its normal pace.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def clock_from_environment() -> Clock:
    """The wall clock, or one moved to `HUIJIA_CLOCK`. Raises ValueError for an instant without offset."""
    start = os.environ.get("HUIJIA_CLOCK")
    if not start:
        return wall_clock
    moved = datetime.fromisoformat(start)
    if moved.tzinfo is None:
        raise ValueError(f"HUIJIA_CLOCK={start} has no offset; write for example 2026-11-22T09:00:00+08:00.")
    shift = moved - wall_clock()
    return lambda: wall_clock() + shift
