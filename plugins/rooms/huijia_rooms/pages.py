"""HTML: `/c/SLUG/rooms/…`. Load, one service call, render. Every page works without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import redirect, request
from huijia import (
    NotFound,
    Pages,
    Period,
    Refusal,
    current,
    find_person,
    keep_file,
    messages,
    page,
    paged,
    translated,
    url,
)
from marshmallow import ValidationError

from huijia_rooms import reports, schemas, service
from huijia_rooms.models import BOOKED_AS, BOOKER_KINDS, ON_HOLIDAYS, Room
from huijia_rooms.rules import DAY_MINUTES, Hours, Policy, instant
from huijia_rooms.schemas import (
    BookingForm,
    BookingQuery,
    Clock,
    ClosureForm,
    ReasonForm,
    RoomForm,
    parse_day,
    policy_of,
)

_ = messages("rooms")
pages = Pages("rooms", __name__)

BOOKING, ROOM, CLOSURE, REASON, QUERY = BookingForm(), RoomForm(), ClosureForm(), ReasonForm(), BookingQuery()
CLOCK = Clock()
LEFT_OUT = _("Clocks go forward and leave this time out; choose a later one.")

# Words for what the tables hold.
WAYS = dict(zip(BOOKED_AS, (_("whole"), _("by seat"), _("whole or by seat")), strict=True))
KINDS = dict(
    zip(BOOKER_KINDS, (_("person"), _("group"), _("organisation"), _("another service")), strict=True)
)
HOLIDAYS = dict(zip(ON_HOLIDAYS, (_("as the centre"), _("open"), _("closed")), strict=True))
WEEKDAYS = dict(zip("1234567", schemas.WEEKDAYS, strict=True))


def _day_asked() -> date:
    text = request.args.get("day")
    return parse_day(text) if text else current.today


def _policy() -> Policy:
    return policy_of(current.session, time_zone=current.centre.time_zone)


def _said(wrong: ValidationError) -> dict[str, list[Any]]:
    """Messages by field, each in the reader's language."""
    said = translated(wrong.normalized_messages())
    like = _("Write opening times like 08:00–12:00, 14:00–21:00, on quarter hours.")
    hours = {f"hours_{day}": [like] for day in said.pop("hours", ())}
    return {name: _flat(words) for name, words in said.items()} | hours


def _flat(words: Any) -> list[Any]:
    """The messages of one field, however deep they lie: a list is one field here."""
    if isinstance(words, dict):
        return [one for deeper in words.values() for one in _flat(deeper)]
    return words


# --- the day -------------------------------------------------------------------------------------


@pages.get("/", permission="rooms.see")
def day() -> str:
    """The day grid of all rooms."""
    when = _day_asked()
    grid = reports.day_grid(current.session, _policy(), day=when, now=current.now)
    beside = {"before": when - timedelta(days=1), "after": when + timedelta(days=1)}
    about = reports.about_day(current.centre, when)
    return page("rooms/day.html", day=when, grid=grid, about=about, today=current.today, **beside)


# --- bookings ------------------------------------------------------------------------------------


@pages.get("/book", permission="rooms.book")
def book_form() -> str:
    """The short form, filled in as far as the link says."""
    start: Any = CLOCK.deserialize(request.args.get("at", "09:00"))
    times = {"start": _wall(start), "end": _wall(min(start + 60, DAY_MINUTES))}
    return _booking_form(
        {
            "day": _day_asked().isoformat(),
            "room_id": request.args.get("room_id", request.args.get("room", "")),
            **times,
            **_whose(request.args.get("person", "")),
        }
    )


def _whose(person: str) -> dict[str, str]:
    """What the form holds of somebody whose page it was opened from."""
    try:
        found = find_person(current.session, UUID(person)) if person else None
    except ValueError:
        raise NotFound(_("There is no such person; open the form from their page.")) from None
    return {"person_id": str(found.id), "name": found.name, "kind": "person"} if found else {}


@pages.post("/book", permission="rooms.book")
def book() -> Any:
    """Book and show the booking, or show the form again with what stands in the way."""
    try:
        form: Any = BOOKING.load(request.form)
        ends = [_instant(form["day"], form.pop(end), end) for end in ("start", "end")]
        period, _day = Period(*ends), form.pop("day")
        with current.session.savepoint():
            booking = service.book_room(
                current.session, actor=current.actor, policy=_policy(), period=period, now=current.now, **form
            )
    except ValidationError as wrong:
        return _booking_form(request.form, errors=_said(wrong)), 422
    except Refusal as refusal:
        return _booking_form(request.form, refusal=refusal), refusal.status
    return redirect(url("rooms.booking", booking_id=booking["id"]), 303)


def _instant(day: date, minute: int, field: str) -> datetime:
    """The instant of a time as the desk reads it. ValidationError for one that the clock leaves out."""
    found = instant(day, minute, current.zone)
    if _minute(found.astimezone(current.zone)) != minute % DAY_MINUTES:
        raise ValidationError([LEFT_OUT], field)
    return found


def _minute(wall: datetime) -> int:
    return wall.hour * 60 + wall.minute


def _booking_form(values: Mapping[str, str], errors: Any = None, refusal: Refusal | None = None) -> str:
    rooms = service.list_rooms(current.session)
    room = next((one for one in rooms if str(one.id) == values.get("room_id")), None)
    shown: dict[str, Any] = {"room": room, "rooms": rooms, "ways": WAYS, "kinds": KINDS} | {
        "day": None,
        "stays": [],
    }
    if room and not (errors or {}).get("day"):
        when = parse_day(values["day"])
        window = service.day_window(when, current.zone)
        shown |= {"stays": reports.stays_by_room(current.session, window)[room.id.hex], "day": when}
    return page("rooms/book.html", values=values, errors=errors or {}, refusal=refusal, **shown)


@pages.get("/bookings", permission="rooms.see")
def bookings() -> str:
    """Standing bookings from now on, or of one room."""
    asked: Any = QUERY.load(request.args.to_dict())
    place = {name: asked.pop(name) for name in ("cursor", "limit")}
    asked["since"] = asked["since"] or current.now
    statement, keys = reports.bookings_of(**asked)
    items, following = paged(current.session, statement, *keys, **place)
    return page("rooms/bookings.html", items=items, following=following)


@pages.get("/bookings/<uuid:booking_id>", permission="rooms.see")
def booking(booking_id: UUID, errors: Any = None) -> str:
    """One booking, and how to cancel it."""
    found = service.find_booking(current.session, booking_id)
    room = service.find_room(current.session, found.room_id)
    over = found.ends_at <= current.now
    return page("rooms/booking.html", booking=found, room=room, over=over, kinds=KINDS, errors=errors or {})


@pages.post("/bookings/<uuid:booking_id>/cancel", permission="rooms.book")
def cancel(booking_id: UUID) -> Any:
    """Cancel with a reason."""
    try:
        form: Any = REASON.load(request.form)
    except ValidationError as wrong:
        return booking(booking_id, errors=_said(wrong)), 422
    service.cancel_booking(
        current.session, actor=current.actor, booking_id=booking_id, now=current.now, **form
    )
    return redirect(url("rooms.booking", booking_id=booking_id), 303)


# --- rooms ---------------------------------------------------------------------------------------


@pages.get("/rooms", permission="rooms.see")
def rooms() -> str:
    """All rooms, with those that were retired."""
    found = service.list_rooms(current.session, retired=True)
    return page("rooms/rooms.html", rooms=found, ways=WAYS, hours=_hours_in_words)


@pages.get("/rooms/new", permission="rooms.manage")
def new_room() -> str:
    """An empty room editor."""
    hours = {f"hours_{day}": "08:00–21:00" for day in WEEKDAYS}
    return _room_form(None, {"floor": 1, "capacity": 20, "active": True, "position": 100, **hours})


@pages.get("/rooms/<uuid:room_id>", permission="rooms.see")
def room(room_id: UUID) -> str:
    """What a room is like, when it is shut, and who comes next."""
    found = service.find_room(current.session, room_id)
    statement, keys = reports.bookings_of(since=current.now, room_id=room_id, status="booked")
    coming, _more = paged(current.session, statement, *keys, limit=8)
    closed = [
        one
        for one in service.list_closures(current.session, since=current.now)
        if one.room_id in (None, room_id)
    ]
    words = {"ways": WAYS, "holidays": HOLIDAYS, "hours": _hours_in_words(found.hours)}
    return page("rooms/room.html", room=found, coming=coming, closed=closed, **words)


@pages.get("/rooms/<uuid:room_id>/edit", permission="rooms.manage")
def edit_room(room_id: UUID) -> str:
    """The editor of one room."""
    found = service.find_room(current.session, room_id)
    hours = {f"hours_{day}": _spans_in_words(found.hours.get(day, ())) for day in WEEKDAYS}
    return _room_form(found, {**vars(found), **hours, "equipment": "、".join(found.equipment)})


@pages.post("/rooms/new", permission="rooms.manage", endpoint="add_room")
@pages.post("/rooms/<uuid:room_id>/edit", permission="rooms.manage", endpoint="save_room")
def save_room(room_id: UUID | None = None) -> Any:
    """Keep a new or changed room, and its photo where one was sent or is to go."""
    found = service.find_room(current.session, room_id) if room_id else None
    try:
        fields: Any = ROOM.load(request.form)
        with current.session.savepoint():
            fields |= _photo_sent()
            if found:
                kept = service.change_room(current.session, room_id=found.id, **fields)
            else:
                kept = service.create_room(current.session, **fields)
    except ValidationError as wrong:
        return _room_form(found, request.form, errors=_said(wrong)), 422
    except Refusal as refusal:
        return _room_form(found, request.form, refusal=refusal), refusal.status
    return redirect(url("rooms.room", room_id=kept.id), 303)


def _photo_sent() -> dict[str, UUID | None]:
    """The photo to keep, or None where it is to go; nothing where it stays. ValidationError says why not."""
    sent = request.files.get("photo")
    if sent is None or not sent.filename:
        return {"photo_id": None} if "remove_photo" in request.form else {}
    about: dict[str, Any] = {"name": sent.filename, "media_type": sent.mimetype, "permission": "rooms.see"}
    try:
        with sent.stream as file:
            return {"photo_id": keep_file(current.session, body=file.read(), now=current.now, **about)}
    except Refusal as refusal:
        raise ValidationError([refusal.message], "photo") from None


def _room_form(found: Room | None, values: Any, errors: Any = None, refusal: Refusal | None = None) -> str:
    words = {"ways": WAYS, "holidays": HOLIDAYS, "weekdays": WEEKDAYS}
    return page(
        "rooms/room_form.html", room=found, values=values, errors=errors or {}, refusal=refusal, **words
    )


def _spans_in_words(spans: Any) -> str:
    return "，".join(f"{_wall(start)}–{_wall(end)}" for start, end in spans)


def _hours_in_words(hours: Hours) -> list[tuple[str, str]]:
    """Days that follow each other with the same spans are told together: (Monday–Friday, 08:00–21:00)."""
    runs: list[list[Any]] = []
    for day, word in WEEKDAYS.items():
        spans = _spans_in_words(hours.get(day, ()))
        if runs and runs[-1][2] == spans:
            runs[-1][1] = word
        else:
            runs.append([word, word, spans])
    return [(f"{a}" if a is b else f"{a}–{b}", spans or str(_("closed"))) for a, b, spans in runs]


def _wall(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


# --- closures ------------------------------------------------------------------------------------


@pages.get("/closures", permission="rooms.see")
def closures(values: Any = None, errors: Any = None, refusal: Refusal | None = None) -> str:
    """What is closed now or will be, and the bookings that stand in that time."""
    found = service.list_closures(current.session, since=current.now)
    standing = [(closure, service.bookings_within(current.session, closure)) for closure in found]
    names = {one.id: one for one in service.list_rooms(current.session, retired=True)}
    shown = {"closures": standing, "rooms": names, "errors": errors or {}, "refusal": refusal}
    return page(
        "rooms/closures.html",
        values=values or {"first_day": current.today, "last_day": current.today},
        **shown,
    )


@pages.post("/closures", permission="rooms.manage")
def close() -> Any:
    """Close a room or the centre."""
    try:
        form: Any = CLOSURE.load(request.form)
        start = instant(form.pop("first_day"), form.pop("start"), current.zone)
        end = instant(form.pop("last_day"), form.pop("end"), current.zone, last=True)
        if start >= end:
            raise ValidationError([LEFT_OUT], "end")
        service.close_rooms(current.session, period=Period(start, end), **form)
    except ValidationError as wrong:
        return closures(request.form, errors=_said(wrong)), 422
    except Refusal as refusal:
        return closures(request.form, refusal=refusal), refusal.status
    return redirect(url("rooms.closures"), 303)


@pages.post("/closures/<uuid:closure_id>/lift", permission="rooms.manage")
def lift(closure_id: UUID) -> Any:
    """Take a closure away."""
    service.lift_closure(current.session, closure_id=closure_id)
    return redirect(url("rooms.closures"), 303)
