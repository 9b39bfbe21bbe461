"""What is kept of a person: given out whole, erased everywhere, forgotten in time, sealed anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from huijia.errors import Refusal
from huijia.identity.actor import SYSTEM, Actor
from huijia.marks import PERSONAL, SUBJECT
from huijia.people import service
from huijia.people.errors import MattersOpen, NoSuchPerson, NumberTaken
from huijia.people.jobs import forget_people, reseal_people
from huijia.people.models import MODELS, Person, PersonNumber
from huijia.people.permissions import MANAGER
from huijia.people.privacy import access_report, erase_person, export_person
from huijia.people.privacy.retention import months_before
from huijia.region.cn import CHECKS, WEIGHTS
from huijia.storage import audit
from huijia.storage.files import keep_file
from huijia.storage.vault import Vault, generate_keys
from huijia.testing.broken import make_plugin, on_path
from sqlalchemy import JSON, LargeBinary, String, inspect, select, text

CHIEF = Actor("staff", None, "chief", MANAGER)
BODY = "41010519520303002"
CHEN = BODY + CHECKS[sum(int(d) * w for d, w in zip(BODY, WEIGHTS, strict=True)) % 11]
CANARIES = [f"金丝雀{number:02}号" for number in range(40)]
# Columns that hold text or bytes and say nothing of anybody.
IMPERSONAL = {
    "huijia_person_name.kind": "one of two words",
    "huijia_person_number.kind": "one of four words",
    "huijia_person_number.hash": "goes with its row, tells nothing without the key",
    "huijia_person_contact.kind": "one of three words",
    "huijia_person_confirmation.evidence": "one of five words",
    "huijia_card.code": "random",
    "huijia_card.state": "one of three words",
    "huijia_person_merge.moved": "keys of cards and centres",
    "huijia_consent.purpose": "a key, the same for everybody",
    "huijia_person_sensitive.kind": "one of three words",
}


def test_every_text_in_a_table_about_people_is_personal_or_known_not_to_be() -> None:
    kinds = String | JSON | LargeBinary
    open_ones = {
        str(column)
        for model in MODELS
        for column in model.__table__.c
        if any(SUBJECT in one.info for one in model.__table__.c)
        and isinstance(column.type, kinds)
        and PERSONAL not in column.info
    }
    assert open_ones == set(IMPERSONAL)


def register(session: Any, **facts: Any) -> Person:
    what = {"name": "陈秀英", "number": CHEN, "now": session.now, **facts}
    return service.register_person(session, actor=SYSTEM, **what)


def plant(session: Any) -> Person:
    """Somebody of whom 40 words are kept, all over the tables."""
    words = iter(CANARIES)
    by: dict[str, Any] = {"actor": SYSTEM, "now": session.now}
    photo = keep_file(
        session,
        body=b"\x89PNG\r\n\x1a\n" + next(words).encode(),
        name=next(words),
        permission="",
        now=session.now,
    )
    session.flush()
    person = register(
        session,
        name=next(words),
        names=[{"kind": "other", "text": next(words)}, {"kind": "former", "text": next(words)}],
        contacts=[{"value": next(words), "whose": next(words)} for _number in range(4)],
        address={"building": next(words), "detail": next(words)},
        languages=[next(words)],
        note=next(words),
        photo_id=photo,
    )
    whose = {"person_id": person.id}
    said = {"evidence": "identity-card", "until": date(2027, 1, 1)}
    first = service.confirm_identity(session, **by, **whose, **said)
    service.withdraw_confirmation(session, confirmation_id=first.id, why=next(words), **by)
    card = service.issue_card(session, **by, **whose)
    service.replace_card(session, card_id=card.id, why=next(words), **by)
    for kind in ("health", "diet", "counselling"):
        service.write_note(session, kind=kind, text=next(words), **by, **whose)
    service.give_consent(session, purpose="photos", text=next(words), **by, **whose)
    service.join_household(session, relation=next(words), **by, **whose)
    team = service.add_organisation(session, kind="team", name="夕阳红", **by)
    service.add_member(session, organisation_id=team.id, role=next(words), **by, **whose)
    guardian = service.register_person(session, name="王建国", born_on=date(1970, 1, 1), **by)
    who = {"guardian_id": guardian.id, "relation": next(words), "evidence": next(words)}
    service.add_guardian(session, **who, **by, **whose)
    other = service.register_person(session, name=next(words), note=next(words), **by)
    service.merge_people(session, kept_id=person.id, merged_id=other.id, why=next(words), **by)
    audit.record(session, action="test", subject=f"person:{person.id}", values={"typed": list(words)})
    return person


def dump_of(installation: Any, engine: str) -> bytes:
    """The whole database: every table as text, and on SQLite the bytes of its files."""
    found: list[str] = []
    with installation.storage.engine.connect() as connection:
        if engine == "sqlite":
            connection.connection.dbapi_connection.execute("VACUUM")
            connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for table in inspect(connection).get_table_names():
            found += [repr(tuple(row)) for row in connection.execute(text(f'SELECT * FROM "{table}"'))]
        files = connection.engine.url.database if engine == "sqlite" else None
    parts = [one.read_bytes() for one in Path(files).parent.glob(f"{Path(files).name}*")] if files else []
    return b"\n".join(["\n".join(found).encode(), *parts])


def seen_in(dump: bytes) -> list[str]:
    ways = (
        (one, (one.encode(), json.dumps(one)[1:-1].encode(), repr(one.encode())[2:-1].encode()))
        for one in CANARIES
    )
    return [one for one, written in ways if any(way in dump for way in written)]


def test_nothing_of_an_erased_person_is_left(installation: Any, centre: Any, both_engines: str) -> None:
    with installation.writing(centre) as session:
        person_id = plant(session).id
    assert len(seen_in(dump_of(installation, both_engines))) >= 35, "the words are found while they are there"
    with installation.writing(centre) as session:
        export = json.dumps(
            export_person(session, actor=SYSTEM, person_id=person_id, now=session.now), ensure_ascii=False
        )
        told = [one for one in CANARIES[2:] if one in export]
        assert CHEN in export
        assert len(told) >= 27
    with installation.writing(centre) as session:
        done = erase_person(session, actor=SYSTEM, person_id=person_id, now=session.now)
        assert done["huijia_person"] == 2, "merged records go with it"
    assert seen_in(dump_of(installation, both_engines)) == []
    assert CHEN.encode() not in dump_of(installation, both_engines)
    with installation.reading(centre) as session, pytest.raises(NoSuchPerson):
        service.household_of(session, actor=SYSTEM, person_id=person_id, day=date(2026, 11, 22))


OPEN = """
@hookimpl
def huijia_person_open_matters(session, person_id): {answer}
"""


@pytest.fixture
def planted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """The service `planted`, which is asked what is open and answers as its parameter says."""
    with on_path(tmp_path / "plugins"):
        make_plugin(tmp_path / "plugins", "planted", {"plugin.py": OPEN.format(answer=request.param)})
        yield


@pytest.mark.parametrize(
    ("planted", "erased"),
    [
        ("return ['卡上还有 20 元。']", False),
        ("raise RuntimeError('broken')", False),  # nobody can tell
        ("return []", True),
    ],
    indirect=["planted"],
)
def test_nobody_is_erased_while_something_is_open(
    planted: None, erased: bool, installation: Any, centre: Any, second_centre: Any, enable: Any
) -> None:
    enable("planted", second_centre)  # switched on elsewhere, and asked all the same
    with installation.writing(centre) as session:
        person = register(session)
        if erased:
            erase_person(session, actor=SYSTEM, person_id=person.id, now=session.now)
            assert person.erased_at
        else:
            with pytest.raises(Refusal):
                erase_person(session, actor=SYSTEM, person_id=person.id, now=session.now)
            assert (person.name, person.erased_at) == ("陈秀英", None)


def test_a_table_that_nobody_can_read_stops_the_erasure(installation: Any, centre: Any) -> None:
    with installation.storage.engine.begin() as connection:
        connection.execute(text("CREATE TABLE gone_note (person_id CHAR(32) REFERENCES huijia_person (id))"))
    with installation.writing(centre) as session:
        person = register(session)
        with pytest.raises(MattersOpen, match="gone_note"):
            erase_person(session, actor=SYSTEM, person_id=person.id, now=session.now)


def test_the_person_is_told_who_did_what(work: Any) -> None:
    person = register(work)
    audit.record(work, action="people.reveal_number", subject=f"person:{person.id}")
    [seen] = access_report(work, actor=CHIEF, person_id=person.id)
    assert (seen.action, seen.at, bool(seen.where)) == ("people.reveal_number", work.now, True)


def test_a_booking_is_emptied_once_it_was_kept_long_enough(
    installation: Any, centre: Any, enable: Any
) -> None:
    enable("rooms")
    from huijia_rooms.models import Booking, Room

    with installation.writing(centre) as session:
        person = register(session)
        room = session.scalar(select(Room)) or Room(name="书法室", floor=2, capacity=10, hours={})
        session.add(room)
        session.flush()
        ends = {year: datetime(year, 11, 1, 10, tzinfo=UTC) for year in (2022, 2025)}
        for year, end in ends.items():
            what = {"room_id": room.id, "kind": "person", "person_id": person.id, "name": f"陈{year}"}
            when = {"starts_at": end.replace(hour=9), "ends_at": end, "booked_at": end}
            session.add(Booking(**what, **when, status="booked", booked_by="desk"))
    with installation.writing(None, SYSTEM) as session:
        forget_people(session, session.now)
    with installation.reading(centre) as session:
        assert sorted(session.scalars(select(Booking.name))) == ["—", "陈2025"]


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 3, 31), 1, date(2026, 2, 28)),  # no 31 February
        (date(2024, 2, 29), 12, date(2023, 2, 28)),  # no leap year
        (date(2026, 1, 15), 1, date(2025, 12, 15)),
    ],
)
def test_months_are_counted_back(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before


def test_numbers_and_notes_are_sealed_anew_while_serving(work: Any, both_engines: str) -> None:
    keys = generate_keys()
    work.vault = Vault(keys)
    person = register(work)
    service.write_note(work, actor=SYSTEM, person_id=person.id, kind="health", text="糖尿病", now=work.now)
    newer = generate_keys(keys)
    work.vault = Vault(newer)
    number = service.numbers.read_number(work, CHEN)
    assert service.person_of_number(work, number) is person, "found under the older key meanwhile"
    with pytest.raises(NumberTaken):
        register(work, name="王建国")
    reseal_people(work, work.now)
    work.vault = Vault({2: newer[2]})
    assert service.person_of_number(work, number) is person
    kept = work.query(PersonNumber).one()
    assert service.reveal_number(work, actor=SYSTEM, number_id=kept.id) == CHEN
    assert service.read_note(work, actor=SYSTEM, person_id=person.id, kind="health") == "糖尿病"
