"""Pages of the figures: one centre in four ways, and the centres of an area side by side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import ValidationError
from marshmallow.validate import OneOf, Regexp
from sqlalchemy import select

from huijia.errors import NotFound
from huijia.figures.models import NOWHERE, PLACES, Visit
from huijia.figures.reading import Line, Span, figures_by, visits_of, whole
from huijia.i18n import Text, messages
from huijia.identity.access import permissions_at
from huijia.identity.actor import covers
from huijia.identity.models import Area, Centre
from huijia.people.models import Person
from huijia.people.permissions import SEE
from huijia.registry.troubles import label
from huijia.storage.settings import Scope, today_at
from huijia.web.blueprints import MEMBER, Pages
from huijia.web.current import current
from huijia.web.pages import page
from huijia.web.paging import paged

_ = messages("huijia")
pages = Pages("figures", "huijia.figures", prefix="")
READ = "figures.see"
WAYS = {
    "service": _("By service"),
    "place": _("By place"),
    "community_id": _("By community"),
    "band": _("By age"),
}
PLACE_WORDS = dict(zip(PLACES, (_("at the centre"), _("in the community"), _("at home")), strict=True))


def _today() -> date:
    """The date at the centre in hand; over several centres that of the first one."""
    centre = current.visit.centre
    return today_at(current.session, Scope(centre_id=centre and centre.id))


def _month() -> date:
    """The month asked for, the present one unless it is a good one."""
    try:
        month = date.fromisoformat(f"{request.args.get('month', '')}-01")
    except ValueError:
        month = _today()
    return month.replace(day=1) if 2000 <= month.year < 2100 else _today().replace(day=1)


def _around(month: date) -> dict[str, Any]:
    """The month, its neighbours, and none after the present one."""
    following = (month + timedelta(days=31)).replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    return {"month": month, "before": before, "following": following if following <= _today() else None}


def _words(way: str, key: Any, areas: dict[UUID, str]) -> Text | str:
    if way == "service":
        return label(key)
    if way == "place":
        return PLACE_WORDS[key]
    if way == "band":
        return _("{band} years", band=key) if key else _("age not known")
    return areas.get(key, "") if key != NOWHERE else _("address not known")


def _areas(keys: set[UUID]) -> dict[UUID, str]:
    return {a.id: a.title for a in current.session.scalars(select(Area).where(Area.id.in_(keys)))}


@pages.get("/c/<slug:centre>/figures", permission=READ)
def of_centre() -> str:
    month, way = _month(), request.args.get("by", "")
    way = way if way in WAYS else "service"
    span = Span([current.centre.id], month, month)
    lines = figures_by(current.session, span, way)
    names = _areas({line.key for line in lines}) if way == "community_id" else {}
    return page(
        "huijia/figures/centre.html",
        **_around(month),
        way=way,
        ways=WAYS,
        total=whole(current.session, span),
        lines=[(line, _words(way, line.key, names)) for line in lines],
        areas=_areas_above(),
    )


def _areas_above() -> list[Area]:
    """The areas above this centre whose figures the reader may see, the nearest first."""
    found, area_id = [], current.centre.area_id
    while area_id:
        area = current.session.get_one(Area, area_id)
        if _may(Scope(area_id=area.id)):
            found.append(area)
        area_id = area.parent_id
    return found


def _may(scope: Scope) -> bool:
    return covers(permissions_at(current.session, current.actor, scope), frozenset({READ}))


@pages.get("/c/<slug:centre>/figures/visits", permission=READ)
def visits() -> str:
    """The visits behind a figure, the newest first; names for those who may see people."""
    month = _month()
    kinds: dict[str, Callable[[str], Any]] = {
        "service": Regexp(r"[a-z][a-z0-9_]{0,39}\Z"),
        "place": OneOf(PLACES),
        "band": str,
        "community_id": UUID,
    }
    try:
        only = {name: read(request.args[name]) for name, read in kinds.items() if name in request.args}
    except (ValueError, ValidationError):
        raise NotFound(_("There is no such figure; choose one from the list.")) from None
    query = visits_of(Span([current.centre.id], month, month), **only)
    rows, following = paged(
        current.session, query, Visit.on.desc(), Visit.id.desc(), cursor=request.args.get("cursor")
    )
    names = _areas({only["community_id"]}) if "community_id" in only else {}
    return page(
        "huijia/figures/visits.html",
        **_around(month),
        visits=rows,
        names=_names(rows),
        next_page=following,
        only=only,
        about=[_words(way, key, names) for way, key in only.items()],
        place_words=PLACE_WORDS,
        label=label,
    )


def _names(rows: list[Visit]) -> dict[UUID, str]:
    if not current.actor.may(SEE):
        return {}
    ids = {row.person_id for row in rows if row.person_id}
    return {p.id: p.name for p in current.session.scalars(select(Person).where(Person.id.in_(ids)))}


@pages.get("/areas/<uuid:area_id>/figures", permission=MEMBER)
def of_area(area_id: UUID) -> str:
    """Every centre under an area, side by side, for those who may see the figures there."""
    area = current.session.get(Area, area_id)
    if area is None or not _may(Scope(area_id=area_id)):
        raise NotFound(_("There is no such area, or none whose figures you may see."))
    month = _month()
    centres = _centres_under(area_id)
    span = Span([centre.id for centre in centres], month, month)
    found = {line.key: line for line in figures_by(current.session, span, "centre_id")}
    return page(
        "huijia/figures/area.html",
        **_around(month),
        area=area,
        lines=[(found.get(centre.id, Line(centre.id)), centre) for centre in centres],
        total=whole(current.session, span),
    )


def _centres_under(area_id: UUID) -> list[Centre]:
    below = select(Area.id).where(Area.id == area_id).cte("below", recursive=True)
    below = below.union_all(select(Area.id).where(Area.parent_id == below.c.id))
    query = select(Centre).where(Centre.area_id.in_(select(below.c.id))).order_by(Centre.slug)
    return list(current.session.scalars(query))
