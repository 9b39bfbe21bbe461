"""A plugin whose migration breaks: nothing of it stays, and it is switched on nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huijia.installation import Installation
from huijia.registry.lifecycle import NotReady, enable
from huijia.registry.states import FAILED, standing
from sqlalchemy import inspect

pytestmark = pytest.mark.usefixtures("english")


def test_a_broken_migration_leaves_no_trace_and_says_what_to_do(
    unmigratable: Path, worker: Callable[..., Installation], centre: Any
) -> None:
    opened = worker()
    for _time in range(2):  # trying again changes nothing
        with pytest.raises(NotReady, match="huijia migrate"):
            enable(opened, centre.id, "bad", None)
        assert not {"bad_first", "good_second"} & set(inspect(opened.storage.engine).get_table_names())
    with opened.reading() as session:
        assert standing(opened.registry, "bad", session).state == FAILED
    enable(opened, centre.id, "good", None)
    assert opened.registry.serving(centre.id) == {"good"}
