"""What staff do with rooms. Every use case takes the session, the actor where it matters, and the time."""

from huijia_rooms.service.bookings import book_room, cancel_booking, find_booking, release_hold
from huijia_rooms.service.opening import Opening, day_window, time_zone_of
from huijia_rooms.service.rooms import (
    USUAL_HOURS,
    bookings_within,
    change_room,
    close_rooms,
    create_room,
    find_room,
    lift_closure,
    list_closures,
    list_rooms,
)

__all__ = [
    "USUAL_HOURS",
    "Opening",
    "book_room",
    "bookings_within",
    "cancel_booking",
    "change_room",
    "close_rooms",
    "create_room",
    "day_window",
    "find_booking",
    "find_room",
    "lift_closure",
    "list_closures",
    "list_rooms",
    "release_hold",
    "time_zone_of",
]
