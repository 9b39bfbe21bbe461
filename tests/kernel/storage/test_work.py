"""Units of work: opened and ended by the door, whatever a plugin tries inside."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from huijia.errors import Fault
from huijia.storage.base import new_id, pk, plugin_base
from huijia.storage.work import Change, Storage, WorkSession
from sqlalchemy import String, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

Base = plugin_base("unit")


class Note(Base):
    __tablename__ = "unit_note"
    id: Mapped[UUID] = pk()
    words: Mapped[str] = mapped_column(String(40), unique=True)


n = Note.__table__


@pytest.fixture
def storage(engine_url: str, clock: Any) -> Iterator[Storage]:
    storage = Storage(engine_url, clock=clock)
    Base.metadata.create_all(storage.engine)
    yield storage
    storage.close()


def words(storage: Storage) -> list[str]:
    with storage.reading() as session:
        return list(session.scalars(select(Note.words).order_by(Note.words)))


def write(session: WorkSession, what: str) -> None:
    session.execute(insert(n), {"id": new_id(), "words": what})


def test_a_clean_exit_commits_and_an_exception_does_not(storage: Storage, both_engines: str) -> None:
    with storage.writing() as session:
        session.add(Note(words="kept"))
    with pytest.raises(KeyError), storage.writing() as session:  # noqa: PT012
        session.add(Note(words="lost"))
        session.flush()
        raise KeyError
    with pytest.raises(SystemExit), storage.writing() as session:  # noqa: PT012
        write(session, "lost too")
        raise SystemExit
    with storage.writing() as session:
        session.add(Note(words="given up"))
        session.give_up()
    assert words(storage) == ["kept"]


@pytest.mark.parametrize(
    "method",
    ["commit", "rollback", "begin", "begin_nested", "close", "connection", "invalidate", "reset", "prepare"],
)
def test_methods_that_end_the_transaction_are_refused(storage: Storage, method: str) -> None:
    with storage.writing() as session:
        write(session, "kept")
        with pytest.raises(Fault, match="belongs to the door"):
            getattr(session, method)()
    assert words(storage) == ["kept"]
    with storage.writing() as session, pytest.raises(Fault), session:  # nor does leaving it close it
        pass


def run_on_driver(statement: str) -> Callable[[WorkSession], Any]:
    return lambda session: session.get_bind().exec_driver_sql(statement)


TRICKS: dict[str, Callable[[WorkSession], Any]] = {
    "commit of the connection": lambda session: session.bind.commit(),
    "commit of its transaction": lambda session: session.bind.get_transaction().commit(),
    "the same by get_bind()": lambda session: session.get_bind().commit(),
    **{
        f"text: {words}": lambda session, words=words: session.execute(text(words))
        for words in (
            "COMMIT",
            "  /*x*/ commit",
            "-- x\n commit",
            "/* a */ -- b\n /* c */ END",
            "COMMIT;",
            "rollback",
            "ROLLBACK TO sa_savepoint_1",
            "BEGIN",
            "START TRANSACTION",
            "SAVEPOINT x",
            "RELEASE x",
            "ABORT",
            "PREPARE TRANSACTION 'x'",
            "SELECT 1; COMMIT",
            "SELECT ';'; COMMIT",
            "PRAGMA foreign_keys=OFF",
            "ATTACH 'x' AS y",
            "SET TRANSACTION READ WRITE",
            "VACUUM",
            "DROP TABLE unit_note",
            "TRUNCATE unit_note",
        )
    },
    "past the session": run_on_driver("COMMIT"),
    "past the session, in disguise": run_on_driver("/**/ commit"),
    "text as columns": lambda session: session.execute(text("COMMIT").columns(n.c.id)),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_no_trick_ends_the_transaction(storage: Storage, trick: str) -> None:
    with pytest.raises(KeyError), storage.writing() as session:  # noqa: PT012
        write(session, "undone")
        with pytest.raises(Fault, match=r"door|commit"):
            TRICKS[trick](session)
        raise KeyError
    assert words(storage) == []


@pytest.mark.parametrize(
    "statement", ["SELECT ' commit; '", "SELECT 1 -- ; commit", "SELECT 1;", 'SELECT 1 AS "set"']
)
def test_harmless_text_passes(storage: Storage, statement: str) -> None:
    with storage.writing() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    "sabotage",
    [
        lambda session: session.bind.rollback(),
        lambda session: session.bind.get_transaction().rollback(),
        lambda session: session.bind.close(),
    ],
)
def test_a_foreign_rollback_is_noticed(storage: Storage, both_engines: str, sabotage: Any) -> None:
    after: list[str] = []
    with pytest.raises(Fault, match="rolled back"), storage.writing() as session:  # noqa: PT012
        write(session, "lost")
        session.after_commit(lambda: after.append("committed"))
        session.after_the_fact(lambda fresh: write(fresh, "noted"))
        sabotage(session)
    assert (words(storage), after) == (["noted"], [])


def test_what_follows_a_foreign_rollback_is_not_saved_either(storage: Storage, both_engines: str) -> None:
    with pytest.raises(Exception, match=r"rolled back|refused|closed"), storage.writing() as session:  # noqa: PT012
        session.bind.rollback()
        write(session, "lost")
    assert words(storage) == []


def test_an_integrity_error_in_a_savepoint_is_survived(storage: Storage, both_engines: str) -> None:
    with storage.writing() as session:
        session.add(Note(words="first"))
        for attempt in (lambda: session.add(Note(words="first")), lambda: write(session, "first")):
            with pytest.raises(IntegrityError), session.savepoint():  # noqa: PT012
                attempt()
                session.flush()
        with session.savepoint():
            session.add(Note(words="second"))
        with pytest.raises(KeyError), session.savepoint():  # noqa: PT012
            session.add(Note(words="third"))
            with session.savepoint():
                session.add(Note(words="fourth"))
            raise KeyError
    assert words(storage) == ["first", "second"]


def test_a_failed_flush_outside_a_savepoint_saves_nothing(storage: Storage, both_engines: str) -> None:
    with pytest.raises(Fault, match="savepoint"), storage.writing() as session:  # noqa: PT012
        session.add(Note(words="twice"))
        session.flush()
        session.add(Note(words="twice"))
        with pytest.raises(IntegrityError):
            session.flush()
    assert words(storage) == []


def test_a_failed_core_statement_is_never_half_kept_in_silence(storage: Storage, both_engines: str) -> None:
    # SQLite undoes the statement and goes on; PostgreSQL would turn the commit into a rollback.
    def work() -> None:
        with storage.writing() as session:
            write(session, "twice")
            with pytest.raises(IntegrityError):
                write(session, "twice")

    if both_engines == "sqlite":
        work()
    else:
        with pytest.raises(Fault, match="savepoint"):
            work()
    assert words(storage) == (["twice"] if both_engines == "sqlite" else [])


def test_savepoints_forget_what_they_undo(storage: Storage) -> None:
    done: list[str] = []
    with storage.writing() as session:
        session.after_commit(lambda: done.append("outer"))
        with pytest.raises(KeyError), session.savepoint():  # noqa: PT012
            session.add(Note(words="undone"))
            session.flush()
            session.after_commit(lambda: done.append("inner"))
            session.after_the_fact(lambda fresh: write(fresh, "noted"))
            raise KeyError
        assert session.changes == []
    assert (done, words(storage)) == (["outer"], ["noted"])


@pytest.mark.parametrize("ending", ["success", "exception", "exit", "give_up", "foreign", "commit fails"])
def test_deeds_after_the_fact_survive_however_the_unit_ended(
    storage: Storage, both_engines: str, ending: str
) -> None:
    heard: list[str] = []

    def work() -> None:
        with storage.writing(actor="somebody") as session:  # type: ignore[arg-type]
            session.after_the_fact(lambda fresh: write(fresh, f"noted by {fresh.actor}"))
            session.after_the_fact(lambda fresh: 1 // 0)  # does not spoil the others
            session.after_the_fact(lambda fresh: write(fresh, "and this"))
            session.after_commit(lambda: heard.append("committed"))
            if ending == "give_up":
                session.give_up()
            elif ending == "foreign":
                session.bind.rollback()
            elif ending == "commit fails":
                session.add(Note(words=None))
            elif ending != "success":
                raise {"exception": ValueError, "exit": SystemExit}[ending]

    fails = {"exception": ValueError, "exit": SystemExit, "foreign": Fault, "commit fails": IntegrityError}
    if ending in fails:
        with pytest.raises(fails[ending]):
            work()
    else:
        work()
    assert words(storage) == ["and this", "noted by somebody"]
    assert heard == (["committed"] if ending == "success" else [])


def test_deeds_of_a_reading_unit_may_write(storage: Storage, both_engines: str) -> None:
    with storage.reading() as session:
        session.after_the_fact(lambda fresh: write(fresh, "seen"))
    assert words(storage) == ["seen"]


def test_a_failing_follow_up_does_not_make_a_commit_look_failed(storage: Storage) -> None:
    done: list[int] = []
    with storage.writing() as session:
        write(session, "kept")
        session.after_commit(lambda: 1 // 0)
        session.after_commit(lambda: done.append(1))
    assert (words(storage), done) == (["kept"], [1])


WRITES: dict[str, Callable[[WorkSession], Any]] = {
    "ORM add": lambda session: (session.add(Note(words="x")), session.flush()),
    "ORM insert": lambda session: session.execute(insert(Note), [{"words": "x"}]),
    "ORM update": lambda session: session.execute(update(Note).values(words="x")),
    "ORM delete": lambda session: session.execute(delete(Note)),
    "ORM change": lambda session: (
        setattr(session.scalars(select(Note)).one(), "words", "y") or session.flush()
    ),
    "ORM removal": lambda session: session.delete(session.scalars(select(Note)).one()) or session.flush(),
    "Core insert": lambda session: write(session, "x"),
    "Core update": lambda session: session.execute(update(n).values(words="x")),
    "Core delete": lambda session: session.execute(delete(n)),
    "text": lambda session: session.execute(text("DELETE FROM unit_note")),
    "text in disguise": lambda session: session.execute(text("/**/ UPDATE unit_note SET words = 'x'")),
    "past the session": run_on_driver("DELETE FROM unit_note"),
    "across centres": lambda session: session.across_centres("x").__enter__() or write(session, "x"),
}


@pytest.mark.parametrize("how", WRITES)
def test_a_reading_unit_refuses_every_write(storage: Storage, both_engines: str, how: str) -> None:
    with storage.writing() as session:
        write(session, "there")
    with pytest.raises((Fault, DBAPIError)), storage.reading() as session:
        WRITES[how](session)
    assert words(storage) == ["there"]
    with storage.writing() as session:  # the pooled connection was not left read-only
        write(session, "more")


def test_a_reader_does_not_wait_for_a_writer(storage: Storage, both_engines: str) -> None:
    with storage.writing() as writer:
        write(writer, "not yet")
        started = time.monotonic()
        found: list[list[str]] = []
        thread = threading.Thread(target=lambda: found.append(words(storage)))
        thread.start()
        thread.join(5)
        assert found == [[]]
        assert time.monotonic() - started < 2
    assert words(storage) == ["not yet"]


def test_a_writer_inside_a_writer_is_told_instead_of_hanging(storage: Storage) -> None:
    with storage.writing(), pytest.raises(Fault, match="session at hand"), storage.writing():
        pass
    with storage.writing() as session:
        write(session, "free again")


def race(storage: Storage, threads: int, seconds: float) -> tuple[Counter[int], float]:
    counts: Counter[int] = Counter()
    waits: list[float] = []
    start, stop = threading.Barrier(threads), threading.Event()

    def sell(worker: int) -> None:
        start.wait()
        while not stop.is_set():
            asked = time.monotonic()
            with storage.writing() as session:
                waits.append(time.monotonic() - asked)
                write(session, str(new_id()))
            counts[worker] += 1

    workers = [threading.Thread(target=sell, args=(worker,)) for worker in range(threads)]
    for worker in workers:
        worker.start()
    time.sleep(seconds)
    stop.set()
    for worker in workers:
        worker.join()
    return counts, max(waits)


def test_four_writers_at_full_speed_are_served_fairly(storage: Storage) -> None:
    counts, longest = race(storage, 4, 1.5)
    assert min(counts.values()) / max(counts.values()) > 0.9
    assert longest < 1  # 0.1 on a quiet machine; the tests share theirs
    assert len(words(storage)) == counts.total()


@pytest.mark.postgres
def test_writers_on_postgresql_do_not_queue_on_each_other(storage: Storage) -> None:
    with storage.writing() as first, storage.writing() as second:
        write(first, "a")
        write(second, "b")
    assert words(storage) == ["a", "b"]


def test_the_time_and_whose_unit_it_is_are_fixed(storage: Storage, clock: Any) -> None:
    centre, now = new_id(), clock()
    with storage.writing(centre_id=centre, actor="wang") as session:  # type: ignore[arg-type]
        clock.move(hours=1)
        assert (session.centre_id, session.actor, session.now) == (centre, "wang", now)
        assert session.now.utcoffset() == timedelta(0)


def test_changes_name_keys_and_fields_and_no_values(storage: Storage) -> None:
    with storage.writing() as session:
        note = Note(words="secret")
        session.add(note)
        session.flush()
        note.words = "more secret"
        session.flush()
        note.words = note.words  # no change
        session.flush()
        session.delete(note)
        session.flush()
        session.note("unit_note", 7, ("words",))
        key = str(note.id)
        assert session.changes == [
            Change("unit_note", key, "insert"),
            Change("unit_note", key, "update", ("words",)),
            Change("unit_note", key, "delete"),
            Change("unit_note", "7", "update", ("words",)),
        ]


def test_a_session_kept_beyond_its_unit_is_of_no_use(storage: Storage) -> None:
    with storage.writing() as session:
        write(session, "kept")
    with pytest.raises(Exception, match="closed"):
        write(session, "late")
    assert words(storage) == ["kept"]


def test_what_prepares_a_unit_may_fail(storage: Storage) -> None:
    storage.prepare = lambda session: 1 // 0
    with pytest.raises(ZeroDivisionError), storage.writing():
        pass
    storage.prepare = lambda session: write(session, "prepared")
    with storage.writing():
        pass
    storage.prepare = lambda session: None
    assert words(storage) == ["prepared"]
