"""Booking a room and giving it back. One booking at a time looks at a room: its row is locked first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from huijia import Actor, Period, UtcDateTime, WorkSession, find_person, here, messages, new_id
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from huijia_rooms import errors, rules
from huijia_rooms.models import Booking, Occupancy, Room
from huijia_rooms.service.opening import Opening

_ = messages("rooms")

AHEAD = timedelta(days=14)  # how far a refusal looks for the next free time

ROOM, OCCUPANCY = Room.__table__.c, Occupancy.__table__.c
FACTS = [
    ROOM[name]
    for name in ("id", "name", "name_en", "capacity", "booked_as", "active", "hours", "on_holidays")
]

LOCKED_ROOM = select(*FACTS).where(here(Room), ROOM.id == bindparam("room_id")).with_for_update()
TAKEN = select(OCCUPANCY.starts_at, OCCUPANCY.ends_at, OCCUPANCY.seats).where(
    here(Occupancy),
    OCCUPANCY.room_id == bindparam("room_id"),
    OCCUPANCY.ends_at > bindparam("since", type_=UtcDateTime),
    OCCUPANCY.starts_at < bindparam("until", type_=UtcDateTime),
)
# Said here and not left to the columns' defaults, so that what was written can be told without reading it.
FRESH = {"place": "centre", "status": "booked", "cancelled_by": "", "cancelled_at": None, "cancel_reason": "",
         "counted": False}  # fmt: skip
ADD_BOOKING, ADD_OCCUPANCY = insert(Booking.__table__), insert(Occupancy.__table__)
FREE = delete(Occupancy.__table__).where(here(Occupancy), OCCUPANCY.booking_id == bindparam("freed"))


@dataclass(frozen=True)
class Wish:
    """Somebody wants `seats` of a room (None: all of it) for a period."""

    session: WorkSession
    policy: rules.Policy
    room: Any  # a row of FACTS
    period: Period
    seats: int | None

    @cached_property
    def opening(self) -> Opening:
        return Opening(self.session, self.policy, self.period)

    @property
    def label(self) -> errors.Label:
        return errors.Label(self.room.name, self.room.name_en)

    def taken(self, window: Period) -> list[rules.Taken]:
        """What stands in the room within `window`."""
        values = {"room_id": self.room.id, "since": window.start, "until": window.end}
        return [rules.Taken(start, end, seats) for start, end, seats in self.session.execute(TAKEN, values)]

    def full(self, window: Period) -> list[Period]:
        """When the wish would not fit, within `window`."""
        return rules.too_full(self.taken(window), seats=self.seats, capacity=self.room.capacity)

    def next_fit(self) -> datetime | None:
        """When the wish is next possible for as long, within `AHEAD`; None where it is not."""
        window = Period(self.period.start, self.period.end + AHEAD)
        opening = Opening(self.session, self.policy, window)
        opened = opening.of(self.room, rules.days_touched(window, opening.zone))
        return rules.earliest_fit(self.period, opened=opened, full=self.full(window))


def book_room(
    session: WorkSession,
    *,
    actor: Actor,
    policy: rules.Policy,
    room_id: UUID,
    period: Period,
    name: str,
    kind: str = "person",
    person_id: UUID | None = None,
    seats: int | None = None,
    head_count: int | None = None,
    purpose: str = "",
    contact: str = "",
    subject: str = "",
    now: datetime,
) -> dict[str, Any]:
    """Book a room whole, or `seats` of it, and return the booking: what `models.Booking` holds, by column.

    Raises RoomTaken or RoomClosed with `until`, RoomRetired, WrongWay, TooManyPeople, BadPeriod, NoSuchRoom.
    """
    room = session.execute(LOCKED_ROOM, {"room_id": room_id}).first()
    if room is None:
        raise errors.NoSuchRoom
    wish = Wish(session, policy, room, period, seats)
    _check_way(wish, head_count)
    _check_period(period, now=now, horizon_days=policy.horizon_days)
    _check_open(wish)
    _check_free(wish)
    people = head_count if seats is None else seats
    wanted = {"name": name, "kind": kind, "purpose": purpose, "contact": contact, "head_count": people}
    whose = find_person(session, person_id).id if person_id else None
    kept = {"person_id": whose, "subject": subject, "booked_by": actor.name, "booked_at": now}
    return _keep(wish, {**wanted, **kept})


def cancel_booking(
    session: WorkSession, *, actor: Actor, booking_id: UUID, reason: str, now: datetime
) -> Booking:
    """Cancel a booking that has not ended; its room is free at once. Returns the booking.

    Raises NoSuchBooking, AlreadyCancelled, AlreadyOver.
    """
    booking = find_booking(session, booking_id, lock=True)
    session.execute(LOCKED_ROOM, {"room_id": booking.room_id})  # who is booking it reads it more than once
    if booking.status == "cancelled":
        raise errors.AlreadyCancelled
    if booking.ends_at <= now:
        raise errors.AlreadyOver
    booking.status, booking.cancel_reason = "cancelled", reason
    booking.cancelled_by, booking.cancelled_at = actor.name, now
    session.execute(FREE, {"freed": booking_id})
    session.flush()
    _tell_cancelled(session, booking)
    return booking


def release_hold(session: WorkSession, *, actor: Actor, hold_id: UUID, reason: str, now: datetime) -> None:
    """Cancel a hold of another service; one that is cancelled already stays so."""
    if find_booking(session, hold_id).status != "cancelled":
        cancel_booking(session, actor=actor, booking_id=hold_id, reason=reason, now=now)


def find_booking(session: WorkSession, booking_id: UUID, *, lock: bool = False) -> Booking:
    """The booking, locked where it is to be changed. Raises NoSuchBooking."""
    query = select(Booking).where(Booking.id == booking_id)
    booking = session.scalar(query.with_for_update() if lock else query)
    if booking is None:
        raise errors.NoSuchBooking
    return booking


def _check_way(wish: Wish, head_count: int | None) -> None:
    room, seats = wish.room, wish.seats
    if not room.active:
        raise errors.RoomRetired(wish.label)
    if room.booked_as == ("shared" if seats is None else "whole"):
        raise errors.WrongWay(wish.label, booked_as=room.booked_as)
    if max(seats or 0, head_count or 0) > room.capacity:
        raise errors.TooManyPeople(wish.label, room.capacity)


def _check_period(period: Period, *, now: datetime, horizon_days: int) -> None:
    if not rules.on_the_step(period):
        raise errors.BadPeriod(_("Bookings begin and end on a quarter hour; move the times."))
    if period.end - period.start > rules.LENGTH_MAX:
        raise errors.BadPeriod(_("A booking lasts 24 hours at most; make one for each day."))
    if period.end <= now:
        raise errors.BadPeriod(_("That time is over; choose a later one."))
    if period.start > now + timedelta(days=horizon_days):
        raise errors.BadPeriod(
            _("Rooms are booked {days} days ahead at most; choose an earlier day.", days=horizon_days)
        )


def _check_open(wish: Wish) -> None:
    opening = wish.opening
    opened = opening.of(wish.room, rules.days_touched(wish.period, opening.zone))
    if not rules.covers(opened, wish.period):
        reason = opening.why_shut(wish.room, wish.period)
        raise errors.RoomClosed(wish.label, wish.period, reason, wish.next_fit(), opening.zone)


def _check_free(wish: Wish) -> None:
    if rules.clash(wish.period, wish.full(wish.period)) is None:
        return
    # Only a refusal looks further than the period asked for: it says when that stretch is over.
    busy = rules.clash(wish.period, wish.full(Period(wish.period.start, wish.period.end + AHEAD)))
    assert busy is not None, "what clashes in the period clashes in a longer one"
    most = max(level.seats for level in rules.levels(wish.taken(wish.period), wish.room.capacity))
    left = 0 if wish.seats is None else max(wish.room.capacity - most, 0)
    raise errors.RoomTaken(wish.label, busy, left, wish.next_fit(), wish.opening.zone)


def _keep(wish: Wish, booking: dict[str, Any]) -> dict[str, Any]:
    stay = {
        "room_id": wish.room.id,
        "starts_at": wish.period.start,
        "ends_at": wish.period.end,
        "seats": wish.seats,
    }
    booking = {"id": new_id(), **stay, **booking, **FRESH}
    token = wish.room.id if wish.seats else booking["id"]
    wish.session.execute(ADD_BOOKING, booking)
    try:
        wish.session.execute(ADD_OCCUPANCY, {**stay, "booking_id": booking["id"], "token": token})
    except IntegrityError as error:
        # The lock makes this unreachable; were it ever not held, the database still has the last word.
        raise errors.RoomJustTaken(wish.label) from error
    wish.session.note("rooms_booking", booking["id"], action="insert")
    _tell_booked(wish.session, booking)
    return booking


def _tell_booked(session: WorkSession, booking: dict[str, Any]) -> None:
    session.hooks.emit(
        "rooms_booked",
        subject=f"booking:{booking['id']}",
        booking_id=booking["id"],
        room_id=booking["room_id"],
        starts_at=booking["starts_at"],
        ends_at=booking["ends_at"],
        held_for=booking["subject"],
    )


def _tell_cancelled(session: WorkSession, booking: Booking) -> None:
    session.hooks.emit(
        "rooms_cancelled",
        subject=f"booking:{booking.id}",
        booking_id=booking.id,
        room_id=booking.room_id,
        held_for=booking.subject,
        reason=booking.cancel_reason,
    )
