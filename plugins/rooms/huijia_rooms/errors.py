"""One class per rule that can be broken; each says what, and what next."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar
from zoneinfo import ZoneInfo

from huijia import NotFound, Period, Refusal, Text, current_locale, messages

_ = messages("rooms")


class Label:
    """A name in two languages, shown in the reader's."""

    def __init__(self, name: str, name_en: str) -> None:
        self.name, self.name_en = name, name_en

    def __str__(self) -> str:
        return self.name_en if current_locale() == "en" and self.name_en else self.name


class When:
    """An instant as people at the centre say it: the time, and the date where it is not `today`."""

    def __init__(self, at: datetime, zone: ZoneInfo, today: date) -> None:
        self.at, self.today = at.astimezone(zone), today

    def __str__(self) -> str:
        from babel.dates import format_date

        time = f"{self.at:%H:%M}"
        if self.at.date() == self.today:
            return time
        pattern = "M月d日" if current_locale() == "zh_Hans" else "d MMMM"
        return f"{format_date(self.at, pattern, locale=current_locale())} {time}"


class RoomTaken(Refusal):
    """The room, or too many of its seats, are booked; `until` is when it is next free for as long."""

    code: ClassVar[str] = "room-taken"

    def __init__(self, room: Label, busy: Period, left: int, until: datetime | None, zone: ZoneInfo) -> None:
        day = busy.start.astimezone(zone).date()
        values = {"room": room, "start": When(busy.start, zone, day), "end": When(busy.end, zone, day)}
        if until is None:
            message = _(
                "{room} is booked {start}–{end} and on into the next days; choose another room.", **values
            )
        elif left:
            values |= {"left": left, "until": When(until, zone, day)}
            message = _("{room} has {left} seats left {start}–{end}; enough are free from {until}.", **values)
        else:
            values["until"] = When(until, zone, day)
            message = _("{room} is booked {start}–{end}; it is free from {until}.", **values)
        super().__init__(message, until=until, seats_left=left)


class RoomJustTaken(Refusal):
    """Somebody booked at the same moment: the database itself refused."""

    code: ClassVar[str] = "room-taken"

    def __init__(self, room: Label) -> None:
        super().__init__(
            _("Somebody booked {room} at this very moment; look at the day and choose again.", room=room)
        )


class RoomClosed(Refusal):
    """Outside opening hours, on a holiday or during a closure; `until` is the next opening that fits."""

    code: ClassVar[str] = "room-closed"

    def __init__(
        self, room: Label, wanted: Period, reason: Text | str, until: datetime | None, zone: ZoneInfo
    ) -> None:
        day = wanted.start.astimezone(zone).date()
        values = {"room": room, "start": When(wanted.start, zone, day), "end": When(wanted.end, zone, day)}
        values["reason"] = reason
        if until is None:
            message = _("{room} is closed {start}–{end}: {reason}. Choose another day.", **values)
        else:
            values["until"] = When(until, zone, day)
            message = _("{room} is closed {start}–{end}: {reason}. It is free from {until}.", **values)
        super().__init__(message, until=until)


class RoomRetired(Refusal):
    """The room takes no bookings any more."""

    code: ClassVar[str] = "room-retired"

    def __init__(self, room: Label) -> None:
        super().__init__(_("{room} takes no bookings any more; choose another room.", room=room))


class WrongWay(Refusal):
    """Asked for seats of a room booked whole, or for the whole of a shared one."""

    code: ClassVar[str] = "room-wrong-way"

    def __init__(self, room: Label, *, booked_as: str) -> None:
        whole = _("{room} is booked whole, not by seat; leave the seats empty.", room=room)
        shared = _("{room} is shared by seat; say how many seats.", room=room)
        super().__init__(whole if booked_as == "whole" else shared)


class TooManyPeople(Refusal):
    """More people or seats than the room holds."""

    code: ClassVar[str] = "room-too-small"

    def __init__(self, room: Label, capacity: int) -> None:
        message = _("{room} holds {capacity} people; choose a larger room.", room=room, capacity=capacity)
        super().__init__(message, capacity=capacity)


class BadPeriod(Refusal):
    """Backward, over, too long, too far ahead, or off the quarter hour; the message says which."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "bad-period"


class AlreadyOver(Refusal):
    """The booking has ended: what was is not rewritten."""

    code: ClassVar[str] = "booking-over"

    def __init__(self) -> None:
        super().__init__(_("This booking has ended; what was stays as it was."))


class AlreadyCancelled(Refusal):
    """The booking was cancelled before."""

    code: ClassVar[str] = "booking-cancelled"

    def __init__(self) -> None:
        super().__init__(_("This booking is cancelled already; book again if the room is needed after all."))


class NameInUse(Refusal):
    """Another room of the centre bears that name."""

    code: ClassVar[str] = "name-in-use"

    def __init__(self, name: str) -> None:
        super().__init__(_("There is a room named {name} already; choose another name.", name=name))


class NoSuchRoom(NotFound):
    """No room of this centre has that id."""

    def __init__(self) -> None:
        super().__init__(_("There is no such room here; choose one from the list."))


class NoSuchBooking(NotFound):
    """No booking of this centre has that id."""

    def __init__(self) -> None:
        super().__init__(_("There is no such booking here; look for it on its day."))


class NoSuchClosure(NotFound):
    """No closure of this centre has that id."""

    def __init__(self) -> None:
        super().__init__(_("There is no such closure here; perhaps it was lifted already."))
