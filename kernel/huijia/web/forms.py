"""HTML forms: what was typed is kept, errors stand beside their fields, nothing is half done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError

from huijia.errors import Forbidden, Refusal
from huijia.i18n import translated

Errors = dict[str, Any]


def typed(**given: Any) -> dict[str, Any]:
    """What stands in the form: what was typed, else what is given, else nothing."""
    return defaultdict(str, {**given, **request.form.to_dict()})


def form(**fields: Any) -> Schema:
    """The shape of a form."""
    return Schema.from_dict(fields)()


def attempt(schema: Schema, deed: Callable[..., Any], *, field: str = "_schema", prefix: str = "") -> Errors:
    """Hand what was typed to `deed`; the errors by field, none where it was done. Empty entries are left out.

    A refusal that names no field is shown at `field`. Who may not at all is told on a page of its own.
    """
    entries = {name.removeprefix(prefix): value.strip() for name, value in request.form.items()}
    try:
        asked: Any = schema.load({name: value for name, value in entries.items() if value}, unknown=EXCLUDE)
        deed(**asked)
    except ValidationError as problem:
        found = problem.normalized_messages()
    except Forbidden:
        raise
    except Refusal as no:
        found = getattr(no, "errors", None) or {field: [no.message]}
    else:
        return {}
    return {name if name == "_schema" else prefix + name: words for name, words in translated(found).items()}
