"""Reading the figures: by service, place, community, age band or centre, for one month or several."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, distinct, func, select

from huijia.figures.models import NOWHERE, Visit, Visitor, VisitorTotal, VisitTotal
from huijia.storage.work import WorkSession

WAYS = ("service", "place", "community_id", "band", "centre_id")
_VISITS, _PERSONS = cast("Table", VisitTotal.__table__).c, cast("Table", VisitorTotal.__table__).c
_VISITOR, _VISIT = cast("Table", Visitor.__table__).c, cast("Table", Visit.__table__).c


@dataclass(frozen=True)
class Line:
    """One line of figures. `heads` counts everybody, `persons` those with a name, each once."""

    key: Any = None
    visits: int = 0
    heads: int = 0
    persons: int = 0
    first: int = 0
    giving: int = 0

    @property
    def returning(self) -> int:
        """Persons who had been here in an earlier month."""
        return self.persons - self.first


@dataclass(frozen=True)
class Span:
    """Months from the first of `since` to the end of `until`'s, at some centres."""

    centre_ids: Collection[UUID]
    since: date
    until: date

    def holds(self, columns: Any) -> list[Any]:
        """The condition on a table with `centre_id` and `month`."""
        months = columns.month.between(self.since.replace(day=1), self.until.replace(day=1))
        return [columns.centre_id.in_(self.centre_ids), months]

    @property
    def is_one_month(self) -> bool:
        return self.since.replace(day=1) == self.until.replace(day=1)


def figures_by(session: WorkSession, span: Span, way: str, **only: Any) -> list[Line]:
    """A line for each service, place, community, band or centre; `only` narrows by the same names.

    Persons are counted once in each line, so that lines do not add up to the whole. Persons narrowed by both
    service and place are not kept: narrow by one of them. The caller answers for the centres.
    """
    lines = {
        key: Line(key, visits, heads) for key, visits, heads in session.execute(_visits(span, way, only))
    }
    for key, persons, first, giving in session.execute(_persons(span, way, only)):
        named = key[2:] if way in ("service", "place") else key
        line = lines.get(named, Line(named))
        lines[named] = replace(line, persons=persons, first=int(first or 0), giving=int(giving or 0))
    return [lines[key] for key in sorted(lines, key=str) if lines[key].visits or lines[key].persons]


def whole(session: WorkSession, span: Span, **only: Any) -> Line:
    """All of it in one line."""
    [*visits] = session.execute(_visits(span, None, only)).one()
    [*persons] = session.execute(_persons(span, None, only)).one()
    return Line(None, *(int(n or 0) for n in (*visits, *persons)))


def _visits(span: Span, way: str | None, only: Mapping[str, Any]) -> Any:
    sums = func.sum(_VISITS.visits), func.sum(_VISITS.heads)
    rules = [_VISITS[name] == value for name, value in only.items()]
    if way is None:
        return select(*sums).where(*span.holds(_VISITS), *rules)
    return select(_VISITS[way], *sums).where(*span.holds(_VISITS), *rules).group_by(_VISITS[way])


def _persons(span: Span, way: str | None, only: Mapping[str, Any]) -> Any:
    # One month is read from kept totals; over several, a person is counted once, which no sum of months is.
    table = _PERSONS if span.is_one_month else _VISITOR
    if span.is_one_month:
        amounts: Any = func.sum(_PERSONS.persons), func.sum(_PERSONS.first), func.sum(_PERSONS.giving)
    else:
        whose = _VISITOR.person_id
        amounts = tuple(
            func.count(distinct(whose)).filter(rule) if rule is not None else func.count(distinct(whose))
            for rule in (None, _VISITOR.first, _VISITOR.giving)
        )
    rules = [*span.holds(table), *_within(table, way, only)]
    if way is None:
        return select(*amounts).where(*rules)
    column = table.scope if way in ("service", "place") else table[way]
    return select(column, *amounts).where(*rules).group_by(column)


def _within(table: Any, way: str | None, only: Mapping[str, Any]) -> list[Any]:
    scoped = {name: only[name] for name in ("service", "place") if name in only}
    rules = [table[name] == value for name, value in only.items() if name not in scoped]
    if len(scoped) > 1 or (scoped and way in ("service", "place")):
        raise ValueError("Persons are kept by service or by place; narrow by one, or list the visits.")
    if scoped:
        [(name, value)] = scoped.items()
        return [*rules, table.scope == f"{name[0]}:{value}"]
    prefix = {"service": "s:", "place": "p:"}.get(way or "")
    return [*rules, table.scope.startswith(prefix) if prefix else table.scope == ""]


def visits_of(span: Span, **only: Any) -> Any:
    """The visits behind a line, as a statement to page through, newest first."""
    rules = [_VISIT[name] == value for name, value in only.items()]
    return select(Visit).where(*span.holds(_VISIT), *rules)


def is_known(community_id: UUID) -> bool:
    """False for the community of those whose address is not known."""
    return community_id != NOWHERE
