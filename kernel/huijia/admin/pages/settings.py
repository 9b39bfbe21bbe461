"""Settings: a form for each service, made from its schema, for the centre, an area or the installation."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from flask import request
from marshmallow import fields
from marshmallow.validate import OneOf, Range

from huijia.admin.pages.desk import (
    attempt,
    done,
    form,
    pages,
    place_name,
    places,
    scope_of,
    scopes_here,
    show,
    written,
)
from huijia.errors import Invalid, NotFound, Refusal
from huijia.i18n import messages
from huijia.storage.settings import Explained, explain, set_setting
from huijia.web.bodies import read_json
from huijia.web.current import current

_ = messages("huijia")
KINDS = {fields.Boolean: "checkbox", fields.Integer: "number", fields.Date: "date", fields.Time: "time"}
WHOLE = re.compile(r"-?[0-9]{1,18}")
HOW = form(at=fields.String(required=True), effective_from=fields.Date())


def _sections() -> dict[str, Any]:
    return {
        answer.plugin: answer.value.schema() for answer in current.session.hooks.collect("huijia_settings")
    }


@pages.get("/c/<slug:centre>/settings", permission="settings.see")
def settings(**more: Any) -> str:
    sections = _sections()
    plugin = request.args.get("plugin") or next(iter(sections), "")
    if plugin and plugin not in sections:
        raise NotFound(_("This service has no settings here; choose one from the list."))
    held = places("settings.manage")
    at = request.values.get("at") or written(scopes_here()[0])
    scope = scope_of(at)
    lines = (
        explain(current.session, plugin, sections[plugin], on=current.today, scope=scope) if plugin else []
    )
    rows = [(line, *_control(sections[plugin].fields[line.key], line.value)) for line in lines]
    common = {"places": held, "at": at, "may_change": at in dict(held), "here": str(place_name(scope))}
    return show("settings", sections=sections, plugin=plugin, rows=rows, **common, **more)


def _control(field: fields.Field, value: Any) -> tuple[str, list[Any], dict[str, Any], Any]:
    """The kind of input, the options of a choice, the limits of a number, and the value as it is typed."""
    choice = next((rule for rule in field.validators if isinstance(rule, OneOf)), None)
    if choice:
        return "select", list(zip(choice.choices, choice.labels or choice.choices, strict=False)), {}, value
    if isinstance(value, list | dict):
        return "textarea", [], {}, json.dumps(value, ensure_ascii=False)
    limits = next((rule for rule in field.validators if isinstance(rule, Range)), None)
    marks = {k: v for k, v in (("min", limits.min), ("max", limits.max)) if v is not None} if limits else {}
    return KINDS.get(type(field), "text"), [], marks, value


@pages.post("/c/<slug:centre>/settings", permission="settings.manage")
def save_settings() -> Any:
    """Keep what was changed, from a day on, at the chosen place."""
    errors = attempt(HOW, _save)
    if "effective_on" in errors:
        errors["effective_from"] = errors.pop("effective_on")
    plugin, at = request.args.get("plugin"), request.form.get("at")
    return (settings(errors=errors), 422) if errors else done("saved", "admin.settings", plugin=plugin, at=at)


def _save(at: str, effective_from: date | None = None) -> None:
    plugin, sections, scope = request.args.get("plugin", ""), _sections(), scope_of(at)
    if plugin not in sections:
        raise NotFound(_("This service has no settings here; choose one from the list."))
    how = {"scope": scope, "effective_on": effective_from, "schema": sections[plugin], "plugin": plugin}
    here = str(place_name(scope))
    for line in explain(current.session, plugin, sections[plugin], on=current.today, scope=scope):
        above = line.locked_by and line.source != here
        value = _typed_value(line, sections[plugin].fields[line.key])
        locked = f"locked-{line.key}" in request.form
        if not above and (value, locked) != (line.value, bool(line.locked_by)):
            what = {"key": line.key, "value": value, "locked": locked}
            set_setting(current.session, actor=current.actor, now=current.now, **what, **how)


def _typed_value(line: Explained, field: fields.Field) -> Any:
    text = request.form.get(line.key, "").strip()
    if isinstance(field, fields.Boolean):
        return bool(text)
    if not isinstance(line.value, list | dict):
        return int(text) if isinstance(line.value, int) and WHOLE.fullmatch(text) else text or None
    try:
        return read_json(text.encode())
    except Refusal:
        raise Invalid(
            "", {line.key: [_("This cannot be read; change values only, not the signs around them.")]}
        ) from None
