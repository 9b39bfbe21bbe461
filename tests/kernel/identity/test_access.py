from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from huijia.errors import Forbidden, NotFound, NotSignedIn
from huijia.i18n import speaking
from huijia.identity import access, service
from huijia.identity.actor import NOBODY, SYSTEM, Actor, Caller, covers, meet
from huijia.identity.models import Staff
from huijia.storage.settings import Scope
from huijia.storage.work import Storage
from huijia.testing.clock import SettableClock
from sqlalchemy import event

from .conftest import District


def caller(staff: Staff, **what: Any) -> Caller:
    return Caller("staff", staff.id, staff.id, staff.display_name, staff.locale, **what)


def held(town: District, staff: Staff, slug: str = "duling", **what: Any) -> frozenset[str]:
    with town.storage.reading() as session:
        return access.enter(session, slug=slug, caller=caller(staff, **what))[1].permissions


@pytest.mark.parametrize(
    ("place", "duling", "huayuan"),
    [
        ("installation", True, True),
        ("city", True, True),  # two steps above
        ("district", True, True),
        ("east", True, False),  # the subdistrict of Duling alone
        ("duling", True, False),
        ("huayuan", False, True),
    ],
)
def test_a_role_counts_at_its_place_and_below(
    both_engines: str, town: District, place: str, duling: bool, huayuan: bool
) -> None:
    staff = town.staff()
    kind = {"installation": None, "duling": "centre_id", "huayuan": "centre_id"}.get(place, "area_id")
    town.grant(staff, "today.see", at=Scope(**{kind: getattr(town, place).id}) if kind else Scope())
    assert held(town, staff, "duling") == ({"today.see"} if duling else set())
    assert held(town, staff, "huayuan") == ({"today.see"} if huayuan else set())
    with town.storage.reading() as session:
        slugs = [centre.slug for centre in access.centres_of(session, staff_id=staff.id)]
    assert slugs == ["duling"] * duling + ["huayuan"] * huayuan


def test_roles_from_several_places_add_up(both_engines: str, town: District) -> None:
    staff = town.staff()
    town.grant(staff, "today.see")
    town.grant(staff, "files.see", at=Scope(area_id=town.east.id))
    town.grant(staff, "rooms.book", at=Scope(centre_id=town.duling.id))
    town.grant(staff, "rooms.mend", at=Scope(centre_id=town.huayuan.id))  # elsewhere
    assert held(town, staff) == {"today.see", "files.see", "rooms.book"}
    with town.storage.reading() as session:
        assert access.rights_at(session, staff.id, Scope(area_id=town.east.id)) == {"today.see", "files.see"}
        assert access.rights_at(session, staff.id, Scope()) == {"today.see"}


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        ("2026-11-22T23:59:59+08:00", True),  # through the last day
        ("2026-11-23T00:00:00+08:00", False),  # UTC still says the 22nd; the centre's date decides
    ],
)
def test_a_grant_ends_with_its_last_day_at_the_centre(
    both_engines: str, town: District, clock: SettableClock, now: str, counts: bool
) -> None:
    staff = town.staff()
    town.grant(staff, "today.see", at=Scope(centre_id=town.duling.id), ends_on=date(2026, 11, 22))
    clock.set(now)
    assert bool(held(town, staff)) is counts
    with town.storage.reading() as session:
        assert bool(access.centres_of(session, staff_id=staff.id)) is counts


def test_an_inactive_account_may_nothing(both_engines: str, town: District) -> None:
    staff = town.staff()
    town.grant(staff, "today.see")
    with town.storage.writing() as session:
        service.deactivate_staff(session, actor=SYSTEM, staff_id=staff.id, now=session.now)
    assert held(town, staff) == set()
    with town.storage.reading() as session:
        assert access.centres_of(session, staff_id=staff.id) == []


def test_a_closed_or_unknown_centre_is_not_there(town: District) -> None:
    with town.storage.writing() as session:
        service.change_centre(session, actor=SYSTEM, centre_id=town.duling.id, active=False, now=session.now)
    with town.storage.reading() as session:
        for slug in ("duling", "nowhere"):
            with pytest.raises(NotFound):
                access.enter(session, slug=slug, caller=None)


def test_nobody_enters_with_no_rights(town: District) -> None:
    with town.storage.reading() as session:
        centre, actor = access.enter(session, slug="duling", caller=None)
    assert (centre.slug, actor) == ("duling", NOBODY)


@pytest.mark.parametrize(
    ("limit", "at", "expected"),
    [
        ({"*"}, None, {"today.see", "files.see"}),
        ({"today.see", "audit.see"}, None, {"today.see"}),  # its owner may not read the audit
        ({"today.see"}, "duling", {"today.see"}),
        ({"today.see"}, "huayuan", set()),  # bound to another centre
    ],
)
def test_a_token_passes_on_what_its_owner_holds(
    town: District, limit: set[str], at: str | None, expected: set[str]
) -> None:
    staff = town.staff()
    town.grant(staff, "today.see", "files.see")
    centre_id = getattr(town, at).id if at else None
    assert held(town, staff, limit=frozenset(limit), centre_id=centre_id) == expected


def test_entering_costs_one_query(storage: Storage, town: District) -> None:
    staff = town.staff()
    town.grant(staff, "today.see", at=Scope(area_id=town.city.id))
    seen: list[str] = []
    with storage.reading() as session:
        event.listen(storage.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
        access.enter(session, slug="duling", caller=caller(staff))
    assert len(seen) == 1


def test_a_refusal_names_the_right_and_the_way_to_it() -> None:
    actor = Actor("staff", None, "Wang", frozenset({"today.see"}), "en")
    with speaking("en"):
        with pytest.raises(Forbidden, match=r"Change settings.*settings\.manage.*manages staff"):
            actor.need("settings.manage")
        with pytest.raises(NotSignedIn, match="Sign in"):
            NOBODY.need("today.see")
    actor.need("today.see")
    SYSTEM.need("anything.at-all")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [("*", "*", "*"), ("*", "ab", "ab"), ("ab", "*", "ab"), ("ab", "bc", "b"), ("", "*", "")],
)
def test_what_two_hold_together(one: str, other: str, both: str) -> None:
    assert meet(frozenset(one), frozenset(other)) == frozenset(both)


@pytest.mark.parametrize(
    ("held", "wanted", "answer"),
    [("*", "ab", True), ("ab", "*", False), ("ab", "a", True), ("a", "ab", False), ("", "", True)],
)
def test_who_covers_whom(held: str, wanted: str, answer: bool) -> None:
    assert covers(frozenset(held), frozenset(wanted)) is answer
