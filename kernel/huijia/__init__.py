"""Huijia (回家): the door that plugins come in by.

Every name here is loaded when it is first used (PEP 562), so that `huijia --help` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "huijia.clock": ("Clock",),
    "huijia.contributions": (
        "Answer",
        "Card",
        "Demo",
        "Job",
        "NavigationItem",
        "Period",
        "Permission",
        "RoleBundle",
        "Row",
        "SettingsSection",
        "Today",
    ),
    "huijia.errors": ("Fault", "Forbidden", "Invalid", "NobodyAnswers", "NotFound", "Refusal", "TooMany"),
    "huijia.hookspecs": ("contribution", "event", "hookimpl", "hookimpl_at_once", "question", "request"),
    "huijia.i18n": ("Text", "current_locale", "messages"),
    "huijia.identity.actor": ("Actor",),
    "huijia.identity.models": ("Centre",),
    "huijia.region": ("region_of",),
    "huijia.storage.base": ("CentreOwned", "UtcDateTime", "new_id", "pk", "plugin_base"),
    "huijia.storage.ddl": ("append_only",),
    "huijia.storage.files": ("keep_file",),
    "huijia.storage.scope": ("here",),
    "huijia.storage.work": ("WorkSession",),
    "huijia.storage.settings": ("settings_of",),
    "huijia.web.blueprints": ("Api", "Pages"),
    "huijia.web.current": ("current",),
    "huijia.web.paging": ("Cursor", "paged"),
    "huijia.web.pages": ("page", "url"),
    "huijia.web.problems": ("translated",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)

if TYPE_CHECKING:
    from huijia.clock import Clock as Clock
    from huijia.contributions import Answer as Answer
    from huijia.contributions import Card as Card
    from huijia.contributions import Demo as Demo
    from huijia.contributions import Job as Job
    from huijia.contributions import NavigationItem as NavigationItem
    from huijia.contributions import Period as Period
    from huijia.contributions import Permission as Permission
    from huijia.contributions import RoleBundle as RoleBundle
    from huijia.contributions import Row as Row
    from huijia.contributions import SettingsSection as SettingsSection
    from huijia.contributions import Today as Today
    from huijia.errors import Fault as Fault
    from huijia.errors import Forbidden as Forbidden
    from huijia.errors import Invalid as Invalid
    from huijia.errors import NobodyAnswers as NobodyAnswers
    from huijia.errors import NotFound as NotFound
    from huijia.errors import Refusal as Refusal
    from huijia.errors import TooMany as TooMany
    from huijia.hookspecs import contribution as contribution
    from huijia.hookspecs import event as event
    from huijia.hookspecs import hookimpl as hookimpl
    from huijia.hookspecs import hookimpl_at_once as hookimpl_at_once
    from huijia.hookspecs import question as question
    from huijia.hookspecs import request as request
    from huijia.i18n import Text as Text
    from huijia.i18n import current_locale as current_locale
    from huijia.i18n import messages as messages
    from huijia.identity.actor import Actor as Actor
    from huijia.identity.models import Centre as Centre
    from huijia.region import region_of as region_of
    from huijia.storage.base import CentreOwned as CentreOwned
    from huijia.storage.base import UtcDateTime as UtcDateTime
    from huijia.storage.base import new_id as new_id
    from huijia.storage.base import pk as pk
    from huijia.storage.base import plugin_base as plugin_base
    from huijia.storage.ddl import append_only as append_only
    from huijia.storage.files import keep_file as keep_file
    from huijia.storage.scope import here as here
    from huijia.storage.settings import settings_of as settings_of
    from huijia.storage.work import WorkSession as WorkSession
    from huijia.web.blueprints import Api as Api
    from huijia.web.blueprints import Pages as Pages
    from huijia.web.current import current as current
    from huijia.web.pages import page as page
    from huijia.web.pages import url as url
    from huijia.web.paging import Cursor as Cursor
    from huijia.web.paging import paged as paged
    from huijia.web.problems import translated as translated


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"huijia has no {name!r}; it offers: {', '.join(__all__)}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
