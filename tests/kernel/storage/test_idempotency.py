from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from huijia.i18n import speaking
from huijia.storage.base import KernelBase
from huijia.storage.idempotency import (
    AnswerLost,
    Kept,
    KeyReused,
    KeyUnfit,
    Record,
    claim,
    keep,
    lookup,
    purge,
)
from huijia.storage.vault import Unreadable, Vault, generate_keys
from huijia.storage.work import Storage, WorkSession
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select, update

VAULT = Vault(generate_keys())
USE = {
    "actor_id": "wang",
    "route": "POST /api/v1/centres/duling/rooms/bookings",
    "key": "k-1",
    "fingerprint": "f",
}
SALES = Table("idempotent_sale", MetaData(), Column("id", Integer, primary_key=True))


@pytest.fixture
def storage(engine_url: str, clock) -> Iterator[Storage]:
    storage = Storage(engine_url, clock=clock)
    KernelBase.metadata.create_all(storage.engine, tables=[Record.__table__])
    SALES.metadata.create_all(storage.engine)
    yield storage
    storage.close()


def ask(session: WorkSession, how: Any = claim, **other: Any) -> Kept | None:
    return how(session, VAULT, now=session.now, **{**USE, **other})


def answer(session: WorkSession, body: bytes = b'{"id":1}', **other: Any) -> None:
    headers = {
        "Content-Type": "application/json",
        "Location": "/x/1",
        "Set-Cookie": "secret",
        "Date": "today",
    }
    keep(session, VAULT, **{**USE, "status": 201, "headers": headers, "body": body, **other})


def done(storage: Storage, **other: Any) -> None:
    with storage.writing() as session:
        assert ask(session, **other) is None
        answer(session, **other)


def test_a_request_sent_twice_gets_the_first_answer(storage: Storage, both_engines: str) -> None:
    done(storage)
    with storage.writing() as session:
        kept = ask(session)
    assert kept == (201, {"Content-Type": "application/json", "Location": "/x/1"}, b'{"id":1}')
    with storage.reading() as session:
        assert ask(session, lookup) == kept


def test_any_bytes_come_back(storage: Storage) -> None:
    body = bytes(range(256)) + b"\n\n"
    with storage.writing() as session:
        ask(session)
        answer(session, body)
        assert ask(session).body == body


@pytest.mark.parametrize(
    "other",
    [
        {"actor_id": "li"},
        {"route": "POST /api/v1/centres/huayuan/rooms/bookings"},
        {"key": "k-2"},
        {"key": "K-1"},  # letters count as they are
    ],
)
def test_a_key_counts_for_one_actor_and_one_route(
    storage: Storage, both_engines: str, other: dict[str, str]
) -> None:
    done(storage)
    with storage.writing() as session:
        assert ask(session, lookup, **other) is None
        assert ask(session, **other) is None


@pytest.mark.parametrize("how", [claim, lookup])
def test_another_body_under_the_same_key_is_refused(storage: Storage, how: Any) -> None:
    done(storage)
    with (
        storage.writing() as session,
        speaking("en"),
        pytest.raises(KeyReused, match="send a new key") as refused,
    ):
        ask(session, how, fingerprint="g")
    assert (refused.value.status, refused.value.code) == (422, "idempotency-key-reused")


def test_failures_are_not_kept(storage: Storage) -> None:
    with storage.writing() as session:
        assert ask(session) is None
        session.give_up()
    answers: list[Any] = []
    sell(storage, answers, fail=True)
    assert answers == ["failed"]
    done(storage)


def test_an_answer_is_kept_for_48_hours(storage: Storage, clock, both_engines: str) -> None:
    done(storage)
    clock.move(hours=47, minutes=59)
    with storage.reading() as session:
        assert ask(session, lookup)
    clock.move(minutes=1)
    with storage.reading() as session:
        assert ask(session, lookup) is None
    done(storage, fingerprint="g")  # before anything was purged
    with storage.reading() as session:
        assert ask(session, lookup, fingerprint="g")


def test_purging_takes_the_old_ones_only(storage: Storage, clock) -> None:
    done(storage)
    clock.move(hours=24)
    done(storage, key="k-2")
    clock.move(hours=24)
    with storage.writing() as session:
        purge(session, session.now)
        assert session.scalars(select(Record.key)).all() == ["k-2"]


def test_nothing_of_the_answer_or_the_body_is_legible_in_the_table(storage: Storage) -> None:
    secret = {"fingerprint": "fingerprint-of-the-body"}
    with storage.writing() as session:
        ask(session, **secret)
        answer(session, b"410105194910010028", **secret)
        row = session.execute(select(*Record.__table__.c)).one()
    assert not any(secret in str(row).encode() for secret in (b"4101", b"fingerprint-of", b"/x/1"))


def test_an_answer_moved_to_another_key_does_not_open(storage: Storage) -> None:
    done(storage)
    with storage.writing() as session:
        session.execute(update(Record.__table__).values(actor_id="li"))
        with pytest.raises(Unreadable):
            ask(session, lookup, actor_id="li")


def test_a_unit_that_claimed_and_kept_nothing_is_not_done_again(storage: Storage) -> None:
    with storage.writing() as session:
        ask(session)
    with storage.writing() as session, pytest.raises(AnswerLost):
        ask(session)


@pytest.mark.parametrize(
    ("key", "fits"),
    [
        ("x", True),
        ("~" * 200, True),
        ("", False),
        ("x" * 201, False),
        ("a b", False),
        ("钥匙", False),
        ("x\n", False),
        ("x\x00", False),
    ],
)
def test_keys_are_bounded(storage: Storage, key: str, fits: bool) -> None:
    for how in (claim, lookup):
        with storage.writing() as session:
            if fits:
                assert ask(session, how, key=key) is None
                session.give_up()
            else:
                with pytest.raises(KeyUnfit):
                    ask(session, how, key=key)


def sell(storage: Storage, answers: list[Any], fail: bool = False) -> None:
    try:
        with storage.writing() as session:
            kept = ask(session)
            if kept is None:
                session.execute(insert(SALES), {})
                if fail:
                    raise ZeroDivisionError
                answer(session)
            answers.append(kept)
    except ZeroDivisionError:
        answers.append("failed")


@pytest.mark.races
def test_racing_requests_with_one_key_are_done_once(storage: Storage, both_engines: str) -> None:
    answers: list[Any] = []
    gate = Barrier(8)

    def work() -> None:
        gate.wait()
        sell(storage, answers)

    threads = [Thread(target=work) for _rival in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert answers.count(None) == 1
    with storage.reading() as session:
        assert session.scalar(select(func.count()).select_from(SALES)) == 1


@pytest.mark.races
@pytest.mark.parametrize("first_succeeds", [True, False])
def test_a_rival_waits_for_the_first_and_then_knows(
    storage: Storage, both_engines: str, first_succeeds: bool
) -> None:
    begun, go_on, answers = Event(), Event(), []

    def first() -> None:
        with storage.writing() as session:
            assert ask(session) is None
            begun.set()
            go_on.wait()
            answer(session)
            if not first_succeeds:
                session.give_up()

    one = Thread(target=first)
    one.start()
    begun.wait()
    rival = Thread(target=sell, args=(storage, answers))
    rival.start()
    rival.join(0.3)
    assert rival.is_alive()  # it neither sells nor answers while the first is at work
    go_on.set()
    one.join()
    rival.join()
    assert (answers == [None]) is not first_succeeds
