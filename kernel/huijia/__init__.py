"""Huijia (回家): the door that plugins come in by.

Every name here is loaded when it is first used (PEP 562), so that `huijia --help` stays light.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

# The list that type checkers read; a name stands nowhere else.
_NAMES = re.compile(r"^from (\S+) import (\w+) as", re.MULTILINE)
_HOME_OF = {name: home for home, name in _NAMES.findall(Path(__file__).with_suffix(".pyi").read_text())}
__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"huijia has no {name!r}; it offers: {', '.join(__all__)}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
