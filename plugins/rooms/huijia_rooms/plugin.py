"""What rooms brings to the house: hook implementations and nothing else."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from huijia import (
    Actor,
    CalendarEntry,
    Centre,
    Demo,
    Figure,
    Job,
    NavigationItem,
    Panel,
    Period,
    Permission,
    RoleBundle,
    SettingsSection,
    Today,
    WorkSession,
    hookimpl,
    messages,
)

_ = messages("rooms")
HOUSE = Actor("system", None, "Huijia")  # who asks from a job or a command


@hookimpl
def huijia_permissions() -> list[Permission]:
    return [
        Permission("rooms.see", _("See rooms and bookings")),
        Permission("rooms.book", _("Book rooms and cancel bookings")),
        Permission("rooms.manage", _("Keep rooms, opening hours and closures")),
    ]


@hookimpl
def huijia_roles() -> list[RoleBundle]:
    return [
        RoleBundle("rooms.desk", _("Room desk"), frozenset({"rooms.see", "rooms.book"})),
        RoleBundle("rooms.keeper", _("Room keeper"), frozenset({"rooms.see", "rooms.book", "rooms.manage"})),
    ]


@hookimpl
def huijia_settings() -> SettingsSection:
    from huijia_rooms.schemas import RoomsSettings

    return SettingsSection(RoomsSettings)


@hookimpl
def huijia_blueprints() -> list[Any]:
    from huijia_rooms.pages import pages
    from huijia_rooms.routes import api

    return [pages, api]


@hookimpl
def huijia_navigation() -> list[NavigationItem]:
    return [NavigationItem(_("Rooms"), "rooms.day", "rooms.see", order=10)]


@hookimpl
def huijia_commands() -> list[Any]:
    from huijia_rooms.commands import COMMANDS

    return COMMANDS


@hookimpl
def huijia_jobs() -> list[Job]:
    from huijia_rooms.jobs import count_visits

    return [Job("count-visits", timedelta(minutes=10), count_visits)]


@hookimpl
def huijia_figures() -> list[Figure]:
    return [Figure("rooms.use", _("Use of rooms"), endpoint="rooms.bookings")]


@hookimpl
def huijia_personal_data() -> list[type[Any]]:
    from huijia_rooms.models import Booking

    return [Booking]


@hookimpl
def huijia_demo() -> Demo:
    from huijia_rooms.demo import make

    return Demo(make, order=10)


@hookimpl
def huijia_today(
    session: WorkSession, centre: Centre, actor: Actor, day: date, now: datetime
) -> Today | None:
    from huijia_rooms.reports import today
    from huijia_rooms.schemas import policy_of

    if not actor.may("rooms.see"):
        return None
    return today(
        session, policy_of(session, day, time_zone=centre.time_zone), centre=centre, day=day, now=now
    )


@hookimpl
def huijia_counts(session: WorkSession, actor: Actor, now: datetime) -> int:
    """Bookings that stand where the room has been closed since: somebody should talk to those people."""
    from huijia_rooms.reports import count_in_closures

    return count_in_closures(session, now=now) if actor.may("rooms.see") else 0


@hookimpl
def huijia_person_panel(session: WorkSession, actor: Actor, person_id: UUID, now: datetime) -> Panel | None:
    from huijia_rooms.reports import panel_of

    return panel_of(session, person_id=person_id, now=now) if actor.may("rooms.see") else None


@hookimpl
def huijia_person_calendar(
    session: WorkSession, actor: Actor, person_id: UUID, since: datetime, until: datetime
) -> list[CalendarEntry]:
    from huijia_rooms.reports import calendar_of

    if not actor.may("rooms.see"):
        return []
    return calendar_of(session, person_id=person_id, since=since, until=until)


@hookimpl
def rooms_hold(
    session: WorkSession,
    room_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    title: str,
    subject: str,
    now: datetime,
) -> UUID:
    from huijia_rooms.schemas import policy_of
    from huijia_rooms.service import book_room

    return book_room(
        session,
        actor=session.actor or HOUSE,
        policy=policy_of(session),
        room_id=room_id,
        period=Period(starts_at, ends_at),
        name=title[:80],
        kind="service",
        subject=subject,
        now=now,
    )["id"]


@hookimpl
def rooms_release(session: WorkSession, hold_id: UUID, reason: str, now: datetime) -> None:
    from huijia_rooms.service import release_hold

    release_hold(session, actor=session.actor or HOUSE, hold_id=hold_id, reason=reason, now=now)
