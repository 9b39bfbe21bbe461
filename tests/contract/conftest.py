"""A house for probing: a centre with one of everything and its administrator at a browser."""

from __future__ import annotations

from typing import Any

import pytest
from probe import House


@pytest.fixture(params=["zh_Hans", "en"])
def house(request: pytest.FixtureRequest, installation: Any, factories: Any, centre: Any) -> House:
    return House(installation, factories, centre, request.param)


@pytest.fixture
def chinese(installation: Any, factories: Any, centre: Any) -> House:
    """Chinese is what centres speak; and a sentence that is not translated shows."""
    return House(installation, factories, centre, "zh_Hans")
