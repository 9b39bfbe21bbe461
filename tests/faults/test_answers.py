"""A plugin that breaks when it is asked: attributed, undone, counted, paused, and tried again by itself."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from huijia.errors import Refusal
from huijia.i18n import Text
from huijia.installation import Installation
from huijia.registry.breaker import PAUSE
from huijia.registry.calls import ServiceFailed
from huijia.registry.lifecycle import enable
from huijia.registry.models import BreakerRow, StateRow, TroubleRow
from huijia.registry.troubles import Trouble, keep, standing_troubles
from huijia.storage.outbox import Delivery
from huijia.testing.broken import RAISING, make_plugin, make_raising
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

pytestmark = pytest.mark.usefixtures("english")

Worker = Callable[..., Installation]
# Written before it fails, to see that nothing of it stays.
KEEP = (
    "from huijia.registry.models import StateRow; session.add(StateRow(id=2, version=1)); session.flush(); "
)


@pytest.fixture(params=RAISING, ids=str)
def what(request: pytest.FixtureRequest) -> str:
    return request.param


def both(worker: Worker, centre: Any) -> Installation:
    opened = worker()
    for name in ("good", "bad"):
        enable(opened, centre.id, name, None)
    return opened


def test_a_failing_answer_is_left_out_and_the_reader_goes_on(
    what: str, folder: Path, worker: Worker, centre: Any
) -> None:
    make_raising(folder, "good_opinion", what)
    opened = both(worker, centre)
    for unit in (opened.reading, opened.writing):
        with unit(centre) as session:
            assert [(a.plugin, a.value) for a in session.hooks.ask("good_opinion", about="x")] == [
                ("good", "good x")
            ]
            assert session.scalars(select(TroubleRow)).all() == []


def test_a_failing_request_is_undone_and_its_asker_told(
    what: str, folder: Path, worker: Worker, centre: Any
) -> None:
    make_raising(folder, "good_favour", KEEP + RAISING[what])
    opened = both(worker, centre)
    with opened.writing(centre) as session:
        with pytest.raises(ServiceFailed, match="Bad"):
            session.hooks.request("good_favour", about="x")
        keep(session, Trouble("x", "kept", Text("Yes."), Text("None."), source="test"))
    with opened.reading() as session:
        assert session.get(StateRow, 2) is None
        assert [t.code for t in standing_troubles(session, "test")] == ["kept"]


def test_an_event_that_fails_at_once_is_undone_and_delivered_later(
    what: str, folder: Path, worker: Worker, centre: Any
) -> None:
    make_raising(folder, "good_news", KEEP + RAISING[what], at_once=True)
    opened = both(worker, centre)
    with opened.writing(centre) as session:
        session.hooks.emit("good_news", subject="x:1", about="x")
    with opened.reading(centre) as session:
        assert session.get(StateRow, 2) is None
        waiting = session.scalars(select(Delivery.listener)).all()
    assert waiting == ["bad"]


def ask(opened: Installation, centre: Any) -> list[str]:
    with opened.reading(centre) as session:
        return [answer.plugin for answer in session.hooks.ask("good_opinion", about="x")]


CALLS = """
    CALLS = []
    WORKS = False
    @hookimpl
    def good_opinion(session):
        CALLS.append(1)
        if not WORKS: raise RuntimeError("a secret about a person")
        return "well"
    """


def test_three_failures_pause_it_for_every_worker_until_a_trial_succeeds(
    folder: Path, worker: Worker, centre: Any, clock: Any
) -> None:
    make_plugin(folder, "bad", {"plugin.py": CALLS})
    opened = both(worker, centre)
    module = opened.registry.loaded["bad"].module
    for _time in range(5):
        assert ask(opened, centre) == ["good"]
    assert len(module.CALLS) == 3
    with opened.reading() as session:
        [trouble] = standing_troubles(session)
        assert session.get(BreakerRow, ("bad", "good_opinion")) is not None
    assert (trouble.code, trouble.plugin, trouble.topic) == ("paused", "bad", "good_opinion")
    assert "huijia-bad" in str(trouble.remedy)
    assert "secret" not in trouble.detail  # words of an exception may be somebody's

    other = Installation.open(opened.config, clock=opened.clock)
    assert ask(other, centre) == ["good"]
    assert len(module.CALLS) == 3, "another worker heard of it"

    clock.move(seconds=PAUSE.total_seconds() + 1)
    assert ask(other, centre) == ["good"]
    assert ask(other, centre) == ["good"]
    assert len(module.CALLS) == 4, "one trial, which failed and doubled the pause"

    clock.move(seconds=2 * PAUSE.total_seconds() + 1)
    module.WORKS = True
    assert ask(other, centre) == ["bad", "good"] or ask(other, centre) == ["good", "bad"]
    assert set(ask(opened, centre)) == {"bad", "good"}
    with opened.reading() as session:
        assert standing_troubles(session) == []
    other.close()


def test_a_paused_request_says_so_and_until_when(
    folder: Path, worker: Worker, centre: Any, clock: Any
) -> None:
    make_raising(folder, "good_favour", "an exception")
    opened = both(worker, centre)
    for _time in range(4):
        with pytest.raises(ServiceFailed) as refused, opened.writing(centre) as session:
            session.hooks.request("good_favour", about="x")
    assert refused.value.until == clock() + PAUSE
    assert "paused" in str(refused.value)


def test_a_refusal_is_no_failure(folder: Path, worker: Worker, centre: Any) -> None:
    refuse = "from huijia import Refusal; raise Refusal('Not today; come tomorrow.')"
    make_raising(folder, "good_favour", KEEP + refuse)
    opened = both(worker, centre)
    for _time in range(5):
        with opened.writing(centre) as session, pytest.raises(Refusal, match="come tomorrow"):
            session.hooks.request("good_favour", about="x")
    with opened.reading() as session:
        assert standing_troubles(session) == []
        assert session.get(StateRow, 2) is None


def test_an_answer_that_writes_in_a_safe_request_is_its_own_fault(
    folder: Path, worker: Worker, centre: Any
) -> None:
    add = "from huijia.registry.models import StateRow; session.add(StateRow(id=2, version=1)); return 1"
    make_raising(folder, "good_opinion", add)
    opened = both(worker, centre)
    with opened.reading(centre) as session:
        assert [a.plugin for a in session.hooks.ask("good_opinion", about="x")] == ["good"]
        assert session.scalars(select(TroubleRow)).all() == [], (
            "nothing is left that a later query would flush"
        )


MEANWHILE = """
    from threading import Barrier
    TOGETHER = Barrier(4)
    @hookimpl
    def good_opinion(about):
        TOGETHER.wait(10)
        raise RuntimeError
    """


def test_calls_that_were_under_way_when_it_was_paused_lengthen_nothing(
    folder: Path, worker: Worker, centre: Any, clock: Any
) -> None:
    make_plugin(folder, "bad", {"plugin.py": MEANWHILE})
    opened = both(worker, centre)
    with ThreadPoolExecutor(4) as crowd:
        assert [*crowd.map(lambda _n: ask(opened, centre), range(4))] == [["good"]] * 4
    with opened.reading() as session:
        row = session.get_one(BreakerRow, ("bad", "good_opinion"))
        assert (row.times, row.paused_until) == (1, clock() + PAUSE)


# What the database says when it undid the work of one so that another could go on.
LOCKED = "from sqlalchemy.exc import OperationalError as E; raise E('', None, OSError('it is locked'))"
ASKED = [
    ("request", "good_favour", False, {"about": "x"}),
    ("ask", "good_opinion", False, {"about": "x"}),
    ("emit", "good_news", True, {"about": "x", "subject": "x:1"}),
]


@pytest.mark.parametrize(("verb", "hook", "at_once", "given"), ASKED)
def test_what_the_database_undid_reaches_the_door_and_counts_against_nobody(
    folder: Path, worker: Worker, centre: Any, verb: str, hook: str, at_once: bool, given: Any
) -> None:
    make_raising(folder, hook, LOCKED, at_once=at_once)
    opened = both(worker, centre)
    for _time in range(4):
        with pytest.raises(OperationalError, match="locked"), opened.writing(centre) as session:
            getattr(session.hooks, verb)(hook, **given)
    with opened.reading() as session:
        assert session.scalars(select(BreakerRow)).all() == []
