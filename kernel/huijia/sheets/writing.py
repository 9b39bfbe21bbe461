"""Writing .xlsx: nothing in it is ever a formula, and text stays the text that it was."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import Any, NamedTuple
from unicodedata import east_asian_width

from huijia.i18n import Text

ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n")
CELL_LENGTH_MAX = 32_767
TITLE_LENGTH_MAX = 31
WIDTH_MIN, WIDTH_MAX = 8, 50


class Column(NamedTuple):
    """A header, and whether what stands below is "text" (document numbers, phones), "number" or "date"."""

    label: Text | str
    kind: str = "text"


def write_sheet(title: Text | str, columns: Sequence[Column], rows: Iterable[Iterable[Any]]) -> bytes:
    """A workbook of one sheet: bold frozen headers, columns as wide as they need to be."""
    from xlsxwriter import Workbook

    body = BytesIO()
    book = Workbook(body, {"constant_memory": True})
    sheet = book.add_worksheet(re.sub(r"[\[\]:*?/\\']+", " ", str(title))[:TITLE_LENGTH_MAX].strip() or None)
    looks = {
        "head": book.add_format({"bold": True}),
        "text": book.add_format({"num_format": "@"}),
        "inert": book.add_format({"num_format": "@", "quote_prefix": True}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    widths = [_width(column.label) for column in columns]
    for place, column in enumerate(columns):
        sheet.write_string(0, place, str(column.label), looks["head"])
    for number, row in enumerate(rows, 1):
        for place, (column, value) in enumerate(zip(columns, row, strict=False)):
            _write(sheet, (number, place), column.kind, value, looks)
            widths[place] = max(widths[place], _width(value))
    for place, width in enumerate(widths):
        # Cells that are still empty are text as well: what is typed into a template keeps its zeros.
        look = looks["text"] if columns[place].kind == "text" else None
        sheet.set_column(place, place, min(max(width + 2, WIDTH_MIN), WIDTH_MAX), look)
    sheet.freeze_panes(1, 0)
    book.close()
    return body.getvalue()


def _write(sheet: Any, place: tuple[int, int], kind: str, value: Any, looks: dict[str, Any]) -> None:
    if value is None or value == "":
        return
    if isinstance(value, date) and (isinstance(value, datetime) or value.year >= 1900):
        plain = value.replace(tzinfo=None) if isinstance(value, datetime) else value
        sheet.write_datetime(*place, plain, looks["date"])
    elif kind == "number" and isinstance(value, int | float):
        sheet.write_number(*place, value)
    else:
        text = str(value)[:CELL_LENGTH_MAX]
        sheet.write_string(*place, text, looks["inert" if text.startswith(ACTIVE) else "text"])


def _width(value: Any) -> int:
    """In digits: a Chinese character is as wide as two."""
    if isinstance(value, date):
        return len("2026-11-23")
    text = "" if value is None else str(value)[:WIDTH_MAX]
    return len(text) if text.isascii() else sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)
