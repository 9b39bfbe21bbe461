"""Coming in and going out: signing in, the choice of a centre, language and type size."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request

from huijia.admin.pages.desk import done, installation, pages, show, typed
from huijia.errors import Refusal
from huijia.i18n import messages, normalise
from huijia.identity import service, signin
from huijia.web.blueprints import MEMBER
from huijia.web.current import current
from huijia.web.pages import url
from huijia.web.recognise import LOCALE_COOKIE, SESSION_COOKIE, centres_of
from huijia.web.security import cookie_name, set_cookie

_ = messages("huijia")
LARGE_COOKIE = "huijia_large"
YEAR_SECONDS = 365 * 24 * 3600


@pages.get("/", permission=MEMBER)
def root() -> Any:
    """To the centre, or to a choice of centres."""
    if current.visit.caller and current.visit.caller.must_change_password:
        return redirect(url("admin.account"), 303)
    found = centres_of(current.session, current.visit)
    return (
        redirect(url("admin.today", centre=found[0].slug), 303)
        if len(found) == 1
        else show("choose", choices=found)
    )


@pages.get("/centres", permission=MEMBER)
def choose() -> str:
    return show("choose", choices=centres_of(current.session, current.visit))


@pages.get("/signin", public=True, unit=False)
def sign_in() -> Any:
    if current.visit.caller:
        return redirect(_ours(request.args.get("next")), 303)
    return _form()


@pages.post("/signin", public=True, unit=False, endpoint="enter")
def enter() -> Any:
    """Sign in; who fails is told why, without which of name and password was wrong."""
    opened = installation()
    facts = {
        "address": request.remote_addr or "",
        "agent": str(request.user_agent),
        "replaces": session_token(),
    }
    given = {"username": request.form.get("username", ""), "password": request.form.get("password", "")}
    try:
        token, _staff_id = signin.sign_in(opened.storage, **given, **facts)
    except Refusal as no:
        return _form(no), no.status
    response = redirect(_ours(request.form.get("next")), 303)
    set_cookie(response, opened.config, SESSION_COOKIE, token)  # type: ignore[arg-type]
    return response


def _form(no: Refusal | None = None) -> str:
    goal = request.values.get("next", "")
    large = bool(request.cookies.get(cookie_name(installation().config, LARGE_COOKIE)))
    more = {"said": str(no), "tone": "bad" if no.status == 401 else "warn"} if no else {"tone": "good"}
    return show("signin", next=goal, typed=typed().get("username", ""), large_type=large, actor=None, **more)


def _ours(path: str | None) -> str:
    """The path, where it leads to a page of ours; else the first page."""
    path = path or ""
    # Browsers drop tabs and line ends, and read a backslash as a slash: "/\t/elsewhere" leads elsewhere.
    plain = path.isprintable() and path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain else url("admin.root")


def session_token() -> str:
    """What the browser keeps of the session in hand; empty where there is none."""
    return request.cookies.get(cookie_name(installation().config, SESSION_COOKIE), "")


@pages.post("/signout", permission=MEMBER)
def sign_out() -> Response:
    signin.sign_out(current.session, token=session_token())
    response = done("out", "admin.sign_in")
    set_cookie(response, installation().config, SESSION_COOKIE, "")
    return response


@pages.post("/prefer", public=True, unit=False)
def prefer() -> Any:
    """Language and type size: kept with one's account, or in the browser while nobody is signed in."""
    form, opened, actor = request.form, installation(), current.actor
    wanted: dict[str, Any] = {"locale": normalise(form["locale"])} if "locale" in form else {}
    wanted |= {"large_type": bool(form["large_type"])} if "large_type" in form else {}
    response = redirect(_ours(form.get("back")), 303)
    if actor.kind == "staff" and actor.id:
        with opened.writing(None, actor) as session:
            service.change_staff(session, actor=actor, staff_id=actor.id, now=session.now, **wanted)
    elif "locale" in wanted:
        set_cookie(response, opened.config, LOCALE_COOKIE, wanted["locale"], age_seconds_max=YEAR_SECONDS)  # type: ignore[arg-type]
    elif "large_type" in wanted:
        value = "yes" if wanted["large_type"] else ""
        set_cookie(response, opened.config, LARGE_COOKIE, value, age_seconds_max=YEAR_SECONDS)  # type: ignore[arg-type]
    return response
