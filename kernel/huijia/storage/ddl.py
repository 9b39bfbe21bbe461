"""Tables that only grow: the database itself refuses to change what is in them."""

from __future__ import annotations

from sqlalchemy import Column, Connection, String, Table, inspect, text

from huijia.storage.base import KernelBase
from huijia.storage.engine import dialect_of

# What must be guarded is remembered in the database, so that a guard that vanished is missed.
GUARDED = Table("huijia_guarded", KernelBase.metadata, Column("name", String(63), primary_key=True))

_WHY = "is append-only: what was recorded stays; record a correction instead"
_FUNCTION = "huijia_refuse_change"
_BODY = f" BEGIN RAISE EXCEPTION '% {_WHY}', TG_TABLE_NAME USING ERRCODE = '23000'; END "
# Enabled, before UPDATE, DELETE and TRUNCATE, for the whole statement, without a condition.
_STANDING = text("""
    SELECT t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = to_regclass(quote_ident(:name)) AND t.tgtype = 58 AND t.tgenabled IN ('O', 'A')
      AND t.tgqual IS NULL AND p.proname = :function AND p.prosrc = :body
""").bindparams(function=_FUNCTION, body=_BODY)


def append_only(bind: Connection, table: str) -> None:
    """In a migration, `append_only(op.get_bind(), TABLE)`: INSERT goes on, the database refuses the rest.

    On SQLite, REPLACE over a unique key that is not the primary one is refused
    only where `recursive_triggers` is on, as it is on every connection of ours.
    """
    if dialect_of(bind) == "postgresql":
        head = f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql"
        bind.exec_driver_sql(f"{head} AS $${_BODY}$$".replace("%", "%%"))
    for name, statement in _guards(bind, table).items():
        at = f' ON "{table}"' if dialect_of(bind) == "postgresql" else ""
        bind.exec_driver_sql(f'DROP TRIGGER IF EXISTS "{name}"{at}')
        bind.exec_driver_sql(statement)
    bind.execute(GUARDED.delete().where(GUARDED.c.name == table))
    bind.execute(GUARDED.insert().values(name=table))


def expected_guards(bind: Connection) -> dict[str, list[str]]:
    """Every append-only table that is there, with the names of its triggers."""
    tables = set(inspect(bind).get_table_names())
    if GUARDED.name not in tables:
        return {}
    guarded = bind.scalars(GUARDED.select().order_by("name"))
    return {table: sorted(_guards(bind, table)) for table in guarded if table in tables}


def missing_guards(bind: Connection) -> dict[str, list[str]]:
    """Append-only tables with those of their triggers that were removed, disabled or altered."""
    missing = {}
    for table, names in expected_guards(bind).items():
        standing = _standing(bind, table)
        missing[table] = [name for name in names if name not in standing]
    return {table: names for table, names in missing.items() if names}


def _standing(bind: Connection, table: str) -> set[str]:
    if dialect_of(bind) == "postgresql":
        return set(bind.scalars(_STANDING, {"name": table}))
    found = bind.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {name for name, _ in _guards(bind, table).items() & {(name, sql) for name, sql in found}}


def _guards(bind: Connection, table: str) -> dict[str, str]:
    if dialect_of(bind) == "postgresql":
        name = f"{table}_only_grows"
        events = f'BEFORE UPDATE OR DELETE OR TRUNCATE ON "{table}" FOR EACH STATEMENT'
        return {name: f'CREATE TRIGGER "{name}" {events} EXECUTE FUNCTION {_FUNCTION}()'}
    keys = inspect(bind).get_pk_constraint(table)["constrained_columns"]
    same = " AND ".join(f'"{key}" = NEW."{key}"' for key in keys)
    there_already = f' WHEN EXISTS (SELECT 1 FROM "{table}" WHERE {same})'
    events = {"update": "UPDATE", "delete": "DELETE", "replace": "INSERT"}
    return {
        f"{table}_no_{what}": f'CREATE TRIGGER "{table}_no_{what}" BEFORE {event} ON "{table}"'
        f"{there_already if what == 'replace' else ''} BEGIN SELECT RAISE(ABORT, '{table} {_WHY}'); END"
        for what, event in events.items()
    }
