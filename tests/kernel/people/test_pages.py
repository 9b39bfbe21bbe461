"""People's pages and REST, through HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from huijia.people.permissions import MANAGER
from huijia.region.cn import CHECKS, WEIGHTS

BODY = "41010519520303002"
CHEN = BODY + CHECKS[sum(int(d) * w for d, w in zip(BODY, WEIGHTS, strict=True)) % 11]


@pytest.fixture
def desk(client: Any) -> Any:
    return client(permissions=MANAGER | {"today.see"})


def register(desk: Any, **facts: Any) -> Any:
    answer = desk.post("people/new", data={"name": "陈秀英", **facts})
    assert answer.status_code == 303, answer.text
    return answer.location


def test_the_desk_registers_confirms_and_hands_out_a_card(desk: Any) -> None:
    place = register(desk, number=CHEN, phone="138 0371 4521")
    shown = desk.get(place).text
    assert "410*" in shown
    assert CHEN not in shown
    assert "74" in shown
    confirmed = desk.post(
        place.partition("?")[0] + "/confirm", data={"evidence": "identity-card", "until": "2027-11-22"}
    )
    assert confirmed.status_code == 303, confirmed.text
    card = desk.post(place.partition("?")[0] + "/card")
    assert "<svg" in desk.get(card.location).text
    assert "陈秀英" in desk.get("people/?q=4521").text


def test_what_was_typed_stays_beside_its_error(desk: Any) -> None:
    answer = desk.post("people/new", data={"name": "陈秀英", "number": CHEN[:-1] + "9"})
    assert answer.status_code == 422
    assert 'value="陈秀英"' in answer.text
    assert 'id="number-error"' in answer.text


def test_a_program_registers_and_finds(desk: Any) -> None:
    made = desk.api.post("people/people", json={"name": "陈秀英", "number": CHEN})
    assert made.status_code == 201, made.text
    assert made.json["born_on"] == "1952-03-03"
    assert [one["name"] for one in desk.api.get("people/found?text=cxy").json] == ["陈秀英"]
    assert [one["name"] for one in desk.api.get("people/people").json["items"]] == ["陈秀英"]
    assert desk.api.get(f"people/people/{made.json['id']}").json["sex"] == "female"


def test_a_number_is_shown_whole_only_to_those_who_may(desk: Any, client: Any, staff: Any) -> None:
    place = register(desk, number=CHEN)
    page = desk.get(place).text
    action = page.partition("people/numbers/")[2].partition('"')[0]
    assert CHEN in desk.post(f"people/numbers/{action}").text
    other = client(staff("li", permissions={"people.see", "people.manage"}))
    assert other.post(f"people/numbers/{action}").status_code == 403
    assert "people/numbers/" not in other.get(place).text


@pytest.mark.parametrize(
    ("right", "path"),
    [("people.import", "people/import"), ("people.export", "people/export")],
)
def test_sheets_go_in_and_out_by_rights_of_their_own(client: Any, right: str, path: str) -> None:
    assert client(permissions=(MANAGER | {"today.see"}) - {right}).get(path).status_code == 403
    assert client(permissions={right}).get(path).status_code == 200
