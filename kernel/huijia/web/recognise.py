"""Who asks, and at which centre: by a bearer token or the session's cookie, and the slug in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

from huijia.errors import NotFound, NotSignedIn
from huijia.i18n import DEFAULT_LOCALE, LOCALES, messages
from huijia.identity import access, signin, tokens
from huijia.identity.actor import NOBODY, Caller
from huijia.identity.models import Centre
from huijia.storage.settings import Scope
from huijia.web.current import Visit
from huijia.web.security import cookie_name

if TYPE_CHECKING:
    from huijia.installation import Installation
    from huijia.storage.work import WorkSession

_ = messages("huijia")
SESSION_COOKIE, LOCALE_COOKIE = "huijia_session", "huijia_locale"


def recognise(installation: Installation, session: WorkSession, visit: Visit, slug: str | None) -> None:
    """Fill in the visit: caller, actor, centre (None where no slug leads to one) and what is enabled there.

    Raises NotSignedIn for a token that is not good, so that no program takes a public answer for its own.
    """
    caller = visit.caller = _caller(installation.config, session)
    visit.centre, visit.enabled = None, frozenset()
    if slug is None:
        held = access.rights_at(session, caller.staff_id, Scope()) if caller else frozenset()
        visit.actor = access.actor_of(caller, held, None) if caller else NOBODY
        return
    try:
        visit.centre, visit.actor = access.enter(session, slug=slug, caller=caller)
    except NotFound:
        visit.actor = access.actor_of(caller, frozenset(), None) if caller else NOBODY
        return
    registry = installation.registry
    visit.enabled = registry.serving(visit.centre.id, registry.current(session))


def _caller(config: Any, session: WorkSession) -> Caller | None:
    header = request.headers.get("Authorization")
    if header is None:
        cookie = request.cookies.get(cookie_name(config, SESSION_COOKIE))
        return signin.staff_by_token(session, cookie) if cookie else None
    kind, _space, token = header.partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise NotSignedIn(_("Send the header Authorization: Bearer, followed by a token."))
    caller = tokens.caller_by_token(session, token.strip())
    if caller is None:
        raise NotSignedIn(_("This token is unknown, has ended or was revoked; issue a new one."))
    return caller


def centres_of(session: WorkSession, visit: Visit) -> list[Centre]:
    """The centres that the caller may enter, by slug; a token bound to one enters that one only."""
    if visit.caller is None:
        return []
    found = access.centres_of(session, staff_id=visit.caller.staff_id)
    return [centre for centre in found if visit.caller.centre_id in (None, centre.id)]


def language_asked(config: Any) -> str:
    """What a reader who is not signed in wants: as chosen on the page, else what the browser prefers."""
    chosen = request.cookies.get(cookie_name(config, LOCALE_COOKIE))
    if chosen in LOCALES:
        return chosen
    ours = (tag for tag, _weight in request.accept_languages if tag[:2].lower() in ("zh", "en"))
    return next(ours, DEFAULT_LOCALE)
