"""HTML pages: `page()` renders a template inside the frame, `url()` fills in the centre.

In templates: `_("…")` speaks the language of the reader and the catalogue of the template's own folder;
filters `date`, `time`, `money` (fen) and `number`; `once()` is the hidden field that makes a form count once.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import flask
from flask import current_app, g
from flask.templating import Environment
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, nodes
from markupsafe import Markup
from werkzeug.exceptions import NotFound as NoSuchFile

from huijia.i18n import KERNEL, Text, current_locale
from huijia.web.blueprints import MEMBER
from huijia.web.current import Visit, current
from huijia.web.recognise import centres_of

if TYPE_CHECKING:
    from huijia.web.door import Door

ONCE = "_once"
KERNEL_HOME = Path(__file__).parents[1]


class Templates(Environment):
    """Jinja, strict: everything escaped, a misspelt name is an error, each folder has its own words."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        # Bound here, not at run time: a page that extends the kernel's frame must not translate the frame.
        tree = super()._parse(source, name, filename)
        folder = (name or "").partition("/")[0]
        domain = folder if folder in self.globals["domains"] else KERNEL
        for call in tree.find_all(nodes.Call):
            if isinstance(call.node, nodes.Name) and call.node.name == "_":
                call.args.insert(1, nodes.Const(domain))
        return tree


class ByService(PrefixLoader):
    """Services' templates, compiled under their whole names: the folder says whose words they use."""

    load = BaseLoader.load


def furnish(app: Door, homes: dict[str, Path]) -> None:
    """Give the app's templates their words, filters and folders; `homes` are the plugins' packages."""
    folders = {name: FileSystemLoader(home / "templates" / name) for name, home in homes.items()}
    environment = app.jinja_env
    environment.loader = ChoiceLoader([FileSystemLoader(KERNEL_HOME / "templates"), ByService(folders)])
    environment.undefined, environment.autoescape = StrictUndefined, True
    environment.globals.update(
        _=Text, domains=frozenset(homes), url=url, static_url=static_url, once=once, current=current
    )
    environment.filters.update(date=show_date, time=show_time, money=show_money, number=show_number)


def page(template: str, **context: Any) -> str:
    """The rendered page, with what the frame needs."""
    return flask.render_template(template, **{**frame(), **context})


def frame() -> dict[str, Any]:
    """What `huijia/base.html` shows around every page: rail, centre, actor, other centres, language, size."""
    visit = current.visit
    return {
        "navigation": _rail(visit) if visit.centre else [],
        "centre": visit.centre,
        "actor": visit.actor if visit.caller else None,
        "centres": centres_of(visit.session, visit) if visit.session else [],
        "locale": current_locale(),
        "large_type": visit.actor.large_type,
    }


def _rail(visit: Visit) -> list[tuple[Text, str, bool]]:
    """Label, address and whether it is the page in hand, of each entry that the actor may open."""
    app: Door = current_app  # type: ignore[assignment]
    names = [name for name in (KERNEL, *app.homes) if name in {KERNEL, *visit.enabled}]
    held = [item for name in names for item in app.navigation[name] if _may_open(visit, item.permission)]
    here = flask.request.endpoint
    return [(i.label, url(i.endpoint), i.endpoint == here) for i in sorted(held, key=lambda item: item.order)]


def _may_open(visit: Visit, permission: str) -> bool:
    return visit.actor.may(permission) or (permission == MEMBER and bool(visit.actor.permissions))


def url(endpoint: str, **values: Any) -> str:
    """The path of a page or REST route, at the centre in hand unless another is named."""
    if endpoint.startswith("."):
        endpoint = f"{flask.request.blueprint}{endpoint}"
    known, rules = current_app.view_functions, current_app.url_map
    if current.visit.centre and endpoint in known and rules.is_endpoint_expecting(endpoint, "centre"):
        values.setdefault("centre", current.visit.centre.slug)
    return flask.url_for(endpoint, **values)


def once() -> Markup:
    """A hidden field: a form sent twice (a double click, a reload) is carried out once."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(ONCE, uuid4())


def static_url(path: str) -> str:
    """The address of FILE in the static folder of a plugin (or huijia), from `NAME/FILE`; kept for ever."""
    owner, _slash, name = path.partition("/")
    return f"/static/{_digest_of(owner, name)}/{path}"


def send_static(digest: str, owner: str, name: str) -> flask.Response:
    """Serve a file; only under its present digest may it be kept."""
    current_digest = _digest_of(owner, name)
    g.cache = "public, max-age=31536000, immutable" if digest == current_digest else "no-cache"
    return flask.send_file(_file(owner, name), conditional=True)


def _file(owner: str, name: str) -> Path:
    app: Door = current_app  # type: ignore[assignment]
    folder = (app.homes.get(owner, KERNEL_HOME) / "static").resolve()
    try:
        found = (folder / name).resolve()
        there = owner in (KERNEL, *app.homes) and found.is_relative_to(folder) and found.is_file()
    except OSError as error:  # a name longer than any file's
        raise NoSuchFile from error
    if not there:
        raise NoSuchFile
    return found


def _digest_of(owner: str, name: str) -> str:
    found = _file(owner, name)
    return _digest(found, found.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _digest(found: Path, _changed: int) -> str:
    return hashlib.sha256(found.read_bytes()).hexdigest()[:16]


def show_date(value: date | datetime) -> str:
    """11月22日 星期日, or Sunday, 22 November; an instant is shown as its date at the centre."""
    from babel.dates import format_date

    day = value.astimezone(current.zone).date() if isinstance(value, datetime) else value
    shape = "EEEE, d MMMM" if current_locale() == "en" else "M月d日 EEEE"
    return format_date(day, shape, locale=current_locale())


def show_time(value: datetime) -> str:
    """14:05 at the centre."""
    return f"{value.astimezone(current.zone):%H:%M}"


def show_money(fen: int) -> str:
    """1,234.50, with a true minus sign."""
    sign = "−" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def show_number(value: int) -> str:
    """1,234, with a true minus sign."""
    return f"{value:,}".replace("-", "−")
