"""What contributions must look like: their types, and names that stay inside the plugin's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args, get_origin, get_type_hints

from huijia import contributions
from huijia.i18n import Text, messages
from huijia.identity.permissions import name_permissions
from huijia.registry.loading import Broken, Loaded

_ = messages("huijia")
MEMBER = "huijia.member"  # the kernel's: whoever holds anything at the centre


def expected_type(spec: Any) -> tuple[type, bool]:
    """What a contribution must be by its spec, and whether a list of it; `object` for anything."""
    import click
    from flask import Blueprint

    hint = get_type_hints(spec, localns={**vars(contributions), "click": click, "Blueprint": Blueprint})
    kind = hint.get("return", object)
    many = get_origin(kind) is list
    kind = get_args(kind)[0] if many else kind
    kind = get_origin(kind) or kind
    return kind if isinstance(kind, type) else object, many


def check_value(spec: Any, value: Any) -> Any:
    """The contribution as it is. Raises Broken where it is of another type than its spec says."""
    kind, many = expected_type(spec)
    wrong = [
        item
        for item in (value if many and isinstance(value, list) else [value])
        if not isinstance(item, kind)
    ]
    if wrong:
        words = {"hook": spec.__name__, "wanted": kind.__name__, "found": type(wrong[0]).__name__}
        raise Broken("contribution-type", _("{hook} must give {wanted}, and gave {found}.", **words))
    return value


def check_contributions(one: Loaded) -> None:
    """Raises Broken where a name, a word or a route leaves the plugin's own ground."""
    given = one.contributions
    known = {p.key for p in given.get("huijia_permissions", [])} | {MEMBER}
    for key in (known - {MEMBER}) | {role.key for role in given.get("huijia_roles", [])}:
        if not key.startswith(f"{one.name}."):
            words = {"key": key, "prefix": f"{one.name}."}
            raise Broken(
                "permission-prefix", _("Its permission or role {key} must start with {prefix}", **words)
            )
    for item in one.navigation:
        _check_permission(item.permission, known)
    for text in _texts(given.values()):
        if text.domain != one.name:
            words = {"sentence": text.message, "owner": text.domain}
            raise Broken("message-domain", _("It shows “{sentence}” of the catalogue {owner}.", **words))
    if one.blueprints:
        _check_routes(one, known)
    name_permissions(given.get("huijia_permissions", []))


def _check_permission(key: str, known: set[str]) -> None:
    if key not in known:
        raise Broken(
            "unknown-permission", _("It asks for the permission {key} and does not declare it.", key=key)
        )


def _texts(values: Iterable[Any]) -> Iterable[Text]:
    for value in values:
        if isinstance(value, Text):
            yield value
        elif isinstance(value, list):
            yield from _texts(value)
        elif type(value).__module__ == contributions.__name__:
            yield from _texts(vars(value).values())


def _check_routes(one: Loaded, known: set[str]) -> None:
    from flask import Flask

    app = Flask("huijia_check", static_folder=None)
    app.url_map.converters["slug"] = app.url_map.converters["string"]
    for blueprint in one.blueprints:
        if not hasattr(blueprint, "access") or blueprint.name not in (one.name, f"{one.name}_api"):
            words = {"blueprint": blueprint.name}
            raise Broken(
                "wrong-blueprint", _("Its blueprint {blueprint} must be Pages or Api of its own.", **words)
            )
        for endpoint, access in blueprint.access.items():
            route = f"{blueprint.name}.{endpoint}"
            if access is None:
                raise Broken(
                    "open-route", _("Its route {route} names no permission and is not public.", route=route)
                )
            _check_permission(access.permission or MEMBER, known)
        try:
            app.register_blueprint(blueprint)
        except Exception as error:
            raise Broken("duplicate-route", _("Its routes clash: {error}", error=str(error))) from error
    _check_ground(one.name, app.url_map.iter_rules())
    check_twice(app.url_map.iter_rules())


def _check_ground(name: str, rules: Iterable[Any]) -> None:
    grounds = f"/c/<slug:centre>/{name}/", f"/api/v1/centres/<slug:centre>/{name}/"
    for rule in rules:
        if not f"{rule.rule}/".startswith(grounds):
            words = {"rule": rule.rule, "pages": grounds[0], "api": grounds[1]}
            raise Broken("route-prefix", _("Its address {rule} must begin with {pages} or {api}", **words))


def check_twice(rules: Iterable[Any]) -> None:
    """Raises Broken where one address leads to two views."""
    seen: dict[tuple[str, str], str] = {}
    for rule in rules:
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            first = seen.setdefault((method, rule.rule), rule.endpoint)
            if first != rule.endpoint:
                words = {"rule": f"{method} {rule.rule}", "first": first, "other": rule.endpoint}
                raise Broken("duplicate-route", _("{rule} leads to both {first} and {other}.", **words))
