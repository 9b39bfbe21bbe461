"""The REST interface described: one OpenAPI 3.1 document per app, cut to what a centre has enabled."""

from __future__ import annotations

import http
import json
import re
from typing import TYPE_CHECKING, Any

import flask_smorest.spec.plugins
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flask_smorest.utils import prepare_response
from marshmallow import Schema, fields
from werkzeug.routing import UnicodeConverter

from huijia import __version__
from huijia.i18n import KERNEL
from huijia.web.blueprints import Access
from huijia.web.recognise import SESSION_COOKIE
from huijia.web.security import SAFE, cookie_name

if TYPE_CHECKING:
    from huijia.web.door import Door

VERBS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SLUG = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$", "examples": ["duling"]}
ONCE = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "Send the same key again and the first answer comes back; nothing is done twice (48 h).",
}
_REFERENCE = re.compile(r'"#/components/(\w+)/([^"]+)"')


class SlugConverter(UnicodeConverter):
    """A centre's name in an address."""

    regex = "[a-z0-9][a-z0-9-]{0,62}"

    def __init__(self, url_map: Any) -> None:
        super(UnicodeConverter, self).__init__(url_map)


class Problem(Schema):
    """application/problem+json (RFC 9457)."""

    type = fields.String(
        required=True,
        metadata={
            "format": "uri-reference",
            "description": "leads to a page on what it means: /problems/CODE",
        },
    )
    title = fields.String(required=True)
    status = fields.Integer(required=True, metadata={"minimum": 400, "maximum": 599})
    detail = fields.String(required=True, metadata={"description": "what happened and what to do next"})
    code = fields.String(required=True, metadata={"description": "what programs may rely on"})
    instance = fields.String(required=True, metadata={"description": "the request's id, to quote"})
    until = fields.AwareDateTime(metadata={"description": "when it may succeed"})
    errors = fields.Dict(metadata={"description": "messages by field"})
    details = fields.Dict()


class Describing(flask_smorest.Api):
    """flask-smorest's Api with problem+json and a schema's name telling its plugin."""

    ERROR_SCHEMA = Problem
    spec: Any

    def __init__(self, app: Door) -> None:
        app.config.update(API_TITLE="Huijia", API_VERSION=__version__, OPENAPI_VERSION="3.1.0")
        super().__init__(spec_kwargs={"marshmallow_plugin": MarshmallowPlugin(schema_name)})
        self.register_converter(SlugConverter, lambda _converter: dict(SLUG))
        self.init_app(app)

    def _register_responses(self) -> None:
        for name, words in (("DEFAULT_ERROR", "A problem"), *((s.name, s.phrase) for s in http.HTTPStatus)):
            response: dict[str, Any] = {"description": words}
            if name == "DEFAULT_ERROR" or http.HTTPStatus[name] >= 400:
                response["schema"] = self.ERROR_SCHEMA
            prepare_response(response, self.spec, "application/problem+json")
            self.spec.components.response(name, response, lazy=True)


def schema_name(schema: Any) -> Any:
    """`rooms.Booking`; None (described in place) for a schema cut down by `only`, `exclude` or `partial`."""
    found: Any = resolve_schema_cls(schema)
    if not isinstance(schema, type) and (schema.only or schema.exclude or schema.partial):
        return None
    owner = found.__module__.partition(".")[0].removeprefix("huijia_")
    return f"{owner}.{re.sub('(Schema|Shape)$', '', found.__name__)}"


def finish(app: Door, document: dict[str, Any]) -> dict[str, Any]:
    """The whole document, each operation with who may call it; made once, when the app is built."""
    as_openapi = flask_smorest.spec.plugins.FlaskPlugin.flaskpath2openapi
    for rule in app.url_map.iter_rules():
        item = document["paths"].get(as_openapi(rule.rule), {})
        for verb in (rule.methods or set()) & {verb.upper() for verb in item}:
            _describe_access(
                item[verb.lower()], rule.endpoint, app.access[rule.endpoint][0] or Access(), verb
            )
    cookie = cookie_name(app.installation.config, SESSION_COOKIE)
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer hj_…"},
        "session": {"type": "apiKey", "in": "cookie", "name": cookie},
    }
    return document


def _describe_access(operation: dict[str, Any], endpoint: str, access: Access, verb: str) -> None:
    operation["operationId"] = endpoint
    operation["security"] = [] if access.public else [{"token": []}, {"session": []}]
    if access.permission:
        operation["x-permission"] = access.permission
    if verb not in SAFE and access.unit:  # who opens units of work of their own keeps no answers
        operation.setdefault("parameters", []).append(ONCE)


def document_for(app: Door, enabled: frozenset[str]) -> dict[str, Any]:
    """What a centre with these services offers; shared between requests, so not to be changed."""
    if enabled not in app.documents:
        whole = app.document
        paths = {path: item for path, item in whole["paths"].items() if _owner(item) in {KERNEL, *enabled}}
        tags = [{"name": name} for name in sorted({_owner(item) for item in paths.values()})]
        document = {**whole, "paths": paths, "tags": tags}
        document["components"] = {**whole["components"], **_reached(document)}
        app.documents[enabled] = document
    return app.documents[enabled]


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every (path, verb, operation) of a document, by path."""
    paths = sorted(document["paths"].items())
    return [(path, verb, item[verb]) for path, item in paths for verb in VERBS if verb in item]


def _owner(item: dict[str, Any]) -> str:
    return next(operation["tags"][0] for verb, operation in item.items() if verb in VERBS)


def _reached(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The shared parts that something in the document's paths refers to, however indirectly."""
    kinds = ("schemas", "responses", "parameters", "headers")
    parts = document["components"]
    found: set[tuple[str, str]] = set()
    waiting: list[Any] = [document["paths"]]
    while waiting:
        named = set(_REFERENCE.findall(json.dumps(waiting.pop()))) - found
        found |= named
        waiting += [parts[kind][name] for kind, name in named]
    return {kind: {name: parts[kind][name] for k, name in sorted(found) if k == kind} for kind in kinds}
