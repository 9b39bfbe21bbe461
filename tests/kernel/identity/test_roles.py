from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from huijia.contributions import RoleBundle
from huijia.errors import Forbidden, Invalid, NotFound, PluginFault
from huijia.i18n import Text
from huijia.identity import roles, service, signin, tokens
from huijia.identity.actor import SYSTEM
from huijia.identity.models import Grant, Role, Staff
from huijia.identity.permissions import ADMINISTRATOR, KERNEL_PERMISSIONS, label_of
from huijia.identity.roles import Escalation, LastAdministrator, Taken
from huijia.storage.base import new_id
from huijia.storage.settings import Scope
from huijia.storage.work import Storage
from sqlalchemy import select

from .conftest import PASSWORD, District


def scope(town: District, place: str) -> Scope:
    if place == "installation":
        return Scope()
    record = getattr(town, place)
    return Scope(centre_id=record.id) if place in ("duling", "huayuan") else Scope(area_id=record.id)


@pytest.mark.parametrize(
    ("held", "held_at", "given", "given_at", "allowed"),
    [
        ({"staff.manage", "today.see"}, "duling", {"today.see"}, "duling", True),
        ({"staff.manage", "today.see"}, "east", {"today.see"}, "duling", True),  # from above
        ({"staff.manage", "today.see"}, "duling", {"today.see"}, "east", False),  # upwards
        ({"staff.manage", "today.see"}, "duling", {"today.see"}, "huayuan", False),  # next door
        ({"staff.manage"}, "duling", {"today.see"}, "duling", False),  # not held oneself
        ({"today.see"}, "duling", {"today.see"}, "duling", False),  # may not manage staff
        ({"staff.manage"}, "installation", {"*"}, "duling", False),
        ({"staff.manage"}, "duling", set(), "duling", True),  # an empty role
        ({"*"}, "district", {"*"}, "duling", True),
        ({"*"}, "district", {"*"}, "installation", False),
    ],
)
def test_nobody_grants_more_than_they_hold(
    both_engines: str, storage: Storage, town: District, held: set[str], held_at: str, given: set[str],
    given_at: str, allowed: bool,
) -> None:  # fmt: skip
    boss, wang = town.staff("boss"), town.staff("wang")
    town.grant(boss, *held, at=scope(town, held_at))
    grant = town.grant(wang, *given, at=scope(town, given_at))
    actor = town.actor(boss, scope(town, held_at))
    role_id, place = grant.role_id, scope(town, given_at)
    for deed in ("give", "take"):
        with storage.writing() as session:
            session.give_up()
            try:
                if deed == "give":
                    roles.grant_role(
                        session, actor=actor, staff_id=wang.id, role_id=role_id, scope=place, now=session.now
                    )
                else:
                    roles.revoke_grant(session, actor=actor, grant_id=grant.id, now=session.now)
                done = True
            except Escalation as refused:
                assert refused.details["missing"]  # noqa: PT017
                done = False
        assert done is allowed, deed


def test_a_manager_cannot_raise_oneself_by_editing_a_role(storage: Storage, town: District) -> None:
    boss = town.staff("boss")
    grant = town.grant(boss, "staff.manage", "today.see")
    actor = town.actor(boss)
    with storage.writing() as session:
        with pytest.raises(Escalation):
            roles.change_role(
                session, actor=actor, role_id=grant.role_id, permissions={"audit.see"}, now=session.now
            )
        with pytest.raises(Escalation):
            roles.add_role(session, actor=actor, key="big", name="Big", permissions={"*"}, now=session.now)
        roles.add_role(
            session, actor=actor, key="small", name="Small", permissions={"today.see"}, now=session.now
        )
        with pytest.raises(Taken, match="small"):
            roles.add_role(session, actor=actor, key="small", name="S", permissions=(), now=session.now)


def test_a_ready_made_role_is_copied_and_not_edited(storage: Storage, town: District) -> None:
    bundle = RoleBundle("rooms.keeper", Text("Keeper"), frozenset({"rooms.book"}))
    with storage.writing() as session:
        roles.provide_roles(session, [bundle], plugin="rooms")
        roles.provide_roles(
            session, [replace(bundle, permissions=frozenset())], plugin="rooms"
        )  # a new version
        for key in ("rooms.keeper", ADMINISTRATOR):
            role = session.scalars(select(Role).where(Role.key == key)).one()
            with pytest.raises(Invalid):
                roles.change_role(session, actor=SYSTEM, role_id=role.id, permissions=(), now=session.now)
        town.role(session, key="mine")
        for key in (ADMINISTRATOR, "mine"):  # no service takes over another's role, nor the operator's
            with pytest.raises(PluginFault, match=key):
                roles.provide_roles(session, [replace(bundle, key=key)], plugin="rooms")


@pytest.mark.parametrize("deed", ["deactivate", "revoke", "empty the role", "set an end"])
def test_the_last_administrator_stays(both_engines: str, storage: Storage, town: District, deed: str) -> None:
    last = town.staff("last")
    grant = town.grant(last, "*", key="everything")
    town.grant(town.staff("brief"), key=ADMINISTRATOR, ends_on=date(2026, 12, 31))  # does not stay either
    with storage.writing() as session:
        with pytest.raises(LastAdministrator):
            _take_away(session, deed, grant)
        session.expire_all()
        assert session.get_one(Staff, last.id).active  # undone although the unit goes on
        assert session.get_one(Grant, grant.id).ends_on is None
    town.grant(town.staff("second"), key=ADMINISTRATOR)
    with storage.writing() as session:
        _take_away(session, deed, grant)


def _take_away(session: roles.WorkSession, deed: str, grant: Grant) -> None:
    now, who = session.now, {"session": session, "actor": SYSTEM}
    if deed == "deactivate":
        service.deactivate_staff(**who, staff_id=grant.staff_id, now=now)
    elif deed == "revoke":
        roles.revoke_grant(**who, grant_id=grant.id, now=now)
    elif deed == "empty the role":
        roles.change_role(**who, role_id=grant.role_id, permissions=(), now=now)
    else:
        whose = {"staff_id": grant.staff_id, "role_id": grant.role_id, "scope": Scope()}
        roles.grant_role(**who, **whose, ends_on=date(2026, 12, 31), now=now)


def test_two_administrators_do_not_remove_each_other_at_once(
    both_engines: str, storage: Storage, town: District
) -> None:
    people = [town.staff(name) for name in ("one", "two")]
    grants = [town.grant(person, key=ADMINISTRATOR) for person in people]

    def take(grant: Grant) -> bool:
        try:
            with storage.writing() as session:
                roles.revoke_grant(session, actor=SYSTEM, grant_id=grant.id, now=session.now)
        except LastAdministrator:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, grants)) == [False, True]


def test_a_manager_does_not_touch_whoever_stands_above(storage: Storage, town: District) -> None:
    boss, chief, peer = town.staff("boss"), town.staff("chief"), town.staff("peer")
    place = scope(town, "duling")
    town.grant(boss, "staff.manage", "today.see", at=place)
    town.grant(chief, "today.see", at=scope(town, "east"))  # fewer rights, but higher up
    town.grant(peer, "today.see", at=place)
    actor = town.actor(boss, place)
    with storage.writing() as session:
        who = {"session": session, "actor": actor, "now": session.now}
        with pytest.raises(Forbidden):
            service.deactivate_staff(**who, staff_id=chief.id)
        with pytest.raises(Forbidden):
            service.set_password(**who, staff_id=chief.id, password="mine from now on")
        with pytest.raises(Forbidden):
            service.change_staff(**who, staff_id=chief.id, display_name="Nobody")
        service.deactivate_staff(**who, staff_id=peer.id)


def test_closing_an_account_ends_its_sessions_and_tokens_at_once(
    both_engines: str, storage: Storage, town: District
) -> None:
    staff = town.staff()
    town.grant(staff, "tokens.issue", "today.see")
    token, _whose = signin.sign_in(storage, username="wang", password=PASSWORD)
    with storage.writing() as session:
        who = {"session": session, "actor": town.actor(staff), "now": session.now}
        _kept, text = tokens.issue_token(**who, name="door screen", permissions={"today.see"})
    with storage.writing() as session:
        service.deactivate_staff(session, actor=SYSTEM, staff_id=staff.id, now=session.now)
        session.get_one(Staff, staff.id).active = True  # opened again, they do not come back
    with storage.reading() as session:
        assert signin.staff_by_token(session, token) is None
        assert tokens.caller_by_token(session, text) is None


def test_a_password_set_by_a_manager_is_changed_at_the_next_sign_in(storage: Storage, town: District) -> None:
    staff = town.staff()
    old, _whose = signin.sign_in(storage, username="wang", password=PASSWORD)
    with storage.writing() as session:
        who = {"session": session, "actor": SYSTEM, "now": session.now}
        service.set_password(**who, staff_id=staff.id, password="first of the month")
    new, _whose = signin.sign_in(storage, username="wang", password="first of the month")
    with storage.reading() as session:
        assert signin.staff_by_token(session, old) is None
        caller = signin.staff_by_token(session, new)
        assert caller is not None
        assert caller.must_change_password
    town.grant(staff, "staff.manage")
    with storage.writing() as session:
        who = {"session": session, "actor": town.actor(staff), "now": session.now}
        with pytest.raises(Forbidden):
            service.set_password(**who, staff_id=staff.id, password="without the old one")


def test_a_role_cannot_end_before_today(storage: Storage, town: District) -> None:
    staff = town.staff()
    with pytest.raises(Invalid):
        town.grant(staff, "today.see", ends_on=date(2026, 11, 21))
    with storage.writing() as session, pytest.raises(NotFound):
        roles.revoke_grant(session, actor=SYSTEM, grant_id=new_id(), now=session.now)


def test_ready_made_roles_name_known_rights_in_two_languages(storage: Storage, town: District) -> None:
    known = {p.key for p in KERNEL_PERMISSIONS} | {"*"}
    with storage.reading() as session:
        for role in session.scalars(select(Role)):
            assert set(role.permissions) <= known
            assert role.name
            assert role.name != role.name_en, f"{role.key} has no Chinese name"
    assert label_of("rooms.unnamed") == "rooms.unnamed"
