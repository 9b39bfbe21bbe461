"""What comes in: text that is text, JSON that is JSON, no larger and no deeper than a person's form."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Request
from webargs import missing
from webargs.flaskparser import FlaskParser, is_json_request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from huijia.i18n import messages

_ = messages("huijia")

BODY_BYTES_MAX = 2 * 1024 * 1024
UPLOAD_BYTES_MAX = 6 * 1024 * 1024
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def check_text(request: Request) -> None:
    """Raise BadRequest where address, query or form hold NUL characters or bytes that are not UTF-8."""
    form = unquote_to_bytes(request.get_data(cache=True)) if _is_form(request) else b""
    path = request.environ.get("PATH_INFO", "").encode("latin-1", "replace")
    for raw in (path, unquote_to_bytes(request.query_string), form):
        _check_bytes(raw)
    if request.mimetype == "multipart/form-data":
        for name, value in (*request.form.items(multi=True), *_file_names(request)):
            # Werkzeug has decoded these already, and put U+FFFD where it could not.
            if any(sign in name + value for sign in ("\0", "\ufffd")):
                refuse_text()


def _is_form(request: Request) -> bool:
    return request.mimetype == "application/x-www-form-urlencoded"


def _file_names(request: Request) -> list[tuple[str, str]]:
    return [(name, kept.filename or "") for name, kept in request.files.items(multi=True)]


def _check_bytes(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError:
        refuse_text()
    if b"\0" in raw:
        refuse_text()


def refuse_text() -> NoReturn:
    """Say that the input is not text."""
    raise BadRequest(_("The input holds characters that are not text. Type it again, or save it as UTF-8."))  # type: ignore[arg-type]


def read_json(raw: bytes) -> Any:
    """The value in a JSON body. Raises BadRequest for what would not go into the database as it is."""
    _check_bytes(raw)
    if _ESCAPED_NUL.search(raw):
        refuse_text()
    try:
        value = json.loads(raw, parse_constant=_refuse_constant)
        if b"\\ud" in raw.lower():
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair cannot be encoded
    except UnicodeEncodeError:
        refuse_text()
    except RecursionError:
        raise BadRequest(_("The JSON is nested too deeply; send it flatter.")) from None  # type: ignore[arg-type]
    except ValueError as e:
        reason = _("This is not valid JSON ({reason}); check it and send it again.", reason=e)
        raise BadRequest(reason) from None  # type: ignore[arg-type]
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


class BodyParser(FlaskParser):
    """webargs' parser with our reading of JSON; a misspelt argument of an address is an error too."""

    DEFAULT_UNKNOWN_BY_LOCATION = {
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": None,
        "querystring": None,
    }

    def _raw_load_json(self, req: Request) -> Any:
        raw = req.get_data(cache=True)
        if not raw.strip():
            return missing
        if not is_json_request(req):
            raise UnsupportedMediaType(_("Send the body as application/json."))  # type: ignore[arg-type]
        return read_json(raw)
