"""What the code of a problem means and what to do about it, for the page at `/problems/CODE`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from huijia.errors import Refusal
from huijia.i18n import Text, messages
from huijia.web.problems import SENTENCES

_ = messages("huijia")
OTHERWISE = _("The answer itself says what stands in the way, and what is possible instead.")


class Meaning(NamedTuple):
    """A code in words: what it is called, what happened, what to do next."""

    status: int
    title: Text
    meaning: Text
    advice: Text


def meanings() -> dict[str, Meaning]:
    """Every code that an answer may hold by now. A refusal's is the first sentence of its docstring."""
    found: dict[str, Meaning] = {}
    for one in _refusals(Refusal):
        _code, title, advice = SENTENCES.get(one.status, SENTENCES[400])
        told = OTHERWISE if one.status == 409 else advice
        found.setdefault(one.code, Meaning(one.status, title, _said(one) or title, told))
    for status, (code, title, advice) in SENTENCES.items():
        told = Text(advice.message, id=_("the request's id"))
        found.setdefault(code, Meaning(status, title, title, told))
    return found


def _refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    """The kind and all below it that have a code of their own."""
    if "code" in vars(kind):
        yield kind
    for one in kind.__subclasses__():
        yield from _refusals(one)


def _said(one: type[Refusal]) -> Text | None:
    words = " ".join((one.__doc__ or "").split()).partition(". ")[0].rstrip(".")
    owner = one.__module__.partition(".")[0].removeprefix("huijia_")
    return Text(f"{words}.", owner) if words else None
