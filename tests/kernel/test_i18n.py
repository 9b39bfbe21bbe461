"""Sentences that are rendered when they are shown."""

from __future__ import annotations

import pytest
from huijia.i18n import Text, speaking, translated

SAME = Text("Shorter than minimum length {min}.", min=1)
PAIRS = [
    # two things, whether they are equal
    (SAME, Text("Shorter than minimum length {min}.", min=1), True),
    (SAME, Text("Shorter than minimum length {min}.", min=2), False),
    (SAME, Text("Shorter than minimum length {min}.", "rooms", min=1), False),
    (Text("{a}", a=["x"]), Text("{a}", a=["x"]), True),  # a value that cannot be hashed
    (Text("Please sign in"), "Please sign in", False),  # it is that in English alone
]


@pytest.mark.parametrize(("one", "other", "equal"), PAIRS)
@pytest.mark.parametrize("locale", ["en", "zh_Hans"])
def test_equal_sentences_hash_alike_whoever_reads(one: Text, other: object, equal: bool, locale: str) -> None:
    with speaking(locale):
        assert (one == other) is equal
        assert len({one, other}) == (1 if equal else 2)


def test_what_marshmallow_says_is_rendered_for_the_reader() -> None:
    said = {
        "port": ["Must be greater than or equal to 1 and less than or equal to 9."],
        "name": {"x": ["Own."]},
    }
    with speaking("en"):
        assert translated(said) == said
    with speaking("zh_Hans"):
        assert "Must" not in str(translated(said))
        assert all(number in translated(said)["port"][0] for number in "19")
