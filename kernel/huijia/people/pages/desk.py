"""What people's pages share: their blueprint, words and answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, redirect, request

from huijia.i18n import messages
from huijia.people.schemas import CARD_WORDS, EVIDENCE_WORDS, SEX_WORDS
from huijia.registry.troubles import label
from huijia.web.blueprints import Pages
from huijia.web.current import current
from huijia.web.forms import typed
from huijia.web.pages import page, url

_ = messages("huijia")
pages = Pages("people", "huijia.people")
DONE = {
    "registered": _("Registered."),
    "saved": _("Saved."),
    "here": _("Registered here as well."),
    "confirmed": _("The identity is confirmed."),
    "card": _("The card may be used from now on."),
    "blocked": _("The card is blocked, at once and everywhere."),
    "moved": _("The move is recorded; the person is no longer registered here."),
    "died": _("The death is recorded. Cards and benefits have ended everywhere."),
    "alive": _("The death is taken back. Hand out a new card where one is wanted."),
    "merged": _("The two records are one now."),
    "apart": _("They are two people, and are not proposed again."),
    "separated": _("The merge is undone; the other record stands for itself, without a card."),
    "erased": _("The person is erased. Figures and the record of deeds stay, about nobody."),
}


def by() -> dict[str, Any]:
    """Who does it, and when, as use cases ask for it."""
    return {"actor": current.actor, "now": current.now}


def show(template: str, **context: Any) -> str:
    """One of people's pages."""
    words = {"sexes": SEX_WORDS, "evidence": EVIDENCE_WORDS, "card_words": CARD_WORDS, "label": label}
    common = {"said": DONE.get(request.args.get("done", ""), ""), "errors": {}, "typed": typed(), **words}
    return page(f"huijia/people/{template}.html", **{**common, **context})


def done(what: str, person_id: UUID | None = None) -> Response:
    """On to the person's page, or to everybody's, which says what was done."""
    place = (
        url("people.person", person_id=person_id, done=what)
        if person_id
        else url("people.find_people", done=what)
    )
    return redirect(place, 303)  # type: ignore[return-value]


def about(person_id: UUID, why: str = "") -> None:
    """Whom the audit is to name, and why."""
    current.tell_audit(subject=f"person:{person_id}", reason=why or None)
