"""The region interface: China's calendar, and what is said where nothing is known."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pytest
from huijia.i18n import speaking
from huijia.region import region_of, works_on

CHINA = region_of(SimpleNamespace(time_zone="Asia/Shanghai"))
ELSEWHERE = region_of(SimpleNamespace(time_zone="Europe/Berlin"))


@pytest.mark.parametrize(
    ("day", "working", "holiday"),
    [
        (date(2026, 11, 20), True, None),  # an ordinary Friday
        (date(2026, 11, 22), False, None),  # an ordinary Sunday is no holiday
        (date(2026, 2, 14), True, None),  # a Saturday worked for Spring Festival: named so, yet worked
        (date(2026, 2, 17), False, "春节"),  # New Year's day of the lunar calendar
        (date(2026, 1, 2), False, "元旦"),  # a Friday given in exchange for a worked Sunday
        (date(2026, 1, 4), True, None),  # that Sunday
        (date(2026, 10, 3), False, "国庆节"),  # a Saturday inside a holiday belongs to it
        (date(2015, 9, 3), False, "抗战胜利纪念日"),  # only once
        (date(2099, 1, 1), None, None),  # not published
    ],
)
def test_china_knows_the_published_calendar(day: date, working: bool | None, holiday: str | None) -> None:
    assert CHINA.is_working_day(day) is working
    name = CHINA.holiday_name(day)
    assert (None if name is None else str(name)) == holiday


@pytest.mark.parametrize(
    ("day", "chinese"),
    [
        (date(2026, 2, 17), "农历正月初一"),
        (date(2026, 2, 16), "农历腊月廿九"),  # a year without a thirtieth
        (date(2026, 2, 26), "农历正月初十"),
        (date(2026, 2, 27), "农历正月十一"),
        (date(2026, 3, 8), "农历正月二十"),
        (date(2026, 3, 9), "农历正月廿一"),
        (date(2025, 1, 28), "农历腊月廿九"),
        (date(2024, 2, 9), "农历腊月三十"),
        (date(2025, 7, 25), "农历闰六月初一"),  # the first day of a leap month
        (date(1900, 1, 30), ""),  # the day before the tables begin
        (date(1900, 1, 31), "农历正月初一"),
        (date(2100, 1, 1), ""),  # after they end
    ],
)
def test_lunar_dates_read_as_people_say_them(day: date, chinese: str) -> None:
    assert CHINA.lunar_label(day) == chinese


def test_english_readers_get_english_alone() -> None:
    with speaking("en"):
        assert CHINA.lunar_label(date(2025, 7, 25)) == "lunar leap month 6, day 1"
        assert CHINA.lunar_label(date(2026, 2, 17)) == "lunar month 1, day 1"
        assert str(CHINA.holiday_name(date(2026, 10, 1))) == "National Day"


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2026, 12, 25)])
def test_elsewhere_nothing_is_known_and_weekdays_are_worked(day: date) -> None:
    assert ELSEWHERE.is_working_day(day) is None
    assert ELSEWHERE.holiday_name(day) is None
    assert ELSEWHERE.lunar_label(day) == ""
    assert works_on(ELSEWHERE, day)


def test_an_unpublished_year_falls_back_to_weekdays() -> None:
    assert works_on(CHINA, date(2099, 1, 5))  # a Monday
    assert not works_on(CHINA, date(2099, 1, 4))  # a Sunday
    assert works_on(CHINA, date(2026, 1, 4))  # published: a worked Sunday
