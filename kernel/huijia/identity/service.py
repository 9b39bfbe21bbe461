"""Areas, centres, sites and the staff's accounts. Roles are in `roles`, sign-ins in `signin`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from huijia.errors import Forbidden
from huijia.i18n import LOCALES, messages
from huijia.identity.actor import Actor
from huijia.identity.models import AREA_KINDS, Area, Centre, Site, Staff
from huijia.identity.passwords import PASSWORDS
from huijia.identity.roles import MANAGE, T, Taken, add_only, an_administrator_stays, find, need_above
from huijia.identity.signin import fold, revoke_all
from huijia.identity.tokens import revoke_tokens_of
from huijia.storage.settings import Scope, invalid
from huijia.storage.work import WorkSession

_ = messages("huijia")
PLACES = "centres.manage"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
USERNAME = re.compile(r"[\w.@-]{2,64}")


def add_area(
    session: WorkSession, *, actor: Actor, kind: str, name: str, now: datetime, name_en: str = "",
    parent_id: UUID | None = None, code: str | None = None,
) -> Area:  # fmt: skip
    """A node of the tree, below `parent_id` or at the top."""
    actor.need_at(session, PLACES, Scope(area_id=parent_id))
    parent = find(session, Area, parent_id) if parent_id else None
    if kind not in AREA_KINDS or (parent and AREA_KINDS.index(parent.kind) >= AREA_KINDS.index(kind)):
        raise invalid("kind", _("An area lies in a larger one; choose another kind or parent."))
    return _add(session, Area(kind=kind, name=name, name_en=name_en, parent_id=parent_id, code=code))


def add_centre(
    session: WorkSession, *, actor: Actor, area_id: UUID, slug: str, name: str, now: datetime, **facts: Any
) -> Centre:
    """A centre at a node. `facts`: name_en, time_zone, currency, languages. Raises Taken, Invalid."""
    actor.need_at(session, PLACES, Scope(area_id=area_id))
    if not SLUG.fullmatch(slug) or len(slug) > 40:
        raise invalid("slug", _("Write the address in small letters, digits and single hyphens, up to 40."))
    taken = _("The address {slug} belongs to another centre; choose a different one.", slug=slug)
    if session.scalar(select(Centre.id).where(Centre.slug == slug)):
        raise Taken(taken)
    centre = Centre(area_id=find(session, Area, area_id).id, slug=slug, name=name, created_at=now)
    return add_only(session, _with(centre, facts), taken)


def change_centre(
    session: WorkSession, *, actor: Actor, centre_id: UUID, now: datetime, **facts: Any
) -> Centre:
    """Change the same facts, name or active; the address stays, since it is in people's links."""
    actor.need_at(session, PLACES, Scope(centre_id=centre_id))
    centre = _with(find(session, Centre, centre_id), facts)
    session.flush()
    return centre


def _with(centre: Centre, facts: dict[str, Any]) -> Centre:
    strange = facts.keys() - {"name", "name_en", "time_zone", "currency", "languages", "active"}
    assert not strange, f"a centre has no {strange}"
    languages = facts.get("languages", LOCALES)
    if not languages or set(languages) - set(LOCALES):
        raise invalid("languages", _("Choose among {languages}.", languages=", ".join(LOCALES)))
    for fact, value in facts.items():
        setattr(centre, fact, value)
    return centre


def add_site(
    session: WorkSession, *, actor: Actor, centre_id: UUID, name: str, now: datetime, name_en: str = "",
    address: str = "",
) -> Site:  # fmt: skip
    """A building or floor of a centre."""
    actor.need_at(session, PLACES, Scope(centre_id=centre_id))
    return _add(session, Site(centre_id=centre_id, name=name, name_en=name_en, address=address))


def add_staff(
    session: WorkSession, *, actor: Actor, username: str, display_name: str, password: str, now: datetime,
    **facts: Any,
) -> Staff:  # fmt: skip
    """An account without any role. `facts`: locale, large_type, must_change_password."""
    actor.need(MANAGE)
    name = fold(username)
    if not USERNAME.fullmatch(name):
        raise invalid("username", _("A username has 2 to 64 letters, digits, dots or hyphens."))
    taken = _("Somebody is called {name} already; choose another username.", name=name)
    if session.scalar(select(Staff.id).where(Staff.username == name)):
        raise Taken(taken)
    kept = PASSWORDS.hash(password, username=name)
    staff = Staff(username=name, display_name=display_name, password_hash=kept, **facts)
    return add_only(session, staff, taken)


def change_staff(
    session: WorkSession, *, actor: Actor, staff_id: UUID, now: datetime, display_name: str | None = None,
    locale: str | None = None, large_type: bool | None = None,
) -> Staff:  # fmt: skip
    """Change how somebody is called or served. Language and type size are one's own to choose."""
    staff = find(session, Staff, staff_id)
    if actor.kind != "staff" or actor.id != staff_id or display_name is not None:
        need_above(session, actor, staff_id)
    if locale is not None and locale not in LOCALES:
        raise invalid("locale", _("Choose among {languages}.", languages=", ".join(LOCALES)))
    for fact, value in {"display_name": display_name, "locale": locale, "large_type": large_type}.items():
        if value is not None:
            setattr(staff, fact, value)
    session.flush()
    return staff


def set_password(session: WorkSession, *, actor: Actor, staff_id: UUID, password: str, now: datetime) -> None:
    """A new first password for somebody else, to be changed at the next sign-in; ends their sessions."""
    if actor.kind == "staff" and actor.id == staff_id:
        raise Forbidden(_("Change your own password on your own page; it asks for the old one."))
    staff = find(session, Staff, staff_id)
    need_above(session, actor, staff_id)
    staff.password_hash = PASSWORDS.hash(password, username=staff.username)
    staff.must_change_password = True
    revoke_all(session, staff_id=staff_id)


def deactivate_staff(session: WorkSession, *, actor: Actor, staff_id: UUID, now: datetime) -> None:
    """Close an account; its sessions and tokens end at once."""
    staff = find(session, Staff, staff_id)
    need_above(session, actor, staff_id)
    with an_administrator_stays(session):
        staff.active = False
    revoke_all(session, staff_id=staff_id)
    revoke_tokens_of(session, staff_id=staff_id, now=now)


def _add(session: WorkSession, record: T) -> T:
    session.add(record)
    session.flush()
    return record
