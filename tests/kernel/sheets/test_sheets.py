"""Spreadsheets in and out, through their two doors."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from huijia.errors import Invalid
from huijia.sheets import Column, read_date, read_sheet, write_sheet

PEOPLE = [Column("姓名"), Column("出生日期", "date"), Column("人数", "number")]


def repacked(body: bytes, change: Any) -> bytes:
    """The workbook with its sheet's XML changed."""
    made = BytesIO()
    with ZipFile(BytesIO(body)) as old, ZipFile(made, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            plain = old.read(name)
            new.writestr(name, change(plain) if name.endswith("sheet1.xml") else plain)
    return made.getvalue()


def test_what_is_written_is_read_again() -> None:
    body = write_sheet("名单", PEOPLE, [["陈秀英", date(1952, 3, 3), 3], [], ["王建国", None, 2.5]])
    sheet = read_sheet(body, "a.xlsx")
    assert sheet.headers == ("姓名", "出生日期", "人数")
    assert [tuple(row) for row in sheet.rows] == [
        (2, ("陈秀英", date(1952, 3, 3), 3)),
        (4, ("王建国", "", 2.5)),  # the empty row is left out, and still counted
    ]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        ("０１２Ａ", "012A"),  # full-width digits and letters
        ("陈　秀英 ", "陈 秀英"),  # a wide space, and one at the end
        ("陈\u200b秀英\ufeff", "陈秀英"),  # signs that nobody sees
        ("（老）", "（老）"),  # brackets stay as they are written
        ("410105195203030023", "410105195203030023"),  # a document's number keeps every digit
        ("007", "007"),  # and a room its zeros
        (13803714521, "13803714521"),  # a number in a column of text becomes text
    ],
)
def test_a_cell_is_read_as_it_was_meant(cell: Any, read: Any) -> None:
    assert read_sheet(write_sheet("x", [Column("a")], [[cell]]), "a.xlsx").rows[0].cells == (read,)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", '=HYPERLINK("http://x","y")'])
def test_no_cell_is_ever_a_formula(text: str) -> None:
    body = write_sheet("x", [Column("a"), Column("b", "number")], [[text, text]])
    with ZipFile(BytesIO(body)) as packed:
        sheet, styles = (
            packed.read("xl/worksheets/sheet1.xml").decode(),
            packed.read("xl/styles.xml").decode(),
        )
    assert "<f>" not in sheet
    assert sheet.count('t="inlineStr"') == 4
    assert 'quotePrefix="1"' in styles
    assert re.search(r'<pane ySplit="1"[^>]*state="frozen"', sheet)


@pytest.mark.parametrize(
    "value",
    [
        date(1952, 3, 3),
        "1952-03-03",
        "1952/3/3",
        "1952.3.3",
        "1952年3月3日",
        "1952 年 3 月 3 日",
        "19520303",
        19520303,
        19056,  # a day's number, as a column without a format has it
        "1952-03-03 00:00:00",
    ],
)
def test_dates_in_every_shape(value: Any) -> None:
    assert read_date(value) == date(1952, 3, 3)


@pytest.mark.parametrize(
    "value",
    ["", "52-3-3", "1952", 1952, "1952-13-01", "1951-02-29", "3/3/1952", "昨天", True, 1.5, 10**30],
)
def test_what_is_no_date(value: Any) -> None:
    with pytest.raises(Invalid, match="1952"):
        read_date(value)


def bomb() -> bytes:
    return repacked(write_sheet("x", PEOPLE, ()), lambda xml: xml + b" " * (61 << 20))


def liar() -> bytes:
    """A bomb that says it is small."""
    body = bomb()
    with ZipFile(BytesIO(body)) as packed:
        real = packed.getinfo("xl/worksheets/sheet1.xml").file_size
    return body.replace(real.to_bytes(4, "little"), (100).to_bytes(4, "little"))


def far(reference: bytes) -> bytes:
    """A workbook with one cell out there, for which a reader would lay out all cells before it."""
    sheet = write_sheet("x", [Column("a")], [["b"]])
    return repacked(sheet, lambda xml: xml.replace(b'r="A2"', b'r="' + reference + b'"'))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "xlsx"),
        ("姓名,性别".encode(), "xlsx"),  # a CSV under the wrong name
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "xlsx"),  # an old .xls, or one with a password
        (write_sheet("x", PEOPLE, ())[:-30], "xlsx"),  # cut off on its way
        (repacked(write_sheet("x", PEOPLE, ()), lambda xml: xml[:200]), "xlsx"),  # its XML is cut off
        (write_sheet("x", (), ()), "空|empty|headers|表头"),
        (bomb(), "60"),
        (liar(), "60"),
        (far(b"A1048576"), "50,000"),
        (far(b"XFD2"), "50,000"),
        (far(b"gs2"), "50,000"),  # the 201st column
        (write_sheet("x", [Column(str(n)) for n in range(201)], ()), "200"),
        (write_sheet("x", [Column("a")], ([n] for n in range(50_001))), "50,000"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_cannot_be_read_is_refused_with_what_to_do(body: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_sheet(body, "a.xlsx")


def test_as_large_as_may_be_is_read() -> None:
    columns = [Column(str(n)) for n in range(200)]
    assert len(read_sheet(write_sheet("x", columns, [["b"] * 200]), "a.xlsx").headers) == 200
    assert len(read_sheet(write_sheet("x", columns[:1], ([n] for n in range(50_000))), "a").rows) == 50_000
