"""Databases for tests: of each engine a template per process, made once, and a copy of it for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

Build = Callable[[str], None]


class Sqlite:
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def empty(self) -> str:
        """The URL of a file that is not there yet."""
        return f"sqlite:///{self.folder / uuid4().hex}.db"

    def copy(self, template: str, build: Build) -> str:
        """The URL of a copy of a template, which `build(url)` makes the first time."""
        kept, url = self.folder / f"{template}.db", self.empty()
        if not kept.exists():
            build(url)
            _path(url).rename(kept)
        shutil.copyfile(kept, _path(url))
        return url

    def drop(self, url: str) -> None:
        """Remove the file and what lies beside it."""
        for file in self.folder.glob(f"{_path(url).name}*"):
            file.unlink()


class Postgres:
    """Databases of the server at a URL, whose user may create some."""

    def __init__(self, server: str) -> None:
        self.server, self.templates = server, dict[str, str]()

    def empty(self) -> str:
        """The URL of a new database without tables."""
        return self._create("template0")

    def copy(self, template: str, build: Build) -> str:
        """The URL of a copy of a template, which `build(url)` makes the first time."""
        if template not in self.templates:
            build(url := self.empty())
            self.templates[template] = url
        return self._create(_database(self.templates[template]))

    def drop(self, url: str) -> None:
        """Remove the database, whoever is still connected."""
        self._run(f"DROP DATABASE {_database(url)} WITH (FORCE)")

    def close(self) -> None:
        """Remove the templates."""
        for url in self.templates.values():
            self.drop(url)

    def _create(self, template: str) -> str:
        from sqlalchemy.engine import make_url

        name = f"huijia_test_{uuid4().hex[:16]}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        from sqlalchemy import NullPool, create_engine, text

        engine = create_engine(self.server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _database(url: str) -> Any:
    from sqlalchemy.engine import make_url

    return make_url(url).database
