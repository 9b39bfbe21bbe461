"""What somebody meant who wrote a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like `name`; where none is, all that are known; where there are none, –."""
    names = sorted(known)
    return ", ".join(difflib.get_close_matches(name, names, n=1, cutoff=0.5) or names) or "–"
