"""A spreadsheet of people, checked row by row before anything is saved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from huijia.errors import Invalid
from huijia.i18n import Text, current_locale, messages
from huijia.identity.actor import Actor
from huijia.identity.models import Area, Centre
from huijia.people.errors import NumberTaken
from huijia.people.models import (
    Person,
    PersonNumber,
)
from huijia.people.permissions import IMPORT
from huijia.people.service.numbers import PURPOSE
from huijia.people.service.registering import BORN_SINCE, region_here
from huijia.people.sight import PERSON, registered_at
from huijia.people.tokens import tokens_of
from huijia.region import DocumentNumber, folded
from huijia.sheets import Column, Sheet, read_date, write_sheet
from huijia.storage.settings import Scope, invalid, today_at
from huijia.storage.work import WorkSession

_ = messages("huijia")
# Both headers are read whatever language the reader has: sheets travel.
HEADERS = {
    "name": ("姓名", "Full name"),
    "sex": ("性别", "Sex"),
    "born_on": ("出生日期", "Birth date"),
    "number": ("证件号码", "Document number"),
    "phone": ("电话", "Phone"),
    "community": ("社区", "Community"),
    "compound": ("小区", "Compound"),
    "building": ("楼栋", "Building"),
    "detail": ("门牌", "Door"),
    "emergency_name": ("紧急联系人", "Emergency contact"),
    "emergency_phone": ("紧急联系电话", "Emergency phone"),
    "note": ("备注", "Note"),
}
LENGTHS = {"name": 80, "building": 40, "detail": 160, "emergency_name": 80, "note": 500}
SEXES = {"": "", "女": "female", "female": "female", "f": "female", "男": "male", "male": "male", "m": "male"}
WORD_MAX = 10**15  # a spreadsheet keeps no more digits of a number than these
LOOKED_UP = 1_000
PHONE = re.compile(r"\+?[\d\s()\-–转#x]{5,40}")


@dataclass(slots=True)
class Entry:
    """A row that may go in. `hashes` of its number are under every key, the newest first."""

    row: int
    facts: dict[str, Any]
    area_id: UUID | None = None
    number: DocumentNumber | None = None
    hashes: list[bytes] = field(default_factory=list)
    sort_key: str = ""
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a cell, by the number of its row and its column's header; and what to do."""

    row: int
    column: str
    words: Text | str


@dataclass(frozen=True)
class Checked:
    """A sheet as it was read: rows that may go in, what is wrong, headers that nobody knows."""

    entries: list[Entry]
    errors: list[Wrong]
    ignored: list[str]


def columns() -> list[Column]:
    """The template's, in the reader's language."""
    kinds = {"born_on": "date"}
    return [Column(header(key), kinds.get(key, "text")) for key in HEADERS]


def header(key: str) -> str:
    """A column's header in the reader's language."""
    return HEADERS[key][current_locale() == "en"]


def check_people(session: WorkSession, sheet: Sheet, *, actor: Actor) -> Checked:
    """Every row, read as this centre's region reads it; nothing is saved. Raises Invalid, Forbidden."""
    actor.need(IMPORT)
    places, ignored = _places(sheet.headers)
    check = _Check(session)
    entries = []
    for row in sheet.rows:
        values = {key: row.cells[place] for key, place in places.items()}
        before = len(check.errors)
        entry = check.entry(row.number, values)
        if len(check.errors) == before:
            entries.append(entry)
    taken = taken_among(session, entries)
    check.errors += [Wrong(row, header("number"), words) for row, words in taken.items()]
    entries = [entry for entry in entries if entry.row not in taken]
    return Checked(entries, sorted(check.errors, key=lambda wrong: wrong.row), ignored)


def _places(headers: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    """Where each column stands, and the headers that nobody knows."""
    known = {folded(word): key for key, words in HEADERS.items() for word in words}
    places: dict[str, int] = {}
    ignored = []
    for place, text in enumerate(headers):
        key = known.get(folded(text))
        if key is None:
            ignored += [text] if text else []
        elif key in places:
            raise invalid("sheet", _("The column {column} stands there twice; remove one.", column=text))
        else:
            places[key] = place
    if "name" not in places:
        words = _(
            "There is no column {column}; take the template, and keep its first row.", column=header("name")
        )
        raise invalid("sheet", words)
    return places, ignored


class _Check:
    """One sheet being checked."""

    def __init__(self, session: WorkSession) -> None:
        self.vault, self.region = session.vault, region_here(session)
        self.today = today_at(session, Scope(centre_id=session.centre_id))
        self.homes = _Homes(session)
        self.errors: list[Wrong] = []
        self.rows: dict[Any, int] = {}  # by what tells a row from another

    def entry(self, row: int, values: dict[str, Any]) -> Entry:
        """The row as it would go in; what is wrong with it is among the errors."""

        def read(key: str, reader: Any, *more: Any) -> Any:
            try:
                return reader(values.get(key, ""), *more)
            except Invalid as no:
                self.errors.append(Wrong(row, header(key), no.message))
                return None

        facts = {key: read(key, _text, most) for key, most in LENGTHS.items()}
        facts |= {key: read(key, _phone) for key in ("phone", "emergency_phone")}
        facts |= {"sex": read("sex", _sex), "born_on": read("born_on", self._born_on)}
        if facts["name"] == "":
            read("name", _refuse, _("Write a name; one that is on a document, where there is one."))
        if facts["emergency_name"] and facts["emergency_phone"] == "":
            read("emergency_phone", _refuse, _("Write their phone as well."))
        entry = Entry(row, facts, number=read("number", self._number))
        entry.area_id = read("community", self.homes.find, values.get("compound", ""))
        read("number", self._fitting, entry)
        read("number" if entry.number else "name", self._once, entry)
        if facts["name"]:
            entry.sort_key = self.region.sort_key(facts["name"])[:200] or facts["name"]
            phones = [facts["phone"]] if facts["phone"] else []
            entry.tokens = tuple(sorted(tokens_of(self.region, [facts["name"]], phones)))
        return entry

    def _born_on(self, value: Any) -> date | None:
        if value == "":
            return None
        born_on = read_date(value)
        if not BORN_SINCE <= born_on <= self.today:
            raise invalid("born_on", _("Nobody here was born on {day}; check the date.", day=born_on))
        return born_on

    def _number(self, value: Any) -> DocumentNumber | None:
        if isinstance(value, int | float) and value >= WORD_MAX:
            said = _("The spreadsheet has rounded this number; make the column text, then type it again.")
            raise invalid("number", said)
        return self.region.read_number(str(value), today=self.today) if value != "" else None

    def _fitting(self, _value: Any, entry: Entry) -> None:
        """Birth date and sex are the number's, and never something else."""
        number, facts = entry.number, entry.facts
        if number is None:
            return
        if number.born_on and facts["born_on"] not in (None, number.born_on):
            said = _("The number says born on {day}; correct one of the two.", day=number.born_on)
            raise invalid("number", said)
        if number.sex and facts["sex"] not in ("", None, number.sex):
            said = _("The number does not fit the sex written down; correct one of the two.")
            raise invalid("number", said)
        facts["born_on"], facts["sex"] = facts["born_on"] or number.born_on, facts["sex"] or number.sex

    def _once(self, _value: Any, entry: Entry) -> None:
        facts, number = entry.facts, entry.number
        if number:
            entry.hashes = self.vault.keyed_hashes(PURPOSE, f"{number.kind}:{number.text}")
        key = entry.hashes[0] if number else (*facts.values(), entry.area_id)
        first = self.rows.setdefault(key, entry.row)
        if first != entry.row:
            raise invalid("number", _("Row {row} is the same person; remove one of the two.", row=first))


class _Homes:
    """Communities and compounds by name; those below the centre's own area come before others."""

    def __init__(self, session: WorkSession) -> None:
        areas = {area.id: area for area in session.scalars(select(Area))}
        centre = session.get_one(Centre, session.centre_id)
        self.known: dict[tuple[str, UUID | None], list[UUID]] = {}
        for near in (True, False):
            found: dict[tuple[str, UUID | None], set[UUID]] = {}
            for area in areas.values():
                if area.kind in ("community", "compound") and _is_below(area, centre.area_id, areas) == near:
                    for name in filter(None, {folded(area.name), folded(area.name_en)}):
                        for above in (area.parent_id, None) if area.kind == "compound" else (None,):
                            found.setdefault((area.kind + name, above), set()).add(area.id)
            self.known = {key: sorted(ids) for key, ids in found.items()} | self.known

    def find(self, community: Any, compound: Any) -> UUID | None:
        """The compound, else the community, else None. Raises Invalid for a name of none or of several."""
        above = self._one("community", str(community), None) if community != "" else None
        return self._one("compound", str(compound), above) if compound != "" else above

    def _one(self, kind: str, name: str, above: UUID | None) -> UUID:
        found = self.known.get((kind + folded(name), above), [])
        if not found:
            said = _(
                "Nothing here is called {name}; add it under Centres, or leave the cell empty.", name=name
            )
            raise invalid("community", said)
        if len(found) > 1:
            raise invalid(
                "community", _("Several are called {name}; write the community as well.", name=name)
            )
        return found[0]


def _is_below(area: Area | None, top: UUID, areas: dict[UUID, Area]) -> bool:
    while area is not None and area.id != top:
        area = areas.get(area.parent_id) if area.parent_id else None
    return area is not None


def _refuse(_value: Any, words: Text) -> None:
    raise invalid("name", words)


def _text(value: Any, most: int) -> str:
    text = value.isoformat() if isinstance(value, date) else str(value)
    if len(text) > most:
        raise invalid("name", _("Longer than maximum length {max}.", max=most))
    return text


def _phone(value: Any) -> str:
    text = str(value)
    if text and not (PHONE.fullmatch(text) and sum(sign.isdigit() for sign in text) >= 5):
        raise invalid("phone", _("This is no phone number; write one in each cell, in digits."))
    return text


def _sex(value: Any) -> str:
    found = SEXES.get(str(value).casefold())
    if found is None:
        raise invalid("sex", _("Write 男 or 女, or leave the cell empty."))
    return found


def taken_among(session: WorkSession, entries: list[Entry]) -> dict[int, Text | str]:
    """By row, why a number cannot be taken: it is somebody's. Only those seen here are named."""
    rows = {hashed: entry.row for entry in entries for hashed in entry.hashes}
    counts = func.coalesce(PERSON.merged_into, PERSON.id)
    assert session.centre_id is not None, "people are registered at a centre"
    query = select(PersonNumber.hash, PERSON.name, registered_at(session.centre_id, counts))
    query = query.join_from(PersonNumber, Person, PERSON.id == PersonNumber.person_id)
    hashes, found = list(rows), dict[int, Text | str]()
    for start in range(0, len(hashes), LOOKED_UP):
        some = PersonNumber.hash.in_(hashes[start : start + LOOKED_UP])
        for hashed, name, seen in session.execute(query.where(some)):
            found[rows[hashed]] = NumberTaken(name, seen=bool(seen)).message
    return found


def marked_copy(sheet: Sheet, errors: Iterable[Wrong]) -> bytes:
    """The sheet as it came, each row in its place, with one column more that says what is wrong."""
    said: dict[int, list[str]] = {}
    for wrong in errors:
        said.setdefault(wrong.row, []).append(f"{wrong.column}: {wrong.words}")
    width = len(sheet.headers)

    def rows() -> Iterator[Iterable[Any]]:
        number = 2
        for row in sheet.rows:
            yield from [()] * (row.number - number)
            cells = (*row.cells, *[""] * (width - len(row.cells)))
            yield *cells, " ".join(said.get(row.number, ()))
            number = row.number + 1

    kinds = [Column(text) for text in sheet.headers]
    return write_sheet(_("Rows to correct"), [*kinds, Column(_("What is wrong"))], rows())
