"""Every right over people opens one thing, and nothing else opens it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from huijia.errors import Forbidden
from huijia.identity.actor import Actor
from huijia.identity.permissions import KERNEL_PERMISSIONS
from huijia.people import service
from huijia.people.models import PersonNumber
from huijia.people.privacy.access import access_report
from huijia.people.privacy.erasing import erase_person
from huijia.people.privacy.exporting import export_person
from huijia.people.search import search_people
from huijia.people.service.consent import guardians_of
from huijia.people.service.notes import read_note, write_note
from huijia.people.service.organisations import add_organisation
from huijia.storage.work import WorkSession
from sqlalchemy import select

OURS = {p.key for p in KERNEL_PERMISSIONS if p.key.startswith(("people.", "organisations."))}
EVERY = Actor("staff", None, "every", frozenset(OURS))
Act = Callable[[WorkSession, Actor, UUID], Any]


def number_of(session: WorkSession, person_id: UUID) -> UUID:
    return session.scalars(select(PersonNumber.id).where(PersonNumber.person_id == person_id)).one()


ACTS: list[tuple[str, Act]] = [
    ("people.see", lambda s, a, p: search_people(s, actor=a, text="陈")),
    ("people.manage", lambda s, a, p: service.change_person(s, actor=a, person_id=p, name="陈", now=s.now)),
    (
        "people.confirm",
        lambda s, a, p: service.confirm_identity(
            s, actor=a, person_id=p, evidence="passport", until=date(2027, 1, 1), now=s.now
        ),
    ),
    ("people.cards", lambda s, a, p: service.issue_card(s, actor=a, person_id=p, now=s.now)),
    ("people.numbers", lambda s, a, p: service.reveal_number(s, actor=a, number_id=number_of(s, p))),
    (
        "people.merge",
        lambda s, a, p: service.record_death(s, actor=a, person_id=p, died_on=date(2026, 11, 1), now=s.now),
    ),
    ("people.privacy", lambda s, a, p: export_person(s, actor=a, person_id=p, now=s.now)),
    ("people.privacy", lambda s, a, p: erase_person(s, actor=a, person_id=p, now=s.now)),
    ("people.privacy", lambda s, a, p: access_report(s, actor=a, person_id=p)),
    (
        "people.health",
        lambda s, a, p: write_note(s, actor=a, person_id=p, kind="health", text="高血压", now=s.now),
    ),
    ("people.diet", lambda s, a, p: read_note(s, actor=a, person_id=p, kind="diet")),
    ("people.counselling", lambda s, a, p: read_note(s, actor=a, person_id=p, kind="counselling")),
    ("people.minors", lambda s, a, p: guardians_of(s, actor=a, person_id=p, day=date(2026, 11, 22))),
    (
        "organisations.manage",
        lambda s, a, p: add_organisation(s, actor=a, kind="social", name="夕阳红", now=s.now),
    ),
]


@pytest.fixture
def chen(work: WorkSession) -> UUID:
    facts: Any = {"name": "陈秀英", "number": "E12345678", "born_on": date(1952, 3, 3), "now": work.now}
    return service.register_person(work, actor=EVERY, **facts).id


@pytest.mark.parametrize(("right", "act"), ACTS)
def test_a_right_is_needed(work: WorkSession, chen: UUID, right: str, act: Act) -> None:
    others = Actor("staff", None, "others", frozenset(OURS - {right}))
    with work.savepoint(), pytest.raises(Forbidden) as refused:
        act(work, others, chen)
    assert refused.value.details == {"permission": right}
    act(work, EVERY, chen)


@pytest.mark.parametrize(
    ("kind", "right"),
    [("health", "people.health"), ("diet", "people.diet"), ("counselling", "people.counselling")],
)
def test_notes_on_a_minor_need_one_more_right(work: WorkSession, kind: str, right: str) -> None:
    facts: Any = {"name": "李小明", "born_on": date(2018, 3, 3), "now": work.now}
    child = service.register_person(work, actor=EVERY, **facts).id
    one = Actor("staff", None, "one", frozenset({right}))
    with pytest.raises(Forbidden) as refused:
        write_note(work, actor=one, person_id=child, kind=kind, text="…", now=work.now)
    assert refused.value.details == {"permission": "people.minors"}
