"""What differs from country to country: working days, holidays, the traditional calendar.

A plugin asks `region_of(centre)` and never a country's module, so a centre elsewhere works too.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from huijia.errors import Invalid
from huijia.i18n import Text, messages

if TYPE_CHECKING:
    from huijia.identity.models import Centre

_ = messages("huijia")
CHINESE_ZONES = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "PRC"})


@dataclass(frozen=True)
class DocumentNumber:
    """A number as it stands on a document: its kind, its one way to be written, and what it tells."""

    kind: str  # resident, permit, foreign or passport
    text: str
    born_on: date | None = None
    sex: str = ""

    @property
    def masked(self) -> str:
        """What may be shown: the first three signs and the last two, of a short one less."""
        first = 3 if len(self.text) > 12 else 1
        return self.text[:first] + "*" * (len(self.text) - first - 2) + self.text[-2:]


class Region(Protocol):
    """What a service may ask about dates (of the centre's own time zone), names and numbers."""

    def is_working_day(self, day: date) -> bool | None:
        """Whether `day` is worked by the official calendar; None where that year is not published."""
        ...

    def holiday_name(self, day: date) -> Text | None:
        """The official holiday that makes `day` free; None on every other day, weekends included."""
        ...

    def lunar_label(self, day: date) -> str:
        """The traditional date in the reader's language, or "" where there is none."""
        ...

    def read_number(self, text: str, *, today: date) -> DocumentNumber:
        """The number that somebody typed. Raises Invalid, which says what is wrong with it."""
        ...

    def fold(self, text: str) -> str:
        """Text as it is compared: one script, one case, one width, no spaces."""
        ...

    def name_tokens(self, name: str) -> set[str]:
        """What a name is found by: every ending of it, its words, its sounds; all folded."""
        ...

    def sort_key(self, name: str) -> str:
        """Where a name stands in a list."""
        ...


class Elsewhere:
    """A region that we know nothing of: no calendar is published, no day is a holiday."""

    def is_working_day(self, day: date) -> bool | None:
        return None

    def holiday_name(self, day: date) -> Text | None:
        return None

    def lunar_label(self, day: date) -> str:
        return ""

    def read_number(self, text: str, *, today: date) -> DocumentNumber:
        return passport(text)

    def fold(self, text: str) -> str:
        return folded(text)

    def name_tokens(self, name: str) -> set[str]:
        return words_of(name)

    def sort_key(self, name: str) -> str:
        return unicodedata.normalize("NFKC", name).casefold()


def folded(text: str) -> str:
    """Without spaces, accents and marks, in one width and case: 'Ｌi  Jūn' and 'li jun' are 'lijun'."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in apart if unicodedata.category(sign)[0] in "LN").casefold()


def words_of(name: str) -> set[str]:
    """The folded name, each of its words, and each word with all that follows."""
    parts = [word for word in map(folded, re.split(r"[\s·•,.'-]+", name)) if word]
    return {"".join(parts[place:]) for place in range(len(parts))} | set(parts)


def passport(text: str) -> DocumentNumber:
    """Any document's number: letters and digits. Raises Invalid for anything else."""
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
    if not re.fullmatch(r"[A-Z0-9]{5,20}", plain):
        said = _("A document's number has 5 to 20 letters and digits; check it against the document.")
        raise Invalid(said, {"number": [said]})
    return DocumentNumber("passport", plain)


def region_of(centre: Centre) -> Region:
    """The region that a centre lies in, told by its time zone."""
    if centre.time_zone in CHINESE_ZONES:
        from huijia.region.cn import China

        return China()
    return Elsewhere()


def works_on(region: Region, day: date) -> bool:
    """Whether `day` is worked: as published, else Monday to Friday (say so where a person relies on it)."""
    known = region.is_working_day(day)
    return day.isoweekday() <= 5 if known is None else known
