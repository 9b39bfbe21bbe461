"""What people bring to the house, by the same hooks that services use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint

from huijia.contributions import Demo, Job, NavigationItem
from huijia.hookspecs import hookimpl
from huijia.i18n import messages
from huijia.people.permissions import SEE

_ = messages("huijia")


@hookimpl
def huijia_blueprints() -> list[Blueprint]:
    from huijia.people import pages_import  # noqa: F401 - it adds to the pages
    from huijia.people.pages import pages
    from huijia.people.routes import api

    return [pages, api]


@hookimpl
def huijia_navigation() -> list[NavigationItem]:
    return [NavigationItem(_("People"), "people.find_people", SEE, 10)]


@hookimpl
def huijia_demo() -> Demo:
    from huijia.people.demo import make

    return Demo(make, order=0)


@hookimpl
def huijia_jobs() -> list[Job]:
    from huijia.people.jobs import forget_people, reseal_people
    from huijia.people.pages_import import forget_sheets

    return [
        Job("reseal-people", timedelta(minutes=5), reseal_people, per_centre=False, in_batches=True),
        Job("forget-sheets", timedelta(minutes=30), forget_sheets, per_centre=False, in_batches=True),
        Job("forget-people", timedelta(days=1), forget_people, per_centre=False, in_batches=True),
    ]


@hookimpl
def huijia_personal_data() -> list[type[Any]]:
    from huijia.people.models import MODELS

    return list(MODELS)
