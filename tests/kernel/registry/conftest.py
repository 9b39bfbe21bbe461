"""Plugins that each test makes for itself, and further workers over the test's installation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huijia.i18n import speaking
from huijia.installation import Installation
from huijia.registry.lifecycle import enable as enable_service
from huijia.testing.broken import on_path


@pytest.fixture
def plugins(tmp_path: Path) -> Iterator[Path]:
    """A folder on the path; make plugins there, then open a `worker`."""
    (tmp_path / "plugins").mkdir()
    with on_path(tmp_path / "plugins") as found:
        yield found


@pytest.fixture
def worker(plugins: Path, installation: Installation) -> Iterator[Callable[..., Installation]]:
    """`worker()` opens the installation once more, as a process started now would."""
    opened: list[Installation] = []

    def open_one(**options: Any) -> Installation:
        opened.append(Installation.open(installation.config, clock=installation.clock, **options))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def enabled(worker: Callable[..., Installation], centre: Any) -> Callable[..., Installation]:
    """`enabled("good")`: a worker in which these services are switched on at `centre`."""

    def switch_on(*names: str) -> Installation:
        opened = worker()
        for name in names:
            enable_service(opened, centre.id, name, None)
        return opened

    return switch_on


@pytest.fixture
def english() -> Iterator[None]:
    """Sentences are in English."""
    with speaking("en"):
        yield
