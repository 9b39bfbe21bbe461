from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any

import pytest
from huijia.errors import Forbidden, Invalid, NotFound, NotSignedIn
from huijia.i18n import speaking
from huijia.identity import roles, service
from huijia.identity.actor import NOBODY, SYSTEM, Actor
from huijia.identity.roles import Taken
from huijia.storage.base import new_id
from huijia.storage.settings import Scope
from huijia.storage.work import Storage

from .conftest import PASSWORD, District


@pytest.mark.parametrize(
    ("kind", "above", "allowed"),
    [
        ("community", "east", True),
        ("compound", "east", True),  # steps may be left out
        ("subdistrict", "east", False),  # beside, not below
        ("city", "district", False),  # upside down
        ("village", "east", False),  # no such kind
    ],
)
def test_an_area_lies_in_a_larger_one(
    storage: Storage, town: District, kind: str, above: str, allowed: bool
) -> None:
    with storage.writing() as session:
        what = {"kind": kind, "name": "东里社区", "parent_id": getattr(town, above).id, "now": session.now}
        if allowed:
            assert service.add_area(session, actor=SYSTEM, **what).parent_id == getattr(town, above).id
        else:
            with speaking("en"), pytest.raises(Invalid, match="larger"):
                service.add_area(session, actor=SYSTEM, **what)


@pytest.mark.parametrize("slug", ["", "Duling", "du ling", "杜岭", "-duling", "du--ling", "x" * 41, "a\n"])
def test_an_address_has_the_shape_of_one(storage: Storage, town: District, slug: str) -> None:
    with storage.writing() as session, pytest.raises(Invalid) as refused:
        service.add_centre(session, actor=SYSTEM, area_id=town.east.id, slug=slug, name="X", now=session.now)
    assert "slug" in refused.value.errors


def test_an_address_belongs_to_one_centre(storage: Storage, town: District) -> None:
    with storage.writing() as session, pytest.raises(Taken, match="duling"):
        service.add_centre(
            session, actor=SYSTEM, area_id=town.west.id, slug="duling", name="X", now=session.now
        )


@pytest.mark.parametrize(
    "facts", [{"time_zone": "Mars/Olympus"}, {"languages": []}, {"languages": ["zh_Hans", "fr"]}]
)
def test_a_centre_keeps_sensible_facts(storage: Storage, town: District, facts: dict[str, Any]) -> None:
    with storage.writing() as session, pytest.raises(Invalid):
        service.change_centre(session, actor=SYSTEM, centre_id=town.duling.id, now=session.now, **facts)


def test_places_are_managed_by_who_may_there(both_engines: str, storage: Storage, town: District) -> None:
    keeper = town.staff("keeper")
    town.grant(keeper, "centres.manage", at=Scope(area_id=town.east.id))
    actor = town.actor(keeper, Scope(area_id=town.east.id))
    with storage.writing() as session:
        who = {"session": session, "actor": actor, "now": session.now}
        service.change_centre(**who, centre_id=town.duling.id, name_en="Duling")
        service.add_site(**who, centre_id=town.duling.id, name="一号楼", address="杜岭街 1 号")
        service.add_area(**who, kind="community", name="东里", parent_id=town.east.id)
        for deed in (
            lambda: service.change_centre(**who, centre_id=town.huayuan.id, name_en="Mine"),
            lambda: service.add_centre(**who, area_id=town.district.id, slug="new", name="New"),
            lambda: service.add_area(**who, kind="city", name="开封"),
        ):
            with pytest.raises(Forbidden):
                deed()


@pytest.mark.parametrize(
    ("username", "kept"),
    [
        ("Wang.Fang", "wang.fang"),
        ("  王芳 ", "王芳"),
        ("STRASSE", "strasse"),
        ("w", None),  # one letter
        ("wang fang", None),
        ("w" * 65, None),
    ],
)
def test_a_username_is_folded_and_has_no_spaces(
    storage: Storage, town: District, username: str, kept: str | None
) -> None:
    if kept is None:
        with pytest.raises(Invalid):
            town.staff(username)
    else:
        assert town.staff(username).username == kept
        with pytest.raises(Taken):
            town.staff(username.upper())


def test_accounts_are_made_by_managers_of_staff_only(storage: Storage, town: District) -> None:
    clerk = Actor("staff", new_id(), "Clerk", frozenset({"today.see"}))
    for actor in (clerk, NOBODY):
        with storage.writing() as session, pytest.raises((Forbidden, NotSignedIn)):
            service.add_staff(
                session, actor=actor, username="li", display_name="Li", password=PASSWORD, now=session.now
            )


def test_language_and_type_size_are_ones_own_but_the_name_is_not(storage: Storage, town: District) -> None:
    staff, other = town.staff("wang"), town.staff("li")
    with storage.writing() as session:
        who = {"session": session, "actor": town.actor(staff), "now": session.now}
        changed = service.change_staff(**who, staff_id=staff.id, locale="en", large_type=True)
        assert (changed.locale, changed.large_type) == ("en", True)
        with pytest.raises(Forbidden):
            service.change_staff(**who, staff_id=staff.id, display_name="Director")
        with pytest.raises(Forbidden):
            service.change_staff(**who, staff_id=other.id, large_type=True)
        with pytest.raises(Invalid):
            service.change_staff(**who, staff_id=staff.id, locale="fr")
        with pytest.raises(NotFound):
            service.change_staff(**who, staff_id=new_id(), locale="en")


@pytest.mark.parametrize("what", ["staff", "centre", "role"])
def test_of_two_who_take_a_name_at_once_the_later_is_told_so(
    both_engines: str, engine_url: str, storage: Storage, town: District, what: str
) -> None:
    named = {
        "staff": (service.add_staff, {"username": "li", "display_name": "李", "password": PASSWORD}),
        "centre": (service.add_centre, {"slug": "new", "name": "新", "area_id": town.east.id}),
        "role": (roles.add_role, {"key": "new", "name": "新", "permissions": ["today.see"]}),
    }
    add, facts = named[what]
    rival = Storage(engine_url, clock=storage.clock)  # as another process: its own line and connections

    def later() -> None:
        with rival.writing() as session:
            add(session, actor=SYSTEM, now=session.now, **facts)

    try:
        with ThreadPoolExecutor(1) as pool:
            with storage.writing() as session:
                add(session, actor=SYSTEM, now=session.now, **facts)
                waiting = pool.submit(later)
                sleep(0.5)  # long enough to come as far as the insert, which waits for this unit
            with pytest.raises(Taken):
                waiting.result()
    finally:
        rival.close()
