"""The one door: who, which centre, may they, one transaction, one audit entry, one form of error.

Every request passes `Door.full_dispatch_request`. Nothing of a plugin runs before or beside it: Flask's
before- and after-request functions and error handlers are never called.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import flask
from flask import Response, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from huijia.errors import Fault, Forbidden, NotFound, NotSignedIn, Refusal
from huijia.i18n import Text, messages, speaking
from huijia.registry import troubles
from huijia.storage import audit
from huijia.storage.engine import is_undone
from huijia.web import once, problems, security
from huijia.web.blueprints import MEMBER, Access
from huijia.web.bodies import BODY_BYTES_MAX, UPLOAD_BYTES_MAX, check_text
from huijia.web.current import Visit
from huijia.web.pages import Templates
from huijia.web.recognise import language_asked, recognise

if TYPE_CHECKING:
    from huijia.contributions import NavigationItem
    from huijia.installation import Installation
    from huijia.storage.work import WorkSession

_ = messages("huijia")
logger = logging.getLogger("huijia.access")
GOALS = {"not-signed-in": "admin.sign_in", "password-due": "admin.account"}  # where a reader is sent
WITHOUT_PASSWORD = ("admin.root", "admin.account", "admin.change_account", "admin.sign_out")
NOTED = (403, 409, 429)  # refusals that the audit keeps; keeping 401s would let anybody fill it


class PasswordDue(Forbidden):
    """The password was given out by somebody else, and must be changed before anything else."""

    code = "password-due"


class Door(flask.Flask):
    """A Flask app that answers every request through its one door."""

    jinja_environment = Templates

    def __init__(self, installation: Installation, homes: dict[str, Path]) -> None:
        super().__init__("huijia", static_folder=None, template_folder=None)
        self.config["MAX_FORM_MEMORY_SIZE"] = BODY_BYTES_MAX
        self.installation = installation
        self.homes = homes  # the plugins' packages, by name
        self.access: dict[str, tuple[Access | None, str]] = {}  # and whose it is, by endpoint
        self.sensitive: set[str] = set()  # permissions each use of which is on the record
        self.navigation: dict[str, list[NavigationItem]] = {}
        self.document: dict[str, Any] = {}
        self.documents: dict[frozenset[str], dict[str, Any]] = {}

    def full_dispatch_request(self) -> Response:
        started = perf_counter()
        visit = g.visit = Visit(uuid4().hex, self.installation.clock())
        with ExitStack() as language:
            language.enter_context(speaking(language_asked(self.installation.config)))
            try:
                response = self._answer(visit, language)
            except (Exception, SystemExit) as error:
                response = self._say(error, visit)
        response.headers["X-Request-Id"] = visit.request_id
        _log(visit, response, perf_counter() - started)
        return security.secure(response, self.installation.config)

    def _say(self, error: BaseException, visit: Visit) -> Response:
        if isinstance(error, HTTPException) and (error.code or 500) < 400:
            return self.make_response(error.get_response())
        problem = problems.problem_of(error, visit)
        if problem.status == 500:
            about = getattr(error, "plugin", visit.plugin), request.endpoint or "", error, visit.request_id
            self._afterwards(visit, lambda session: troubles.keep_fault(session, *about))
        goal = GOALS.get(problem.code)
        by_program = {"authorization", "hx-request"} & {name.lower() for name in request.headers.keys()}  # noqa: SIM118
        if (
            goal in self.access
            and request.method in security.SAFE
            and problems.wants_page()
            and not by_program
        ):
            place = request.full_path.rstrip("?")
            return self.make_response(flask.redirect(flask.url_for(goal, next=place), 303))
        return problems.answer(problem)

    def _answer(self, visit: Visit, language: ExitStack) -> Response:
        config = self.installation.config
        security.check_host(request, config)
        request.remote_addr = security.caller_address(request, config)
        _check_size()
        check_text(request)
        if request.routing_exception is not None:
            self._serve(visit, Access(public=True, unit=False), None, language)
        access, visit.plugin = self.access.get(request.endpoint or "", (None, visit.plugin))
        if access is None:
            raise Fault(f"{request.endpoint} does not say who may call it, so nobody may.")
        security.check_origin(request, config)
        slug = (request.view_args or {}).pop("centre", None)
        for last in (False, True):
            try:
                return self._serve(visit, access, slug, language)
            except Refusal as refusal:
                self._note(visit, refusal)
                raise
            except Exception as error:
                if last or not access.unit or not is_undone(error):
                    raise
                for _name, kept in request.files.items(multi=True):
                    kept.stream.seek(0)
        raise AssertionError("the second attempt returns or raises")

    def _serve(self, visit: Visit, access: Access, slug: str | None, language: ExitStack) -> Response:
        if access.anonymous:
            return self._view()
        unsafe, response = request.method not in security.SAFE, None
        with self.installation.reading() as session:
            recognise(self.installation, session, visit, slug)
            if visit.caller:
                language.enter_context(speaking(visit.caller.locale))
            self._admit(visit, access)
            if access.unit and not unsafe:
                # The same unit goes on; only now it is known whose it is.
                session.centre_id, session.actor = visit.centre and visit.centre.id, visit.actor
                response = self._inside(session, visit, self._view)
        if response is not None:
            return self._seen(visit, access, response)
        # Signed in first: nobody holds the write lock before it is known that they may.
        return self._write(visit, access) if access.unit else self._view()

    def _seen(self, visit: Visit, access: Access, response: Response) -> Response:
        """The answer of a safe request; before it leaves, who saw what is sensitive is on the record."""
        seen = access.permission in self.sensitive or visit.told
        if seen and response.status_code < 400 and request.method != "OPTIONS":
            with self.installation.writing(visit.centre, actor=visit.actor) as session:
                self._record(session, visit, **visit.told)
        return response

    def _admit(self, visit: Visit, access: Access) -> None:
        """Let in who may. A centre where the actor holds nothing is, for them, not there at all."""
        if not access.public and visit.actor.kind == "nobody":
            raise NotSignedIn(_("Sign in, then try again."))
        if request.url_rule and "centre" in request.url_rule.arguments:
            if visit.centre is None or not (access.public or visit.actor.permissions):
                visit.centre, visit.enabled = None, frozenset()
                raise NotFound(_("There is no such centre, or none that you may enter."))
            if visit.plugin in self.homes and visit.plugin not in visit.enabled:
                service = Text(visit.plugin.capitalize(), visit.plugin)
                raise NotFound(_("{service} is not switched on at this centre.", service=service))
        due = visit.caller and visit.caller.must_change_password and not access.public
        if due and request.endpoint not in WITHOUT_PASSWORD:
            raise PasswordDue(_("Change your password first; then everything else is open to you."))
        if access.permission and access.permission != MEMBER:
            visit.actor.need(access.permission)

    def _view(self) -> Response:
        response = self.make_response(self.dispatch_request())
        if response.is_streamed and not response.direct_passthrough:
            response.make_sequence()  # what reads the session must read while it is open
        return response

    def _write(self, visit: Visit, access: Access) -> Response:
        vault = self.installation.vault
        with self.installation.writing(visit.centre, actor=visit.actor) as session:
            response = self._inside(
                session, visit, lambda: once.carry_out(session, vault, self._view, keeps=access.keeps)
            )
            if response.status_code >= 400 or once.REPLAYED in response.headers:
                session.give_up()
            else:
                self._record(session, visit, **visit.told)
        return response

    def _inside(self, session: WorkSession, visit: Visit, view: Callable[[], Response]) -> Response:
        visit.session, visit.now, visit.told = session, session.now, {}
        try:
            return view()
        finally:
            visit.session = None

    def _record(self, session: WorkSession, visit: Visit, **told: Any) -> None:
        audit.record(session, action=request.endpoint or "", request_id=visit.request_id, **told)

    def _note(self, visit: Visit, refusal: Refusal) -> None:
        if refusal.status in NOTED and visit.actor.kind != "nobody" and request.method not in security.SAFE:
            reason = f"{refusal.status} {refusal.code}"
            self._afterwards(visit, lambda session: self._record(session, visit, reason=reason))

    def _afterwards(self, visit: Visit, write: Callable[[WorkSession], object]) -> None:
        """Write down how a request ended; where that fails, the answer is what matters to its reader."""
        try:
            with self.installation.writing(visit.centre, actor=visit.actor) as session:
                write(session)
        except Exception:
            logger.exception("how a request ended was not noted", extra={"request": visit.request_id})


def _check_size() -> None:
    """Raise RequestEntityTooLarge early; a body of unknown length is measured while it is read."""
    uploads = request.mimetype == "multipart/form-data"
    request.max_content_length = UPLOAD_BYTES_MAX if uploads else BODY_BYTES_MAX
    if (request.content_length or 0) > request.max_content_length:
        raise RequestEntityTooLarge


def _log(visit: Visit, response: Response, seconds: float) -> None:
    members = {
        "request": visit.request_id,
        "method": request.method,
        "rule": request.url_rule.rule if request.url_rule else None,  # a path may hold a secret
        "centre": visit.centre.slug if visit.centre else None,
        "status": response.status_code,
        "milliseconds": round(seconds * 1000, 1),
        "actor": str(visit.actor.id) if visit.actor.id else None,
    }
    logger.info("request", extra=members)
