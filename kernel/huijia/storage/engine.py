"""One URL, two engines. What only one of them has sits behind a function here, its counterpart beside it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from random import uniform
from time import monotonic, sleep
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, TextClause, TextualSelect, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from huijia.errors import Fault

WRITES = "huijia_writes"  # execution option: True takes SQLite's write lock at once, False refuses writes
UNIT = "huijia_unit"  # execution option: only whoever began the transaction ends it; "tables" may be altered
_MAY_END = "huijia_may_end"  # connection.info: that one is at it
_READS_ONLY = "huijia_reads_only"  # connection.info: how the pooled connection was left

BUSY_TIMEOUT_MS = 10_000
# FULL: acknowledged value survives a power cut. recursive_triggers: REPLACE must not pass delete triggers.
PRAGMAS = (
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",  # first: even WAL has to wait for a lock
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA recursive_triggers=ON",
    "PRAGMA trusted_schema=OFF",
)
_NOISE = re.compile(r"/\*.*?\*/|--[^\n]*|'(?:[^']|'')*'", re.DOTALL)
_ENDS = re.compile(r"^\s*(begin|commit|end|rollback|abort|start|savepoint|release|prepare)\b", re.IGNORECASE)
_ALTERS = re.compile(
    r"^\s*(create|alter|drop|truncate|reindex|vacuum|attach|detach|pragma|set|copy)\b|;\s*\S", re.IGNORECASE
)


def sqlite_module() -> ModuleType:
    """The SQLite library: the wheel with a current engine where there is one (Linux), else Python's."""
    if sys.platform == "linux":
        from pysqlite3 import dbapi2

        return dbapi2
    import sqlite3

    return sqlite3


# Parameters hold personal values; they must not reach the log by way of an error.
_DISCREET = {"hide_parameters": True}


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://…`, with our transactions and pragmas."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        pool: Any = {"pool_size": 32, "max_overflow": 32, "pool_use_lifo": True, **_DISCREET}
        engine = create_engine(parsed, module=sqlite_module(), **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif parsed.get_backend_name() == "postgresql":
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        # prepare_threshold=None: PgBouncer in transaction mode knows no prepared statements.
        pool = {"pool_pre_ping": True, "pool_size": 16, "max_overflow": 16, **_DISCREET}
        engine = create_engine(parsed, connect_args={"prepare_threshold": None}, **pool)
    else:
        name = parsed.get_backend_name()
        raise ValueError(f"{name} is not supported; use sqlite:/// or postgresql+psycopg://.")
    event.listen(engine, "commit", _refuse_foreign_commit)
    event.listen(engine, "before_cursor_execute", _refuse_transaction_words)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions of its own: SAVEPOINT and DDL would slip out of ours.
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES)
    raw: Any = connection.connection.driver_connection  # a tenth of exec_driver_sql, and twice a request
    if connection.info.get(_READS_ONLY, False) is not (writes is False):
        connection.info[_READS_ONLY] = writes is False
        raw.execute(f"PRAGMA query_only={int(writes is False)}")
    if writes:
        _queue_for_writing(connection, raw)
    else:
        raw.execute("BEGIN DEFERRED")


def _queue_for_writing(connection: Connection, raw: Any) -> None:
    """Begin with the write lock. SQLite's own naps grow until some process starves; ours stay short."""
    deadline = monotonic() + BUSY_TIMEOUT_MS / 1000
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                raw.execute("BEGIN IMMEDIATE")
                return
            except connection.dialect.loaded_dbapi.OperationalError as error:
                if "locked" not in str(error) or monotonic() > deadline:
                    raise
                sleep(uniform(0.001, 0.004))
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")


@contextmanager
def ending(connection: Connection) -> Iterator[None]:
    """Inside, the transaction of a `UNIT` may begin and end."""
    info = connection.info  # kept: a closed connection no longer tells
    info[_MAY_END] = True
    try:
        yield
    finally:
        info.pop(_MAY_END, None)


def _guarded(connection: Connection) -> bool:
    return UNIT in connection.get_execution_options() and _MAY_END not in connection.info


def _refuse_foreign_commit(connection: Connection) -> None:
    if _guarded(connection):
        raise Fault("A plugin tried to commit; the transaction belongs to the door.")


def _refuse_transaction_words(
    connection: Connection, _cursor: Any, statement: str, _rows: Any, context: Any, _many: bool
) -> None:
    # What SQLAlchemy itself has built (SAVEPOINT among it) is compiled; text and driver calls are somebody's.
    compiled = context.compiled
    if compiled is not None and not isinstance(compiled.statement, TextClause | TextualSelect):
        return
    if _guarded(connection) and _is_foreign(statement, connection.get_execution_options()[UNIT]):
        what = statement.strip()[:40]
        raise Fault(f"{what!r} is refused: the transaction belongs to the door, tables to migrations.")


@lru_cache(maxsize=2048)
def _is_foreign(statement: str, unit: str) -> bool:
    plain = _NOISE.sub(" ", statement)
    return bool(_ENDS.search(plain) or (unit != "tables" and _ALTERS.search(plain)))


def is_whole(connection: Connection) -> bool:
    """False where the database has given the transaction up; a commit would then silently keep nothing."""
    driver: Any = connection.connection.driver_connection
    if dialect_of(connection) == "sqlite":
        return driver.in_transaction
    from psycopg.pq import TransactionStatus

    return driver.info.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS)


def dialect_of(owner: Session | Connection | Engine) -> str:
    """`"sqlite"` or `"postgresql"`."""
    bind = owner.get_bind() if isinstance(owner, Session) else owner
    return bind.dialect.name


def is_passing(error: BaseException) -> bool:
    """True where the same request may succeed a moment later: locked, timed out, cut off."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    state = getattr(error.orig, "sqlstate", None)
    if state:
        return state[:2] in ("40", "53", "57", "08") or state == "55P03"
    return error.connection_invalidated or any(w in str(error.orig) for w in ("locked", "busy", "connection"))


def is_undone(error: BaseException) -> bool:
    """True where the database surely undid the work (deadlock, conflict, lock): do it again at once."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return is_passing(error) and (state[:2] == "40" or state == "55P03" if state else "locked" in str(error))
