"""What every service owes: tables that are its models', and Chinese for all of its words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import CheckConstraint, Connection, MetaData, inspect

from huijia.i18n import DEFAULT_LOCALE, catalogue
from huijia.spelling import nearest

_OF_ALEMBIC = re.compile(r".*_alembic_version$")


def check_declared(what: str, key: str, known: Collection[str]) -> None:
    """AssertionError with the nearest known key where `key` is none."""
    assert key in known, f"Nobody declares the {what} {key}. Meant: {nearest(key, known)}?"


def check_tables(connection: Connection, name: str, metadata: MetaData | None) -> None:
    """AssertionError that lists how the tables of plugin `name` differ from its models."""
    metadata = metadata or MetaData()
    differing = [*_compared(connection, name, metadata), *_checks(connection, metadata)]
    listed = "\n".join(map(str, differing))
    assert not differing, f"{name}: a migration has to do what is listed, or the models to change.\n{listed}"


def _compared(connection: Connection, name: str, metadata: MetaData) -> list[Any]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def is_ours(found: str | None, kind: str, _parents: Any) -> bool:
        ours = str(found).startswith(f"{name}_") and not _OF_ALEMBIC.match(str(found))
        return ours or kind != "table"

    # SQLite keeps a default as it was written, quotes and brackets and all; PostgreSQL compares values.
    whole = connection.dialect.name == "postgresql"
    options = {"include_name": is_ours, "compare_type": True, "compare_server_default": whole}
    return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def _checks(connection: Connection, metadata: MetaData) -> Iterator[str]:
    """Each CHECK, by its name, that is in the tables or in the models alone; Alembic does not look."""
    there = inspect(connection)
    for table in filter(lambda one: there.has_table(one.name), metadata.tables.values()):
        made = {str(one["name"]) for one in there.get_check_constraints(table.name)}
        modelled = {str(one.name) for one in table.constraints if isinstance(one, CheckConstraint)}
        yield from (f"CHECK {one} of {table.name}: not in its models" for one in sorted(made - modelled))
        yield from (f"CHECK {one} of {table.name}: not in the database" for one in sorted(modelled - made))


def check_words(name: str) -> None:
    """AssertionError that lists the sentences of plugin `name` that its Chinese catalogue lacks."""
    spec = find_spec(f"huijia_{name}")
    assert spec is not None, f"There is no package huijia_{name}; is the service installed?"
    home = Path((spec.submodule_search_locations or [""])[0])
    chinese = catalogue(name, DEFAULT_LOCALE)
    lacking = [f"{where}: {words}" for where, words in _sentences(home) if words not in chinese]
    if name.capitalize() not in chinese:
        lacking.append(f"the service's title: {name.capitalize()}")
    assert not lacking, f"{name}.po lacks, or marks as fuzzy:\n" + "\n".join(lacking)


def _sentences(home: Path) -> Iterator[tuple[str, str]]:
    """Where, and what, each `_("…")` in Python and in templates says."""
    from babel.messages.extract import extract_python
    from jinja2.ext import babel_extract

    readers: Any = {".py": (extract_python, {}), ".html": (babel_extract, {"silent": "false"})}
    for path in sorted(path for path in home.rglob("*") if path.suffix in readers):
        read, options = readers[path.suffix]
        with path.open("rb") as source:
            for line, _name, words, _notes in read(source, ("_",), (), options):
                sentence = words[0] if isinstance(words, tuple) else words
                if isinstance(sentence, str):
                    yield f"{path.relative_to(home)}:{line}", sentence
