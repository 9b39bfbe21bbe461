"""What is kept for a time only, and forgotten by itself."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, Date, and_, false, or_, select, true, tuple_

from huijia.people.privacy.erasing import erase_rows
from huijia.people.privacy.tables import Kept
from huijia.storage.work import WorkSession

BATCH = 500


def erase_what_is_old(session: WorkSession, kept: list[Kept], now: datetime, *, limit: int = BATCH) -> int:
    """Erase rows that have been kept as long as their table says; how many. Call it until 0.

    A row that was emptied is passed over: it tells of nobody any more.
    """
    done = 0
    with session.across_centres("what was kept long enough"):
        for one in kept:
            if one.how.keep_months is not None and done < limit:
                done += _erase(session, one, now, limit - done)
    return done


def _erase(session: WorkSession, kept: Kept, now: datetime, limit: int) -> int:
    since = kept.table.c[kept.how.since]
    before = months_before(now.date(), kept.how.keep_months or 0)
    bound = before if isinstance(since.type, Date) else datetime.combine(before, now.timetz())
    marks = {
        name: mark for name, mark in kept.personal.items() if not isinstance(kept.table.c[name].type, JSON)
    }
    left = [kept.table.c[name].is_distinct_from(mark.erased) for name, mark in marks.items()]
    standing = true() if kept.how.whole else or_(false(), *left)
    key = list(kept.table.primary_key)
    old = select(*key).where(and_(kept.subject.is_not(None), since < bound, standing)).limit(limit)
    found = [tuple(row) for row in session.execute(old)]
    return erase_rows(session, kept, tuple_(*key).in_(found)) if found else 0


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, or the last of that month where it has no such day."""
    total = day.year * 12 + day.month - 1 - months
    year, month = divmod(total, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
