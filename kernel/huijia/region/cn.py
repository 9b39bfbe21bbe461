"""Mainland China: the official calendar, lunar dates, resident numbers, the sounds of names.

`chinesecalendar` knows the years that are published; it raises for later ones. `lunardate` counts from
31 January 1900 to 2099. Numbers are those of GB 11643-1999, which permits of people from Hong Kong, Macao and
Taiwan (81, 82, 83) and foreigners' permanent residence cards (9) follow as well.
"""

from __future__ import annotations

import os
import re
import unicodedata
from datetime import date
from functools import cache, lru_cache
from itertools import islice, product
from typing import Any

from huijia.errors import Invalid
from huijia.i18n import Text, messages
from huijia.region import DocumentNumber, folded, passport, words_of

_ = messages("huijia")

LUNAR_SINCE = date(1900, 1, 31)
LUNAR_YEAR_LAST = 2099
LUNAR_MONTHS = "正二三四五六七八九十冬腊"
LUNAR_TENS = ("初", "十", "廿", "三")
NUMERALS = "十一二三四五六七八九"
# ISO 7064 MOD 11-2, as GB 11643-1999 has it.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71".split()  # noqa: SIM905
)
PERMITS = frozenset(("81", "82", "83"))
BORN_SINCE = date(1880, 1, 1)
HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
INITIALS_MAX = 12  # of one name: each character may be read in several ways
# Where a surname is read in another way than the character usually is.
SURNAMES = {
    "单": "shan",
    "仇": "qiu",
    "曾": "zeng",
    "解": "xie",
    "查": "zha",
    "区": "ou",
    "任": "ren",
    "华": "hua",
    "朴": "piao",
    "召": "shao",
    "盖": "ge",
    "尉": "yu",
    "翟": "zhai",
    "员": "yun",
    "缪": "miao",
    "乐": "yue",
    "重": "chong",
    "隗": "wei",
    "种": "chong",
    "宓": "mi",
    "牟": "mou",
    "逄": "pang",
    "黑": "he",
    "折": "she",
}

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

    def read_number(self, text: str, *, today: date) -> DocumentNumber:
        plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).upper()
        if not re.fullmatch(r"[0-9]{15,17}[0-9X]?", plain):
            return passport(text)
        if len(plain) != 18:
            _refuse(_("A resident number has 18 digits, and this one {count}; check it.", count=len(plain)))
        if plain[:2] not in PROVINCES | PERMITS and plain[0] != "9":
            _refuse(_("No resident number begins with {digits}; check the first two.", digits=plain[:2]))
        if CHECKS[sum(int(d) * w for d, w in zip(plain, WEIGHTS, strict=False)) % 11] != plain[17]:
            _refuse(
                _("One digit of this number is wrong: its last sign does not fit the others; read it again.")
            )
        kind = "foreign" if plain[0] == "9" else "permit" if plain[:2] in PERMITS else "resident"
        return DocumentNumber(kind, plain, _born(plain[6:14], today), ("female", "male")[int(plain[16]) % 2])

    def fold(self, text: str) -> str:
        return folded(_simplified(text))

    def name_tokens(self, name: str) -> set[str]:
        plain = self.fold(name)
        if not HAN.search(plain):
            return words_of(name)
        readings = [_readings_of(sign) for sign in plain]
        letters = product(*(dict.fromkeys(reading[0] for reading in known) for known in readings))
        usual = [known[0] for known in readings[1:]]
        return {
            *(plain[place:] for place in range(len(plain))),
            *map("".join, islice(letters, INITIALS_MAX)),
            *("".join((surname, *usual)) for surname in {*readings[0], _surname(plain)}),
        }

    def sort_key(self, name: str) -> str:
        plain = self.fold(name)
        if not HAN.search(plain):
            return " ".join(map(folded, name.split()))
        return " ".join((_surname(plain), *(_readings_of(sign)[0] for sign in plain[1:])))


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


def _refuse(said: Text) -> Any:
    raise Invalid(said, {"number": [said]})


def _born(digits: str, today: date) -> date:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return _refuse(_("There is no date {digits}; check the birth date in the number.", digits=digits))
    if not BORN_SINCE <= born <= today:
        _refuse(_("Nobody here was born on {day}; check the birth date in the number.", day=born))
    return born


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")


def _simplified(text: str) -> str:
    return text if text.isascii() else _converter().convert(unicodedata.normalize("NFKC", text))


@cache
def _readings() -> Any:
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")  # 47,000 phrases that no name needs
    from pypinyin.constants import PINYIN_DICT

    return PINYIN_DICT


@lru_cache(maxsize=8192)
def _readings_of(sign: str) -> tuple[str, ...]:
    # Every reading without its tone, the usual one first: 单 is dan, chan and, as a surname, shan.
    found = (folded(sound.replace("ü", "v")) for sound in _readings().get(ord(sign), sign).split(","))
    return tuple(dict.fromkeys(found))


def _surname(name: str) -> str:
    return SURNAMES.get(name[0]) or _readings_of(name[0])[0]
