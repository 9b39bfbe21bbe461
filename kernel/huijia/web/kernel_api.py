"""The kernel's own addresses: centres, services, files, the interface's description, static files."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Response, current_app, jsonify, send_file
from marshmallow import Schema, fields

from huijia.errors import NotFound
from huijia.i18n import messages
from huijia.storage.files import read_file
from huijia.web import openapi
from huijia.web.blueprints import MEMBER, Api, Pages
from huijia.web.current import current
from huijia.web.meanings import meanings
from huijia.web.pages import page, send_static
from huijia.web.recognise import centres_of

_ = messages("huijia")
pages = Pages("huijia", "huijia", prefix="")
BYTES = {"type": "string", "format": "binary"}
api = Api("huijia", "huijia", prefix="/api/v1/centres")


class CentreShape(Schema):
    """A centre that you may enter."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    name_en = fields.String(required=True)
    time_zone = fields.String(required=True)
    currency = fields.String(required=True)


class ServiceShape(Schema):
    """An installed service, seen from one centre."""

    name = fields.String(required=True)
    version = fields.String(required=True)
    summary = fields.String(required=True)
    state = fields.String(required=True)
    why = fields.String(required=True)
    enabled = fields.Boolean(required=True)


@api.get("", permission=MEMBER)
@api.response(200, CentreShape(many=True))
def centres() -> Any:
    """The centres that you may enter."""
    return centres_of(current.session, current.visit)


@api.get("/<slug:centre>/services", permission=MEMBER)
@api.response(200, ServiceShape(many=True))
def services() -> Any:
    """Every installed service, and whether it is switched on at this centre."""
    return [_described(current.session, name) for name in _registry().catalogue]


@api.put("/<slug:centre>/services/<name>", permission="services.manage", unit=False)
@api.response(200, ServiceShape)
def enable_service(name: str) -> Any:
    """Switch a service on at this centre. Its tables are made first."""
    return _switch(name, on=True)


@api.delete("/<slug:centre>/services/<name>", permission="services.manage", unit=False)
@api.response(200, ServiceShape)
def disable_service(name: str) -> Any:
    """Switch a service off at this centre. Its data stay."""
    return _switch(name, on=False)


@api.get("/<slug:centre>/openapi.json", permission=MEMBER)
@api.response(200, {"type": "object"}, description="This document", content_type="application/json")
def openapi_json() -> Response:
    """What this centre offers to programs, in OpenAPI 3.1."""
    return jsonify(openapi.document_for(_app(), current.visit.enabled))


@api.get("/<slug:centre>/files/<uuid:file_id>", permission=MEMBER)
@api.response(200, BYTES, description="The file", content_type="application/octet-stream")
def file(file_id: UUID) -> Response:
    """A file of this centre. Needs the permission that the file names."""
    return download(file_id)


@pages.get("/c/<slug:centre>/files/<uuid:file_id>", permission=MEMBER)
def download(file_id: UUID) -> Response:
    """A file of this centre, for browsers."""
    found = read_file(current.session, file_id)
    about: dict[str, Any] = {"mimetype": found.media_type, "download_name": found.name, "etag": found.sha256}
    return send_file(BytesIO(found.body), **about)


@pages.get("/c/<slug:centre>/api", permission=MEMBER)
def reference() -> str:
    """The interface for programs, described for people."""
    document = openapi.document_for(_app(), current.visit.enabled)
    by_tag: dict[str, list[Any]] = {tag["name"]: [] for tag in document["tags"]}
    for path, verb, operation in openapi.operations(document):
        by_tag[operation["tags"][0]].append((path, verb, operation))
    shapes = document["components"]["schemas"]
    return page("huijia/api.html", operations_by_tag=by_tag.items(), schemas=shapes)


@pages.get("/problems/<code>", public=True)
def meaning(code: str) -> str:
    """What a problem's code means: where the `type` of problems leads."""
    found = meanings().get(code)
    if found is None:
        raise NotFound(_("No problem has the code {code}; check the address.", code=code))
    return page("huijia/meaning.html", code=code, found=found)


@pages.get("/static/<digest>/<owner>/<path:name>", anonymous=True)
def static(digest: str, owner: str, name: str) -> Response:
    """A style sheet, script or picture."""
    return send_static(digest, owner, name)


def _app() -> Any:
    return current_app


def _registry() -> Any:
    return _app().installation.registry


def _described(session: Any, name: str) -> dict[str, Any]:
    from huijia.registry.states import standing

    installed, stands = _registry().catalogue[name], standing(_registry(), name, session)
    enabled = name in _registry().current(session).centres.get(current.centre.id, ())
    words = {"summary": str(installed.summary), "state": stands.state, "why": str(stands.why)}
    return {"name": name, "version": installed.version, "enabled": enabled, **words}


def _switch(name: str, *, on: bool) -> Any:
    from huijia.registry import lifecycle

    installation, visit = _app().installation, current.visit
    if name not in _registry().catalogue:
        raise NotFound(_("No service {name} is installed; see the list of services.", name=name))
    change = lifecycle.enable if on else lifecycle.disable
    told = {"action": f"huijia_api.{change.__name__}_service", "request_id": visit.request_id}
    change(installation, current.centre.id, name, visit.actor, **told)
    with installation.reading(visit.centre, visit.actor) as session:
        return _described(session, name)
