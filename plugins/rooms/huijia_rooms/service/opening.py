"""When the rooms of a centre are open: hours, closures, the official calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from huijia import Centre, Period, Text, UtcDateTime, WorkSession, here, messages, region_of
from sqlalchemy import bindparam, select

from huijia_rooms.models import Closure
from huijia_rooms.rules import (
    DayKind,
    Policy,
    instant,
    joined,
    kind_of_day,
    open_periods,
    spans_of,
    without,
)

_ = messages("rooms")

TIME_ZONE = select(Centre.__table__.c.time_zone).where(Centre.__table__.c.id == bindparam("centre"))
CLOSURE = Closure.__table__.c
CLOSURES = select(CLOSURE.room_id, CLOSURE.starts_at, CLOSURE.ends_at, CLOSURE.reason).where(
    here(Closure),
    CLOSURE.starts_at < bindparam("until", type_=UtcDateTime),
    CLOSURE.ends_at > bindparam("since", type_=UtcDateTime),
)


class Opening:
    """What is known of a stretch of time at the session's centre, read once and asked per room.

    A room is anything with `id`, `hours` and `on_holidays`.
    """

    def __init__(self, session: WorkSession, policy: Policy, window: Period) -> None:
        place: Any = policy  # all that a region is told by is the time zone
        self.policy, self.zone, self.region = policy, policy.zone, region_of(place)
        rows = session.execute(CLOSURES, {"since": window.start, "until": window.end})
        self.closures = [(room_id, Period(start, end), reason) for room_id, start, end, reason in rows]
        self._kinds: dict[date, DayKind] = {}

    def of(self, room: Any, days: Iterable[date]) -> list[Period]:
        """When `room` is open over `days`."""
        opened = (p for day in days for p in open_periods(day, self.spans(room, day), self.zone))
        return without(joined(opened), [period for period, _reason in self.closures_of(room)])

    def spans(self, room: Any, day: date) -> Any:
        """The room's spans on `day`, as the calendar has them."""
        return spans_of(room.hours, self.kind(day), shut_on_holidays=self.policy.closes(room.on_holidays))

    def kind(self, day: date) -> DayKind:
        """What the calendar makes of `day`."""
        if day not in self._kinds:
            self._kinds[day] = kind_of_day(
                day,
                working=self.region.is_working_day(day),
                holiday=self.region.holiday_name(day) is not None,
                moved_follows=self.policy.moved_working_day_follows,
            )
        return self._kinds[day]

    def closures_of(self, room: Any) -> list[tuple[Period, str]]:
        """The closures that bind `room`, the centre's among them."""
        return [(period, reason) for room_id, period, reason in self.closures if room_id in (None, room.id)]

    def why_shut(self, room: Any, period: Period) -> Text | str:
        """Why `room` is not open all through `period`."""
        for closed, reason in self.closures_of(room):
            if closed.overlaps(period):
                return reason
        day = period.start.astimezone(self.zone).date()
        holiday = self.region.holiday_name(day)
        if holiday and self.policy.closes(room.on_holidays):
            return holiday
        return _("outside its opening hours") if self.spans(room, day) else _("not open on this day")


def time_zone_of(session: WorkSession) -> str:
    """The name of the time zone of the session's centre, at a tenth of the centre's price."""
    return session.execute(TIME_ZONE, {"centre": session.centre_id}).scalar_one()


def day_window(day: date, zone: ZoneInfo, *, days: int = 1) -> Period:
    """From midnight to midnight on the wall clock of `zone`."""
    return Period(instant(day, 0, zone), instant(day + timedelta(days=days), 0, zone))
