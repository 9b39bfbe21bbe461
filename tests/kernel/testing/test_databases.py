"""The databases that tests get."""

from __future__ import annotations

import pytest
from huijia.storage.engine import make_engine
from sqlalchemy import Engine, inspect, text


@pytest.fixture
def engine(engine_url: str):
    engine = make_engine(engine_url)
    yield engine
    engine.dispose()


@pytest.mark.usefixtures("both_engines")
def test_an_empty_database_has_no_tables_and_takes_some(engine: Engine) -> None:
    assert inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE note (line text)"))
    assert inspect(engine).get_table_names() == ["note"]


def test_a_copy_has_the_template_and_what_is_written_to_it_stays_there(databases, both_engines: str) -> None:
    def build(url: str) -> None:
        engine = make_engine(url)
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE note (line text)"))
        engine.dispose()

    urls = [databases.copy("noted", build) for _ in range(2)]
    for url in urls:
        engine = make_engine(url)
        with engine.begin() as connection:
            assert connection.scalars(text("SELECT line FROM note")).all() == []
            connection.execute(text("INSERT INTO note VALUES ('mine')"))
        assert engine.dialect.name == both_engines
        engine.dispose()
        databases.drop(url)


@pytest.mark.postgres
def test_a_test_marked_postgres_runs_there(engine_name: str, engine: Engine) -> None:
    assert engine.dialect.name == engine_name == "postgresql"
