"""People at the desk: registered, found, confirmed, given a card."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from huijia.errors import Forbidden, Invalid
from huijia.identity.actor import Actor
from huijia.people import service
from huijia.people.errors import AlreadyHasCard, CardUnusable, NoSuchPerson, NumberTaken
from huijia.people.models import Person
from huijia.people.permissions import MANAGER
from huijia.people.search import search_people
from huijia.region.cn import CHECKS, WEIGHTS

DESK = Actor("staff", None, "desk", MANAGER)


def number_of(first_17: str) -> str:
    """A number with its check character."""
    return first_17 + CHECKS[sum(int(d) * w for d, w in zip(first_17, WEIGHTS, strict=True)) % 11]


CHEN = number_of("41010519520303002")


@pytest.fixture
def chen(work: Any) -> Person:
    phones = [{"value": "138 0371 4521"}, {"value": "13900001111", "whose": "女儿", "emergency": True}]
    facts = {"name": "陈秀英", "contacts": phones, "names": [{"kind": "other", "text": "Chen Xiuying"}]}
    return service.register_person(work, actor=DESK, number=CHEN, now=work.now, **facts)


def found(work: Any, text: str) -> list[str]:
    return [hit.name for hit in search_people(work, actor=DESK, text=text)]


@pytest.mark.parametrize(
    "text",
    [
        "陈秀英",  # as it is written
        "陳秀英",  # in Traditional signs
        "秀英",  # without the surname
        "cxy",  # by initials
        "CHENXIU",  # by sound, not to its end
        "chen xiu",  # the other name
        "4521",  # the last four of the phone
        "138 0371 4521",  # the phone as it was given
        "1380371",  # its beginning
        "陈 4521",  # two words of different kinds
        CHEN,  # the whole number
        CHEN.lower(),  # with a small x, were there one
        "".join(chr(ord(d) + 0xFEE0) if d.isdigit() else d for d in CHEN),  # in full-width digits
    ],
)
def test_one_box_finds_her(work: Any, chen: Person, both_engines: str, text: str) -> None:
    service.register_person(
        work, actor=DESK, name="王建国", now=work.now, contacts=[{"value": "13511112222"}]
    )
    assert found(work, text) == ["陈秀英"]


@pytest.mark.parametrize(
    "text",
    [
        "",  # nothing
        "李",  # somebody else
        CHEN[:17],  # a number that is not whole
        CHEN[-4:],  # the end of the number is no way to her
        "19520303",  # nor is the birth date in it
        "1111",  # the daughter's phone is not hers
    ],
)
def test_what_finds_nobody(work: Any, chen: Person, text: str) -> None:
    assert found(work, text) == []


def test_a_number_fills_in_what_it_tells(work: Any, chen: Person) -> None:
    assert (chen.born_on, chen.sex) == (date(1952, 3, 3), "female")


def test_a_number_that_contradicts_is_refused(work: Any) -> None:
    facts = {"born_on": date(1952, 3, 4), "number": CHEN}
    with pytest.raises(Invalid, match="1952"):
        service.register_person(work, actor=DESK, name="陈秀英", now=work.now, **facts)


def test_a_number_is_one_persons(work: Any, chen: Person) -> None:
    with pytest.raises(NumberTaken, match="陈秀英"):
        service.register_person(work, actor=DESK, name="陈秀兰", number=CHEN, now=work.now)


def test_a_new_name_keeps_the_old_one(work: Any, chen: Person) -> None:
    service.change_person(work, actor=DESK, person_id=chen.id, name="陈秀瑛", now=work.now)
    assert found(work, "陈秀英") == found(work, "陈秀瑛") == ["陈秀瑛"]


def test_an_identity_is_confirmed_until_a_day(work: Any, chen: Person) -> None:
    until = date(2027, 11, 22)
    said = {"evidence": "identity-card", "until": until, "now": work.now}
    first = service.confirm_identity(work, actor=DESK, person_id=chen.id, **said)
    assert chen.confirmed_until == until
    service.withdraw_confirmation(work, actor=DESK, confirmation_id=first.id, why="错了", now=work.now)
    assert chen.confirmed_until is None


def test_a_card_is_handed_out_replaced_and_found(work: Any, chen: Person) -> None:
    first = service.issue_card(work, actor=DESK, person_id=chen.id, now=work.now)
    with pytest.raises(AlreadyHasCard):
        service.issue_card(work, actor=DESK, person_id=chen.id, now=work.now)
    second = service.replace_card(work, actor=DESK, card_id=first.id, why="丢失", now=work.now)
    assert found(work, second.code) == ["陈秀英"]
    with pytest.raises(CardUnusable, match="丢失"):
        found(work, first.code)


def test_another_centre_sees_her_by_card_or_number_only(
    factories: Any, chen: Person, work: Any, second_centre: Any
) -> None:
    card = service.issue_card(work, actor=DESK, person_id=chen.id, now=work.now)
    work.centre_id = second_centre.id
    assert found(work, "陈秀英") == found(work, "4521") == []
    with pytest.raises(NoSuchPerson):
        service.change_person(work, actor=DESK, person_id=chen.id, name="x", now=work.now)
    [hit] = search_people(work, actor=DESK, text=card.code)
    assert (hit.name, hit.here, hit.born_on) == ("陈秀英", False, None)
    service.register_here(work, actor=DESK, person=chen, now=work.now)
    assert found(work, "4521") == ["陈秀英"]


def test_who_may_only_see_does_not_register(work: Any) -> None:
    reader = Actor("staff", None, "reader", frozenset({"people.see"}))
    with pytest.raises(Forbidden):
        service.register_person(work, actor=reader, name="陈秀英", now=work.now)
