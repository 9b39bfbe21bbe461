"""Today, the counts in the rail, and finding one's way."""

from __future__ import annotations

from typing import Any

from flask import request

from huijia.admin.pages.desk import installation, pages, show
from huijia.admin.pages.repairs import standing_here
from huijia.i18n import messages
from huijia.region import region_of
from huijia.web.blueprints import MEMBER
from huijia.web.current import current
from huijia.web.pages import frame, page, url

_ = messages("huijia")


@pages.get("/c/<slug:centre>/", permission=MEMBER)
def today() -> str:
    given = {"centre": current.centre, "actor": current.actor, "day": current.today}
    asked = current.session.hooks.ask("huijia_today", **given) if current.actor.may("today.see") else []
    shown = [answer.value for answer in asked]
    region = region_of(current.centre)
    about = [region.lunar_label(current.today), region.holiday_name(current.today)]
    return show(
        "today",
        day=current.today,
        about=[str(words) for words in about if words],
        cards=sorted((card for one in shown for card in one.cards), key=lambda card: card.order),
        rows=sorted((row for one in shown for row in one.rows), key=lambda row: row.at),
        todo=[line for one in shown for line in one.todo],
        services=current.visit.enabled,
    )


@pages.get("/c/<slug:centre>/counts", permission=MEMBER)
def counts() -> str:
    """The entries of the rail with what waits to be done, fetched after the page."""
    asked = current.session.hooks.ask("huijia_counts", centre=current.centre, actor=current.actor)
    numbers = {answer.plugin: answer.value for answer in asked}
    if current.actor.may("repairs.see"):
        numbers["repairs"] = len(standing_here())
    return page("huijia/rail_items.html", counts=numbers, at=request.args.get("at", ""))


@pages.get("/c/<slug:centre>/find", permission=MEMBER)
def find() -> str:
    """Pages, services and settings whose name holds the words."""
    words = request.args.get("q", "").strip()[:80]
    found = [line for line in _all() if words and words.casefold() in str(line[1]).casefold()]
    return show("find", q=words, found=found)


def _all() -> list[tuple[Any, Any, str]]:
    lines: list[tuple[Any, Any, str]] = [
        (_("Page"), label, href) for label, href, _here in frame()["navigation"]
    ]
    lines.append((_("Page"), _("My account"), url("admin.account")))
    if current.actor.may("services.manage"):
        catalogue = installation().registry.catalogue
        lines += [(_("Service"), it.label, url("admin.plan", plugin=name)) for name, it in catalogue.items()]
    if current.actor.may("settings.see"):
        for answer in current.session.hooks.collect("huijia_settings"):
            for name, field in answer.value.schema().fields.items():
                href = url("admin.settings", plugin=answer.plugin, _anchor=f"row-{name}")
                lines.append((_("Setting"), field.metadata.get("label", name), href))
    return lines
