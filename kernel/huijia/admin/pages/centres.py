"""Centres: the tree of areas, the centres in it, and this centre's sites."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import fields
from marshmallow.validate import Length, OneOf
from sqlalchemy import select

from huijia.admin.pages.desk import attempt, done, form, pages, show
from huijia.i18n import messages
from huijia.identity import service
from huijia.identity.models import AREA_KINDS, Area, Centre, Site
from huijia.web.current import current
from huijia.web.recognise import centres_of

_ = messages("huijia")
KINDS = {
    "city": _("city"), "district": _("district"), "subdistrict": _("subdistrict"),
    "community": _("community"), "compound": _("residential compound"),
}  # fmt: skip
NAMES = {
    "name": fields.String(required=True, validate=Length(1, 120)),
    "name_en": fields.String(validate=Length(max=120)),
}
KIND = fields.String(required=True, validate=OneOf(AREA_KINDS))
SLUG = fields.String(required=True, validate=Length(max=40))
MAKE: dict[str, Any] = {
    "area": (form(kind=KIND, parent_id=fields.UUID(), **NAMES), service.add_area),
    "centre": (form(slug=SLUG, area_id=fields.UUID(required=True), **NAMES), service.add_centre),
    "site": (form(address=fields.String(validate=Length(max=200)), **NAMES), service.add_site),
}


@pages.get("/c/<slug:centre>/centres", permission=service.PLACES)
def centres(**more: Any) -> str:
    areas, found, sites = (
        list(current.session.scalars(select(model).order_by(model.name))) for model in (Area, Centre, Site)
    )
    mine = {centre.id for centre in centres_of(current.session, current.visit)}
    return show("centres", areas=areas, found=found, sites=sites, mine=mine, kinds=KINDS, **more)


@pages.post("/c/<slug:centre>/centres", permission=service.PLACES)
def add_place() -> Any:
    """Add an area, a centre, or a site of this centre."""
    what = request.form.get("what", "")
    what = what if what in MAKE else "site"
    shape, make = MAKE[what]
    given = {
        "actor": current.actor,
        "now": current.now,
        **({"centre_id": current.centre.id} if what == "site" else {}),
    }
    how = {"field": "slug" if what == "centre" else "name", "prefix": f"{what}-"}
    errors = attempt(shape, lambda **facts: make(current.session, **given, **facts), **how)
    return (centres(errors=errors), 422) if errors else done("added", "admin.centres")
