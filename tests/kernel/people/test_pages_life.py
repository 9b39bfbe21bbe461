"""In the browser: moves, deaths, merges, and what is kept of a person, given out and erased."""

from __future__ import annotations

import json
from typing import Any

import pytest
from huijia.people.permissions import DESK, MANAGER

BORN = {"born_on": "1952-03-03"}


@pytest.fixture
def desk(client: Any) -> Any:
    return client(permissions=MANAGER | {"today.see"})


def register(desk: Any, name: str = "陈秀英", **facts: Any) -> str:
    answer = desk.post("people/new", data={"name": name, **facts})
    assert answer.status_code == 303, answer.text
    return "people/" + answer.location.partition("/people/")[2].partition("?")[0]


def test_a_death_is_recorded_and_taken_back_with_its_reason(desk: Any) -> None:
    place = register(desk)
    early = desk.post(f"{place}/died", data={"death_died_on": "2031-01-01"})
    assert early.status_code == 422
    assert 'id="death_died_on-error"' in early.text
    assert desk.post(f"{place}/died", data={"death_died_on": "2026-01-05"}).status_code == 303
    assert f"{place}/alive" in desk.get(place).text
    assert desk.post(f"{place}/alive", data={}).status_code == 422
    assert desk.post(f"{place}/alive", data={"alive_why": "同名弄错"}).status_code == 303
    assert f"{place}/died" in desk.get(place).text
    assert "同名弄错" in desk.get(f"{place}/seen").text


def test_who_moved_away_is_here_no_longer(desk: Any) -> None:
    place = register(desk)
    sent = {"move_on": "2026-01-05", "move_why": "随女儿居住"}
    nowhere = {**sent, "move_to_centre": "00000000-0000-0000-0000-000000000007"}
    refused = desk.post(f"{place}/move", data=nowhere)
    assert refused.status_code == 422
    assert 'id="move_to_centre-error"' in refused.text
    assert desk.post(f"{place}/move", data=sent).status_code == 303
    assert desk.get(place).status_code == 404


def test_two_records_are_compared_merged_and_parted(desk: Any) -> None:
    one, other = register(desk, **BORN), register(desk, **BORN)
    keys = one.removeprefix("people/"), other.removeprefix("people/")
    shown = desk.get("people/merging").text
    assert keys[0] in shown
    assert keys[1] in shown
    pair = f"{one}/same/{keys[1]}"
    assert desk.get(pair).status_code == 200
    assert desk.post(pair, data={"kept": "both"}).status_code == 422
    assert desk.post(pair, data={"kept": "one"}).status_code == 303
    assert desk.get(other).status_code == 302
    assert f"{other}/separate" in desk.get(one).text
    assert desk.post(f"{other}/separate").status_code == 303
    assert desk.get(other).status_code == 200


def test_two_people_are_not_proposed_again(desk: Any) -> None:
    one, other = register(desk, **BORN), register(desk, **BORN)
    assert desk.post(f"{one}/apart/{other.removeprefix('people/')}").status_code == 303
    assert one not in desk.get("people/merging").text


def test_everything_is_given_out_and_then_erased(desk: Any) -> None:
    place = register(desk, phone="13803714521", **BORN)
    read = desk.get(f"{place}/everything").text
    assert "13803714521" in read
    assert "born_on" not in read
    taken = desk.get(f"{place}/everything.json")
    assert "attachment" in taken.headers["Content-Disposition"]
    assert "13803714521" in json.dumps(taken.json)
    assert "13803714521" not in desk.get(f"{place}/erase").text
    assert desk.post(f"{place}/erase").status_code == 303
    assert desk.get(place).status_code == 404
    assert "陈秀英" not in desk.get("people/").text


PATHS = ("merging", "ID/everything", "ID/everything.json", "ID/seen", "ID/erase")
DEEDS = ("ID/move", "ID/died", "ID/alive", "ID/separate", "ID/erase", "ID/same/ID", "ID/apart/ID")


def test_the_desk_alone_may_do_none_of_it(desk: Any, client: Any, staff: Any) -> None:
    place = register(desk)
    other = client(staff("li", permissions=DESK))
    paths = [f"people/{path}".replace("people/ID", place) for path in PATHS]
    assert [other.get(path).status_code for path in paths] == [403] * len(PATHS)
    deeds = [f"people/{path}".replace("ID", place.removeprefix("people/")) for path in DEEDS]
    assert [other.post(path).status_code for path in deeds] == [403] * len(DEEDS)
    shown = other.get(place).text
    assert not [path for path in (*paths[1:], *deeds) if path in shown]
