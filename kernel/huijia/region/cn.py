"""Mainland China: the State Council's calendar with its moved working days, and lunar dates.

`chinesecalendar` knows the years that are published; it raises for later ones. `lunardate` counts from
31 January 1900 to 2099.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from huijia.i18n import Text, messages

_ = messages("huijia")

LUNAR_SINCE = date(1900, 1, 31)
LUNAR_YEAR_LAST = 2099
LUNAR_MONTHS = "正二三四五六七八九十冬腊"
LUNAR_TENS = ("初", "十", "廿", "三")
NUMERALS = "十一二三四五六七八九"

# By the names that chinesecalendar gives them.
HOLIDAYS = {
    "New Year's Day": _("New Year's Day"),
    "Spring Festival": _("Spring Festival"),
    "Tomb-sweeping Day": _("Tomb-sweeping Day"),
    "Labour Day": _("Labour Day"),
    "Dragon Boat Festival": _("Dragon Boat Festival"),
    "Mid-autumn Festival": _("Mid-autumn Festival"),
    "National Day": _("National Day"),
    "Anti-Fascist 70th Day": _("Victory Day"),
}


class China:
    """See `huijia.region.Region`."""

    def is_working_day(self, day: date) -> bool | None:
        found = _detail(day)
        return None if found is None else not found[0]

    def holiday_name(self, day: date) -> Text | None:
        found = _detail(day)
        # A worked weekend carries the holiday's name as well: that is why it is worked.
        if found is None or not found[0] or found[1] is None:
            return None
        return HOLIDAYS.get(found[1], _("Official holiday"))

    def lunar_label(self, day: date) -> str:
        if day < LUNAR_SINCE or day.year > LUNAR_YEAR_LAST:
            return ""
        month, number, leap = _lunar(day)
        chinese = f"{'闰' if leap else ''}{LUNAR_MONTHS[month - 1]}月{_day_in_words(number)}"
        values = {"month": month, "number": number, "chinese": chinese}
        if leap:
            return str(_("lunar leap month {month}, day {number}", **values))
        return str(_("lunar month {month}, day {number}", **values))


@lru_cache(maxsize=4096)
def _detail(day: date) -> tuple[bool, str | None] | None:
    """Whether `day` is free, and the holiday it belongs to; None where the year is not published."""
    import chinese_calendar

    try:
        return chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None


@lru_cache(maxsize=4096)
def _lunar(day: date) -> tuple[int, int, bool]:
    import lunardate

    dates: Any = lunardate.LunarDate  # its type stubs are older than it is
    found = dates.from_solar_date(day.year, day.month, day.day)
    return found.month, found.day, bool(found.is_leap_month)


def _day_in_words(number: int) -> str:
    """初一 … 初十, 十一 … 二十, 廿一 … 三十."""
    if number in (20, 30):
        return "二十" if number == 20 else "三十"
    return f"{'初' if number == 10 else LUNAR_TENS[number // 10]}{NUMERALS[number % 10]}"
