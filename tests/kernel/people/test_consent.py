"""Consent by purpose, guardians of minors, and notes that need a right of their own."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from huijia.errors import Forbidden, Invalid
from huijia.identity.actor import SYSTEM, Actor
from huijia.people import service
from huijia.people.errors import ConsentMissing
from huijia.people.models import Person, SensitiveNote
from huijia.people.permissions import HEALTH, MANAGER, MINORS

CHIEF = Actor("staff", None, "chief", MANAGER)
TODAY = date(2026, 11, 22)
GIVEN = {"purpose": "photos", "text": "我同意中心刊登我的照片。"}


def register(work: Any, born_on: date | None = date(1952, 3, 3)) -> Person:
    return service.register_person(work, actor=CHIEF, name="陈秀英", now=work.now, born_on=born_on)


def agree(work: Any, person: Person, by: Person | None = None, **what: Any) -> Any:
    whose = {"person_id": person.id, "given_by": by.id if by else None}
    return service.give_consent(work, actor=CHIEF, now=work.now, **whose, **{**GIVEN, **what})


def guard(work: Any, child: Person, guardian: Person, **what: Any) -> Any:
    who = {"person_id": child.id, "guardian_id": guardian.id, "relation": "母亲", "evidence": "户口簿"}
    return service.add_guardian(work, actor=SYSTEM, now=work.now, **who, **what)


def test_consent_keeps_its_very_text_and_ends_with_its_withdrawal(work: Any) -> None:
    person = register(work)
    with pytest.raises(ConsentMissing, match="photos"):
        service.need_consent(work, person, "photos", TODAY)
    given = agree(work, person, given_on=date(2026, 11, 1))
    assert given.text == GIVEN["text"]
    service.need_consent(work, person, "photos", TODAY)
    assert not service.has_consent(work, person, "photos", date(2026, 10, 31))
    assert not service.has_consent(work, person, "health", TODAY)
    service.withdraw_consent(work, actor=CHIEF, consent_id=given.id, now=work.now)
    assert not service.has_consent(work, person, "photos", TODAY)
    assert service.has_consent(work, person, "photos", date(2026, 11, 21)), "it held until then"


@pytest.mark.parametrize(
    ("born_on", "oneself"),
    [
        (date(2008, 11, 22), True),  # of age today
        (date(2008, 11, 23), False),  # tomorrow
        (date(2015, 1, 1), False),
        (None, False),  # nobody can tell
    ],
)
def test_who_agrees_in_person(work: Any, born_on: date | None, oneself: bool) -> None:
    person = register(work, born_on)
    if oneself:
        assert agree(work, person).given_by is None
    else:
        with pytest.raises(Invalid):
            agree(work, person)


def test_for_a_minor_a_standing_guardian_agrees(work: Any) -> None:
    child, mother, other = register(work, date(2015, 1, 1)), register(work), register(work)
    standing = guard(work, child, mother, since=date(2020, 1, 1))
    with pytest.raises(Invalid):
        agree(work, child, other)
    assert agree(work, child, mother).given_by == mother.id
    end = {"guardianship_id": standing.id, "until": date(2026, 11, 1)}
    service.end_guardian(work, actor=SYSTEM, now=work.now, **end)
    with pytest.raises(Invalid):
        agree(work, child, mother)
    with pytest.raises(Invalid):
        agree(work, mother, other)  # of age: in person only


def test_a_minor_is_no_guardian_and_guardians_need_a_right(work: Any) -> None:
    child, sibling = register(work, date(2015, 1, 1)), register(work, date(2012, 1, 1))
    with pytest.raises(Invalid):
        guard(work, child, sibling)
    with pytest.raises(Forbidden):
        service.guardians_of(work, actor=CHIEF, person_id=child.id, day=TODAY)


def test_a_note_is_sealed_and_read_with_its_own_right_only(work: Any) -> None:
    person, child = register(work), register(work, date(2015, 1, 1))
    nurse = Actor("staff", None, "nurse", frozenset({HEALTH}))
    note = {"kind": "health", "text": "糖尿病", "now": work.now}
    kept = service.write_note(work, actor=nurse, person_id=person.id, **note)
    assert "糖尿病".encode() not in kept.sealed
    assert service.read_note(work, actor=nurse, person_id=person.id, kind="health") == "糖尿病"
    with pytest.raises(Forbidden):
        service.read_note(work, actor=CHIEF, person_id=person.id, kind="health")
    with pytest.raises(Forbidden):
        service.read_note(work, actor=nurse, person_id=person.id, kind="counselling")
    with pytest.raises(Forbidden):
        service.write_note(work, actor=nurse, person_id=child.id, **note)
    both = Actor("staff", None, "nurse", frozenset({HEALTH, MINORS}))
    service.write_note(work, actor=both, person_id=child.id, **note)
    service.write_note(work, actor=nurse, person_id=person.id, **{**note, "text": ""})
    assert [one.person_id for one in work.query(SensitiveNote)] == [child.id]
