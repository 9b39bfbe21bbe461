"""The plugin `garden`: a small service that brings something to every page of the administration."""

from __future__ import annotations

from pathlib import Path

from huijia.testing.broken import make_plugin

WORDS = {
    "Garden": "屋顶花园",
    "The garden service.": "种植、浇水、采收",
    "See the garden": "查看花园",
    "Tend the garden": "打理花园",
    "Gardener": "花园管理员",
    "Beds per person": "每人花床数",
    "How many beds one person may keep.": "一个人最多可以种几块花床。",
    "Open at weekends": "周末开放",
    "Season": "季节",
    "Spring": "春季",
    "Autumn": "秋季",
    "Beds in use": "使用中的花床",
    "3 free": "还有 3 块空着",
    "{count} beds want water": "{count} 块花床要浇水",
    "ready": "已就绪",
}
PLUGIN = """
from datetime import timedelta
from huijia import Card, NavigationItem, RoleBundle, Row, SettingsSection, Today, page
from marshmallow import Schema, fields
from marshmallow.validate import OneOf, Range

_ = messages("garden")
pages = Pages("garden", __name__)


@pages.get("/", permission="garden.see")
def index():
    return page("garden/index.html")


@pages.post("/water", permission="garden.tend")
def water():
    return "watered"


class Beds(Schema):
    beds = fields.Integer(load_default=2, validate=Range(1, 9), metadata={
        "label": _("Beds per person"), "help": _("How many beds one person may keep.")})
    weekends = fields.Boolean(load_default=True, metadata={"label": _("Open at weekends")})
    season = fields.String(
        load_default="spring", validate=OneOf(["spring", "autumn"], [_("Spring"), _("Autumn")]),
        metadata={"label": _("Season")})


@hookimpl
def huijia_permissions():
    return [Permission("garden.see", _("See the garden")), Permission("garden.tend", _("Tend the garden"))]


@hookimpl
def huijia_roles():
    return [RoleBundle("garden.keeper", _("Gardener"), frozenset({"garden.see", "garden.tend"}))]


@hookimpl
def huijia_settings():
    return SettingsSection(Beds)


@hookimpl
def huijia_blueprints():
    return [pages]


@hookimpl
def huijia_navigation():
    return [NavigationItem(_("Garden"), "garden.index", "garden.see")]


@hookimpl
def huijia_counts():
    return 3


@hookimpl
def huijia_today(now):
    row = Row(now + timedelta(hours=1), "B-7", "12 / 15", "#", _("ready"), "good")
    card = Card(_("Beds in use"), "12 / 15", "#", _("3 free"))
    return Today((card,), (row,), ((_("{count} beds want water", count=3), "#"),))
"""
PAGE = """{% extends "huijia/base.html" %}
{% block title %}{{ _("Garden") }}{% endblock %}
{% block main %}<h1>{{ _("Garden") }}</h1>{% endblock %}
"""


def make_garden(folder: Path) -> Path:
    """Write it into `folder`, which is to be put `on_path`."""
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
    catalogue = head + "".join(
        f'\nmsgid "{english}"\nmsgstr "{chinese}"\n' for english, chinese in WORDS.items()
    )
    files = {
        "plugin.py": PLUGIN,
        "templates/garden/index.html": PAGE,
        "translations/zh_Hans/LC_MESSAGES/garden.po": catalogue,
    }
    return make_plugin(folder, "garden", files)
