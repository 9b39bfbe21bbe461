"""Duplicates: proposed by rules, decided by a person, undone while nothing contradicts."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from huijia.errors import Forbidden
from huijia.identity.actor import SYSTEM, Actor
from huijia.people import service
from huijia.people.errors import CannotMerge, CannotSeparate
from huijia.people.models import Person, PersonContact
from huijia.people.permissions import DESK, MANAGER, MERGE
from huijia.people.search import search_people
from huijia.people.service.cards import cards_of
from huijia.people.sight import find_person
from huijia.region.cn import CHECKS, WEIGHTS

CHIEF = Actor("staff", None, "chief", MANAGER)
UNTIL = date(2027, 5, 1)


def number_of(first_17: str) -> str:
    return first_17 + CHECKS[sum(int(d) * w for d, w in zip(first_17, WEIGHTS, strict=True)) % 11]


def register(work: Any, name: str = "陈秀英", phone: str = "", **facts: Any) -> Person:
    contacts = [{"value": phone}] if phone else []
    return service.register_person(work, actor=CHIEF, name=name, now=work.now, contacts=contacts, **facts)


def merge(work: Any, kept: Person, merged: Person, actor: Actor = CHIEF, **what: Any) -> Any:
    return service.merge_people(work, actor=actor, kept_id=kept.id, merged_id=merged.id, now=work.now, **what)


def found(work: Any, text: str) -> list[Any]:
    return [hit.id for hit in search_people(work, actor=CHIEF, text=text)]


BORN = {"born_on": date(1952, 3, 3)}


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ({**BORN}, {**BORN}, "birth"),
        ({**BORN}, {**BORN, "name": "陳秀英"}, "birth"),  # in Traditional signs
        ({"phone": "13803714521"}, {"phone": "138 0371 4521"}, "phone"),  # written otherwise
        ({**BORN}, {"born_on": date(1952, 3, 4)}, None),  # another day
        ({**BORN}, {**BORN, "name": "陈秀瑛"}, None),  # sounds alike, is written otherwise
        ({"phone": "13803714521"}, {"phone": "13803714521", "name": "王建国"}, None),  # a shared phone
    ],
)
def test_duplicates_are_proposed_with_their_reason(
    work: Any, both_engines: str, one: Any, other: Any, reason: str | None
) -> None:
    pair = {register(work, **one).id, register(work, **other).id}
    proposed = service.propose_duplicates(work, actor=CHIEF)
    assert [({it.one.id, it.other.id}, reason in str(it.reason.message)) for it in proposed] == (
        [(pair, True)] if reason else []
    )


def test_what_was_judged_different_is_not_proposed_again(work: Any) -> None:
    one, other = register(work, **BORN), register(work, **BORN)
    service.keep_apart(work, actor=CHIEF, one_id=other.id, other_id=one.id, now=work.now)
    assert service.propose_duplicates(work, actor=CHIEF) == []


def test_a_merged_record_leads_to_the_kept_one(work: Any, both_engines: str) -> None:
    kept, merged = register(work, phone="13803714521"), register(work, "陈秀瑛", phone="13900001111")
    ours = service.issue_card(work, actor=CHIEF, person_id=kept.id, now=work.now)
    theirs = service.issue_card(work, actor=CHIEF, person_id=merged.id, now=work.now)
    merge(work, kept, merged)
    assert find_person(work, merged.id) is kept
    assert (ours.state, theirs.state) == ("active", "replaced")
    assert found(work, "陈秀瑛") == found(work, "1111") == [kept.id]
    phone = work.query(PersonContact).filter_by(person_id=merged.id).one()
    assert phone.value == "13900001111", "history stands where it stood"


def test_the_only_card_goes_on(work: Any) -> None:
    kept, merged = register(work), register(work)
    card = service.issue_card(work, actor=CHIEF, person_id=merged.id, now=work.now)
    merge(work, kept, merged)
    assert card.state == "active"
    assert service.person_of_card(work, card.code) is kept
    assert [one.id for one in cards_of(work, kept.id)] == [card.id]


def test_a_merge_unites_the_centres_and_the_confirmations(work: Any, second_centre: Any) -> None:
    kept, merged = register(work), register(work)
    said = {"evidence": "identity-card", "until": UNTIL, "now": work.now}
    service.confirm_identity(work, actor=CHIEF, person_id=merged.id, **said)
    home, work.centre_id = work.centre_id, second_centre.id
    service.register_here(work, actor=CHIEF, person=merged, now=work.now)
    work.centre_id = home
    merge(work, kept, merged)
    assert kept.confirmed_until == UNTIL
    work.centre_id = second_centre.id
    assert find_person(work, merged.id) is kept


def confirmed(work: Any, first_17: str) -> Person:
    person = register(work, number=number_of(first_17))
    said = {"evidence": "identity-card", "until": UNTIL, "now": work.now}
    service.confirm_identity(work, actor=CHIEF, person_id=person.id, **said)
    return person


@pytest.mark.parametrize(
    ("rights", "why", "merged"),
    [
        (MANAGER, "", False),  # nobody said why
        (DESK | {MERGE}, "新旧证件号码", False),  # may not see numbers
        (MANAGER, "新旧证件号码", True),
    ],
)
def test_two_confirmed_numbers_need_a_reason_and_a_right(
    work: Any, rights: frozenset[str], why: str, merged: bool
) -> None:
    one, other = confirmed(work, "41010519520303002"), confirmed(work, "41010519520303004")
    actor = Actor("staff", None, "x", rights)
    if merged:
        assert merge(work, one, other, actor, why=why).why == why
    else:
        with pytest.raises(CannotMerge, match=r"."):
            merge(work, one, other, actor, why=why)


def test_a_merge_is_undone_while_nothing_contradicts(work: Any, both_engines: str) -> None:
    kept, merged, third = register(work), register(work, "陈秀瑛"), register(work)
    merge(work, kept, merged)
    service.separate_people(work, actor=CHIEF, merged_id=merged.id, now=work.now)
    assert find_person(work, merged.id) is merged
    assert found(work, "陈秀瑛") == [merged.id]
    merge(work, kept, merged)
    merge(work, third, kept)
    with pytest.raises(CannotSeparate):
        service.separate_people(work, actor=CHIEF, merged_id=merged.id, now=work.now)


def test_the_desk_does_not_merge(work: Any) -> None:
    with pytest.raises(Forbidden):
        merge(work, register(work), register(work), Actor("staff", None, "desk", DESK))


def test_a_record_is_not_merged_into_itself(work: Any) -> None:
    one, other = register(work), register(work)
    merge(work, one, other, SYSTEM)
    with pytest.raises(CannotMerge):
        merge(work, one, other)
