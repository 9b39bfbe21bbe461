"""One URL, two engines; and the lock that serves in order."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from huijia.errors import Fault, PluginFault
from huijia.storage.base import new_id, pk, plugin_base
from huijia.storage.engine import PRAGMAS, dialect_of, make_engine, sqlite_module
from huijia.storage.fifo import FifoLock
from sqlalchemy import text
from sqlalchemy.orm import Mapped


def test_the_engine_answers(engine_url: str, both_engines: str) -> None:
    engine = make_engine(engine_url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        assert dialect_of(connection) == dialect_of(engine) == both_engines
    engine.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL
        ("foreign_keys", 1),
        ("recursive_triggers", 1),
        ("trusted_schema", 0),
        ("busy_timeout", 10_000),
        ("query_only", 0),
    ],
)
def test_sqlite_is_set_to_keep_what_it_acknowledged(engine_url: str, pragma: str, value: Any) -> None:
    engine = make_engine(engine_url)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    assert len(PRAGMAS) == 6
    engine.dispose()


def test_sqlite_has_no_wal_fault() -> None:
    assert sqlite_module().sqlite_version_info > (3, 51, 2)


@pytest.mark.parametrize("url", ["mysql://x/y", "oracle://x"])
def test_other_databases_are_refused_with_what_may_be_used(url: str) -> None:
    with pytest.raises(ValueError, match="use sqlite"):
        make_engine(url)


def test_plain_postgresql_urls_mean_our_driver() -> None:
    assert make_engine("postgresql://nobody@localhost/x").url.drivername == "postgresql+psycopg"


def test_a_plugin_names_its_tables_after_itself() -> None:
    base = plugin_base("naming")
    with pytest.raises(PluginFault, match="naming_") as raised:
        type("Other", (base,), {"__tablename__": "other_table"})
    assert raised.value.plugin == "naming"

    class Good(base):
        __tablename__ = "naming_good"
        id: Mapped[Any] = pk()

    assert base.metadata.tables.keys() == {"naming_good"}
    assert base.metadata is not plugin_base("naming").metadata


def test_ids_grow_with_time() -> None:
    ids = [new_id() for _ in range(100)]
    assert len(set(ids)) == 100
    assert {each.version for each in ids} == {7}
    assert ids[0].int >> 80 <= ids[-1].int >> 80


def test_waiters_are_served_in_the_order_of_asking() -> None:
    lock, served = FifoLock(), []
    threads = []
    with lock:
        for number in range(20):

            def wait(number: int = number) -> None:
                with lock:
                    served.append(number)

            threads.append(threading.Thread(target=wait))
            threads[-1].start()
            while len(lock._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert served == list(range(20))


def test_the_holder_cannot_ask_again_and_a_failure_frees_the_lock() -> None:
    lock = FifoLock()
    with lock, pytest.raises(Fault, match="inside a writing unit"), lock:
        pass
    with pytest.raises(KeyError), lock:
        raise KeyError
    with lock:
        pass


@pytest.mark.parametrize("served", [False, True])
def test_who_gives_up_waiting_does_not_block_the_rest(monkeypatch: pytest.MonkeyPatch, served: bool) -> None:
    lock = FifoLock()

    class Impatient(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            if served:  # interrupted in the moment of being served
                lock.__exit__()
            raise KeyboardInterrupt

    lock.__enter__()
    monkeypatch.setattr("huijia.storage.fifo.Event", Impatient)
    lock._holder = None  # as if another thread held it
    with pytest.raises(KeyboardInterrupt):
        lock.__enter__()
    monkeypatch.undo()
    if not served:
        lock.__exit__()
    with lock:
        pass
