"""Totals are kept as visits come and go, and always equal what counting anew would give."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from huijia.figures.counting import count_visit, take_visit_back
from huijia.figures.models import NOWHERE, Visit
from huijia.figures.reading import WAYS, Line, Span, figures_by, whole
from huijia.identity.actor import Actor
from huijia.people import service
from huijia.people.age import band_of
from huijia.people.permissions import MANAGER
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

DESK = Actor("staff", None, "desk", MANAGER)
BORN = (date(1952, 3, 3), date(1990, 1, 1), None)
DAYS = (date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 31), date(2026, 11, 20))
YEAR = {"since": date(2026, 1, 1), "until": date(2026, 12, 31)}


@pytest.fixture
def people(work: Any) -> list[UUID]:
    make = [("陈秀英", BORN[0]), ("王建国", BORN[1]), ("李明", BORN[2])]
    return [
        service.register_person(work, actor=DESK, name=name, born_on=born, now=work.now).id
        for name, born in make
    ]


def recounted(visits: list[Any], way: str | None, born: dict[UUID, date | None]) -> dict[Any, Line]:
    """The figures by going through every visit: what the totals must equal."""
    lines = {}
    for key in {getattr(one, way) if way else None for one in visits}:
        mine = [one for one in visits if way is None or getattr(one, way) == key]
        named = {one.person_id for one in mine if one.person_id}
        giving = {one.person_id for one in mine if one.person_id and one.giving}
        heads = sum(one.heads for one in mine)
        lines[key] = (len(mine), heads, len(named), len(giving))
    return lines


deed = st.tuples(
    st.sampled_from(("count", "count", "take")),
    st.sampled_from((0, 1, 2, None)),
    st.sampled_from(("rooms.use", "rooms.help", "canteen.meal")),
    st.sampled_from(("centre", "home")),
    st.sampled_from(DAYS),
    st.booleans(),
    st.integers(0, 3),
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(deeds=st.lists(deed, max_size=25))
def test_totals_equal_the_visits(work: Any, people: list[UUID], deeds: list[Any]) -> None:
    for what, who, kind, place, on, giving, record in deeds:
        person_id = None if who is None else people[who]
        about = {"kind": kind, "subject": f"record:{record}", "person_id": person_id}
        if what == "take":
            take_visit_back(work, **about)
        else:
            count_visit(work, on=on, place=place, giving=giving, heads=1 + record, now=work.now, **about)
    visits = list(work.scalars(select(Visit)))
    born = dict(zip(people, BORN, strict=True))
    assert all(one.band == band_of(born.get(one.person_id), one.on) for one in visits)
    for span in (Span([work.centre_id], **YEAR), Span([work.centre_id], DAYS[1], DAYS[2])):
        within = [one for one in visits if span.since.replace(day=1) <= one.month <= span.until]
        for way in WAYS:
            got = {one.key: one for one in figures_by(work, span, way)}
            expected = recounted(within, way, born)
            if way == "band":  # over months, one person may stand in two bands, as they grow older
                assert {k: (v.visits, v.heads) for k, v in got.items()} == {
                    k: v[:2] for k, v in expected.items()
                }
                continue
            assert {k: (v.visits, v.heads, v.persons, v.giving) for k, v in got.items()} == expected
            if way in ("service", "place"):
                for key, line in got.items():
                    assert line.first == len(firsts([v for v in visits if getattr(v, way) == key], span))
        total, everything = whole(work, span), recounted(within, None, born).get(None, (0, 0, 0, 0))
        assert (total.visits, total.heads, total.persons, total.giving) == everything
        assert total.first == len(firsts(visits, span))
    for one in visits:
        take_visit_back(work, kind=one.kind, subject=one.subject, person_id=one.person_id)
    assert whole(work, Span([work.centre_id], **YEAR)) == Line()


def firsts(visits: list[Any], span: Span) -> set[UUID]:
    """Those whose first month at the centre lies in the span."""
    months: dict[UUID, date] = {}
    for one in visits:
        if one.person_id:
            months[one.person_id] = min(months.get(one.person_id, one.month), one.month)
    return {who for who, month in months.items() if span.since.replace(day=1) <= month <= span.until}


def test_a_record_counts_once(work: Any, people: list[UUID], both_engines: str) -> None:
    about = {"kind": "rooms.use", "subject": "booking:1", "person_id": people[0], "now": work.now}
    assert count_visit(work, on=DAYS[0], **about)
    assert not count_visit(work, on=DAYS[0], **about)
    assert whole(work, Span([work.centre_id], **YEAR)) == Line(None, 1, 1, 1, 1, 0)


def test_who_comes_again_is_returning(work: Any, people: list[UUID], both_engines: str) -> None:
    for day in (DAYS[0], DAYS[3]):
        count_visit(work, kind="rooms.use", subject=f"x:{day}", on=day, person_id=people[0], now=work.now)
    november = whole(work, Span([work.centre_id], DAYS[3], DAYS[3]))
    assert (november.persons, november.first, november.returning) == (1, 0, 1)


def test_a_compound_lies_in_its_community(work: Any, people: list[UUID], factories: Any) -> None:
    assert [one.key for one in figures_by(work, Span([work.centre_id], **YEAR), "community_id")] == []
    count_visit(work, kind="rooms.use", subject="x:1", on=DAYS[0], person_id=people[0], now=work.now)
    [line] = figures_by(work, Span([work.centre_id], **YEAR), "community_id")
    assert line.key == NOWHERE
