"""What differs from country to country: working days, holidays, the traditional calendar.

A plugin asks `region_of(centre)` and never a country's module, so a centre elsewhere works too.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Protocol

from huijia.i18n import Text

if TYPE_CHECKING:
    from huijia.identity.models import Centre

CHINESE_ZONES = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "PRC"})


class Region(Protocol):
    """What a service may ask about a date (a date in the centre's own time zone)."""

    def is_working_day(self, day: date) -> bool | None:
        """Whether `day` is worked by the official calendar; None where that year is not published."""
        ...

    def holiday_name(self, day: date) -> Text | None:
        """The official holiday that makes `day` free; None on every other day, weekends included."""
        ...

    def lunar_label(self, day: date) -> str:
        """The traditional date in the reader's language, or "" where there is none."""
        ...


class Elsewhere:
    """A region that we know nothing of: no calendar is published, no day is a holiday."""

    def is_working_day(self, day: date) -> bool | None:
        return None

    def holiday_name(self, day: date) -> Text | None:
        return None

    def lunar_label(self, day: date) -> str:
        return ""


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
