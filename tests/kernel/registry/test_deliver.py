from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from threading import Barrier, Thread
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from huijia import hookimpl
from huijia.errors import NotFound, Refusal
from huijia.hookspecs import event
from huijia.i18n import Text, speaking
from huijia.registry.catalogue import Installed
from huijia.registry.deliver import deliver_due, retry, skip
from huijia.registry.loading import Loaded
from huijia.registry.models import BreakerRow, StateRow, TroubleRow
from huijia.registry.registry import Registry, Snapshot
from huijia.registry.troubles import standing_troubles
from huijia.storage.audit import Detail, Entry
from huijia.storage.base import KernelBase, new_id
from huijia.storage.outbox import Delivery, Event
from huijia.storage.work import Storage
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select

HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
TABLES = [model.__table__ for model in (Entry, Detail, Event, Delivery, BreakerRow, StateRow, TroubleRow)]
HEARD = Table(
    "beta_heard",
    MetaData(),
    Column("place", Integer, primary_key=True),  # in the order of hearing, as one worker delivers
    Column("plugin", String),
    Column("subject", String),
    Column("number", Integer),
)


class Listener:
    """A plugin that writes down what it hears, and at some numbers does something else before."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.instead: dict[int, Callable[[Any], object]] = {}
        self.tried: list[int] = []
        self.module = ModuleType(f"huijia_{name}.plugin")

        @hookimpl
        def alpha_happened(session: Any, about: str, number: int) -> None:
            self.tried.append(number)
            session.execute(insert(HEARD), {"plugin": name, "subject": about, "number": number})
            session.note("beta_heard", number, action="insert")
            self.instead.get(number, lambda _session: None)(session)

        self.module.alpha_happened = alpha_happened  # type: ignore[attr-defined]


def happened_spec() -> ModuleType:
    @event
    def alpha_happened(session: Any, about: str, number: int) -> None:
        """Something happened."""

    module = ModuleType("huijia_alpha.hookspecs")
    module.alpha_happened = alpha_happened  # type: ignore[attr-defined]
    return module


def open_small(url: str, clock: Any, *listeners: Listener) -> Any:
    """An installation of the plugin alpha, which tells, and of listeners; all enabled at two centres."""
    storage = Storage(url, clock=clock)
    registry = Registry(storage, only=())
    storage.prepare = registry.bind
    module, hooks = ModuleType("huijia_alpha.plugin"), frozenset({"alpha_happened"})
    offering = Loaded(name="alpha", module=module, offers=happened_spec(), hooks=hooks)
    for one in (offering, *(Loaded(name=each.name, module=each.module) for each in listeners)):
        registry.catalogue[one.name] = Installed(one.name, "1", Text(one.name))
        registry.order.append(one.name)
        registry.loaded[one.name] = one
    names = frozenset(registry.loaded)
    registry.snapshot = Snapshot(1, {HERE: names, ELSEWHERE: names})
    return SimpleNamespace(storage=storage, registry=registry, clock=clock)


@pytest.fixture
def beta() -> Listener:
    return Listener("beta")


@pytest.fixture
def gamma() -> Listener:
    return Listener("gamma")


@pytest.fixture
def small(engine_url: str, clock, beta: Listener, gamma: Listener) -> Iterator[Any]:
    opened = open_small(engine_url, clock, beta, gamma)
    KernelBase.metadata.create_all(opened.storage.engine, tables=TABLES)
    HEARD.metadata.create_all(opened.storage.engine)
    yield opened
    opened.storage.close()


def tell(small: Any, *numbers: int, about: str = "a", at: UUID | None = HERE) -> None:
    for number in numbers:
        with small.storage.writing(centre_id=at) as session:
            session.hooks.emit("alpha_happened", subject=about, about=about, number=number)


def deliver_all(small: Any) -> int:
    done = 0
    while tried := deliver_due(small):
        done += tried
    return done


def heard(small: Any, plugin: str = "beta") -> list[int]:
    with small.storage.reading() as session:
        mine = select(HEARD.c.number).where(HEARD.c.plugin == plugin).order_by(HEARD.c.place)
        return list(session.execute(mine).scalars())


def deliveries(small: Any, **wanted: Any) -> list[Delivery]:
    with small.storage.reading() as session:
        return list(session.scalars(select(Delivery).filter_by(**wanted).order_by(Delivery.recorded_at)))


def fail(_session: Any) -> None:
    raise ZeroDivisionError("the name of a person")


def test_every_listener_hears_in_order_in_the_events_centre(small: Any, both_engines: str) -> None:
    tell(small, 1, 2, 3)
    assert heard(small) == []  # not before somebody delivers
    assert deliver_all(small) == 6
    assert heard(small, "beta") == heard(small, "gamma") == [1, 2, 3]
    assert {one.state for one in deliveries(small)} == {"done"}
    with small.storage.reading() as session:
        entry = session.scalars(select(Entry).order_by(Entry.recorded_at.desc(), Entry.id.desc())).all()[0]
    assert (entry.centre_id, entry.actor_kind, entry.subject) == (HERE, "system", "a")
    assert entry.changes[0]["table"] == "beta_heard"


def test_nothing_due_takes_no_write_lock(small: Any) -> None:
    tell(small, 1)
    deliver_all(small)
    with small.storage.writing():
        assert deliver_due(small) == 0  # it would wait for this unit for ever


def test_what_was_rolled_back_is_never_heard(small: Any, both_engines: str) -> None:
    with small.storage.writing(centre_id=HERE) as session:
        session.hooks.emit("alpha_happened", subject="a", about="a", number=1)
        session.give_up()
    assert deliver_all(small) == 0
    assert heard(small) == []


@pytest.mark.parametrize(
    "misdeed",
    [
        fail,
        lambda _session: sys.exit(3),
        lambda session: session.give_up(),  # nothing raised, nothing kept
        lambda session: session.execute(
            insert(HEARD), {"place": 1, "number": 1, "plugin": "x", "subject": "x"}
        ),
        lambda session: (_ for _ in ()).throw(GeneratorExit),
        lambda _session: (_ for _ in ()).throw(Refusal("no")),
    ],
    ids=["error", "exit", "gives up", "breaks a constraint", "stranger things", "refusal"],
)
def test_a_failing_listener_leaves_nothing_and_is_tried_again(
    small: Any, beta: Listener, clock, both_engines: str, misdeed: Callable[[Any], object]
) -> None:
    with small.storage.writing() as session:
        session.execute(insert(HEARD), {"place": 1, "number": 0, "plugin": "beta", "subject": ""})
    beta.instead[7] = misdeed
    tell(small, 7)
    deliver_all(small)
    assert heard(small, "gamma") == [7]
    assert heard(small) == [0]
    [one] = deliveries(small, listener="beta")
    assert (one.state, one.attempts, one.leased_until) == ("waiting", 1, None)
    assert one.error
    beta.instead.clear()
    clock.move(seconds=1)
    deliver_all(small)
    assert heard(small) == [0, 7]


def test_an_error_is_kept_without_its_words_for_they_may_be_personal(small: Any, beta: Listener) -> None:
    beta.instead[1] = fail
    tell(small, 1)
    deliver_all(small)
    [one] = deliveries(small, listener="beta")
    assert one.error is not None
    assert "ZeroDivisionError" in one.error
    assert "person" not in one.error


def test_a_listener_that_fails_on_is_tried_later_and_later_and_then_parked(
    small: Any, beta: Listener, clock
) -> None:
    beta.instead[1] = fail
    tell(small, 1)
    for pause in (0, 1, 5, 30, 300, 3600):
        if pause:
            clock.move(seconds=pause - 1)
            deliver_all(small)
            clock.move(seconds=1)
        before = len(beta.tried)
        deliver_all(small)
        assert len(beta.tried) == before + 1  # just now, and not a second before
    [one] = deliveries(small, listener="beta")
    assert (one.state, one.attempts) == ("parked", 6)
    clock.move(days=9)
    deliver_all(small)
    assert len(beta.tried) == 6
    with small.storage.reading() as session, speaking("en"):
        [trouble] = standing_troubles(session)
        assert str(trouble.message) == "Beta failed 6 times at alpha_happened about a."
        assert "try again" in str(trouble.remedy)
    assert (trouble.source, trouble.plugin, trouble.topic) == ("delivery", "beta", str(one.id))


def park(small: Any, beta: Listener, clock, number: int = 1) -> UUID:
    beta.instead[number] = fail
    tell(small, number)
    for _attempt in range(6):
        deliver_all(small)
        clock.move(hours=1)
    [one] = deliveries(small, state="parked")
    return one.id


def test_order_is_kept_behind_a_parked_one_and_nobody_else_is_held_up(
    small: Any, beta: Listener, clock, both_engines: str
) -> None:
    tell(small, 5)
    park(small, beta, clock)
    tell(small, 2, 3)
    tell(small, 4, about="b")
    tell(small, 6, at=ELSEWHERE)
    deliver_all(small)
    assert sorted(heard(small, "gamma")) == [1, 2, 3, 4, 5, 6]
    assert sorted(heard(small)) == [4, 5, 6]  # 2 and 3 wait


def test_retry_takes_up_where_it_stopped(small: Any, beta: Listener, clock, both_engines: str) -> None:
    parked = park(small, beta, clock)
    tell(small, 2)
    beta.instead.clear()
    with small.storage.writing() as session:
        retry(session, parked)
    deliver_all(small)
    assert heard(small) == [1, 2]
    with small.storage.reading() as session:
        assert standing_troubles(session) == []


def test_skip_goes_on_without_it_and_keeps_the_reason(
    small: Any, beta: Listener, clock, both_engines: str
) -> None:
    parked = park(small, beta, clock)
    tell(small, 2)
    with small.storage.writing() as session:
        skip(session, parked, "booked by hand")
    deliver_all(small)
    assert heard(small) == [2]
    [one] = deliveries(small, id=parked)
    assert (one.state, one.error) == ("skipped", "booked by hand")
    with small.storage.reading() as session:
        assert standing_troubles(session) == []


@pytest.mark.parametrize("how", [retry, lambda session, delivery: skip(session, delivery, "x")])
def test_only_what_is_parked_can_be_taken_up(small: Any, how: Any) -> None:
    tell(small, 1)
    deliver_all(small)
    for missing in (deliveries(small)[0].id, new_id()):
        with small.storage.writing() as session, pytest.raises(NotFound):
            how(session, missing)


def test_a_listener_that_is_switched_off_waits_and_burns_no_attempts(
    small: Any, clock, both_engines: str
) -> None:
    tell(small, 1, 2)
    everything = small.registry.snapshot
    small.registry.snapshot = Snapshot(1, {HERE: frozenset({"alpha", "gamma"})})
    for _hour in range(20):
        deliver_all(small)
        clock.move(minutes=1)
    assert heard(small) == []
    assert {(one.state, one.attempts) for one in deliveries(small, listener="beta")} == {("waiting", 0)}
    small.registry.snapshot = everything
    deliver_all(small)
    assert heard(small) == [1, 2]


def test_deliveries_not_begun_when_the_worker_stops_are_free_at_once(small: Any) -> None:
    for about in "abc":
        tell(small, 1, about=about)
    stops = iter([False, True])
    deliver_due(small, stopping=lambda: next(stops))
    assert len(deliveries(small, state="done")) == 1
    assert [one.leased_until for one in deliveries(small, state="waiting")] == [None] * 5
    deliver_all(small)
    assert len(deliveries(small, state="done")) == 6


KILLED = """
import os, sys
sys.path[:0] = {path!r}
from test_deliver import *
from huijia.testing.clock import SettableClock
beta = Listener("beta")
beta.instead[1] = lambda session: (session.flush(), os._exit(9))
small = open_small({url!r}, SettableClock(), beta, Listener("gamma"))
deliver_due(small)
"""


@pytest.mark.races
def test_a_worker_killed_in_the_middle_leaves_the_delivery_to_another(
    small: Any, clock, engine_url: str, both_engines: str
) -> None:
    tell(small, 1)
    script = KILLED.format(path=[os.path.dirname(__file__)], url=engine_url)  # noqa: PTH120
    killed = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True)
    assert killed.returncode == 9, killed.stderr
    assert heard(small) == []  # its effects went with it
    deliver_all(small)
    assert heard(small) == []  # the lease stands a while
    clock.move(minutes=1)
    deliver_all(small)
    assert heard(small) == [1]
    assert heard(small, "gamma") == [1]


@pytest.mark.races
def test_several_workers_deliver_everything_once_and_in_order(
    engine_url: str, clock, small: Any, both_engines: str
) -> None:
    for number in range(10):
        for about in "abcd":
            tell(small, number, about=about)
    gate = Barrier(3)

    def work() -> None:
        mine = open_small(engine_url, clock, Listener("beta"), Listener("gamma"))
        gate.wait()
        idle = 0
        while idle < 20:
            idle = 0 if deliver_due(mine, limit=3) else idle + 1
        mine.storage.close()

    threads = [Thread(target=work) for _worker in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliver_all(small)
    with small.storage.reading() as session:
        rows = session.execute(select(*HEARD.c).order_by(HEARD.c.place)).all()
    for plugin in ("beta", "gamma"):
        for about in "abcd":
            mine = [row.number for row in rows if (row.plugin, row.subject) == (plugin, about)]
            assert mine == list(range(10))
