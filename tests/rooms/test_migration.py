"""The tables as migrated are the tables of the models, guards included, and can be taken away again."""

from __future__ import annotations

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from huijia_rooms.models import Base
from sqlalchemy import inspect, text

pytestmark = pytest.mark.usefixtures("both_engines")


def _ours(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    return kind != "table" or (str(name).startswith("rooms_") and not str(name).endswith("_version"))


def test_the_migrations_make_the_tables_of_the_models(installation: Any) -> None:
    with installation.storage.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _ours, "compare_type": True})
        assert [d for d in compare_metadata(context, Base.metadata) if "alembic" not in str(d)] == []


def test_the_guards_stand_in_the_database(installation: Any, engine_name: str) -> None:
    asked = {
        "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' "
        "AND tbl_name = 'rooms_occupancy'",
        "postgresql": "SELECT count(*) * 2 FROM pg_constraint WHERE conname = 'ex_rooms_occupancy_overlap'",
    }
    with installation.storage.engine.connect() as connection:
        assert connection.execute(text(asked[engine_name])).scalar_one() == 2


def test_the_first_migration_can_be_undone(installation: Any) -> None:
    from huijia.registry.migrating import line_of
    from huijia.storage.migrate import downgrade, upgrade

    line = line_of(installation.registry.loaded["rooms"])
    assert line is not None
    downgrade(installation.storage.engine, line, "base")
    assert not [
        name for name in inspect(installation.storage.engine).get_table_names() if name == "rooms_room"
    ]
    upgrade(installation.storage.engine, line)
    assert "rooms_room" in inspect(installation.storage.engine).get_table_names()
