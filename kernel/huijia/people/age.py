"""Age, as benefits count it: completed years on a day."""

from __future__ import annotations

from datetime import date

BANDS = (0, 7, 18, 36, 60, 70, 80, 90)  # where each band of the figures begins


def age_on(born_on: date, day: date) -> int:
    """Completed years on `day`. Born on 29 February, one is a year older from 28 February of common years."""
    birthday = (born_on.month, born_on.day)
    if birthday == (2, 29) and not _is_leap(day.year):
        birthday = (2, 28)
    return day.year - born_on.year - ((day.month, day.day) < birthday)


def band_of(born_on: date | None, day: date) -> str:
    """The band of the figures: `60–69`, `90+`, or "" where the birth date is not known."""
    if born_on is None or born_on > day:
        return ""
    age = age_on(born_on, day)
    start = max(begin for begin in BANDS if begin <= age)
    following = next((begin for begin in BANDS if begin > start), None)
    return f"{start}+" if following is None else f"{start}–{following - 1}"


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
