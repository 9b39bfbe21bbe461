"""What comes in: text that is text, JSON that is JSON, no larger and no deeper than a person's form."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Request
from webargs import missing
from webargs.flaskparser import FlaskParser, is_json_request

from huijia.errors import Refusal
from huijia.i18n import messages

_ = messages("huijia")

BODY_BYTES_MAX = 2 * 1024 * 1024
UPLOAD_BYTES_MAX = 6 * 1024 * 1024
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class NotUnderstood(Refusal):
    """What was sent cannot be read."""

    status, code = 400, "not-understood"


class WrongKind(Refusal):
    """A body of another kind than the route takes."""

    status, code = 415, "wrong-kind"


def check_text(request: Request) -> None:
    """Raise NotUnderstood where address, query or form hold NUL characters or bytes that are not UTF-8."""
    form = request.get_data(cache=True) if request.mimetype == "application/x-www-form-urlencoded" else b""
    path = request.environ.get("PATH_INFO", "").encode("latin-1", "replace")
    for raw in (path, unquote_to_bytes(request.query_string), unquote_to_bytes(form)):
        _check_bytes(raw)
    if request.mimetype == "multipart/form-data":
        names = [(name, kept.filename or "") for name, kept in request.files.items(multi=True)]
        for name, value in (*request.form.items(multi=True), *names):
            # Werkzeug has decoded these already, and put U+FFFD where it could not; a part may lack its name.
            if name is None or any(sign in name + value for sign in ("\0", "\ufffd")):
                _refuse_text()


def _check_bytes(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError:
        _refuse_text()
    if b"\0" in raw:
        _refuse_text()


def _refuse_text() -> NoReturn:
    message = _("The input holds characters that are not text. Type it again, or save it as UTF-8.")
    raise NotUnderstood(message) from None


def read_json(raw: bytes) -> Any:
    """The value in a JSON body. Raises NotUnderstood for what would not go into the database as it is."""
    _check_bytes(raw)
    if _ESCAPED_NUL.search(raw):
        _refuse_text()
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
        if b"\\ud" in raw.lower():
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair cannot be encoded
    except UnicodeEncodeError:
        _refuse_text()
    except RecursionError:
        raise NotUnderstood(_("The JSON is nested too deeply; send it flatter.")) from None
    except ValueError as e:
        message = _("This is not valid JSON ({reason}); check it and send it again.", reason=e)
        raise NotUnderstood(message) from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


class BodyParser(FlaskParser):
    """webargs' parser with our reading of JSON; a misspelt argument of an address is an error too."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {
        "query": None,
        "querystring": None,
    }

    def _raw_load_json(self, req: Request) -> Any:
        raw = req.get_data(cache=True)
        if not raw.strip():
            return missing
        if not is_json_request(req):
            raise WrongKind(_("Send the body as application/json."))
        return read_json(raw)
