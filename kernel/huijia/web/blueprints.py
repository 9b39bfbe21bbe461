"""What a plugin declares its routes with: `Pages` for HTML, `Api` for REST.

Every route names a permission or says `public=True`; one that does neither is recorded as None, and the
registry quarantines its plugin. Views never receive the centre: they ask `current`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import flask
import flask_smorest

from huijia.errors import PluginFault
from huijia.web.bodies import BodyParser

MEMBER = "huijia.member"  # held by whoever holds anything at this centre (or, off a centre, is signed in)


@dataclass(frozen=True)
class Access:
    """Who may call an endpoint: holders of `permission`, or anybody where it is public.

    With `unit=False` the view opens its own units of work, audits them itself, and has no `current.session`.
    With `anonymous=True` nobody even looks who asks, nor at the database. With `keeps=False` the answer shows
    what is to be seen once: a request sent again with the same key is refused instead of answered alike.
    """

    permission: str | None = None
    public: bool = False
    unit: bool = True
    anonymous: bool = False
    keeps: bool = True


class _Declared(flask.Blueprint):
    """A blueprint that knows whose it is, and for each of its endpoints who may call it."""

    plugin: str
    access: dict[str, Access | None]
    _endpoints: list[str]

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Any = None,
        provide_automatic_options: bool | None = None,
        *,
        permission: str | None = None,
        public: bool = False,
        unit: bool = True,
        anonymous: bool = False,
        keeps: bool = True,
        **options: Any,
    ) -> None:
        """Register a rule and its access. `route`, `get`, `post`, … all end here."""
        endpoint = self._free_name(endpoint or view_func.__name__)
        declared = Access(permission, public or anonymous, unit and not anonymous, anonymous, keeps)
        self.access[endpoint] = declared if declared.permission or declared.public else None
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)

    def _free_name(self, endpoint: str) -> str:
        if endpoint in self.access:
            message = (
                f"Two routes are called {self.name}.{endpoint}; give each its own function or endpoint=."
            )
            raise PluginFault(self.plugin, message)
        return endpoint


class Pages(_Declared):
    """The HTML pages of one service, at `/c/SLUG/NAME/…`; only the kernel's own have another `prefix`.

    Templates are found in `templates/NAME/`, files to serve in `static/` (see `static_url`).
    """

    def __init__(self, name: str, import_name: str, *, prefix: str | None = None) -> None:
        self.plugin, self.access = name, {}
        package = Path(str(files(import_name.partition(".")[0])))
        self.assets = package / "static"
        super().__init__(
            name,
            import_name,
            template_folder=str(package / "templates"),
            url_prefix=f"/c/<slug:centre>/{name}" if prefix is None else prefix,
        )


class Api(_Declared, flask_smorest.Blueprint):
    """The REST routes of one service, at `/api/v1/centres/SLUG/NAME/…`: `arguments`, `response` and `doc`
    are flask-smorest's."""

    ARGUMENTS_PARSER = BodyParser()

    def __init__(self, name: str, import_name: str, *, prefix: str | None = None) -> None:
        self.plugin, self.access = name, {}
        url_prefix = f"/api/v1/centres/<slug:centre>/{name}" if prefix is None else prefix
        super().__init__(f"{name}_api", import_name, url_prefix=url_prefix)

    def add_url_rule(self, rule: str, *arguments: Any, **options: Any) -> None:
        options["tags"] = options.get("tags") or [self.plugin]
        super().add_url_rule(rule, *arguments, **options)

    def arguments(self, schema: Any, **options: Any) -> Callable[..., Any]:
        """Load and check input by `schema`, made once: a fresh one per request costs five times as much."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)
