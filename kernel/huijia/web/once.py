"""A request sent twice is carried out once: by the header Idempotency-Key, or a form's hidden `_once`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Response, current_app, g, request
from werkzeug.datastructures import ImmutableMultiDict

from huijia.errors import Refusal
from huijia.i18n import messages
from huijia.storage import idempotency
from huijia.web.pages import ONCE

if TYPE_CHECKING:
    from huijia.storage.vault import Vault
    from huijia.storage.work import WorkSession

_ = messages("huijia")
REPLAYED = "Idempotency-Replayed"
NOT_KEPT = 409  # stands as the status of an answer that was to be seen once


class SeenOnce(Refusal):
    """The request was carried out before, and what it showed is shown only once."""

    code = "seen-once"


def carry_out(
    session: WorkSession, vault: Vault, view: Callable[[], Response], *, keeps: bool = True
) -> Response:
    """The view's answer, or the kept one of the first time, marked by the header `Idempotency-Replayed`.

    Only answers below 400 are kept, and without `keeps` only that there was one: the second time raises
    SeenOnce. Nobody's requests are never told apart, so their keys do nothing.
    """
    if "once" not in g:  # asked but once: a second attempt must find the same key
        g.once = _asked()
    if g.once is None or session.actor is None or session.actor.id is None:
        return view()
    key, fingerprint = g.once
    place = {"actor_id": str(session.actor.id), "route": f"{request.method} {request.path}", "key": key}
    first = idempotency.claim(session, vault, **place, fingerprint=fingerprint, now=session.now)
    if first is not None:
        if first.status == NOT_KEPT or not keeps:
            message = _(
                "This is done already, and what it showed is shown only once. Make a new one if it is lost."
            )
            raise SeenOnce(message)
        return current_app.response_class(first.body, first.status, {**first.headers, REPLAYED: "true"})
    response = view()
    if response.status_code < 400 and not response.direct_passthrough:
        kept = response if keeps else current_app.response_class(b"", NOT_KEPT)
        idempotency.keep(
            session, vault, **place, fingerprint=fingerprint,
            status=kept.status_code, headers=dict(kept.headers), body=kept.get_data(),
        )  # fmt: skip
    return response


def _asked() -> tuple[str, str] | None:
    """The key and the fingerprint of what was sent, or None where no key was."""
    header, field = request.headers.get("Idempotency-Key"), request.form.get(ONCE)
    if header is None and not field:
        return None
    # Views check their fields strictly, and this one is not theirs.
    others = [(name, value) for name, value in request.form.items(multi=True) if name != ONCE]
    fingerprint = hashlib.sha256(_body()).hexdigest()
    request.form = ImmutableMultiDict(others)  # type: ignore[reportAttributeAccessIssue]
    # Who goes back, corrects a form and sends it again means another request.
    return f"{(field or '')[:100]}.{fingerprint[:32]}" if header is None else header, fingerprint


def _body() -> bytes:
    if request.mimetype != "multipart/form-data":
        return request.query_string + b"\n" + request.get_data(cache=True)
    # The same form sent twice has two boundaries.
    parts: list[tuple[str, ...]] = list(request.form.items(multi=True))
    for name, kept in request.files.items(multi=True):
        parts.append((name, kept.filename or "", hashlib.sha256(kept.stream.read()).hexdigest()))
        kept.stream.seek(0)
    return repr(parts).encode()
