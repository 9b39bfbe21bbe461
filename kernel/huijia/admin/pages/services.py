"""Services: what is installed, what is switched on here, and what a switch would change."""

from __future__ import annotations

from typing import Any

from flask import current_app, make_response, render_template, request

from huijia.admin.pages.desk import done, installation, pages, show
from huijia.errors import Invalid, NotFound, Refusal
from huijia.i18n import Text, messages
from huijia.registry import lifecycle
from huijia.registry.states import BROKEN, FAILED, INCOMPATIBLE, standing
from huijia.registry.troubles import label, standing_troubles
from huijia.web.current import current
from huijia.web.pages import url

_ = messages("huijia")
MANAGE = "services.manage"


@pages.get("/c/<slug:centre>/services", permission=MANAGE)
def services() -> str:
    return show("services", services=[_card(name) for name in installation().registry.catalogue])


@pages.get("/c/<slug:centre>/services/install", permission=MANAGE)
def install() -> str:
    return show("install")


@pages.get("/c/<slug:centre>/services/<plugin>", permission=MANAGE)
def plan(plugin: str, refused: str = "") -> str:
    """What switching this service on or off here would change."""
    planned = lifecycle.plan(installation(), plugin, current.centre.id)
    loaded = installation().registry.loaded.get(plugin)
    given = loaded.contributions.get("huijia_permissions", []) if loaded else []
    return show("plan", it=_card(plugin), plan=planned, permissions=given, refused=refused)


@pages.post("/c/<slug:centre>/services/<plugin>/switch", permission=MANAGE, unit=False)
def switch(plugin: str) -> Any:
    """Switch as the form says; a refusal is shown where the switch was. It opens its own units of work."""
    visit, to = current.visit, request.form.get("to")
    if to not in ("on", "off"):
        raise Invalid(_("This form does not say whether on or off; open Services again and use the switch."))
    on = to == "on"
    live = "HX-Request" in request.headers
    refused = _switch(plugin, on, request.form.get("expected"))
    if not (refused or live):
        return done("on" if on else "off", "admin.services")
    with installation().reading(visit.centre, visit.actor) as visit.session:
        return _switched(plugin, on, refused) if live else (plan(plugin, refused), 409)


def _switch(plugin: str, on: bool, expected: str | None) -> str:
    """Do it; why it was refused, if it was."""
    opened, visit = installation(), current.visit
    try:
        change = lifecycle.enable if on else lifecycle.disable
        told = {"action": "admin.switch", "request_id": visit.request_id}
        change(opened, current.centre.id, plugin, visit.actor, expected, **told)
    except NotFound:
        raise
    except Refusal as no:
        return str(no)
    return ""


def _switched(plugin: str, on: bool, refused: str) -> Any:
    words = (
        _("{service} is switched on; its pages are open now.")
        if on
        else _("{service} is switched off; its data are kept.")
    )
    said = "" if refused else Text(words.message, service=label(plugin))
    card = render_template("huijia/service.html", it=_card(plugin), label=label, said=said, refused=refused)
    response = make_response(card, 409 if refused else 200)
    response.headers["HX-Trigger"] = "services-changed"
    return response


def _card(name: str) -> dict[str, Any]:
    """One service as its card shows it: what it is, how it stands and why, where it leads."""
    registry, session = installation().registry, current.session
    if name not in registry.catalogue:
        raise NotFound(_("No service {name} is installed; see the list of services.", name=name))
    stands = standing(registry, name, session)
    paused = [trouble for trouble in standing_troubles(session, "breaker") if trouble.plugin == name]
    loaded = registry.loaded.get(name)
    given = loaded.contributions if loaded else {}
    # Right after a service was first switched on anywhere, only the next request knows its pages.
    known = [
        item for item in given.get("huijia_navigation", []) if item.endpoint in current_app.view_functions
    ]
    return {
        "name": name,
        "installed": registry.catalogue[name],
        "enabled": name in registry.current(session).centres.get(current.centre.id, ()),
        "stands": stands,
        "bad": stands.state in (INCOMPATIBLE, BROKEN, FAILED),
        "paused": paused[0] if paused else None,
        "settings": "huijia_settings" in given,
        "home": url(known[0].endpoint) if known else "",
    }
