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

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import pluggy

if TYPE_CHECKING:
    import click
    from flask import Blueprint

    from huijia.contributions import Demo, Job, NavigationItem, Permission, RoleBundle, SettingsSection, Today
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
    raise NotImplementedError


@contribution
def huijia_roles() -> list[RoleBundle]:
    """Ready-made roles over those permissions."""
    raise NotImplementedError


@contribution
def huijia_settings() -> SettingsSection:
    """What operators can set, as a marshmallow schema with defaults."""
    raise NotImplementedError


@contribution
def huijia_blueprints() -> list[Blueprint]:
    """The service's `Pages` and `Api`. Every route names a permission or says `public=True`."""
    raise NotImplementedError


@contribution
def huijia_navigation() -> list[NavigationItem]:
    """Entries of the rail, shown to those who hold their permission."""
    raise NotImplementedError


@contribution
def huijia_commands() -> list[click.Command]:
    """Commands below `huijia NAME`."""
    raise NotImplementedError


@contribution
def huijia_jobs() -> list[Job]:
    """Work to do in the background."""
    raise NotImplementedError


@contribution
def huijia_demo() -> Demo:
    """Demonstration data for the demo centres, made by the service's own use cases."""
    raise NotImplementedError


# --- questions -----------------------------------------------------------------------------------


@question
def huijia_today(session: WorkSession, centre: Centre, actor: Actor, day: date, now: datetime) -> Today:
    """What the operator should see of this service on `day` (the centre's date)."""
    raise NotImplementedError


@question
def huijia_counts(session: WorkSession, centre: Centre, actor: Actor, now: datetime) -> int:
    """The number beside this service in the rail: what waits to be done. 0 shows nothing."""
    raise NotImplementedError


# --- events --------------------------------------------------------------------------------------


@event
def huijia_service_enabled(session: WorkSession, centre_id: UUID, plugin: str, now: datetime) -> None:
    """A service was switched on for a centre."""
    raise NotImplementedError


@event
def huijia_service_disabled(session: WorkSession, centre_id: UUID, plugin: str, now: datetime) -> None:
    """A service was switched off for a centre; its data stay."""
    raise NotImplementedError
