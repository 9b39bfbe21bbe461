"""The figures as an operator and an official read them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from huijia.figures.counting import count_visit
from huijia.identity import roles
from huijia.identity.actor import SYSTEM, Actor
from huijia.identity.models import Area, Centre
from huijia.people import service
from huijia.people.permissions import MANAGER
from huijia.storage.settings import Scope

DESK = Actor("staff", None, "desk", MANAGER)
TODAY = date(2026, 11, 22)


@pytest.fixture
def visited(installation: Any, centre: Centre, second_centre: Centre) -> None:
    for at, name, days in ((centre, "陈秀英", (1, 2)), (second_centre, "王建国", (3,))):
        with installation.doing("test", at) as work:
            who = service.register_person(work, actor=DESK, name=name, born_on=date(1952, 3, 3), now=work.now)
            for day in days:
                about = {"kind": "rooms.use", "subject": f"booking:{day}", "person_id": who.id}
                count_visit(work, on=TODAY.replace(day=day), now=work.now, **about)


def test_a_figure_opens_down_to_its_visits(client: Any, visited: None) -> None:
    reader = client(permissions={"figures.see", "people.see"})
    shown = reader.get("figures").text
    assert 'class="figure num">2<' in shown
    opened = reader.get("figures/visits?month=2026-11&service=rooms").text
    assert opened.count("陈秀英") == 2
    assert "王建国" not in opened


def test_names_are_for_those_who_see_people(client: Any, visited: None) -> None:
    assert "陈秀英" not in client(permissions={"figures.see"}).get("figures/visits?month=2026-11").text


@pytest.mark.parametrize("way", ["service", "place", "community_id", "band", "nonsense"])
def test_every_way_to_count_has_a_page(client: Any, visited: None, way: str) -> None:
    assert client(permissions={"figures.see"}).get(f"figures?by={way}&month=2026-11").status_code == 200


@pytest.mark.parametrize("month", ["", "2026-13", "9999-01", "0001-01", "x"])
def test_a_month_that_is_none_is_this_one(client: Any, visited: None, month: str) -> None:
    shown = client(permissions={"figures.see"}).get(f"figures?month={month}")
    assert (shown.status_code, "2026-11" in shown.text) == (200, True)


def test_an_official_reads_the_centres_side_by_side(
    installation: Any, client: Any, staff: Any, centre: Centre, second_centre: Centre, visited: None
) -> None:
    official = staff("official", permissions={"people.see"})
    with installation.doing("test") as work:
        district = work.get_one(Area, work.get_one(Area, centre.area_id).parent_id).id
        assert work.get_one(Area, second_centre.area_id).parent_id == district
        role = roles.add_role(
            work, actor=SYSTEM, key="reader", name="官员", permissions={"figures.see"}, now=work.now
        )
        given = {"staff_id": official.id, "role_id": role.id, "scope": Scope(area_id=district)}
        roles.grant_role(work, actor=SYSTEM, now=work.now, **given)
    shown = client(official).get(f"/areas/{district}/figures?month=2026-11").text
    assert centre.name in shown
    assert second_centre.name in shown
    assert client(permissions={"figures.see"}).get(f"/areas/{district}/figures").status_code == 404
