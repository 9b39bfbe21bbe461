"""Reading .xlsx: measured before it is opened, then every cell as a plain value.

A workbook is a zip that a few bytes can make as large as they like: by what it unpacks to, and by one cell
far out, for which a reader lays out all the cells before it. Both are looked for first.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from huijia.errors import Invalid
from huijia.i18n import Text, messages

_ = messages("huijia")
UNPACKED_MEGABYTES_MAX = 60
ROWS_MAX = 50_000
COLUMNS_MAX = 200
# A row or column that is out of bounds (GR is the 200th), however the attribute is written.
_FAR = re.compile(
    rb"""[\s<]r\s*=\s*["']\s*(?:[A-Z]{3,}\d|[H-Z][A-Z]\d|G[S-Z]\d|[A-Z]*(?:\d{6,}|[6-9]\d{4}|5[1-9]\d{3})\D)""",
    re.IGNORECASE,
)
_WIDE = {
    sign: sign - 0xFEE0 for sign in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_FOLDED = {**_WIDE, 0x200B: None, 0xFEFF: None, 0: None}
_DATE = re.compile(r"(\d{4})\s*[年/.\-]\s*(\d{1,2})\s*[月/.\-]\s*(\d{1,2})\s*日?(?:\s+[\d:.]+)?")
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL_ZERO, _SERIAL_MIN, _SERIAL_MAX = date(1899, 12, 30), 2_101, 99_999  # below are years, not days


class Row(NamedTuple):
    """A row and its number in the sheet, as the spreadsheet program shows it."""

    number: int
    cells: tuple[Any, ...]


@dataclass(frozen=True)
class Sheet:
    """The first sheet: its first row that is not empty, and those below that are not, as wide as it."""

    headers: tuple[str, ...]
    rows: list[Row]


def read_sheet(body: bytes, name: str) -> Sheet:
    """The first sheet of an .xlsx: text, whole numbers as int, others as float, dates; "" for nothing.

    Raises Invalid, with what to do, for what is none, or is too large.
    """
    _measure(body, name)
    found = [Row(number, tuple(map(_plain, cells))) for number, cells in enumerate(_cells(body, name), 1)]
    rows = [row for row in found if any(cell != "" for cell in row.cells)]
    if not rows:
        raise _invalid(
            _("The first sheet of {name} is empty; put the rows there, with their headers.", name=name)
        )
    width = max(place for place, cell in enumerate(rows[0].cells, 1) if cell != "")
    if width > COLUMNS_MAX or len(rows) - 1 > ROWS_MAX:
        raise _too_far(name)
    headers = tuple(str(cell) for cell in rows[0].cells[:width])
    return Sheet(headers, [Row(row.number, row.cells[:width]) for row in rows[1:]])


def read_date(value: Any) -> date:
    """A cell as a date: a date, a day's number, 1952-03-03, 1952/3/3, 1952年3月3日 or 19520303.

    Raises Invalid for anything else, a year of two digits among it.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).strip()
    if text.isdigit() and _SERIAL_MIN <= int(text) <= _SERIAL_MAX:
        return _SERIAL_ZERO + timedelta(days=int(text))
    found = _DATE.fullmatch(text) or _DIGITS.fullmatch(text)
    try:
        year, month, day = found.groups() if found else (0, 0, 0)
        return date(int(year), int(month), int(day))
    except ValueError:
        raise _invalid(_("This is no date; write it like 1952-03-03.")) from None


def _measure(body: bytes, name: str) -> None:
    """Raise Invalid for what is no zip, unpacks to too much, or has a cell too far out."""
    left = UNPACKED_MEGABYTES_MAX << 20
    try:
        members = ZipFile(BytesIO(body)).infolist()
    except (BadZipFile, ValueError, OSError, NotImplementedError):
        raise _no_sheet(name) from None
    for member in members:
        plain = _unpacked(body, member, left, name)
        left -= len(plain)
        if _FAR.search(plain):
            raise _too_far(name)


def _unpacked(body: bytes, member: ZipInfo, most: int, name: str) -> bytes:
    # By our own count: the size that a zip says is what whoever made it wrote there.
    start = member.header_offset + 30
    lengths = body[start - 4 : start]
    start += int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    packed = body[start : start + member.compress_size]
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED) or member.flag_bits & 1:
        raise _no_sheet(name)
    try:
        stored = member.compress_type == ZIP_STORED
        plain = packed if stored else zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most + 1)
    except zlib.error:
        raise _no_sheet(name) from None
    if len(plain) > most:
        size = UNPACKED_MEGABYTES_MAX
        raise _invalid(_("{name} unpacks to more than {size} MB; send it in parts.", name=name, size=size))
    return plain


def _cells(body: bytes, name: str) -> list[list[Any]]:
    from python_calamine import CalamineWorkbook

    try:
        return (
            CalamineWorkbook.from_filelike(BytesIO(body))
            .get_sheet_by_index(0)
            .to_python(skip_empty_area=False)
        )
    except (SystemExit, KeyboardInterrupt, MemoryError):
        raise
    except BaseException:  # a panic of the reader is no Exception
        raise _no_sheet(name) from None


def _plain(cell: Any) -> Any:
    if isinstance(cell, str):
        return " ".join(cell.translate(_FOLDED).split())
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _invalid(words: Text) -> Invalid:
    return Invalid(words, {"sheet": [words]})


def _no_sheet(name: str) -> Invalid:
    return _invalid(
        _("{name} is no workbook that can be read; save it as .xlsx, without a password.", name=name)
    )


def _too_far(name: str) -> Invalid:
    most = {"rows": f"{ROWS_MAX:,}", "columns": COLUMNS_MAX}
    return _invalid(
        _("{name} has more than {rows} rows or {columns} columns; send it in parts.", name=name, **most)
    )
