"""People from a spreadsheet and back, through HTTP."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from huijia.identity.models import Area
from huijia.people.checking import HEADERS
from huijia.people.models import Person, PersonNumber, PersonToken
from huijia.people.permissions import MANAGER
from huijia.region.cn import CHECKS, WEIGHTS
from huijia.sheets import Column, read_sheet, write_sheet
from huijia.storage.audit import Entry
from huijia.storage.files import File
from sqlalchemy import func, select


def number_of(first_17: str) -> str:
    return first_17 + CHECKS[sum(int(d) * w for d, w in zip(first_17, WEIGHTS, strict=True)) % 11]


CHEN, WANG = number_of("41010519520303002"), number_of("41010519600101001")
CHINESE = [chinese for chinese, _english in HEADERS.values()]


@pytest.fixture
def desk(client: Any) -> Any:
    return client(permissions=MANAGER | {"today.see"}, language="en")


def sheet(*rows: dict[str, Any], headers: list[str] = CHINESE) -> bytes:
    return write_sheet(
        "x", [Column(text, "number") for text in headers], [[r.get(h, "") for h in headers] for r in rows]
    )


def send(desk: Any, body: bytes, name: str = "名单.xlsx") -> Any:
    return desk.post("people/import", data={"sheet": (BytesIO(body), name)})


def key_of(page: str) -> str:
    return page.partition("/people/import/")[2][:36]


def take_in(desk: Any, body: bytes) -> str:
    looked = send(desk, body)
    assert looked.status_code == 200, looked.text
    done = desk.post(f"people/import/{key_of(looked.text)}")
    assert done.status_code == 303, done.text
    return done.location


def count(installation: Any, model: Any) -> int:
    with installation.reading() as session:
        return session.scalar(select(func.count()).select_from(model))


@pytest.fixture
def river(installation: Any, centre: Any) -> str:
    """A community of the centre, with one compound."""
    with installation.writing(centre) as session:
        session.add(community := Area(kind="community", name="河畔社区", parent_id=centre.area_id))
        session.flush()
        session.add(Area(kind="compound", name="一号院", parent_id=community.id))
    return "河畔社区"


FULL = {
    "姓名": "陈秀英", "证件号码": CHEN, "电话": 13803714521, "社区": "河畔社区", "小区": "一号院",
    "楼栋": "３号楼", "门牌": 101, "紧急联系人": "女儿", "紧急联系电话": "139 0000 1111", "备注": "=1+1",
}  # fmt: skip


def test_a_sheet_is_checked_taken_in_and_undone(
    desk: Any, installation: Any, centre: Any, river: str, both_engines: str
) -> None:
    looked = send(desk, sheet(FULL, {"姓名": "王建国", "性别": "男", "出生日期": "1960年1月1日"}))
    assert looked.status_code == 200, looked.text
    assert "Import 2 people" in looked.text
    assert count(installation, Person) == 0
    key = key_of(looked.text)
    there = desk.post(f"people/import/{key}").location
    assert desk.post(f"people/import/{key}").location == there  # a second time it is done already
    assert "2 people" in desk.get(there).text
    for text in ("陈秀英", "cxy", "4521", CHEN):
        assert "陈秀英" in desk.get("people/", query_string={"q": text}).text
    with installation.reading(centre) as session:
        chen, wang = session.scalars(select(Person).order_by(Person.sort_key))
        assert (chen.born_on, chen.sex, chen.note) == (date(1952, 3, 3), "female", "=1+1")
        assert (wang.born_on, wang.sex) == (date(1960, 1, 1), "male")
        assert session.scalar(select(func.count()).select_from(File)) == 0  # the sheet is gone
    shown = desk.get(f"people/{chen.id}").text
    for text in ("一号院", "3号楼", "101", "女儿", "410*"):
        assert text in shown
    undone = desk.post(f"people/import/{key}/undo")
    assert "undone" in desk.get(undone.location).text
    assert (
        count(installation, Person)
        == count(installation, PersonToken)
        == count(installation, PersonNumber)
        == 0
    )
    take_in(desk, sheet(FULL))


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"姓名": "", "电话": "13803714521"}, "Full name", "Write a name"),
        ({"姓名": "字" * 81}, "Full name", "80"),
        ({"性别": "?"}, "Sex", "男"),
        ({"出生日期": "52-3-3"}, "Birth date", "1952-03-03"),
        ({"出生日期": date(2027, 1, 1)}, "Birth date", "2027"),  # not born yet
        ({"出生日期": date(1952, 3, 4), "证件号码": CHEN}, "Document number", "1952-03-03"),
        ({"性别": "男", "证件号码": CHEN}, "Document number", "sex"),
        ({"证件号码": CHEN[:-1] + "9"}, "Document number", "digit"),  # its last sign does not fit
        ({"证件号码": int(CHEN)}, "Document number", "rounded"),  # Excel made a number of it
        ({"证件号码": WANG}, "Document number", "王建国"),  # somebody's already
        ({"电话": "请打给女儿"}, "Phone", "phone number"),
        ({"社区": "无此社区"}, "Community", "无此社区"),
        ({"小区": "二号院"}, "Community", "二号院"),
        ({"紧急联系人": "女儿"}, "Emergency phone", "phone"),
        ({"楼栋": "字" * 41}, "Building", "40"),
    ],
)
def test_what_is_wrong_is_said_in_its_place(
    desk: Any, river: str, cells: dict[str, Any], column: str, words: str
) -> None:
    desk.post("people/new", data={"name": "王建国", "number": WANG})
    looked = send(desk, sheet({"姓名": "李四"}, {"姓名": "陈秀英", **cells}))
    assert looked.status_code == 422
    row = looked.text.partition('data-label="Row">3<')[2].partition("</tr>")[0]
    assert f">{column}<" in row
    assert words in row
    assert "/marked" in looked.text


def test_the_marked_copy_says_what_is_wrong_beside_each_row(desk: Any, installation: Any) -> None:
    rows = [{"姓名": "李四"}, {}, {"姓名": "陈秀英", "证件号码": CHEN}, {"姓名": "陈秀兰", "证件号码": CHEN}]
    looked = send(desk, sheet(*rows))
    assert "Row 4 is the same person" in looked.text
    copy = desk.get(f"people/import/{key_of(looked.text)}/marked")
    marked = read_sheet(copy.data, "marked.xlsx")
    assert marked.headers[-1] == "What is wrong"
    assert [(row.number, row.cells[0], row.cells[-1][:15]) for row in marked.rows] == [
        (2, "李四", ""),
        (4, "陈秀英", ""),
        (5, "陈秀兰", "Document number"),
    ]
    refused = desk.post(f"people/import/{key_of(looked.text)}")
    assert refused.status_code == 422
    assert count(installation, Person) == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "xlsx"),  # nothing
        (sheet({"姓名": "a"}, headers=["名字"]), "姓名|Full name"),  # no column of names
        (sheet({"姓名": "a"}, headers=["姓名", "Full name"]), "twice"),
        (sheet(), "nobody"),
    ],
)
def test_what_is_no_sheet_of_people(desk: Any, body: bytes, words: str) -> None:
    refused = send(desk, body)
    assert refused.status_code == 422
    assert re.search(words, refused.text)
    assert desk.post("people/import", data={}).status_code == 422


def test_somebody_of_another_centre_is_not_named(
    desk: Any, client: Any, second_centre: Any, staff: Any
) -> None:
    there = client(staff("li", at=second_centre, permissions=MANAGER), at=second_centre)
    assert there.post("people/new", data={"name": "陈秀英", "number": CHEN}).status_code == 303
    looked = send(desk, sheet({"姓名": "某人", "证件号码": CHEN}))
    assert looked.status_code == 422
    assert "another centre" in looked.text
    assert "陈秀英" not in looked.text


def test_an_import_in_use_is_not_undone(desk: Any, installation: Any) -> None:
    key = take_in(desk, sheet({"姓名": "陈秀英", "证件号码": CHEN})).rpartition("/")[2]
    with installation.reading() as session:
        chen = session.scalars(select(Person.id)).one()
    desk.post(f"people/{chen}/card")
    refused = desk.post(f"people/import/{key}/undo")
    assert refused.status_code == 409
    assert "in use" in refused.text
    assert count(installation, Person) == 1


def test_a_sheet_that_waits_is_sealed_and_soon_forgotten(
    desk: Any, client: Any, installation: Any, clock: Any
) -> None:
    key = key_of(send(desk, sheet({"姓名": "陈秀英", "证件号码": CHEN})).text)
    with installation.reading() as session:
        assert not session.scalars(select(File.body)).one().startswith(b"PK")
    clock.move(minutes=61)
    desk = client(permissions=MANAGER)
    send(desk, sheet({"姓名": "王建国"}))
    assert desk.post(f"people/import/{key}").status_code == 404


def test_everybody_goes_out_and_comes_in_again(
    desk: Any, client: Any, staff: Any, installation: Any, river: str, second_centre: Any
) -> None:
    take_in(desk, sheet(FULL))
    out = read_sheet(desk.get("people/export").data, "people.xlsx")
    known = dict(zip(HEADERS, out.rows[0].cells, strict=True))
    assert known["number"] == CHEN
    assert (known["sex"], known["compound"], known["emergency_phone"]) == (
        "female",
        "一号院",
        "139 0000 1111",
    )
    clerk = client(staff("li", permissions={"people.see", "people.export"}), language="zh_Hans")
    masked = read_sheet(clerk.get("people/export").data, "people.xlsx")
    assert masked.headers == tuple(CHINESE)
    assert masked.rows[0].cells[3].startswith("410****")
    with installation.reading() as session:
        assert "people.export_people" in set(session.scalars(select(Entry.action)))


def test_who_may_not_take_in_or_give_out_does_not(client: Any, staff: Any) -> None:
    clerk = client(staff("li", permissions={"people.see", "people.manage"}))
    for path in ("people/import", "people/import/template", "people/export"):
        assert clerk.get(path).status_code == 403
    assert send(clerk, sheet(FULL)).status_code == 403
    page = clerk.get("people/").text
    assert "people/import" not in page
    assert "people/export" not in page


@pytest.mark.parametrize(("language", "name"), [("zh_Hans", "姓名"), ("en", "Full name")])
def test_the_template_is_read_in_both_languages(
    client: Any, installation: Any, language: str, name: str
) -> None:
    desk = client(permissions=MANAGER, language=language)
    headers = list(read_sheet(desk.get("people/import/template").data, "t.xlsx").headers)
    assert headers[0] == name
    take_in(desk, sheet({headers[0]: "陈秀英"}, headers=headers))
    assert count(installation, Person) == 1
