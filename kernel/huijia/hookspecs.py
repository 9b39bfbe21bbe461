"""Every hook of the kernel, on one page.

A plugin answers a hook by a function of the same name in its `plugin.py`, marked `@hookimpl`, that
takes any subset of the arguments below. There are four kinds, and the kind says what a failure does:

contribution  collected when the plugin is wired; a failure quarantines the plugin
question      any may answer; a failing answer is skipped, attributed and counted
request       one answerer does something, in a savepoint; it returns a value or raises `Refusal`
event         something became true; listeners run after the commit (retried, in order per subject)
              or, marked `@hookimpl_at_once`, inside the same transaction

A plugin offers hooks of its own in `hookspecs.py`, made by the same four decorators, each name
prefixed by the plugin's own.
"""

# Specs are signatures: nobody runs their bodies.
# pyright: reportReturnType=false
from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import pluggy

if TYPE_CHECKING:
    import click
    from flask import Blueprint

    from huijia.contributions import (
        CalendarEntry,
        Demo,
        Figure,
        Job,
        NavigationItem,
        Panel,
        Permission,
        RoleBundle,
        SettingsSection,
        Today,
    )
    from huijia.identity.actor import Actor
    from huijia.identity.models import Centre
    from huijia.storage.work import WorkSession

F = TypeVar("F", bound=Callable[..., Any])
PROJECT = "huijia"
KINDS = ("contribution", "question", "request", "event")

_hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


def hookimpl_at_once(listener: F) -> F:
    """Mark an event's listener that must run inside the transaction: short, no network, timed."""
    listener.huijia_at_once = True  # type: ignore[attr-defined]
    return hookimpl(listener)


def _kind(name: str) -> Callable[[F], F]:
    def mark(spec: F) -> F:
        spec.huijia_kind = name  # type: ignore[attr-defined]
        return _hookspec(spec)

    return mark


contribution, question, request, event = (_kind(name) for name in KINDS)


# --- contributions -------------------------------------------------------------------------------


@contribution
def huijia_permissions() -> list[Permission]:
    """The rights that this service's routes ask for. Keys start with the plugin's name and a dot."""


@contribution
def huijia_roles() -> list[RoleBundle]:
    """Ready-made roles over those permissions."""


@contribution
def huijia_settings() -> SettingsSection:
    """What operators can set, as a marshmallow schema with defaults."""


@contribution
def huijia_blueprints() -> list[Blueprint]:
    """The service's `Pages` and `Api`. Every route names a permission or says `public=True`."""


@contribution
def huijia_navigation() -> list[NavigationItem]:
    """Entries of the rail, shown to those who hold their permission."""


@contribution
def huijia_commands() -> list[click.Command]:
    """Commands below `huijia NAME`."""


@contribution
def huijia_jobs() -> list[Job]:
    """Work to do in the background."""


@contribution
def huijia_demo() -> Demo:
    """Demonstration data for the demo centres, made by the service's own use cases."""


@contribution
def huijia_personal_data() -> list[type[Any]]:
    """Models that hold something about people, with `subject` and `personal` marks on their columns."""


@contribution
def huijia_figures() -> list[Figure]:
    """The kinds of visit that this service counts by `count_visit`."""


# --- questions -----------------------------------------------------------------------------------


@question
def huijia_today(session: WorkSession, centre: Centre, actor: Actor, day: date, now: datetime) -> Today:
    """What the operator should see of this service on `day` (the centre's date)."""


@question
def huijia_counts(session: WorkSession, centre: Centre, actor: Actor, now: datetime) -> int:
    """The number beside this service in the rail: what waits to be done. 0 shows nothing."""


@question
def huijia_person_panel(
    session: WorkSession, centre: Centre, actor: Actor, person_id: UUID, day: date, now: datetime
) -> Panel | None:
    """What this service knows of a person, for their page; None where it is nothing, or not for the actor."""


@question
def huijia_person_calendar(
    session: WorkSession, centre: Centre, actor: Actor, person_id: UUID, since: datetime, until: datetime
) -> list[CalendarEntry]:
    """What a person has before them at this service, for their one calendar."""


@question
def huijia_person_open_matters(session: WorkSession, person_id: UUID, now: datetime) -> list[str]:
    """What of value is still open with a person, at any centre: to be settled before erasure.

    Asked across centres. Whoever fails to answer stops the erasure.
    """


# --- events --------------------------------------------------------------------------------------


@event
def huijia_service_enabled(session: WorkSession, centre_id: UUID, plugin: str, now: datetime) -> None:
    """A service was switched on for a centre."""


@event
def huijia_service_disabled(session: WorkSession, centre_id: UUID, plugin: str, now: datetime) -> None:
    """A service was switched off for a centre; its data stay."""


@event
def huijia_person_merged(session: WorkSession, kept_id: UUID, merged_id: UUID, now: datetime) -> None:
    """Two records were one person's; what stands under `merged_id` counts for `kept_id`. Rewrite nothing."""


@event
def huijia_person_moved(
    session: WorkSession, person_id: UUID, centre_id: UUID, on: date, now: datetime
) -> None:
    """Somebody is no longer registered at that centre, from that day on."""


@event
def huijia_person_died(session: WorkSession, person_id: UUID, died_on: date, now: datetime) -> None:
    """Somebody died. Benefits have stopped already: eligibility reads the person's state itself."""


@event
def huijia_person_separated(session: WorkSession, kept_id: UUID, merged_id: UUID, now: datetime) -> None:
    """A merge was a mistake and is undone: `merged_id` stands for itself again."""


@event
def huijia_person_death_corrected(session: WorkSession, person_id: UUID, now: datetime) -> None:
    """Somebody was recorded as dead by mistake, and lives."""
