"""The Flask app for one set of enabled plugins. The holder swaps it for another when the set changes."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huijia.errors import PluginFault
from huijia.i18n import KERNEL, messages
from huijia.registry.built_in import BUILT_IN, contributed
from huijia.registry.contributing import check_twice
from huijia.registry.troubles import Trouble, label, update_or_remove, where
from huijia.web import health, kernel_api, openapi
from huijia.web.blueprints import Api
from huijia.web.door import Door
from huijia.web.pages import furnish

if TYPE_CHECKING:
    from huijia.installation import Installation
    from huijia.registry.loading import Loaded

_ = messages("huijia")


def build(installation: Installation, plugins: Iterable[Loaded]) -> tuple[Door, list[Trouble]]:
    """A fresh app with the kernel's pages and those of these plugins, and the troubles of plugins left out.

    A plugin whose routes cannot be registered is left out; a fault of the kernel's own is raised.
    """
    chosen, troubles = list(plugins), []
    while True:
        try:
            return _build(installation, chosen), troubles
        except PluginFault as fault:
            # Flask cannot take a blueprint back, so begin again without it; this is rare.
            troubles.append(_trouble(fault))
            chosen = [plugin for plugin in chosen if plugin.name != fault.plugin]


def _trouble(fault: PluginFault) -> Trouble:
    name = fault.plugin
    message = _("The pages of {service} cannot be opened: {reason}", service=label(name), reason=where(fault))
    return Trouble(name, "routes-failed", message, update_or_remove(name), where(fault, words=True))


def _build(installation: Installation, plugins: list[Loaded]) -> Door:
    app = Door(installation, {plugin.name: Path(plugin.module.__file__ or "").parent for plugin in plugins})
    app.url_map.converters["slug"] = openapi.SlugConverter
    furnish(app, app.homes)
    describing = openapi.Describing(app)
    _bring_in(app, describing, KERNEL, [health.pages, kernel_api.pages, kernel_api.api], [])
    for own in map(vars, map(import_module, BUILT_IN)):
        _bring_in(app, describing, KERNEL, own["huijia_blueprints"](), own["huijia_navigation"]())
    for plugin in plugins:
        given = plugin.contributions
        try:
            blueprints, entries = given.get("huijia_blueprints", []), given.get("huijia_navigation", [])
            _bring_in(app, describing, plugin.name, blueprints, entries)
        except Exception as error:
            raise PluginFault(plugin.name, f"{type(error).__name__}: {error}") from error
    rights = [
        *contributed("huijia_permissions"),
        *(r for p in plugins for r in p.contributions.get("huijia_permissions", [])),
    ]
    app.sensitive = {right.key for right in rights if right.sensitive}
    app.document = openapi.finish(app, describing.spec.to_dict())
    return app


def _bring_in(
    app: Door, describing: openapi.Describing, owner: str, blueprints: list[Any], entries: list[Any]
) -> None:
    for blueprint in blueprints:
        (describing if isinstance(blueprint, Api) else app).register_blueprint(blueprint)
        for name, access in blueprint.access.items():
            app.access[f"{blueprint.name}.{name}"] = (access, owner)
    check_twice(app.url_map.iter_rules())
    app.navigation[owner] = [*app.navigation.get(owner, []), *entries]
