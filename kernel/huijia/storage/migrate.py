"""Tables of one line of migrations, the kernel's or a plugin's, brought up to date or back.

A line is whole or not at all: one transaction, under a lock, whose end is refused where the line
touched tables outside its prefix. Version files lie in `migrations/` and say `from alembic import op`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, MetaData, func, inspect, select, table, text

from huijia.errors import Fault, PluginFault
from huijia.storage.base import NAMING
from huijia.storage.ddl import append_only, missing_guards
from huijia.storage.engine import UNIT, WRITES, dialect_of, ending, is_whole

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

_LOCK = 0x48554D49  # PostgreSQL's advisory lock of all lines: they share functions, and rows they refer to
_SHAPE = {  # owner table, kind, definition of everything that a line may make
    "sqlite": "SELECT tbl_name, type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
    "postgresql": """
        WITH ours AS (SELECT oid, relname, relkind FROM pg_class
                      WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r','p','v','m'))
        SELECT relname, 'relation ' || relname, relkind::text FROM ours
        UNION ALL SELECT o.relname, 'column ' || a.attname,
               concat(format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
            FROM ours o JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef d ON d.adrelid = o.oid AND d.adnum = a.attnum
        UNION ALL SELECT o.relname, 'constraint ' || c.conname, pg_get_constraintdef(c.oid)
            FROM ours o JOIN pg_constraint c ON c.conrelid = o.oid
        UNION ALL SELECT o.relname, 'index ' || i.indexrelid::regclass, pg_get_indexdef(i.indexrelid)
            FROM ours o JOIN pg_index i ON i.indrelid = o.oid
        UNION ALL SELECT o.relname, 'trigger ' || t.tgname, concat(pg_get_triggerdef(t.oid), t.tgenabled)
            FROM ours o JOIN pg_trigger t ON t.tgrelid = o.oid AND NOT t.tgisinternal""",
}


@dataclass(frozen=True)
class Line:
    """The migrations of the kernel (`huijia`) or of one plugin, which own the tables `NAME_…`."""

    name: str
    folder: Path
    metadata: MetaData | None = None

    @property
    def prefix(self) -> str:
        return f"{self.name}_"

    @property
    def version_table(self) -> str:
        return f"{self.name}_alembic_version"


def kernel_line() -> Line:
    """The kernel's own line."""
    from huijia.storage.base import KernelBase

    return Line("huijia", Path(__file__).parents[1] / "migrations", KernelBase.metadata)


def is_current(connection: Connection, line: Line | None = None) -> bool:
    """True where nothing of a line (the kernel's, unless given) waits to be migrated."""
    return not pending(connection, line or kernel_line())


def pending(connection: Connection, line: Line) -> list[str]:
    """Revisions that have not run, oldest first."""
    script = _script(line)
    steps = _steps(line, lambda: script._upgrade_revs("heads", _version(connection, line)))  # type: ignore[arg-type]
    return [step.revision.revision for step in steps]


def upgrade(engine: Engine, line: Line) -> list[str]:
    """Bring a line up to date; the revisions that ran, oldest first.

    Raises whatever a migration raises, or PluginFault where it broke a rule; all is as before then.
    Guards of append-only tables that a migration lost, as a batch does, are put back.
    """
    return _run(engine, line, lambda script, version: script._upgrade_revs("heads", version))


def downgrade(engine: Engine, line: Line, to: str) -> list[str]:
    """Bring a line back to revision `to`, or to `"base"`; the revisions undone, newest first."""
    return _run(engine, line, lambda script, version: script._downgrade_revs(to, version))


def tables_of(connection: Connection, name: str) -> dict[str, int]:
    """A plugin's tables as they stand in the database, with their numbers of rows."""
    found = [t for t in inspect(connection).get_table_names() if t.startswith(f"{name}_")]
    counts = {
        t: select(func.count()).select_from(table(t)) for t in found if not t.endswith("_alembic_version")
    }
    return {t: connection.scalar(count) or 0 for t, count in sorted(counts.items())}


def _script(line: Line) -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(line.folder), version_locations=[str(line.folder)])


def _version(connection: Connection, line: Line) -> tuple[str, ...]:
    from alembic.migration import MigrationContext

    context = MigrationContext.configure(connection, opts={"version_table": line.version_table})
    return context.get_current_heads()


def _steps(line: Line, find: Callable[[], Iterable[Any]]) -> list[Any]:
    from alembic.util import CommandError

    try:
        return list(find())
    except CommandError as error:
        words = (
            f"The migrations of {line.name} do not fit its tables ({error}); install the one that made them."
        )
        raise PluginFault(line.name, words) from error


def _run(engine: Engine, line: Line, plan: Callable[..., Iterable[Any]]) -> list[str]:
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    script, done = _script(line), []

    def find(version: Any, _context: Any) -> list[Any]:
        steps = _steps(line, lambda: plan(script, version))
        done.extend(step.revision.revision for step in steps)
        return steps

    with _locked(engine) as connection:
        before = _foreign_shape(connection, line)
        options = {
            "version_table": line.version_table,
            "target_metadata": line.metadata or MetaData(naming_convention=NAMING),
            "fn": find,
            "script": script,
        }
        context = MigrationContext.configure(connection, opts=options)
        with Operations.context(context):
            context.run_migrations()
        for name in missing_guards(connection):
            if name.startswith(line.prefix):
                append_only(connection, name)
        _check(connection, line, before)
    return done


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other migration shares in time; foreign keys are left to its end."""
    with engine.connect() as connection:
        connection.execution_options(**{WRITES: True, UNIT: "tables"})
        sqlite: Any = connection.connection.driver_connection if dialect_of(connection) == "sqlite" else None
        if sqlite:  # before BEGIN: a batch drops the old table, and would cascade
            sqlite.execute("PRAGMA foreign_keys=OFF")
        try:
            with ending(connection):
                transaction = connection.begin()
            if not sqlite:
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            try:
                yield connection
                if not is_whole(connection):
                    raise Fault(
                        "A migration ended the transaction; what it did before that cannot be undone."
                    )
                with ending(connection):
                    transaction.commit()
            finally:
                transaction.close()
        finally:
            if sqlite:
                sqlite.execute("PRAGMA foreign_keys=ON")


def _foreign_shape(connection: Connection, line: Line) -> set[tuple[str, ...]]:
    rows = connection.execute(text(_SHAPE[dialect_of(connection)]))
    return {tuple(map(str, row)) for row in rows if not row[0].startswith(line.prefix)}


def _check(connection: Connection, line: Line, before: set[tuple[str, ...]]) -> None:
    touched = sorted({row[0] for row in before ^ _foreign_shape(connection, line)})
    if touched:
        words = f"A migration of {line.name} touched {', '.join(touched)}; it may only touch {line.prefix}…"
        raise PluginFault(line.name, f"{words} Nothing was changed.")
    if dialect_of(connection) == "sqlite":
        found = connection.exec_driver_sql("PRAGMA foreign_key_check")
        broken = {
            (row[0], row[2]) for row in found if any(str(n).startswith(line.prefix) for n in (row[0], row[2]))
        }
        if broken:
            words = "; ".join(
                f"{child} refers to rows of {parent} that are not there" for child, parent in broken
            )
            raise PluginFault(line.name, f"A migration of {line.name} was undone: {words}.")
