"""What went wrong, said once for all: RFC 9457 problems for programs, pages and fragments for people."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, current_app, json, request
from markupsafe import Markup
from marshmallow import ValidationError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from huijia.errors import Refusal
from huijia.i18n import Text, messages, translated
from huijia.storage.engine import is_passing
from huijia.web.current import Visit, current

_ = messages("huijia")
logger = logging.getLogger(__name__)

# A status: its code, what it is called, and what to do next where nobody said it better.
SENTENCES = {
    400: ("not-understood", _("Not understood"), _("It could not be read; check it and send it again.")),
    401: ("not-signed-in", _("Please sign in"), _("Sign in, then try again.")),
    403: ("forbidden", _("Not permitted"), _("Ask whoever keeps the roles at your centre.")),
    404: ("not-found", _("Nothing here"), _("Nothing is at this address; go back and choose again.")),
    405: (
        "method-not-allowed",
        _("Not done this way"),
        _("This address does not take that; see its description."),
    ),
    409: ("changed-meanwhile", _("Not possible now"), _("Somebody changed this meanwhile; open it again.")),
    413: ("too-large", _("Too large"), _("Send at most 2 MB, or 6 MB with files.")),
    415: ("wrong-kind", _("Wrong kind of content"), _("Send the kind that the documentation names.")),
    416: ("no-such-range", _("No such part"), _("The file has no such part; ask for all of it.")),
    422: ("invalid", _("Please check the entries"), _("Some entries need correcting; each says how.")),
    429: ("too-many", _("Too many attempts"), _("Wait a little, then try again.")),
    500: ("fault", _("A fault of ours"), _("Nothing was saved. Try again; if it stays, quote {id}.")),
    503: ("busy", _("Busy"), _("Nothing was saved. Try again in a few seconds.")),
}


@dataclass
class Problem:
    """One thing that went wrong, in the reader's language."""

    status: int
    code: str
    detail: str
    instance: str  # the request's id
    until: datetime | None = None
    errors: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return str(SENTENCES.get(self.status, SENTENCES[400])[1])

    def members(self) -> dict[str, Any]:
        """The members of RFC 9457, and ours where they say something."""
        until = self.until and self.until.isoformat()
        more = {"until": until, "errors": self.errors, "details": self.details}
        own = {name: getattr(self, name) for name in ("title", "status", "detail", "code", "instance")}
        home = current_app.installation.config.external_url.rstrip("/")  # type: ignore[attr-defined]
        return {"type": f"{home}/problems/{self.code}", **own, **{k: v for k, v in more.items() if v}}


def wants_page() -> bool:
    """True where the asker is a person's browser and not a program."""
    return not request.path.startswith("/api/")


def problem_of(error: BaseException, visit: Visit) -> Problem:
    """Put any exception into words. A fault's traceback goes to the log and nowhere else."""
    if isinstance(error, Refusal):
        errors = translated(getattr(error, "errors", {}))
        return Problem(
            error.status, error.code, str(error), visit.request_id, error.until, errors, error.details
        )
    if isinstance(error, HTTPException) and error.code in SENTENCES and error.code != 500:
        return _of_http(error, visit)
    if isinstance(error, ValidationError):
        return _plain(422, visit, errors=translated(error.normalized_messages()))
    if isinstance(error, StaleDataError):
        return _plain(409, visit)
    members = {"request": visit.request_id, "plugin": getattr(error, "plugin", visit.plugin)}
    if is_passing(error):
        logger.warning("busy", extra=members, exc_info=error)
        return _plain(503, visit, headers={"Retry-After": "2"})
    logger.error("fault", extra=members, exc_info=error)
    return _plain(500, visit)


def _plain(status: int, visit: Visit, **more: Any) -> Problem:
    code, _title, advice = SENTENCES[status]
    detail = Text(advice.message, id=visit.request_id)
    return Problem(status, code, str(detail), visit.request_id, **more)


def _of_http(error: HTTPException, visit: Visit) -> Problem:
    found = _plain(error.code or 500, visit)
    # webargs tells by place (json, query, …) and then by field.
    for said in getattr(error, "data", {}).get("messages", {}).values():
        found.errors.update(translated(said if isinstance(said, dict) else {"_schema": said}))
    headers = error.get_response().headers
    found.headers = {name: headers[name] for name in ("Allow", "Retry-After") if name in headers}
    return found


def answer(problem: Problem) -> Response:
    """The problem in the form that the asker reads."""
    if wants_page():
        response = current_app.response_class(_html(problem), problem.status)
    else:
        text = json.dumps(problem.members(), default=str)
        response = current_app.response_class(text, problem.status, mimetype="application/problem+json")
    if problem.until and problem.status in (429, 503):
        seconds = (problem.until - current.now).total_seconds()
        problem.headers["Retry-After"] = str(max(1, int(seconds) + 1))
    response.headers.extend(problem.headers)
    return response


def _html(problem: Problem) -> str:
    from huijia.web.pages import page

    words = Markup(
        '<section class="problem" role="alert"><h1>{}</h1><p>{}</p><p><small>{}</small></p></section>'
    )
    fragment = words.format(problem.title, problem.detail, problem.instance)
    if request.headers.get("HX-Request"):
        return fragment
    try:
        return page("huijia/problem.html", problem=problem)
    except Exception:  # a fault in the frame must not hide what went wrong
        logger.exception("the problem page failed", extra={"request": problem.instance})
        return Markup("<!doctype html><meta charset=utf-8><title>{}</title>{}").format(
            problem.title, fragment
        )
