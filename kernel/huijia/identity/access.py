"""What somebody may do at a place: all roles granted there, above it, and for the installation.

Nothing is kept between requests: a grant taken back counts from the next request on, in every process.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, and_, bindparam, or_, select, true

from huijia.errors import NotFound
from huijia.i18n import messages
from huijia.identity.actor import NOBODY, Actor, Caller, meet
from huijia.identity.models import Area, Centre, Grant, Role, Staff
from huijia.storage.settings import Scope, places_above, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
NOTHING: frozenset[str] = frozenset()

# What every request asks is made of tables: the ORM takes longer over it than the database.
_grant, _role, _staff, _centre = (cast("Table", model.__table__).c for model in (Grant, Role, Staff, Centre))
_everywhere = and_(_grant.area_id.is_(None), _grant.centre_id.is_(None))
_the_centre = or_(_centre.id == bindparam("centre", None), _centre.slug == bindparam("slug", None))
_RIGHTS = (
    select(_role.permissions, _grant.ends_on)
    .where(_role.id == _grant.role_id, _staff.id == _grant.staff_id, _staff.active)
    .where(_grant.staff_id == bindparam("staff"))
    .where(
        or_(
            _everywhere,
            _grant.area_id.in_(select(places_above().c.id)),
            _grant.centre_id.in_(select(_centre.id).where(_the_centre)),
        )
    )
)
_rights = _RIGHTS.subquery()
_ENTER = select(*_centre, _rights).outerjoin(_rights, true()).where(_centre.slug == bindparam("slug", None))

_down = select(Grant.id.label("grant_id"), Grant.area_id).where(Grant.staff_id == bindparam("staff"))
_below = _down.cte("below", recursive=True)
_below = _below.union(select(_below.c.grant_id, Area.id).join(_below, Area.parent_id == _below.c.area_id))
_CENTRES = (
    select(Centre, Grant.ends_on)
    .join(
        Grant,
        or_(
            _everywhere,
            Grant.centre_id == Centre.id,
            Centre.area_id.in_(select(_below.c.area_id).where(_below.c.grant_id == Grant.id)),
        ),
    )
    .join(Staff, and_(Staff.id == Grant.staff_id, Staff.active))
    .where(Grant.staff_id == bindparam("staff"), Centre.active)
    .order_by(Centre.slug)
)


def _held(rows: Iterable[Any], today: date) -> frozenset[str]:
    alive = (row for row in rows if row.permissions and (row.ends_on is None or row.ends_on >= today))
    return frozenset(key for row in alive for key in row.permissions)


def enter(session: WorkSession, *, slug: str, caller: Caller | None) -> tuple[Centre, Actor]:
    """The centre of that address, and the caller with the rights held there. One query.

    The centre is a copy to read from: what is to be changed is fetched by its id.
    Raises NotFound where there is no such centre or it is closed.
    """
    rows = session.execute(_ENTER, {"slug": slug, "staff": caller and caller.staff_id}).all()
    if not rows or not rows[0].active:
        raise NotFound(_("There is no centre “{slug}”; choose one from the list.", slug=slug))
    # Column by column: as an entity it would cost three times as much, at every request.
    centre = Centre(**dict(zip(_centre.keys(), rows[0], strict=False)))
    if caller is None:
        return centre, NOBODY
    held = _held(rows, session.now.astimezone(centre.zone).date())
    return centre, actor_of(caller, held, centre.id)


def actor_of(caller: Caller, held: frozenset[str], centre_id: UUID | None) -> Actor:
    """The caller with the rights that its staff member holds, as far as a token passes them on."""
    fits = caller.centre_id is None or caller.centre_id == centre_id
    rights = meet(held, caller.limit) if fits else NOTHING
    owner = caller.staff_id if caller.kind == "token" else None
    return Actor(caller.kind, caller.id, caller.name, rights, caller.locale, caller.large_type, owner)


def rights_at(session: WorkSession, staff_id: UUID, scope: Scope) -> frozenset[str]:
    """What a staff member may do at a place."""
    values = {"staff": staff_id, "area": scope.area_id, "centre": scope.centre_id}
    return _held(session.execute(_RIGHTS, values), today_at(session, scope))


def permissions_at(session: WorkSession, actor: Actor, scope: Scope) -> frozenset[str]:
    """What an actor may do at a place. A token counts at the centre in hand alone."""
    if actor.kind == "staff" and actor.id:
        return rights_at(session, actor.id, scope)
    here = scope.centre_id is not None and scope.centre_id == session.centre_id
    return actor.permissions if here or actor.kind == "system" else NOTHING


def centres_of(session: WorkSession, *, staff_id: UUID) -> list[Centre]:
    """The open centres where somebody holds any role today, by slug."""
    found: dict[UUID, Centre] = {}
    for centre, ends_on in session.execute(_CENTRES, {"staff": staff_id}):
        if ends_on is None or ends_on >= session.now.astimezone(centre.zone).date():
            found[centre.id] = centre
    return list(found.values())
