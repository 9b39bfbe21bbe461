"""What people, scanners and broken programs send: values, bodies and paths that no door may stumble over."""

from __future__ import annotations

import json
import os

# Text that may stand in any field of a form, an address or JSON, each with why it is here.
WORDS = {
    "": "nothing",
    " \t\u3000": "blanks only",
    "1.9": "a fraction",
    "1_000": "Python's own underscore",
    "１２": "full-width digits",
    "²": "a digit that int() does not take",
    "--5": "two signs",
    "-1": "below nothing",
    "0": "nothing, in figures",
    str(10**40): "beyond any integer column",
    "9" * 5000: "beyond Python's limit of digits",
    "1e999999": "a number whose digits would fill the memory",
    "NaN": "no number at all",
    "Infinity": "no number either",
    "2026-02-30": "a day that no month has",
    "２０２６-11-23": "a date in full-width digits",
    "0001-01-01": "the first day there is; a time zone leads before it",
    "9999-12-31": "the last day there is; the day after does not exist",
    "9999-12-31T23:59:59+14:00": "the last instant, and beyond it in UTC",
    "0001-01-01T00:00:00-14:00": "before the first instant",
    "2026-11-23T09:00:00": "an instant without offset",
    "2026-W48-1": "a week date",
    "25:00": "an hour that no day has",
    "00000000-0000-0000-0000-000000000000": "an id of nothing",
    "centre 00000000-0000-0000-0000-000000000000": "a place that is not there",
    "area 00000000-0000-0000-0000-000000000000": "an area that is not there",
    "area 1": "half a place",
    "W10": "a cursor of another list",
    "eyJhIjogMX0": "a cursor that is no list",
    "WyJhIiwgImIiXQ": "a cursor of words",
    "[[[[[[": "a cursor that is not base64",
    "{0} {name} %s": "signs that a template would fill in",
    "<script>alert(1)</script>": "what must be shown as it is",
    "'; DROP TABLE rooms_room; --": "what must be kept as it is",
    "../../../../etc/passwd": "a path out of here",
    "=1+1": "a formula",
    "\u202e\u200b\ufeff": "signs that nobody sees",
    "👩‍👩‍👧‍👦": "one sign of many code points",
    "字" * 100_000: "a book",
}
# Those that go into every field of every form; of the others each field gets its share, or all on demand.
ALWAYS = ("", "1.9", str(10**40), "0001-01-01", "9999-12-31")
SHARES = 1 if os.environ.get("HUIJIA_LONG") else 4


def share(number: int) -> dict[str, str]:
    """The words for the field of that number, and why each is here."""
    return {
        word: why
        for place, (word, why) in enumerate(WORDS.items())
        if word in ALWAYS or (place + number) % SHARES == 0
    }


# Rubbish for the path itself, quoted as it is sent.
PARTS = (
    "%00", "%ff%fe", "..%2f..%2fetc%2fpasswd", "%2e%2e", "2026-02-30", "0001-01-01", "9999-12-31", "９９９",
    "%20", "{0}", "%25s", "a" * 5000, "%F0%9F%91%A9", "-1", "null", "%ED%A0%80",
    "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
# What JSON may hold where something else is wanted; beside WORDS.
VALUES: tuple[object, ...] = (
    None, True, False, 0, -1, 1.9, 1.0, 10**40, -(10**40), 1e308, [], {}, [[]], [None], {"": ""},
    {"starts_at": {}}, [1, "2", {}], "\x7f", "1" * 100_000, [["25:00", "26:00"]], {"8": []},
    {"1": [["21:00", "08:00"]]},
)  # fmt: skip
_deep = "[" * 100_000 + "]" * 100_000
# Whole bodies, as bytes: (content type, body, why).
BODIES: tuple[tuple[str, bytes, str], ...] = (
    ("application/json", b"", "an empty body"),
    ("application/json", b"null", "null"),
    ("application/json", b"[]", "an array for an object"),
    ("application/json", b'"words"', "a text for an object"),
    ("application/json", b"12", "a number for an object"),
    ("application/json", b'{"a": NaN}', "NaN, which JSON does not know"),
    ("application/json", b'{"a": 1e999999}', "a number that becomes infinite"),
    ("application/json", b'{"a": ' + b"9" * 5000 + b"}", "more digits than Python reads"),
    ("application/json", b"{'a': 1}", "Python for JSON"),
    ("application/json", b'{"a": 1', "half of it"),
    ("application/json", b'{"a": "\\u0000"}', "an escaped NUL"),
    ("application/json", b'{"a": "\\ud800"}', "half a surrogate pair"),
    ("application/json", b'{"\\ud800": 1}', "half a surrogate pair as a name"),
    ("application/json", b'{"a": "\xff\xfe"}', "bytes that are not UTF-8"),
    ("application/json", "{\"a\": 1}".encode("utf-16"), "UTF-16"),
    ("application/json", b'{"a": 1, "a": 2}', "a name given twice"),
    ("application/json", _deep.encode(), "nested 100,000 deep"),
    ("application/json", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "objects nested 50,000 deep"),
    ("application/json; charset=nonsense", b"{}", "a character set that nobody knows"),
    ("text/plain", b"{}", "JSON that says it is text"),
    ("application/xml", b"<a/>", "XML"),
    ("", b"{}", "no content type"),
    ("application/x-www-form-urlencoded", b"%ff=%fe", "a form that is not UTF-8"),
    ("application/x-www-form-urlencoded", b"a=%00", "NUL in a form"),
    ("application/x-www-form-urlencoded", b"=&&==&%", "a form of signs"),
    ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % n for n in range(5000)), "5,000 fields"),
    ("multipart/form-data", b"no boundary", "a form in parts without its boundary"),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--", "no name"),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disp", "half a part"),
    ("application/json", json.dumps({"a": "x" * 3_000_000}).encode(), "more than 2 MB"),
)  # fmt: skip
