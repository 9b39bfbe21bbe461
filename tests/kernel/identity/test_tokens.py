from __future__ import annotations

from datetime import timedelta

import pytest
from huijia.errors import Forbidden
from huijia.identity import access, roles, tokens
from huijia.identity.actor import SYSTEM
from huijia.identity.models import ApiToken
from huijia.storage.settings import Scope
from huijia.storage.work import Storage
from huijia.testing.clock import SettableClock
from sqlalchemy import select

from .conftest import District


def issue(town: District, *rights: str, **what: object) -> tuple[ApiToken, str]:
    owner = town.staff("owner")
    town.grant(owner, "tokens.issue", "today.see", "files.see", key="owner")
    with town.storage.writing() as session:
        given = {"name": "door screen", "permissions": rights or ("today.see",), **what}
        return tokens.issue_token(session, actor=town.actor(owner), now=session.now, **given)


def test_a_token_is_shown_once_and_known_by_its_hash(
    both_engines: str, storage: Storage, town: District
) -> None:
    token, text = issue(town, "today.see")
    assert text.startswith("hj_")
    assert text not in vars(token).values()
    with storage.reading() as session:
        caller = tokens.caller_by_token(session, text)
        assert caller is not None
        assert (caller.kind, caller.id, caller.limit) == ("token", token.id, {"today.see"})
        _centre, actor = access.enter(session, slug="duling", caller=caller)
        assert (actor.kind, actor.permissions) == ("token", {"today.see"})
        for wrong in (text + "x", text.removeprefix("hj_"), "hj_", ""):
            assert tokens.caller_by_token(session, wrong) is None


def test_a_token_loses_what_its_owner_loses(storage: Storage, town: District) -> None:
    _token, text = issue(town, "today.see", "files.see")
    with storage.writing() as session:
        role = town.role(session, key="owner")
        role.permissions = ["files.see", "audit.see"]
    with storage.reading() as session:
        caller = tokens.caller_by_token(session, text)
        assert access.enter(session, slug="duling", caller=caller)[1].permissions == {"files.see"}


@pytest.mark.parametrize("rights", [{"audit.see"}, {"today.see", "audit.see"}, {"*"}])
def test_a_token_passes_on_nothing_that_its_owner_lacks(town: District, rights: set[str]) -> None:
    with pytest.raises(Forbidden):
        issue(town, *rights)


def test_only_staff_issue_tokens(storage: Storage, town: District) -> None:
    with storage.writing() as session, pytest.raises(Forbidden):
        tokens.issue_token(session, actor=SYSTEM, name="x", permissions=(), now=session.now)


def test_a_token_ends_with_its_date_or_when_revoked(
    storage: Storage, town: District, clock: SettableClock
) -> None:
    token, text = issue(town, expires_at=clock() + timedelta(days=1))

    def known() -> bool:
        with storage.reading() as session:
            return tokens.caller_by_token(session, text) is not None

    clock.move(hours=23)
    assert known()
    clock.move(hours=1)
    assert not known()
    clock.move(hours=-1)
    stranger = town.staff("stranger")
    with storage.writing() as session:
        who = {"session": session, "token_id": token.id, "now": session.now}
        with pytest.raises(Forbidden):
            tokens.revoke_token(**who, actor=town.actor(stranger))
        tokens.revoke_token(**who, actor=SYSTEM)
    assert not known()


def test_the_use_of_a_token_is_noted_every_five_minutes(
    storage: Storage, town: District, clock: SettableClock
) -> None:
    _token, text = issue(town)
    start = clock()
    for minutes, noted in ((0, 0), (4, 0), (1, 5), (4, 5), (1, 10)):
        clock.move(minutes=minutes)
        with storage.reading() as session:
            tokens.caller_by_token(session, text)
        with storage.reading() as session:
            assert session.scalar(select(ApiToken.last_used_at)) == start + timedelta(minutes=noted)


def test_a_token_for_one_centre_is_worth_nothing_elsewhere(
    both_engines: str, storage: Storage, town: District
) -> None:
    _token, text = issue(town, centre_id=town.duling.id)
    with storage.reading() as session:
        caller = tokens.caller_by_token(session, text)
        assert access.enter(session, slug="duling", caller=caller)[1].permissions == {"today.see"}
        assert access.enter(session, slug="huayuan", caller=caller)[1].permissions == frozenset()
        assert (
            access.permissions_at(session, access.enter(session, slug="duling", caller=caller)[1], Scope())
            == set()
        )


def test_what_a_token_grants_is_granted_by_its_owner(storage: Storage, town: District) -> None:
    owner, friend = town.staff("owner"), town.staff("friend")
    town.grant(owner, "tokens.issue", "staff.manage", "today.see", key="owner")
    with storage.writing() as session:
        given = {"name": "rota", "permissions": ("staff.manage", "today.see"), "now": session.now}
        _token, text = tokens.issue_token(session, actor=town.actor(owner), **given)
        role = town.role(session, "today.see")
    with storage.writing(centre_id=town.duling.id) as session:
        caller = tokens.caller_by_token(session, text)
        actor = access.enter(session, slug="duling", caller=caller)[1]
        whose = {"staff_id": friend.id, "role_id": role.id, "scope": Scope(centre_id=town.duling.id)}
        grant = roles.grant_role(session, actor=actor, now=session.now, **whose)
        assert grant.granted_by == owner.id
