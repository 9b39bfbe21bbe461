"""REST: `/api/v1/centres/SLUG/rooms/…`. Load, one service call, dump."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from huijia import Api, current, paged

from huijia_rooms import reports, service
from huijia_rooms.schemas import (
    BookingBody,
    BookingPage,
    BookingQuery,
    BookingShape,
    ClosureMade,
    ClosureShape,
    Reason,
    RoomBody,
    RoomShape,
    parse_day,
    period_of,
    policy_of,
)

api = Api("rooms", __name__)


@api.get("/rooms", permission="rooms.see")
@api.response(200, RoomShape(many=True))
def list_rooms() -> list[Any]:
    """The rooms that take bookings, in their order."""
    return service.list_rooms(current.session)


@api.post("/rooms", permission="rooms.manage")
@api.arguments(RoomBody)
@api.response(201, RoomShape)
def create_room(body: dict[str, Any]) -> Any:
    """Add a room. Without `hours` it is open from 8 to 21 every day."""
    return service.create_room(current.session, **body)


@api.get("/rooms/<uuid:room_id>", permission="rooms.see")
@api.response(200, RoomShape)
def get_room(room_id: UUID) -> Any:
    """One room."""
    return service.find_room(current.session, room_id)


@api.patch("/rooms/<uuid:room_id>", permission="rooms.manage")
@api.arguments(RoomBody(partial=True))
@api.response(200, RoomShape)
def change_room(body: dict[str, Any], room_id: UUID) -> Any:
    """Change the members given; standing bookings stay as they are."""
    return service.change_room(current.session, room_id=room_id, **body)


@api.get("/days/<day>", permission="rooms.see")
@api.doc(responses={200: {"description": "The day of every room", "content": {"application/json": {}}}})
def get_day(day: str) -> Response:
    """Opening hours, closures and standing bookings of every room on a date (YYYY-MM-DD) at the centre."""
    when = parse_day(day)
    policy = policy_of(current.session, when, time_zone=current.centre.time_zone)
    text = reports.day_json(current.session, policy, day=when)
    return Response(text, mimetype="application/json")


@api.get("/closures", permission="rooms.see")
@api.response(200, ClosureShape(many=True))
def list_closures() -> list[Any]:
    """What is closed now or will be."""
    return service.list_closures(current.session, since=current.now)


@api.post("/closures", permission="rooms.manage")
@api.arguments(ClosureShape)
@api.response(201, ClosureMade)
def close_rooms(body: dict[str, Any]) -> dict[str, Any]:
    """Close a room, or without `room_id` the centre. `bookings` are those that stand in that time."""
    closure, bookings = service.close_rooms(current.session, period=period_of(body), **body)
    told = {name: getattr(closure, name) for name in ("id", "room_id", "starts_at", "ends_at", "reason")}
    return {**told, "bookings": [booking.id for booking in bookings]}


@api.delete("/closures/<uuid:closure_id>", permission="rooms.manage")
@api.response(204)
def lift_closure(closure_id: UUID) -> Any:
    """Take a closure away."""
    service.lift_closure(current.session, closure_id=closure_id)


@api.get("/bookings", permission="rooms.see")
@api.arguments(BookingQuery, location="query")
@api.response(200, BookingPage)
def list_bookings(query: dict[str, Any]) -> dict[str, Any]:
    """Bookings by their start, cancelled ones included unless `status` says otherwise."""
    place = {name: query.pop(name) for name in ("cursor", "limit")}
    statement, keys = reports.bookings_of(**query)
    items, following = paged(current.session, statement, *keys, **place)
    return {"items": items, "next": following}


@api.post("/bookings", permission="rooms.book")
@api.arguments(BookingBody)
@api.response(201, BookingShape)
def book_room(body: dict[str, Any]) -> Any:
    """Book a room, or with `seats` a part of a shared one. A 409 says by `until` when it is next free.

    Both ends lie on a quarter hour, at most 24 hours apart, the first no further ahead than the centre's
    horizon. Whether `seats` may or must be said follows from the room's `booked_as`.
    """
    period = period_of(body)
    policy = policy_of(current.session, time_zone=current.centre.time_zone)
    return service.book_room(
        current.session, actor=current.actor, policy=policy, period=period, now=current.now, **body
    )


@api.get("/bookings/<uuid:booking_id>", permission="rooms.see")
@api.response(200, BookingShape)
def get_booking(booking_id: UUID) -> Any:
    """One booking, standing or cancelled."""
    return service.find_booking(current.session, booking_id)


@api.post("/bookings/<uuid:booking_id>/cancel", permission="rooms.book")
@api.arguments(Reason)
@api.response(200, BookingShape)
def cancel_booking(body: dict[str, Any], booking_id: UUID) -> Any:
    """Cancel a booking; its room is free at once. It stays on file."""
    return service.cancel_booking(
        current.session, actor=current.actor, booking_id=booking_id, now=current.now, **body
    )
