"""Households and organisations: members over time, seen where they are present."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from huijia.errors import Invalid
from huijia.identity.actor import Actor
from huijia.people import service
from huijia.people.errors import NoSuchOrganisation
from huijia.people.models import Person
from huijia.people.permissions import MANAGER

CHIEF = Actor("staff", None, "chief", MANAGER)
TODAY = date(2026, 11, 22)


def register(work: Any, name: str = "陈秀英") -> Person:
    return service.register_person(work, actor=CHIEF, name=name, now=work.now)


def add(work: Any, **facts: Any) -> Any:
    return service.add_organisation(
        work, actor=CHIEF, now=work.now, **{"kind": "social", "name": "夕阳红艺术团", **facts}
    )


def test_members_act_for_a_time(work: Any) -> None:
    team, person = add(work, kind="team"), register(work)
    who = {"organisation_id": team.id, "person_id": person.id, "role": "队长"}
    member = service.add_member(work, actor=CHIEF, since=date(2026, 1, 1), now=work.now, **who)
    service.end_member(work, actor=CHIEF, member_id=member.id, until=date(2026, 6, 30), now=work.now)

    def on(day: date) -> list[str]:
        rows = service.members_of(work, actor=CHIEF, organisation_id=team.id, day=day)
        return [f"{one.name} {member.role}" for member, one in rows]

    assert on(date(2026, 6, 30)) == ["陈秀英 队长"]
    assert on(date(2025, 12, 31)) == on(date(2026, 7, 1)) == []


def test_an_organisation_is_seen_where_it_is_present(
    work: Any, second_centre: Any, both_engines: str
) -> None:
    ours, home = add(work, code="5141"), work.centre_id
    work.centre_id = second_centre.id
    with pytest.raises(NoSuchOrganisation):
        service.find_organisation(work, ours.id)
    assert service.organisations_here(work, actor=CHIEF) == []
    assert add(work, code="5141", name="other words") is ours, "its number says which it is"
    assert ours.name == "夕阳红艺术团"
    service.part_with(work, actor=CHIEF, organisation_id=ours.id, now=work.now)
    work.centre_id = home
    assert service.organisations_here(work, actor=CHIEF, kind="social") == [ours]
    with pytest.raises(Invalid):
        service.change_organisation(
            work, actor=CHIEF, organisation_id=add(work, code="9").id, code="5141", now=work.now
        )


def test_a_household_is_who_lives_together_on_a_day(work: Any) -> None:
    wife, husband = register(work), register(work, "王建国")
    join = {"actor": CHIEF, "now": work.now}
    first = {"with_person_id": wife.id, "relation": "丈夫", "since": date(2020, 1, 1)}
    service.join_household(work, person_id=husband.id, **first, **join)
    service.join_household(work, person_id=husband.id, since=date(2026, 1, 1), **join)

    def of(person: Person, day: date) -> set[str]:
        rows = service.household_of(work, actor=CHIEF, person_id=person.id, day=day)
        return {one.name for _member, one in rows}

    assert of(wife, date(2025, 12, 31)) == {"陈秀英", "王建国"}
    assert of(wife, TODAY) == {"陈秀英"}
    assert of(husband, TODAY) == {"王建国"}
