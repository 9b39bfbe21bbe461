"""Shapes of what comes in and goes out: REST bodies, forms, settings. Kept instances, strict and bounded."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from huijia import Cursor, NotFound, Period, WorkSession, messages, settings_of
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validates_schema
from marshmallow.validate import Length, OneOf, Range

from huijia_rooms.models import AREA_MAX, BOOKED_AS, BOOKER_KINDS, CAPACITY_MAX, ON_HOLIDAYS
from huijia_rooms.rules import DAY_MINUTES, LENGTH_MAX, STEP_MINUTES, Policy, spans_are_sound
from huijia_rooms.service import time_zone_of

_ = messages("rooms")

WITHIN_OUR_TIME = Range(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
OUR_DAYS = Range(date(2000, 1, 1), date(2099, 12, 31))
CLOCK = re.compile(r"\A([01]?\d|2[0-4])[:：]([0-5]\d)\Z", re.ASCII)
WHOLE = re.compile(r"-?[0-9]{1,6}\Z", re.ASCII)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", re.ASCII)
COMMA = re.compile(r"[,，;；、]")
SPAN = re.compile(r"\s*[-–—~至到]\s*")

WEEKDAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
FOLLOWED: Any = (_("the weekend day itself"), *WEEKDAYS)  # not str, but words that wait for their reader
BACKWARD = _("The end must come after the start.")
UNSOUND = _("Opening times go forward and do not overlap, like 08:00–12:00, 14:00–21:00.")


def _filled(text: str) -> None:
    if not text.strip():
        # In a list, because marshmallow takes only str by itself and this waits for its reader's language.
        raise ValidationError([_("Please fill this in.")])


def words(length_max: int, *, required: bool = False, **options: Any) -> fields.String:
    """A line of text; where it is required, with something in it."""
    checks = [Length(max=length_max), *([_filled] if required else [])]
    described = {"minLength": 1, "pattern": r"\S"} if required else {}
    return fields.String(required=required, validate=checks, metadata=described, **options)


def number(lowest: int, highest: int, **options: Any) -> fields.Integer:
    """A whole number in JSON: no 1.9, no text."""
    return fields.Integer(strict=True, validate=Range(lowest, highest), **options)


def choice(words_allowed: tuple[str, ...], **options: Any) -> fields.String:
    """One of these words."""
    return fields.String(validate=OneOf(words_allowed), **options)


class Clock(fields.String):
    """A time on the wall clock, "00:00" to "24:00"; inside, minutes after midnight."""

    def __init__(self, **options: Any) -> None:
        described = {"pattern": "^(([01][0-9]|2[0-3]):(00|15|30|45)|24:00)$", "examples": ["09:15"]}
        super().__init__(metadata=described, **options)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> str | None:
        return None if value is None else f"{value // 60:02d}:{value % 60:02d}"

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        found = CLOCK.match(super()._deserialize(value, *arguments, **options).strip())
        minute = int(found[1]) * 60 + int(found[2]) if found else -1
        if not 0 <= minute <= DAY_MINUTES or minute % STEP_MINUTES:
            raise ValidationError([_("Write a quarter hour, like 09:15.")])
        return minute


class YesNo(fields.Boolean):
    """true or false and nothing else; in Python 1 is true as well."""

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Day(fields.Date):
    """A date as browsers send it, 2026-11-22; Python reads 2026-W47-7 too, which our addresses do not."""

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        if not DAY.match(str(value)):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return super()._deserialize(value, *arguments, **options)


def _sound(spans: list[list[int]]) -> None:
    if not spans_are_sound(spans):
        raise ValidationError([UNSOUND])


class RoomBody(Schema):
    """What can be said of a room. `hours` has spans by ISO weekday ("1" is Monday); others are shut."""

    name = words(60, required=True)
    name_en = words(80, load_default="")
    floor = number(-9, 200, required=True)
    area_m2 = number(1, AREA_MAX, allow_none=True, load_default=None)
    capacity = number(1, CAPACITY_MAX, required=True)
    booked_as = choice(BOOKED_AS, load_default="whole")
    use = words(60, load_default="")
    equipment = fields.List(words(30, required=True), validate=Length(max=30), load_default=list)
    hours = fields.Dict(
        keys=choice(tuple("1234567")),
        values=fields.List(fields.List(Clock(), validate=Length(equal=2)), validate=[Length(max=8), _sound]),
    )
    on_holidays = choice(ON_HOLIDAYS, load_default="centre")
    active = YesNo(load_default=True)
    position = number(0, 9_999, load_default=100)


class RoomShape(RoomBody):
    """A room as it is told."""

    id = fields.UUID(dump_only=True)
    photo_id = fields.UUID(dump_only=True, allow_none=True)


def moment(**described: Any) -> fields.AwareDateTime:
    """An instant with its offset, within the years that we keep."""
    return fields.AwareDateTime(format="iso", required=True, validate=WITHIN_OUR_TIME, metadata=described)


class Times(Schema):
    """Two instants with their offset, the first before the second."""

    starts_at, ends_at = moment(), moment()

    @validates_schema(skip_on_field_errors=True)
    def forward(self, data: dict[str, Any], **_options: Any) -> None:
        if data["starts_at"] >= data["ends_at"]:
            raise ValidationError([BACKWARD], "ends_at")


# What a description's own words cannot say: `book_room` refuses what breaks it.
SEATS = (
    "How many places. Null asks for the whole room. A room that is booked_as whole takes null only, one that "
    "is shared takes a number only, either takes both. Never more than the room's capacity."
)
HEADS = "How many people come; never more than the room's capacity. With seats, those count instead."
ON_THE_STEP = {"x-step-minutes": STEP_MINUTES}
LASTING = {**ON_THE_STEP, "x-longest-minutes": LENGTH_MAX // timedelta(minutes=1)}


class Wish(Schema):
    """Who wants how much of which room, and what for. Without `seats` it is the whole room."""

    room_id = fields.UUID(required=True)
    seats = number(1, CAPACITY_MAX, allow_none=True, load_default=None, metadata={"description": SEATS})
    name = words(80, required=True)
    kind = choice(BOOKER_KINDS, load_default="person")
    purpose = words(200, load_default="")
    head_count = number(1, CAPACITY_MAX, allow_none=True, load_default=None, metadata={"description": HEADS})
    contact = words(80, load_default="")
    person_id = fields.UUID(
        allow_none=True, load_default=None, metadata={"description": "A person registered here, who uses it."}
    )


class BookingBody(Wish, Times):
    """A booking to be made."""

    starts_at = moment(description="On a quarter hour.", **ON_THE_STEP)
    ends_at = moment(description="On a quarter hour, after starts_at, within 24 hours of it.", **LASTING)


class BookingShape(BookingBody):
    """A booking as it is told. Times are UTC."""

    id = fields.UUID()
    place, subject, status = fields.String(), fields.String(), fields.String()
    booked_by, cancelled_by, cancel_reason = fields.String(), fields.String(), fields.String()
    booked_at = fields.AwareDateTime(format="iso")
    cancelled_at = fields.AwareDateTime(format="iso", allow_none=True)


class BookingPage(Schema):
    """One page of bookings; `next` is the cursor of the one after, or null."""

    items = fields.List(fields.Nested(BookingShape))
    next = fields.String(allow_none=True)


class BookingQuery(Cursor):
    """Which bookings: those that end after `since`, of one room, of one status."""

    since = fields.AwareDateTime(format="iso", load_default=None, validate=WITHIN_OUR_TIME)
    room_id = fields.UUID(load_default=None)
    status = choice(("booked", "cancelled"), load_default=None)


class Reason(Schema):
    """Why."""

    reason = words(200, required=True)


class ClosureShape(Times, Reason):
    """A stretch of time in which a room, or without `room_id` the whole centre, is shut."""

    id = fields.UUID(dump_only=True)
    room_id = fields.UUID(load_default=None, allow_none=True)


class ClosureMade(ClosureShape):
    """A closure, and the bookings that stand in its time: they are not cancelled by it."""

    bookings = fields.List(fields.UUID(), dump_only=True)


# --- forms ---------------------------------------------------------------------------------------


class Form(Schema):
    """What a browser sends is all text: numbers are read, empty fields and those of the frame left out."""

    class Meta(Schema.Meta):
        unknown = EXCLUDE

    @pre_load
    def read(self, data: Any, **_options: Any) -> dict[str, Any]:
        typed: dict[str, Any] = {name: value.strip() for name, value in data.items() if value.strip()}
        for name, field in self.fields.items():
            if isinstance(field, fields.Integer) and WHOLE.match(typed.get(name, "")):
                typed[name] = int(typed[name])
        return typed


class BookingForm(Form, Wish):
    """The short form: who, what, when, how much of the room."""

    day = Day(required=True, validate=OUR_DAYS)
    start = Clock(required=True)
    end = Clock(required=True)

    @validates_schema(skip_on_field_errors=True)
    def forward(self, data: dict[str, Any], **_options: Any) -> None:
        data["end"] = data["end"] or DAY_MINUTES  # a browser cannot say 24:00
        if data["start"] >= data["end"]:
            raise ValidationError([BACKWARD], "end")


class RoomForm(Form, RoomBody):
    """The room editor: a list is typed with commas, hours as 8:00–12:00，14:00–21:00 for each day."""

    @pre_load
    def read(self, data: Any, **options: Any) -> dict[str, Any]:
        spans = {day: _listed(data.get(f"hours_{day}", "")) for day in "1234567"}
        hours = {day: [SPAN.split(one) for one in typed] for day, typed in spans.items() if typed}
        told = {"equipment": _listed(data.get("equipment", "")), "hours": hours, "active": "active" in data}
        return {**super().read(data, **options), **told}


class ClosureForm(Form, Reason):
    """A closure as the desk enters it, on the centre's wall clock."""

    room_id = fields.UUID(load_default=None)
    first_day = Day(required=True, validate=OUR_DAYS)
    start = Clock(load_default=0)
    last_day = Day(required=True, validate=OUR_DAYS)
    end = Clock(load_default=DAY_MINUTES)

    @validates_schema(skip_on_field_errors=True)
    def forward(self, data: dict[str, Any], **_options: Any) -> None:
        if (data["first_day"], data["start"]) >= (data["last_day"], data["end"]):
            raise ValidationError([BACKWARD], "last_day")


class ReasonForm(Form, Reason):
    """Why, from a form."""


def _listed(text: str) -> list[str]:
    return [part.strip() for part in COMMA.split(text) if part.strip()]


# --- settings ------------------------------------------------------------------------------------


class RoomsSettings(Schema):
    """What operators set for all rooms of a centre; see `rules.Policy`."""

    moved_working_day_follows = fields.Integer(
        strict=True,
        validate=OneOf(range(8), labels=FOLLOWED),
        load_default=1,
        metadata={
            "label": _("A worked weekend keeps the hours of"),
            "help": _("For Saturdays and Sundays that the official calendar turns into working days."),
        },
    )
    closed_on_holidays = fields.Boolean(
        load_default=True,
        metadata={
            "label": _("Closed on official holidays"),
            "help": _("A room may say otherwise for itself."),
        },
    )
    horizon_days = number(
        1,
        730,
        load_default=365,
        metadata={"label": _("Days that can be booked ahead"), "help": _("Later dates are refused.")},
    )


SETTINGS = RoomsSettings()


def policy_of(session: WorkSession, on: date | None = None, *, time_zone: str | None = None) -> Policy:
    """The settings that stand at the session's centre on a day, today unless it is given.

    Who knows the centre's `time_zone` already says so, and saves reading it.
    """
    name = time_zone or time_zone_of(session)
    day = on or session.now.astimezone(ZoneInfo(name)).date()
    return Policy(time_zone=name, **settings_of(session, "rooms", SETTINGS, on=day))


def parse_day(text: str) -> date:
    """A date of this century as YYYY-MM-DD; anything else is a page that is not there."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if not 2000 <= day.year < 2100 or text != day.isoformat():
        raise NotFound(_("There is no such day; write it like 2026-11-22."))
    return day


def period_of(data: dict[str, Any]) -> Period:
    """Take `starts_at` and `ends_at` out of loaded data, as a period in UTC."""
    return Period(data.pop("starts_at").astimezone(UTC), data.pop("ends_at").astimezone(UTC))
