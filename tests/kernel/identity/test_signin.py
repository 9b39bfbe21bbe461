from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from huijia.errors import TooMany
from huijia.i18n import speaking
from huijia.identity import service, signin
from huijia.identity.actor import SYSTEM
from huijia.identity.models import Staff, StaffSession, Throttle
from huijia.identity.passwords import PASSWORDS, WeakPassword, weakness_of
from huijia.identity.signin import WrongPassword, change_password, sign_in, staff_by_token
from huijia.identity.throttle import FREE_TRIES
from huijia.storage.work import Storage
from huijia.testing.clock import SettableClock
from sqlalchemy import func, select

from .conftest import PASSWORD, District


def enter(storage: Storage, password: str = PASSWORD, username: str = "wang", **what: Any) -> str:
    return sign_in(storage, username=username, password=password, **what)[0]


def fail(storage: Storage, times: int, username: str = "wang", **what: Any) -> None:
    for _ in range(times):
        with pytest.raises(WrongPassword):
            enter(storage, "not the password", username, **what)


def is_in(storage: Storage, token: str) -> bool:
    with storage.writing() as session:
        return staff_by_token(session, token) is not None


def test_a_session_is_known_by_its_token_until_signed_out(
    both_engines: str, storage: Storage, town: District
) -> None:
    town.staff("wang", locale="en", large_type=True)
    token = enter(storage, username="  WANG ")  # as people type it
    with storage.writing() as session:
        caller = staff_by_token(session, token)
        assert caller is not None
        assert (caller.name, caller.locale, caller.large_type, caller.kind) == ("Wang", "en", True, "staff")
        assert token not in session.scalars(select(StaffSession.token_hash)).all()
        assert staff_by_token(session, "another") is None
        signin.sign_out(session, token=token)
    assert not is_in(storage, token)


def test_signing_in_anew_ends_the_session_it_replaces(storage: Storage, town: District) -> None:
    town.staff()
    first = enter(storage)
    second = enter(storage, replaces=first)
    assert first != second
    assert (is_in(storage, first), is_in(storage, second)) == (False, True)


@pytest.mark.parametrize(
    ("steps", "alive"),
    [
        ([59], True),
        ([60], False),  # idle
        ([50, 50], True),  # seen in between
        ([50] * 14, True),  # 11 h 40
        ([50] * 15, False),  # 12 h are over, however busy
    ],
)
def test_a_session_ends_when_idle_and_after_a_shift(
    both_engines: str, storage: Storage, town: District, clock: SettableClock, steps: list[int], alive: bool
) -> None:
    town.staff()
    token = enter(storage)
    found = True
    for minutes in steps:
        clock.move(minutes=minutes)
        found = is_in(storage, token)
    assert found is alive


def test_last_seen_is_written_once_a_minute_and_by_safe_requests_too(
    storage: Storage, town: District, clock: SettableClock
) -> None:
    town.staff()
    token, start = enter(storage), clock()
    for seconds, noted in ((59, 0), (1, 60), (30, 60), (30, 120)):
        clock.move(seconds=seconds)
        with storage.reading() as session:
            assert staff_by_token(session, token)
        with storage.reading() as session:
            assert session.scalar(select(StaffSession.last_seen_at)) == start + timedelta(seconds=noted)


def test_a_wrong_name_and_a_wrong_password_cannot_be_told_apart(
    storage: Storage, town: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.staff("wang")
    gone = town.staff("gone")
    with storage.writing() as session:
        service.deactivate_staff(session, actor=SYSTEM, staff_id=gone.id, now=session.now)
    said, verified = set(), []
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda *a: verified.append(a) or verify(*a))
    for username, password in (("wang", "no"), ("nobody", "no"), ("gone", PASSWORD), ("", "no")):
        with pytest.raises(WrongPassword) as refused:
            enter(storage, password, username)
        said.add((str(refused.value), refused.value.code))
    assert len(said) == 1
    assert len(verified) == 4  # each costs one verification


def test_argon2_runs_while_no_transaction_is_open(
    storage: Storage, town: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.staff()
    pool: Any = storage.engine.pool
    busy: list[int] = []
    for name in ("verify", "hash"):
        real = getattr(PasswordHasher, name)
        monkeypatch.setattr(PasswordHasher, name, lambda *a, r=real: busy.append(pool.checkedout()) or r(*a))
    token = enter(storage)
    change_password(storage, username="wang", old=PASSWORD, new="another kettle", token=token)
    assert busy
    assert set(busy) == {0}


def test_five_failures_pause_a_name_and_each_more_doubles_the_pause(
    both_engines: str, storage: Storage, town: District, clock: SettableClock
) -> None:
    town.staff()
    fail(storage, 5)
    for minutes in (1, 2, 4, 8, 15, 15):
        with pytest.raises(TooMany) as refused:
            enter(storage)  # even the right password is not heard
        assert refused.value.until == clock() + timedelta(minutes=minutes)
        with speaking("en"):
            assert f"in {minutes} minutes" in str(refused.value)
        clock.set(refused.value.until)
        fail(storage, 1)


def test_the_right_password_after_the_pause_clears_the_name(
    storage: Storage, town: District, clock: SettableClock
) -> None:
    town.staff()
    fail(storage, 5)
    clock.move(minutes=1)
    enter(storage)
    fail(storage, 5)  # counted from the beginning again


def test_an_address_is_paused_over_all_names_and_no_success_clears_it(
    storage: Storage, town: District
) -> None:
    town.staff()
    free = FREE_TRIES["address"]
    for number in range(free - 1):
        fail(storage, 1, f"guess{number}", address="192.0.2.7")
    for _ in range(3):
        enter(storage, address="192.0.2.7")  # colleagues behind the same address are not counted
    fail(storage, 1, "guess", address="192.0.2.7")
    with pytest.raises(TooMany):
        enter(storage, address="192.0.2.7")
    enter(storage, address="192.0.2.8")


def test_failures_are_forgotten_after_an_hour(storage: Storage, town: District, clock: SettableClock) -> None:
    town.staff()
    fail(storage, 4)
    clock.move(minutes=61)
    fail(storage, 4)
    enter(storage)


def test_racing_tries_do_not_slip_past_the_throttle(
    both_engines: str, storage: Storage, town: District
) -> None:
    town.staff()

    def guess(number: int) -> type[Exception] | None:
        try:
            enter(storage, f"guess number {number}", address="192.0.2.7")
        except (WrongPassword, TooMany) as refused:
            return type(refused)
        return None

    with ThreadPoolExecutor(16) as pool:
        heard = list(pool.map(guess, range(48)))
    assert heard.count(WrongPassword) == FREE_TRIES["user"]
    assert heard.count(TooMany) == 48 - FREE_TRIES["user"]


def test_the_throttle_keeps_no_names_and_is_swept(
    storage: Storage, town: District, clock: SettableClock
) -> None:
    town.staff()
    enter(storage)
    fail(storage, 1, "my-secret-by-mistake", address="192.0.2.7")
    with storage.reading() as session:
        assert all(len(key) == 64 for key in session.scalars(select(Throttle.key)))
    clock.move(days=31)
    with storage.writing() as session:
        signin.purge(session, session.now)
    with storage.reading() as session:
        assert session.scalar(select(func.count()).select_from(Throttle)) == 0
        assert session.scalar(select(func.count()).select_from(StaffSession)) == 0


def test_a_hash_is_renewed_when_the_parameters_have_changed(
    storage: Storage, town: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = town.staff()
    monkeypatch.setattr(PASSWORDS, "hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    enter(storage)
    with storage.reading() as session:
        assert "m=16,t=2,p=1" in session.get_one(Staff, staff.id).password_hash
    enter(storage)


def test_an_account_closed_while_argon2_runs_does_not_come_in(
    storage: Storage, town: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = town.staff()
    match = PASSWORDS.match

    def slow(kept: str | None, password: str) -> bool:
        with storage.writing() as session:
            service.deactivate_staff(session, actor=SYSTEM, staff_id=staff.id, now=session.now)
        return match(kept, password)

    monkeypatch.setattr(PASSWORDS, "match", slow)
    with pytest.raises(WrongPassword):
        enter(storage)


def test_changing_ones_password_asks_for_the_old_one_and_ends_other_sessions(
    both_engines: str, storage: Storage, town: District
) -> None:
    town.staff(must_change_password=True)
    here, elsewhere = enter(storage), enter(storage)
    with pytest.raises(WrongPassword):
        change_password(storage, username="wang", old="no", new="another kettle", token=here)
    with pytest.raises(WeakPassword):
        change_password(storage, username="wang", old=PASSWORD, new="short", token=here)
    change_password(storage, username="wang", old=PASSWORD, new="another kettle", token=here)
    assert (is_in(storage, here), is_in(storage, elsewhere)) == (True, False)
    with storage.reading() as session:
        caller = staff_by_token(session, here)
        assert caller is not None
        assert not caller.must_change_password
    fail(storage, 1)
    enter(storage, "another kettle")


@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("123456789", False),  # nine
        ("tea at six", True),  # ten
        ("功能室的钥匙在抽屉里", True),
        ("password123", False),  # everybody's
        ("front-desk", False),  # the username
        ("aaaaaaaaaaaa", False),
        ("x" * 201, False),
    ],
)
def test_rules_of_a_password(password: str, good: bool) -> None:
    assert (weakness_of(password, "front-desk") is None) is good
