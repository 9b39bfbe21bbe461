"""Lines of migrations: whole or not at all, each to its own tables, and nothing but a file to write."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.util import CommandError
from huijia.errors import Fault, PluginFault
from huijia.storage import migrate
from huijia.storage.base import NAMING, KernelBase
from huijia.storage.ddl import missing_guards
from huijia.storage.engine import make_engine
from huijia.storage.migrate import (
    Line,
    downgrade,
    is_current,
    kernel_line,
    pending,
    tables_of,
    upgrade,
)
from sqlalchemy import Engine, MetaData, event, inspect
from sqlalchemy.exc import DBAPIError

HEAD = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = {revision!r}, {down!r}
def upgrade():
    {up}
def downgrade():
    {back}
"""
TABLE = "op.create_table('{0}', sa.Column('id', sa.Integer, primary_key=True), sa.Column('n', sa.Integer))"
FIRST = TABLE.format("trial_thing")


@pytest.fixture
def engine(engine_url: str) -> Iterator[Engine]:
    engine = make_engine(engine_url)
    yield engine
    engine.dispose()


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line("trial", tmp_path, MetaData(naming_convention=NAMING))


def add(line: Line, *steps: str, back: str = "pass") -> None:
    """Version files with these bodies, after those that are there."""
    there = len(list(line.folder.glob("*.py")))
    for number, body in enumerate(steps, there + 1):
        words = {"revision": f"{number:04}", "down": f"{number - 1:04}" if number > 1 else None}
        lines = "\n    ".join(body.splitlines())
        (line.folder / f"{number:04}_step.py").write_text(HEAD.format(**words, up=lines, back=back))


def state(engine: Engine, line: Line) -> tuple[list[str], list[str]]:
    """What is pending, and the tables that are there."""
    with engine.connect() as connection:
        tables = [t for t in inspect(connection).get_table_names() if not t.endswith("_alembic_version")]
        return pending(connection, line), sorted(tables)


def run(engine: Engine, statement: str) -> Any:
    with engine.begin() as connection:
        result = connection.exec_driver_sql(statement)
        return result.fetchall() if result.returns_rows else None


def test_a_line_is_brought_up_to_date_step_by_step(engine: Engine, line: Line, both_engines: str) -> None:
    add(line, FIRST, "op.add_column('trial_thing', sa.Column('words', sa.String(20)))")
    assert state(engine, line) == (["0001", "0002"], [])
    assert upgrade(engine, line) == ["0001", "0002"]
    assert upgrade(engine, line) == []
    assert state(engine, line) == ([], ["trial_thing"])
    add(line, TABLE.format("trial_more"))
    assert upgrade(engine, line) == ["0003"]
    run(engine, "INSERT INTO trial_thing VALUES (1, 2, 'x')")
    with engine.connect() as connection:
        assert tables_of(connection, "trial") == {"trial_more": 0, "trial_thing": 1}
        assert is_current(connection, line)


def test_downgrade_goes_back(engine: Engine, line: Line, both_engines: str) -> None:
    add(line, FIRST, back="op.drop_table('trial_thing')")
    add(line, TABLE.format("trial_more"), back="op.drop_table('trial_more')")
    upgrade(engine, line)
    assert downgrade(engine, line, "0001") == ["0002"]
    assert state(engine, line) == (["0002"], ["trial_thing"])
    assert downgrade(engine, line, "base") == ["0001"]
    assert upgrade(engine, line) == ["0001", "0002"]


def test_lines_do_not_know_each_other(engine: Engine, line: Line, tmp_path: Path, both_engines: str) -> None:
    other = Line("other", tmp_path / "other")
    other.folder.mkdir()
    add(line, FIRST)
    add(other, TABLE.format("other_thing"))  # the same revision id
    upgrade(engine, line)
    upgrade(engine, other)
    # The wheel of one is removed: its tables stay, and hinder nothing.
    (line.folder / "0001_step.py").unlink()
    add(other, TABLE.format("other_more"))
    assert upgrade(engine, other) == ["0002"]
    assert state(engine, other)[1] == ["other_more", "other_thing", "trial_thing"]


BROKEN: dict[str, str] = {
    "raises at once": "raise KeyError('x')",
    "raises half-way": f"{FIRST}\nop.add_column('trial_old', sa.Column('x', sa.Integer))\nraise KeyError",
    "wrong SQL after a table": f"{FIRST}\nop.execute('SELECT nothing FROM nowhere')",
    "commits": f"{FIRST}\nop.get_bind().commit()",
    "commits by text": f"{FIRST}\nop.execute('COMMIT')",
    "commits by text in disguise": f"{FIRST}\nop.execute(' /* x */ commit')",
    "leaves the transaction": f"{FIRST}\nwith op.get_context().autocommit_block():\n    pass",
    "rolls back": f"{FIRST}\nop.get_bind().rollback()",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_line_that_fails_leaves_everything_as_before(
    engine: Engine, line: Line, both_engines: str, how: str
) -> None:
    add(line, TABLE.format("trial_old"))
    upgrade(engine, line)
    add(line, TABLE.format("trial_fine"), BROKEN[how])
    for _ in range(2):  # and a second attempt fails alike
        with pytest.raises((Fault, KeyError, DBAPIError, AssertionError, CommandError)):
            upgrade(engine, line)
        assert state(engine, line) == (["0002", "0003"], ["trial_old"])
        assert [column["name"] for column in inspect(engine).get_columns("trial_old")] == ["id", "n"]
    (line.folder / "0003_step.py").unlink()
    add(line, FIRST)
    assert upgrade(engine, line) == ["0002", "0003"]


TRESPASSES: dict[str, str] = {
    "makes a table": TABLE.format("other_table"),
    "a prefix is not a beginning": TABLE.format("trials_table"),
    "alters a table": "op.add_column('other_thing', sa.Column('x', sa.Integer))",
    "renames a column": "op.alter_column('other_thing', 'n', new_column_name='m')",
    "drops a table": "op.drop_table('other_thing')",
    "renames a foreign table into its own": "op.rename_table('other_thing', 'trial_grabbed')",
    "renames its own into a foreign one": "op.rename_table('trial_old', 'other_new')",
    "makes an index": "op.create_index('trial_sly', 'other_thing', ['n'])",
    "makes a view": "op.execute('CREATE VIEW other_view AS SELECT 1 AS x')",
    "touches the version of another": "op.drop_table('other_alembic_version')",
    "makes a table of the kernel's": TABLE.format("huijia_thing"),
    "drops a trigger": "op.execute('DROP TRIGGER other_watch' + (' ON other_thing' if PG else ''))",
    "makes a trigger": "op.execute(TRIGGER.format('trial_sly'))",
}
WATCH = {
    "sqlite": "CREATE TRIGGER {0} BEFORE DELETE ON other_thing BEGIN SELECT RAISE(ABORT, 'no'); END",
    "postgresql": "CREATE TRIGGER {0} BEFORE DELETE ON other_thing EXECUTE FUNCTION "
    "suppress_redundant_updates_trigger()",
}


@pytest.mark.parametrize("how", TRESPASSES)
def test_tables_of_others_are_not_touched(engine: Engine, line: Line, both_engines: str, how: str) -> None:
    other = Line("other", line.folder / "other")
    other.folder.mkdir()
    add(other, TABLE.format("other_thing") + f"\nop.execute({WATCH[both_engines].format('other_watch')!r})")
    upgrade(engine, other)
    add(line, TABLE.format("trial_old"))
    upgrade(engine, line)
    before = state(engine, line)
    constants = f"PG, TRIGGER = {both_engines == 'postgresql'}, {WATCH[both_engines]!r}\n"
    add(line, constants + TRESPASSES[how])
    with pytest.raises(PluginFault, match=r"may only touch trial_…") as raised:
        upgrade(engine, line)
    assert raised.value.plugin == "trial"
    assert state(engine, line) == (["0002"], before[1])
    assert state(engine, other)[0] == []


def test_the_kernel_keeps_to_its_own_prefix(engine: Engine, tmp_path: Path) -> None:
    line = Line("huijia", tmp_path)
    add(line, TABLE.format("trial_thing"))
    with pytest.raises(PluginFault, match="trial_thing"):
        upgrade(engine, line)


def test_code_older_than_the_tables_is_told_so(engine: Engine, line: Line, both_engines: str) -> None:
    add(line, FIRST, TABLE.format("trial_more"))
    upgrade(engine, line)
    (line.folder / "0002_step.py").unlink()
    for attempt in (lambda: upgrade(engine, line), lambda: state(engine, line)):
        with pytest.raises(PluginFault, match="install"):
            attempt()


FAMILY = """
op.create_table('trial_parent', sa.Column('id', sa.Integer, primary_key=True), sa.Column('n', sa.Integer))
op.create_table('trial_child', sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('parent_id', sa.Integer, sa.ForeignKey('trial_parent.id', ondelete='CASCADE')))
op.execute('INSERT INTO trial_parent VALUES (1, 1)')
op.execute('INSERT INTO trial_child VALUES (1, 1)')
"""


def test_a_batch_rebuild_keeps_the_children(engine: Engine, line: Line, both_engines: str) -> None:
    alter = "with op.batch_alter_table('trial_parent') as batch:\n    batch.alter_column('n', nullable=False)"
    add(line, FAMILY.strip(), alter)
    upgrade(engine, line)
    assert run(engine, "SELECT count(*) FROM trial_child") == [(1,)]
    with pytest.raises(DBAPIError):  # foreign keys are on again
        run(engine, "INSERT INTO trial_child VALUES (2, 7)")


def test_a_reference_to_nothing_is_not_committed(engine: Engine, line: Line, both_engines: str) -> None:
    add(line, FAMILY.strip(), "op.execute('INSERT INTO trial_child VALUES (2, 7)')")
    with pytest.raises((PluginFault, DBAPIError), match=r"trial_parent"):
        upgrade(engine, line)
    assert state(engine, line) == (["0001", "0002"], [])


def test_names_follow_the_convention(engine: Engine, line: Line, both_engines: str) -> None:
    add(line, "op.create_table('trial_thing', sa.Column('id', sa.Integer, unique=True))")
    upgrade(engine, line)
    (unique,) = inspect(engine).get_unique_constraints("trial_thing")
    assert unique["name"] == "uq_trial_thing_id"


def test_racing_migrations_run_each_step_once(engine: Engine, line: Line, both_engines: str) -> None:
    add(line, FIRST, *(f"op.execute('INSERT INTO trial_thing VALUES ({k}, {k})')" for k in range(5)))
    done: list[Any] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        try:
            done.append(upgrade(engine, line))
        except Exception as error:
            done.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done, key=len) == [[], [], [], [f"{k:04}" for k in range(1, 7)]]


def killed_at(count: int, url: str, line: Line) -> bool:
    """Migrate in a process that is killed before its count-th statement, or right around its commit."""
    child = os.fork()
    if child == 0:
        try:
            engine = make_engine(url)
            left = [count]

            def step(*_rest: Any) -> None:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

            for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
                event.listen(engine, moment, step)
            upgrade(engine, line)
            step()  # committed
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_a_kill_at_any_statement_leaves_all_or_nothing(
    engine_url: str, line: Line, both_engines: str
) -> None:
    add(line, TABLE.format("trial_old"))
    engine = make_engine(engine_url)
    upgrade(engine, line)
    engine.dispose()
    batch = (
        "with op.batch_alter_table('trial_thing') as batch:\n    batch.add_column(sa.Column('x', sa.Integer))"
    )
    add(line, FIRST, "op.execute('INSERT INTO trial_old VALUES (1, 1)')", batch)
    new, count, seen = ["0002", "0003", "0004"], 0, []
    while count == 0 or killed_at(count, engine_url, line):
        count += 1
        after = make_engine(engine_url)
        waiting, tables = state(after, line)
        seen.append(len(waiting))
        rows = run(after, "SELECT count(*) FROM trial_old")
        assert (waiting, tables, rows) in (
            (new, ["trial_old"], [(0,)]),
            ([], ["trial_old", "trial_thing"], [(1,)]),
        )
        after.dispose()
        if not waiting:
            break
    assert count > 10
    last = make_engine(engine_url)
    upgrade(last, line)
    assert state(last, line) == ([], ["trial_old", "trial_thing"])
    last.dispose()


def everything() -> MetaData:
    """The metadata of all kernel tables; every module that has some is imported."""
    import huijia

    for file in Path(huijia.__file__).parent.rglob("*.py"):
        if "KernelBase" in file.read_text() and "migrations" not in file.parts:
            parts = file.relative_to(Path(huijia.__file__).parents[1]).with_suffix("").parts
            __import__(".".join(parts))
    return KernelBase.metadata


def where(index: Any) -> list[str]:
    options = index.get("dialect_options", {})
    return [f"{key}: {value}" for key, value in sorted(options.items()) if key.endswith("_where")]


SHAPES: dict[str, Callable[..., Any]] = {
    "columns": lambda at, name: {
        c["name"]: (str(c["type"]), c["nullable"], c["default"]) for c in at.get_columns(name)
    },
    "primary key": lambda at, name: at.get_pk_constraint(name),
    "checks": lambda at, name: {(c["name"], c["sqltext"]) for c in at.get_check_constraints(name)},
    "unique": lambda at, name: {(c["name"], *c["column_names"]) for c in at.get_unique_constraints(name)},
    "keys": lambda at, name: {
        (c["name"], *c["constrained_columns"], c["referred_table"], str(c["options"]))
        for c in at.get_foreign_keys(name)
    },
    "indexes": lambda at, name: {
        (c["name"], *c["column_names"], bool(c["unique"]), *where(c)) for c in at.get_indexes(name)
    },
}


def test_the_kernels_migrations_make_what_its_models_say(
    engine: Engine, databases: Any, both_engines: str
) -> None:
    metadata = everything()
    upgrade(engine, kernel_line())
    with engine.connect() as connection:
        # SQLite writes defaults in its own way; they are compared below.
        options: dict[str, Any] = {"compare_server_default": both_engines == "postgresql"}
        options["include_name"] = lambda name, kind, _: name != "huijia_alembic_version"
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []
        assert missing_guards(connection) == {}
        assert is_current(connection)
    made = make_engine(databases.empty())
    metadata.create_all(made)
    migrated, modelled = inspect(engine), inspect(made)
    for name in metadata.tables:
        for what, shape in SHAPES.items():
            assert shape(migrated, name) == shape(modelled, name), f"{name}: {what}"
    made.dispose()


def test_the_kernels_migrations_go_back_and_forth(engine: Engine, both_engines: str) -> None:
    line = kernel_line()
    first = upgrade(engine, line)
    assert downgrade(engine, line, "base") == first[::-1]
    assert state(engine, line) == (first, [])
    assert upgrade(engine, line) == first


def test_the_kernel_brings_no_environment_of_alembics() -> None:
    assert not {"env.py", "alembic.ini", "script.py.mako"} & {f.name for f in kernel_line().folder.iterdir()}
    assert migrate.__doc__
