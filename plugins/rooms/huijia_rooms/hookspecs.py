"""What rooms offers to other services. Every call happens inside the caller's unit of work."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from huijia import event, request

if TYPE_CHECKING:
    from huijia import WorkSession


@request
def rooms_hold(
    session: WorkSession,
    room_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    title: str,
    subject: str,
    now: datetime,
) -> UUID:
    """Book the whole room for another service and return the hold's id.

    `title` is what the day grid shows (80 characters at most), `subject` what the hold is for, e.g.
    `section:UUID`. Raises Refusal where the room is taken or closed, with `until` where it is known.
    """
    raise NotImplementedError


@request
def rooms_release(session: WorkSession, hold_id: UUID, reason: str, now: datetime) -> None:
    """Give a hold back. A hold that was given back already stays so; one that has ended is refused."""
    raise NotImplementedError


@event
def rooms_booked(
    session: WorkSession,
    booking_id: UUID,
    room_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    held_for: str,
) -> None:
    """A room was booked. `held_for` is the `subject` of a hold, or empty."""
    raise NotImplementedError


@event
def rooms_cancelled(
    session: WorkSession, booking_id: UUID, room_id: UUID, held_for: str, reason: str
) -> None:
    """A booking was cancelled or a hold released; its room is free again."""
    raise NotImplementedError
