from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from threading import Barrier, Thread
from threading import Event as Bell
from typing import Any
from uuid import UUID

import pytest
from huijia.errors import Fault
from huijia.storage import outbox
from huijia.storage.base import KernelBase, new_id
from huijia.storage.outbox import Delivery, Event, anything_due, claim, enqueue, purge, settle, still_ours
from huijia.storage.work import Storage
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select, update

HERE, ELSEWHERE = new_id(), new_id()
ROOMS = Table("outbox_room", MetaData(), Column("id", Integer, primary_key=True), Column("n", Integer))


@pytest.fixture
def storage(engine_url: str, clock) -> Iterator[Storage]:
    storage = Storage(engine_url, clock=clock)
    KernelBase.metadata.create_all(storage.engine, tables=[Event.__table__, Delivery.__table__])
    ROOMS.metadata.create_all(storage.engine)
    yield storage
    storage.close()


def tell(
    storage: Storage, number: int, subject: str = "a", *, to: tuple[str, ...] = ("beta",), at: Any = HERE
) -> None:
    with storage.writing(centre_id=at) as session:
        enqueue(session, name="x_happened", subject=subject, payload={"number": number}, listeners=to)


def take(storage: Storage, limit: int = 10) -> list[outbox.Claimed]:
    with storage.writing() as session:
        return claim(session, limit=limit)


def end(storage: Storage, *claimed: outbox.Claimed, **values: Any) -> None:
    with storage.writing() as session:
        for one in claimed:
            settle(session, one, **(values or {"state": "done"}))


def numbers(claimed: list[outbox.Claimed]) -> list[int]:
    return sorted(one.payload["number"] for one in claimed)


# --- what an event carries ---

figures = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
times = st.dates() | st.datetimes(timezones=st.just(UTC))
scalars = st.none() | figures | times | st.text() | st.binary() | st.uuids()
odd_keys = st.sampled_from(["$uuid", "$dict", "$", 7, (1, "x")])


def nested(inner: Any) -> Any:
    lists = st.lists(inner) | st.lists(inner).map(tuple) | st.frozensets(scalars) | st.sets(scalars)
    return lists | st.dictionaries(st.text(), inner) | st.dictionaries(odd_keys, inner)


values = st.recursive(scalars, nested, max_leaves=12)


@given(values)
def test_everything_comes_back_as_it_went_in(value: Any) -> None:
    payload = outbox.Payload()
    there_and_back = payload.process_result_value(payload.process_bind_param({"v": value}, None), None)["v"]
    assert there_and_back == value
    assert type(there_and_back) is type(value)


def test_an_instant_keeps_its_offset_and_a_date_stays_a_date() -> None:
    for value in (datetime(2026, 2, 1, 9, tzinfo=timezone(timedelta(hours=8))), date(2026, 2, 1)):
        back = outbox.decode(outbox.encode(value))
        assert (back, type(back), back.isoformat()) == (value, type(value), value.isoformat())


@pytest.mark.parametrize(
    "value",
    [
        object(),
        Decimal("1.0"),
        datetime(2026, 1, 1),  # whose nine o'clock?
        time(9),
        {"deep": [object()]},
        {object(): 1},
    ],
)
def test_what_a_listener_could_not_be_given_back_is_refused_when_it_is_told(value: Any) -> None:
    with pytest.raises(Fault, match="pass builtins, UUIDs, dates"):
        outbox.encode(value)


def test_values_come_back_from_the_database(storage: Storage, both_engines: str) -> None:
    payload = {
        "id": HERE,
        "day": date(2026, 1, 1),
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "礼": ["\x00", 10**30],
    }
    with storage.writing() as session:
        enqueue(session, name="x", subject="a", payload=payload, listeners=["beta"])
    [one] = take(storage)
    assert one.payload == payload


# --- what is written ---


def test_one_event_and_a_delivery_for_each_listener(storage: Storage, both_engines: str) -> None:
    tell(storage, 1, to=("beta", "gamma"))
    with storage.reading() as session:
        event = session.scalars(select(Event)).one()
        deliveries = session.scalars(select(Delivery).order_by(Delivery.listener)).all()
    assert (event.name, event.subject, event.centre_id) == ("x_happened", "a", HERE)
    assert [(d.listener, d.state, d.event_id, d.centre_id) for d in deliveries] == [
        ("beta", "waiting", event.id, HERE),
        ("gamma", "waiting", event.id, HERE),
    ]


def test_without_listeners_nothing_is_written(storage: Storage) -> None:
    tell(storage, 1, to=())
    with storage.reading() as session:
        assert session.scalars(select(Event)).all() == []


def test_what_was_rolled_back_is_never_heard(storage: Storage, both_engines: str) -> None:
    with storage.writing() as session:
        enqueue(session, name="x", subject="a", payload={}, listeners=["beta"])
        session.give_up()
    with storage.writing() as session, suppress(ZeroDivisionError), session.savepoint():
        enqueue(session, name="x", subject="a", payload={}, listeners=["beta"])
        raise ZeroDivisionError
    assert take(storage) == []


def test_runners_are_woken_once_the_event_is_durable(storage: Storage) -> None:
    bell = Bell()
    outbox.bells.add(bell)
    with storage.writing() as session:
        enqueue(session, name="x", subject="a", payload={}, listeners=["beta"])
        assert not bell.is_set()
    assert bell.is_set()
    bell.clear()
    with storage.writing() as session:
        enqueue(session, name="x", subject="a", payload={}, listeners=["beta"])
        session.give_up()
    assert not bell.is_set()


# --- order, leases ---


def test_one_subject_is_heard_in_order_and_others_beside_it(storage: Storage, both_engines: str) -> None:
    for number, subject in ((1, "a"), (2, "a"), (3, "b"), (4, "a")):
        tell(storage, number, subject)
    first = take(storage)
    assert numbers(first) == [1, 3]
    assert take(storage) == []  # 2 waits for 1, which is leased
    end(storage, *first)
    second = take(storage)
    assert numbers(second) == [2]
    end(storage, *second, state="parked")
    assert take(storage) == []  # 4 does not overtake
    end(storage, *second, state="skipped")
    assert numbers(take(storage)) == [4]


@pytest.mark.parametrize("differs", [{"to": ("gamma",)}, {"subject": "b"}, {"at": ELSEWHERE}, {"at": None}])
def test_nobody_else_is_held_up(storage: Storage, both_engines: str, differs: dict[str, Any]) -> None:
    tell(storage, 1)
    end(storage, *take(storage), state="parked")
    tell(storage, 2, **differs)
    assert numbers(take(storage)) == [2]


def test_events_of_one_unit_keep_their_order(storage: Storage, both_engines: str) -> None:
    with storage.writing() as session:
        for number in range(5):
            enqueue(session, name="x", subject="a", payload={"number": number}, listeners=["beta"])
    heard = []
    while claimed := take(storage):
        heard += numbers(claimed)
        end(storage, *claimed)
    assert heard == [0, 1, 2, 3, 4]


def test_a_back_off_holds_up_what_follows(storage: Storage, clock, both_engines: str) -> None:
    tell(storage, 1)
    tell(storage, 2)
    end(storage, *take(storage), due_at=clock() + timedelta(seconds=5))
    with storage.reading() as session:
        assert not anything_due(session)
    assert take(storage) == []
    clock.move(seconds=5)
    with storage.reading() as session:
        assert anything_due(session)
    assert numbers(take(storage)) == [1]


def test_an_ended_lease_is_taken_again_and_the_first_holder_notices(
    storage: Storage, clock, both_engines: str
) -> None:
    tell(storage, 1)
    [first] = take(storage)
    clock.move(seconds=59)
    assert take(storage) == []
    clock.move(seconds=1)
    [second] = take(storage)
    with storage.writing() as session:
        assert still_ours(session, second)
        assert not still_ours(session, first)
    end(storage, second)
    with storage.writing() as session:
        assert not still_ours(session, second)


def test_a_limit_is_kept(storage: Storage, both_engines: str) -> None:
    for number in range(5):
        tell(storage, number, subject=str(number))
    assert [len(take(storage, limit=2)) for _turn in range(4)] == [2, 2, 1, 0]


def test_whoever_locked_the_subject_second_is_heard_second_although_its_unit_began_first(
    storage: Storage, clock, both_engines: str
) -> None:
    start = clock()
    clock.move(seconds=30)  # this unit began later, or on a machine whose clock is ahead
    tell(storage, 1)
    clock.set(start)
    tell(storage, 2)
    with storage.reading() as session:
        recorded = session.scalars(select(Event.recorded_at).order_by(Event.recorded_at)).all()
    assert recorded == [start + timedelta(seconds=30), start + timedelta(seconds=30, microseconds=1)]
    clock.move(minutes=1)
    first = take(storage)
    end(storage, *first)
    assert numbers(first) + numbers(take(storage)) == [1, 2]


@pytest.mark.races
def test_order_follows_the_lock_on_the_subject_under_a_race(storage: Storage, both_engines: str) -> None:
    with storage.writing() as session:
        session.execute(insert(ROOMS), {"id": 1, "n": 0})
    gate = Barrier(6)

    def work() -> None:
        gate.wait()
        for _turn in range(10):
            with storage.writing() as session:
                session.execute(update(ROOMS).values(n=ROOMS.c.n + 1))  # the lock
                number = session.scalar(select(ROOMS.c.n))
                enqueue(session, name="x", subject="room:1", payload={"number": number}, listeners=["beta"])

    threads = [Thread(target=work) for _worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with storage.reading() as session:
        told = session.execute(select(Event.payload).order_by(Event.recorded_at)).scalars()
        assert [payload["number"] for payload in told] == list(range(1, 61))


@pytest.mark.races
def test_racing_workers_never_claim_the_same(storage: Storage, both_engines: str) -> None:
    for number in range(40):
        tell(storage, number, subject=str(number % 20))
    gate, taken = Barrier(4), []

    def work() -> None:
        gate.wait()
        for _turn in range(30):
            claimed = take(storage, limit=3)
            taken.extend((one.subject, one.payload["number"]) for one in claimed)
            end(storage, *claimed)

    threads = [Thread(target=work) for _worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for _subject, number in taken) == list(range(40))
    for subject in range(20):
        assert [n for s, n in taken if s == str(subject)] == [subject, subject + 20]


def test_old_events_are_forgotten_when_everybody_heard_them(
    storage: Storage, clock, both_engines: str
) -> None:
    tell(storage, 1, subject="done")
    end(storage, *take(storage))
    tell(storage, 2, subject="parked", to=("beta", "gamma"))
    beta, gamma = sorted(take(storage), key=lambda one: one.listener)
    end(storage, beta, state="done")
    end(storage, gamma, state="parked")
    clock.move(days=31)
    tell(storage, 3, subject="new")
    end(storage, *take(storage))
    with storage.writing() as session:
        purge(session, session.now)
        assert set(session.scalars(select(Event.subject))) == {"parked", "new"}
        assert len(session.scalars(select(Delivery.id)).all()) == 3


def test_ids_are_uuids(storage: Storage) -> None:
    tell(storage, 1)
    assert isinstance(take(storage)[0].id, UUID)
