"""What the administration's pages share: a blueprint, forms that keep what was typed, places to choose."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, redirect, request

from huijia.errors import Invalid
from huijia.i18n import Text, messages
from huijia.identity.access import permissions_at
from huijia.identity.actor import covers
from huijia.identity.models import Area, Centre
from huijia.registry.troubles import label
from huijia.storage.settings import Scope
from huijia.web.blueprints import Pages
from huijia.web.current import current
from huijia.web.forms import attempt as attempt
from huijia.web.forms import form as form
from huijia.web.forms import typed as typed
from huijia.web.pages import page, url

_ = messages("huijia")
pages = Pages("admin", "huijia.admin", prefix="")
Errors = dict[str, Any]
DONE = {
    "saved": _("Saved."),
    "added": _("Added."),
    "granted": _("The role counts from now on."),
    "revoked": _("Ended; it counts no longer."),
    "deactivated": _("The account is closed, and signed out everywhere."),
    "password": _("The new password counts from now on."),
    "elsewhere": _("Signed out everywhere else."),
    "out": _("You are signed out."),
    "retry": _("It is tried again now."),
    "skip": _("Skipped; the reason is kept."),
    "on": _("Switched on; its pages are open now."),
    "off": _("Switched off; its data are kept."),
}


def installation() -> Any:
    """The installation that this app serves."""
    return current_app.installation  # type: ignore[attr-defined]


def show(template: str, **context: Any) -> str:
    """A page of the administration, with what it may say and what was typed into it."""
    common = {
        "said": DONE.get(request.args.get("done", ""), ""),
        "errors": {},
        "typed": typed(),
        "label": label,
    }
    return page(f"huijia/{template}.html", **{**common, "place_name": place_name, **context})


def done(what: str, endpoint: str, **values: Any) -> Response:
    """Go to a page that says what was done: a key of `DONE`."""
    return redirect(url(endpoint, done=what, **values), 303)  # type: ignore[return-value]


def scopes_here() -> list[Scope]:
    """The centre in hand, the areas above it, the installation."""
    found, area_id = [Scope(centre_id=current.centre.id)], current.centre.area_id
    while area_id:
        found.append(Scope(area_id=area_id))
        area_id = current.session.get_one(Area, area_id).parent_id
    return [*found, Scope()]


def places(right: str) -> list[tuple[str, Text | str]]:
    """Of these, where the actor holds `right`: a form's value and its words."""
    wanted = frozenset({right})
    held = [s for s in scopes_here() if covers(permissions_at(current.session, current.actor, s), wanted)]
    return [(written(scope), place_name(scope)) for scope in held]


def place_name(scope: Scope) -> Text | str:
    """The place in words."""
    model: Any = Area if scope.area_id else Centre
    key = scope.area_id or scope.centre_id
    return current.session.get_one(model, key).title if key else _("the whole installation")


def written(scope: Scope) -> str:
    """The place as a form's value."""
    return (
        f"area {scope.area_id}"
        if scope.area_id
        else f"centre {scope.centre_id}"
        if scope.centre_id
        else "installation"
    )


def scope_of(value: str) -> Scope:
    """The place of a form's value: of this centre, an area above it, or all. Raises Invalid."""
    for scope in scopes_here():
        if written(scope) == value:
            return scope
    words = _("This is no place; choose one from the list.")
    raise Invalid(words, {"place": [words]})
