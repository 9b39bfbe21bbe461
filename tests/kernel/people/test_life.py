"""Moves and deaths: what stops, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from huijia.errors import Invalid
from huijia.identity.actor import Actor
from huijia.people import service
from huijia.people.errors import CardUnusable, NoSuchPerson, PersonGone
from huijia.people.models import Person
from huijia.people.permissions import MANAGER
from huijia.people.service.confirming import is_confirmed
from huijia.people.sight import find_person
from huijia.storage.outbox import Delivery, Event
from huijia.testing.broken import make_plugin, on_path
from sqlalchemy import select

CHIEF = Actor("staff", None, "chief", MANAGER)
TODAY = date(2026, 11, 22)
LISTENER = """
@hookimpl
def huijia_person_died(session, person_id): raise RuntimeError("planted")

@hookimpl_at_once
def huijia_person_moved(session, person_id): raise RuntimeError("planted")
"""


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[None]:
    """The service `planted`, whose listeners raise."""
    with on_path(tmp_path / "plugins"):
        make_plugin(tmp_path / "plugins", "planted", {"plugin.py": LISTENER})
        yield


@pytest.fixture
def everywhere(planted: None, enable: Any, second_centre: Any, centre: Any) -> Any:
    """Both centres, with the listener switched on at each."""
    enable("planted")
    enable("planted", second_centre)
    return second_centre


def register(work: Any) -> Person:
    person = service.register_person(work, actor=CHIEF, name="陈秀英", now=work.now, born_on=date(1952, 3, 3))
    said = {"evidence": "identity-card", "until": date(2027, 11, 1), "now": work.now}
    service.confirm_identity(work, actor=CHIEF, person_id=person.id, **said)
    return person


def died(work: Any, person: Person, day: date = TODAY) -> Person:
    return service.record_death(work, actor=CHIEF, person_id=person.id, died_on=day, now=work.now)


def heard_at(work: Any, name: str) -> set[Any]:
    rows = select(Delivery.centre_id).join(Event, Event.id == Delivery.event_id).where(Event.name == name)
    return set(work.scalars(rows))


def test_at_a_death_cards_end_and_confirmation_stops(work: Any, both_engines: str) -> None:
    person = register(work)
    card = service.issue_card(work, actor=CHIEF, person_id=person.id, now=work.now)
    died(work, person, date(2026, 11, 20))
    assert not is_confirmed(person, TODAY)
    with pytest.raises(CardUnusable):
        service.person_of_card(work, card.code)
    with pytest.raises(PersonGone):
        service.issue_card(work, actor=CHIEF, person_id=person.id, now=work.now)


def test_services_of_every_centre_hear_of_a_death(everywhere: Any, factories: Any, centre: Any) -> None:
    with factories.work(centre) as work:
        person = register(work)
        work.centre_id = everywhere.id
        service.register_here(work, actor=CHIEF, person=person, now=work.now)
        work.centre_id = centre.id
        died(work, person)
        assert heard_at(work, "huijia_person_died") == {centre.id, everywhere.id}
        assert work.centre_id == centre.id


def test_what_stops_at_a_death_stops_even_where_a_listener_fails(
    everywhere: Any, installation: Any, centre: Any
) -> None:
    from huijia.registry.deliver import deliver_due

    with installation.writing(centre) as session:
        person_id = register(session).id
        card = service.issue_card(session, actor=CHIEF, person_id=person_id, now=session.now).code
        service.record_death(session, actor=CHIEF, person_id=person_id, died_on=TODAY, now=session.now)
    assert deliver_due(installation) == 1
    with installation.reading(centre) as session:
        delivery = session.scalar(select(Delivery))
        assert (delivery.state, delivery.attempts) == ("waiting", 1), "it failed, and is tried again"
        assert not is_confirmed(find_person(session, person_id), date(2026, 11, 23))
        with pytest.raises(CardUnusable):
            service.person_of_card(session, card)


def test_who_moves_is_seen_at_the_new_centre_only(everywhere: Any, factories: Any, centre: Any) -> None:
    with factories.work(centre) as work:
        person = register(work)
        what = {"person_id": person.id, "on": TODAY, "why": "搬家", "to_centre": everywhere.id}
        service.record_move(work, actor=CHIEF, now=work.now, **what)
        with pytest.raises(NoSuchPerson):
            find_person(work, person.id)
        assert heard_at(work, "huijia_person_moved") == {centre.id, everywhere.id}
        work.centre_id = everywhere.id
        assert find_person(work, person.id) is person


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 11, 23),  # has not come
        date(1952, 3, 2),  # before the birth
    ],
)
def test_a_death_on_a_wrong_day_is_refused(work: Any, day: date) -> None:
    with pytest.raises(Invalid):
        died(work, register(work), day)


def test_a_wrong_death_is_taken_back(work: Any) -> None:
    person = died(work, register(work))
    with pytest.raises(PersonGone):
        died(work, person)
    service.take_death_back(work, actor=CHIEF, person_id=person.id, why="同名者", now=work.now)
    assert is_confirmed(person, TODAY)
    assert service.issue_card(work, actor=CHIEF, person_id=person.id, now=work.now).state == "active"
