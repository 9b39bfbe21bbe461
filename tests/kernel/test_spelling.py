from __future__ import annotations

import pytest
from huijia.spelling import nearest


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("prot", {"port", "address"}, "port"),
        ("xyzzy", {"port", "address"}, "address, port"),  # like none: all that there are
        ("xyzzy", set(), "–"),
    ],
)
def test_who_misspells_a_name_is_told_what_there_is(name: str, known: set[str], meant: str) -> None:
    assert nearest(name, known) == meant
