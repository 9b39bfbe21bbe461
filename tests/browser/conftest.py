"""The administration in a browser: a centre with one service, and somebody who may do everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.garden import make_garden
from huijia.config import Config
from huijia.installation import Installation
from huijia.testing.broken import on_path
from huijia.testing.factories import open_installation


@pytest.fixture
def installation(database: str, clock: Any, tmp_path: Path) -> Iterator[Installation]:
    """An installation that has found the plugin `garden`, and no other."""
    make_garden(tmp_path / "plugins")
    with on_path(tmp_path / "plugins"):
        open_installation(database, clock=clock, home=tmp_path / "home").close()
        config = Config(tmp_path / "home", {"database": {"url": database}})
        opened = Installation.open(config, clock=clock, only=["garden"])
        yield opened
        opened.close()


@pytest.fixture
def administrator(staff: Any) -> Any:
    """`wang`, who may do everything everywhere."""
    return staff("wang", at=None, role="installation.admin")
