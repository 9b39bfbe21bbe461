from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Barrier, Thread
from uuid import UUID

import pytest
from huijia.storage.audit import Detail, Entry, erase_details, record
from huijia.storage.base import KernelBase, new_id
from huijia.storage.seal import GENESIS, HeadRow, Seal, Sealed, _entry_hash, head, seal, verify
from huijia.storage.work import Storage, WorkSession
from sqlalchemy import delete, func, insert, select, update

TABLES = [model.__table__ for model in (Entry, Detail, Seal, Sealed, HeadRow)]


@pytest.fixture
def storage(engine_url: str, clock) -> Iterator[Storage]:
    storage = Storage(engine_url, clock=clock)
    KernelBase.metadata.create_all(storage.engine, tables=TABLES)
    yield storage
    storage.close()


def act(storage: Storage, times: int = 1, **what) -> list[UUID]:
    with storage.writing() as session:
        told = {"action": "x", "values": {"name": "王"}, **what}
        return [record(session, **told) for _time in range(times)]


def run(storage: Storage, **how) -> int:
    with storage.writing() as session:
        return seal(session, session.now, **how)


def findings(storage: Storage, known: str = "") -> list[tuple[str, str]]:
    with storage.reading() as session:
        return [(found.record, found.problem) for found in verify(session, known)]


def kept_elsewhere(session: WorkSession) -> str:
    end = head(session)
    return end.hash if end else ""


@pytest.fixture
def chain(storage: Storage, clock) -> list[UUID]:
    """Five seals of three entries each."""
    made = []
    for _batch in range(5):
        made += act(storage, 3)
        clock.move(minutes=1)
        assert run(storage, batch=3) == 3
    assert findings(storage) == []
    return made


def test_entries_are_sealed_once_in_batches_oldest_first(storage: Storage, clock, both_engines: str) -> None:
    made = []
    for _time in range(5):
        made += act(storage)
        clock.move(seconds=1)
    assert [run(storage, batch=2) for _time in range(4)] == [2, 2, 1, 0]
    with storage.reading() as session:
        assert session.scalars(select(Sealed.entry_id).order_by(Sealed.number, Sealed.position)).all() == made
        seals = session.scalars(select(Seal).order_by(Seal.number)).all()
        assert [one.count for one in seals] == [2, 2, 1]
        assert [one.previous_hash for one in seals] == [GENESIS, seals[0].hash, seals[1].hash]
        assert head(session) == (3, seals[2].hash)
    assert findings(storage) == []


def test_sealing_leaves_nothing_for_the_audit_to_record(storage: Storage) -> None:
    act(storage)
    with storage.writing() as session:
        seal(session, session.now)
        session.flush()
        assert session.changes == []


def test_an_entry_that_was_committed_late_goes_into_a_later_seal(
    storage: Storage, clock, both_engines: str
) -> None:
    early = clock()
    act(storage)
    clock.move(hours=20)
    act(storage)
    assert run(storage) == 2
    late = clock()
    clock.set(early)
    act(storage)
    clock.set(late)
    assert run(storage) == 1
    assert findings(storage) == []


def test_one_that_comes_later_than_a_day_is_found_and_sealed_on_request(storage: Storage, clock) -> None:
    clock.move(days=3)
    act(storage)
    run(storage)
    clock.move(days=-3)
    act(storage)
    clock.move(days=3)
    assert run(storage) == 0
    assert findings(storage) == [("entries since 2026-11-22 01:00", "1 are not sealed yet.")]
    assert run(storage, everything=True) == 1
    assert findings(storage) == []


def test_a_clock_that_was_wrong_for_a_while_does_not_end_the_sealing(storage: Storage, clock) -> None:
    clock.move(days=3650)
    act(storage)
    run(storage)
    clock.move(days=-3650)
    act(storage)
    assert run(storage) == 1


def test_entries_that_wait_too_long_are_found(storage: Storage, clock) -> None:
    act(storage, 2)
    clock.move(minutes=60)
    assert findings(storage) == []
    clock.move(seconds=1)
    assert findings(storage) == [("entries since 2026-11-22 01:00", "2 are not sealed yet.")]


def test_erased_details_are_no_finding(storage: Storage, chain: list[UUID]) -> None:
    with storage.writing() as session:
        erase_details(session, chain[:7])
    assert not findings(storage)


# --- every corruption, planted by someone who got past the triggers ---


def change(model, **values) -> Callable:
    """Write to the row of the eighth entry, or where `number` is named, of that seal."""
    number = values.pop("number", None)

    def plant(session, made: list[UUID]) -> None:
        table = model.__table__
        key = {Entry: "id", Detail: "entry_id", Sealed: "entry_id", Seal: "number"}[model]
        session.execute(update(table).where(table.c[key] == (number or made[7])).values(**values))

    return plant


def remove(*models, number: int | None = None) -> Callable:
    def plant(session, made: list[UUID]) -> None:
        for model in models:
            table = model.__table__
            key = {Entry: "id", Detail: "entry_id", Sealed: "entry_id", Seal: "number"}[model]
            if model is Sealed and number:
                session.execute(delete(table).where(table.c.number == number))
            else:
                session.execute(delete(table).where(table.c[key] == (number or made[7])))

    return plant


def both(*plants: Callable) -> Callable:
    return lambda session, made: [plant(session, made) for plant in plants]


def forge(session, number: int, position: int) -> None:
    row = {column.name: None for column in Entry.__table__.c}
    row |= {"id": new_id(), "recorded_at": session.now, "actor_kind": "staff", "action": "forged"}
    row |= {"changes": [], "crossed": []}
    session.execute(insert(Entry.__table__), row)
    entry = session.execute(select(*Entry.__table__.c).where(Entry.__table__.c.id == row["id"])).one()
    place = {"entry_id": row["id"], "number": number, "position": position, "entry_hash": _entry_hash(entry)}
    session.execute(insert(Sealed.__table__), place)


def swap(session, made: list[UUID]) -> None:
    for entry_id, position in ((made[6], 102), (made[7], 101)):
        session.execute(update(Sealed).where(Sealed.entry_id == entry_id).values(position=position))


def change_and_cover(session, made: list[UUID]) -> None:
    change(Entry, action="y")(session, made)
    columns = Entry.__table__.c
    entry = session.execute(select(*columns).where(columns.id == made[7])).one()
    change(Sealed, entry_hash=_entry_hash(entry))(session, made)


def exchange_seal(session, _made: list[UUID]) -> None:
    """A seal made anew, so that it fits its entries again."""
    from huijia.storage.seal import _seal_hash

    row = session.get(Seal, 3)
    hashes = session.scalars(
        select(Sealed.entry_hash).where(Sealed.number == 3).order_by(Sealed.position)
    ).all()
    row.sealed_at = session.now
    row.hash = _seal_hash(row, list(hashes))
    session.flush()


def cut_off(session, made: list[UUID]) -> None:
    for number in (4, 5):
        remove(Seal, Sealed, number=number)(session, made)
    for entry_id in made[9:]:
        session.execute(delete(Detail.__table__).where(Detail.__table__.c.entry_id == entry_id))
        session.execute(delete(Entry.__table__).where(Entry.__table__.c.id == entry_id))


ENTRY, SEAL = "entry {7}", "seal 3"
EXCHANGED = "Changed, or its entries were exchanged or put in another order."
CORRUPTIONS = [
    pytest.param(
        change(Entry, action="y"), [(ENTRY, "Changed after it was put into seal 3.")], id="changed entry"
    ),
    pytest.param(
        change(Entry, changes=[1]), [(ENTRY, "Changed after it was put into seal 3.")], id="changes"
    ),
    pytest.param(change(Entry, centre_id=new_id()), [(ENTRY, "Changed after")], id="moved to another centre"),
    pytest.param(
        change(Entry, detail_hash=None),
        [(ENTRY, "Changed after"), ("detail of entry {7}", "Its personal values are not")],
        id="detail hash taken out",
    ),
    pytest.param(remove(Detail, Entry), [(ENTRY, "Deleted; it was in seal 3.")], id="deleted entry"),
    pytest.param(
        remove(Detail, Entry, Sealed), [(SEAL, "Holds 2 entries and was made with 3")], id="and its place"
    ),
    pytest.param(change_and_cover, [(SEAL, EXCHANGED)], id="changed entry with its hash"),
    pytest.param(swap, [(SEAL, EXCHANGED)], id="reordered"),
    pytest.param(
        lambda session, made: forge(session, 3, 4),
        [(SEAL, "Holds 4 entries and was made with 3")],
        id="forged entry",
    ),
    pytest.param(
        both(remove(Detail, Entry, Sealed), lambda session, made: forge(session, 3, 2)),
        [(SEAL, EXCHANGED)],
        id="entry exchanged for a forged one",
    ),
    pytest.param(
        lambda session, made: forge(session, 99, 1), [("entry ", "Said to be in seal 99")], id="in no seal"
    ),
    pytest.param(change(Seal, number=3, hash="0" * 64), [(SEAL, EXCHANGED)], id="changed hash"),
    pytest.param(
        change(Seal, number=3, previous_hash="0" * 64),
        [(SEAL, "Does not follow"), (SEAL, EXCHANGED)],
        id="changed link",
    ),
    pytest.param(
        change(Seal, number=3, count=2), [(SEAL, "Holds 3 entries and was made with 2")], id="changed count"
    ),
    pytest.param(
        change(Seal, number=3, sealed_at=datetime(2020, 1, 1, tzinfo=UTC)),
        [(SEAL, EXCHANGED)],
        id="changed time",
    ),
    pytest.param(exchange_seal, [("seal 4", "Does not follow seal 3")], id="seal made anew"),
    pytest.param(
        remove(Seal, number=3),
        [(SEAL, "Missing: the seal after 2 is 4."), *[("entry ", "Said to be in seal 3")] * 3],
        id="deleted seal in the middle",
    ),
    pytest.param(
        remove(Seal, Sealed, number=3),
        [(SEAL, "Missing: the seal after 2 is 4.")],
        id="with the places in it",
    ),
    pytest.param(
        remove(Seal, Sealed, number=1),
        [("seal 1", "Missing: the seal after 0 is 2.")],
        id="deleted first seal",
    ),
    pytest.param(
        remove(Seal, Sealed, number=5),
        [("seal 5", "Missing: the chain ends at 4, and this database knows 5.")],
        id="deleted last seal",
    ),
    pytest.param(
        cut_off, [("seal 5", "Missing: the chain ends at 3, and this")], id="truncated with its entries"
    ),
    pytest.param(
        lambda session, made: session.execute(delete(HeadRow)),
        [("seal 5", "Not known to the head of the chain")],
        id="head removed",
    ),
    pytest.param(
        lambda session, made: session.execute(update(HeadRow).values(hash="0" * 64)),
        [("seal 5", "Its hash is not the one that this database knows.")],
        id="head changed",
    ),
    pytest.param(
        lambda session, made: session.execute(update(HeadRow).values(number=4)),
        [("seal 4", "Its hash is not the one"), ("seal 5", "Not known to the head")],
        id="head moved back",
    ),
    pytest.param(
        change(Detail, values={"name": "汪"}),
        [("detail of entry {7}", "Its personal values are not")],
        id="changed detail",
    ),
    pytest.param(
        change(Detail, salt="00" * 16), [("detail of entry {7}", "Its personal values")], id="changed salt"
    ),
]


@pytest.mark.parametrize(("plant", "expected"), CORRUPTIONS)
def test_a_corruption_is_found_and_named(
    storage: Storage, chain: list[UUID], both_engines: str, plant: Callable, expected: list[tuple[str, str]]
) -> None:
    with storage.writing() as session:
        plant(session, chain)
    found = findings(storage)
    assert len(found) == len(expected), found
    for (record_found, problem), (where, what) in zip(found, expected, strict=True):
        assert record_found.startswith(where.replace("{7}", str(chain[7])))
        assert problem.startswith(what)


def test_every_finding_says_what_next(storage: Storage, chain: list[UUID]) -> None:
    with storage.writing() as session:
        change(Entry, action="y")(session, chain)
    with storage.reading() as session:
        [found] = verify(session)
    assert "backup" in found.remedy


def test_a_tail_cut_off_with_its_head_is_found_only_by_a_head_kept_elsewhere(
    storage: Storage, chain: list[UUID]
) -> None:
    with storage.writing() as session:
        known = kept_elsewhere(session)
        cut_off(session, chain)
        last = session.get_one(Seal, 3)
        session.execute(update(HeadRow).values(number=3, hash=last.hash))
    assert findings(storage) == []  # the honest limit
    [(where, problem)] = findings(storage, known)
    assert (where, problem) == (
        f"seal {known[:12]}…",
        "Missing: no seal has the hash that was kept elsewhere.",
    )


def test_an_old_head_kept_elsewhere_still_fits_a_chain_that_went_on(storage: Storage, chain, clock) -> None:
    with storage.reading() as session:
        known = kept_elsewhere(session)
    act(storage)
    run(storage)
    assert findings(storage, known) == []


def test_findings_are_no_flood(storage: Storage, chain: list[UUID]) -> None:
    with storage.writing() as session:
        session.execute(update(Entry.__table__).values(action="y"))
        assert len(verify(session, most=4)) == 4


@pytest.mark.races
def test_several_workers_seal_every_entry_once(storage: Storage, both_engines: str) -> None:
    gate, errors = Barrier(4), []

    def work(role: int) -> None:
        try:
            gate.wait()
            for _turn in range(15):
                act(storage, 2) if role % 2 else run(storage, batch=3)
        except Exception as error:
            errors.append(error)

    threads = [Thread(target=work, args=(role,)) for role in range(4)]
    for step in (Thread.start, Thread.join):
        for thread in threads:
            step(thread)
    assert errors == []
    list(iter(lambda: run(storage, batch=100), 0))
    assert findings(storage) == []
    with storage.reading() as session:
        assert session.scalar(select(func.count()).select_from(Sealed)) == 60


@pytest.mark.postgres
@pytest.mark.races
def test_a_second_sealer_does_not_wait_for_the_first(storage: Storage) -> None:
    act(storage)
    with storage.writing() as session:
        assert seal(session, session.now) == 1
        assert run(storage) == 0  # meanwhile, in another transaction
