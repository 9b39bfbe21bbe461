"""What the figures bring to the house."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from huijia.contributions import NavigationItem
from huijia.hookspecs import hookimpl
from huijia.i18n import messages

_ = messages("huijia")


@hookimpl
def huijia_blueprints() -> list[Blueprint]:
    from huijia.figures.pages import pages

    return [pages]


@hookimpl
def huijia_navigation() -> list[NavigationItem]:
    return [NavigationItem(_("Figures"), "figures.of_centre", "figures.see", 890)]


@hookimpl
def huijia_personal_data() -> list[type[Any]]:
    from huijia.figures.models import Visit, Visitor

    return [Visit, Visitor]
