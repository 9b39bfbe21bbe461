"""Append-only tables: whatever would change a row is refused by the database itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huijia.storage.base import KernelBase
from huijia.storage.ddl import GUARDED, append_only, expected_guards, missing_guards
from huijia.storage.engine import make_engine
from huijia.storage.migrate import Line, upgrade
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError


@pytest.fixture
def engine(engine_url: str) -> Iterator[Engine]:
    engine = make_engine(engine_url)
    KernelBase.metadata.create_all(engine, tables=[GUARDED])
    run(engine, "CREATE TABLE trial_entry (id INTEGER PRIMARY KEY, code TEXT UNIQUE, n INTEGER)")
    run(engine, "INSERT INTO trial_entry VALUES (1, 'a', 5), (2, 'b', 5)")
    with engine.begin() as connection:
        append_only(connection, "trial_entry")
    yield engine
    engine.dispose()


def run(engine: Engine, statement: str) -> Any:
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        return [tuple(row) for row in result] if result.returns_rows else result.rowcount


CHANGES = {  # statement, and the engines it exists on
    "UPDATE trial_entry SET n = 6": "both",
    "UPDATE trial_entry SET n = n": "both",
    "UPDATE trial_entry SET n = 6 WHERE id = 1": "both",
    "DELETE FROM trial_entry": "both",
    "DELETE FROM trial_entry WHERE id = 2": "both",
    "INSERT INTO trial_entry VALUES (1, 'c', 6) ON CONFLICT (id) DO UPDATE SET n = 6": "both",
    "INSERT INTO trial_entry VALUES (3, 'a', 6) ON CONFLICT (code) DO UPDATE SET n = 6": "both",
    "INSERT OR REPLACE INTO trial_entry VALUES (1, 'c', 6)": "sqlite",
    "REPLACE INTO trial_entry VALUES (1, 'a', 6)": "sqlite",
    "REPLACE INTO trial_entry VALUES (3, 'a', 6)": "sqlite",  # over another unique key
    "UPDATE OR REPLACE trial_entry SET code = 'b' WHERE id = 1": "sqlite",
    "TRUNCATE trial_entry": "postgresql",
    "TRUNCATE trial_entry CASCADE": "postgresql",
    "MERGE INTO trial_entry t USING (SELECT 1 AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE": "postgresql",
    "WITH gone AS (DELETE FROM trial_entry RETURNING 1) SELECT * FROM gone": "postgresql",
}


def test_every_change_is_refused_and_says_why(engine: Engine, both_engines: str) -> None:
    for statement, where in CHANGES.items():
        if where in ("both", both_engines):
            with pytest.raises(DBAPIError, match=r"trial_entry is append-only.*record a correction"):
                run(engine, statement)
    assert run(engine, "SELECT * FROM trial_entry ORDER BY id") == [(1, "a", 5), (2, "b", 5)]


def test_inserts_go_on(engine: Engine, both_engines: str) -> None:
    run(engine, "INSERT INTO trial_entry VALUES (3, 'c', 1)")
    assert run(engine, "INSERT INTO trial_entry VALUES (4, 'c', 1) ON CONFLICT (code) DO NOTHING") == 0
    assert run(engine, "SELECT count(*) FROM trial_entry") == [(3,)]


def test_a_visitor_without_our_pragmas_cannot_replace_a_key(engine: Engine) -> None:
    visitor = sqlite3.connect(str(engine.url.database))
    for statement in ("REPLACE INTO trial_entry VALUES (1, 'x', 6)", "DELETE FROM trial_entry"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            visitor.execute(statement)
    visitor.close()


def test_a_key_of_several_columns_is_guarded(engine: Engine, both_engines: str) -> None:
    run(engine, "CREATE TABLE trial_pair (a INTEGER, b INTEGER, n INTEGER, PRIMARY KEY (a, b))")
    with engine.begin() as connection:
        append_only(connection, "trial_pair")
    run(engine, "INSERT INTO trial_pair VALUES (1, 1, 1), (1, 2, 1)")
    if both_engines == "sqlite":
        with pytest.raises(DBAPIError, match="append-only"):
            run(engine, "REPLACE INTO trial_pair VALUES (1, 2, 5)")


SABOTAGE = {
    "sqlite": (
        "DROP TRIGGER trial_entry_no_update",
        "DROP TRIGGER trial_entry_no_delete",
        "DROP TRIGGER trial_entry_no_replace",
    ),
    "postgresql": (
        "DROP TRIGGER trial_entry_only_grows ON trial_entry",
        "ALTER TABLE trial_entry DISABLE TRIGGER ALL",
        "CREATE OR REPLACE FUNCTION huijia_refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RETURN NULL; END $$",
    ),
}


@pytest.mark.parametrize("number", range(3))
def test_a_guard_that_vanished_is_missed(engine: Engine, both_engines: str, number: int) -> None:
    with engine.connect() as connection:
        assert missing_guards(connection) == {}
        assert list(expected_guards(connection)) == ["trial_entry"]
    run(engine, SABOTAGE[both_engines][number])
    with engine.connect() as connection:
        ((table, (guard,)),) = missing_guards(connection).items()
        assert (table, guard.startswith("trial_entry_")) == ("trial_entry", True)


def test_a_guard_of_the_same_name_that_guards_nothing_is_missed(engine: Engine) -> None:
    run(engine, "DROP TRIGGER trial_entry_no_update")
    run(engine, "CREATE TRIGGER trial_entry_no_update BEFORE UPDATE ON trial_entry BEGIN SELECT 1; END")
    with engine.connect() as connection:
        assert missing_guards(connection) == {"trial_entry": ["trial_entry_no_update"]}


def test_a_batch_migration_does_not_lose_the_guards(
    engine: Engine, tmp_path: Path, both_engines: str
) -> None:
    (tmp_path / "0001_more.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision, down_revision = '0001', None\n"
        "def upgrade():\n    with op.batch_alter_table('trial_entry', recreate='auto') as batch:\n"
        "        batch.alter_column('n', nullable=False)\n"
    )
    upgrade(engine, Line("trial", tmp_path))
    with engine.connect() as connection:
        assert missing_guards(connection) == {}
    with pytest.raises(DBAPIError, match="append-only"):
        run(engine, "DELETE FROM trial_entry")


def test_tables_that_went_are_not_missed(engine: Engine, both_engines: str) -> None:
    run(engine, "DROP TABLE trial_entry")
    with engine.connect() as connection:
        assert missing_guards(connection) == {}


def test_a_database_without_tables_has_no_guards(engine_url: str) -> None:
    empty = make_engine(engine_url)
    with empty.connect() as connection:
        assert missing_guards(connection) == expected_guards(connection) == {}
    empty.dispose()
