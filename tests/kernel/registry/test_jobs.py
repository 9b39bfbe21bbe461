from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event, Thread
from time import monotonic, sleep
from types import ModuleType, SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from huijia.contributions import Job
from huijia.hookspecs import event, hookimpl
from huijia.i18n import Text
from huijia.identity.models import Area, Centre, Staff, StaffSession, Throttle
from huijia.registry.catalogue import Installed
from huijia.registry.jobs import JobRow, Runner, run_due_jobs
from huijia.registry.loading import Loaded
from huijia.registry.models import BreakerRow, StateRow, TroubleRow
from huijia.registry.registry import Registry, Snapshot
from huijia.storage import audit, idempotency, outbox, seal
from huijia.storage.base import KernelBase
from huijia.storage.work import Storage
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

HERE, ELSEWHERE = UUID(int=1), UUID(int=2)
KERNEL = [audit.Entry, audit.Detail, seal.Seal, seal.Sealed, seal.HeadRow, outbox.Event, outbox.Delivery]
KERNEL += [idempotency.Record, JobRow, BreakerRow, StateRow, TroubleRow]
KERNEL += [Area, Centre, Staff, StaffSession, Throttle]
RAN = Table("beta_ran", MetaData(), Column("id", Integer, primary_key=True), Column("what", String))


@pytest.fixture
def jobs() -> list[Job]:
    """The jobs of the plugin beta; a test adds its own."""
    return []


@pytest.fixture
def small(engine_url: str, clock, jobs: list[Job]) -> Iterator[Any]:
    """An installation with the plugin beta enabled at two centres."""
    opened = open_small(engine_url, clock, jobs)
    KernelBase.metadata.create_all(opened.storage.engine, tables=[model.__table__ for model in KERNEL])
    RAN.metadata.create_all(opened.storage.engine)
    yield opened
    opened.storage.close()


def open_small(url: str, clock: Any, jobs: list[Job]) -> Any:
    storage = Storage(url, clock=clock)
    registry = Registry(storage, only=())
    storage.prepare = registry.bind
    module, offers = ModuleType("huijia_beta.plugin"), ModuleType("huijia_beta.hookspecs")

    @event
    def beta_rang(session: Any, number: int) -> None:
        """Somebody rang."""

    offers.beta_rang = beta_rang  # type: ignore[attr-defined]

    def hear(session: Any, number: int) -> None:
        session.execute(insert(RAN), {"what": f"heard {number}"})

    hear.__name__ = "beta_rang"
    module.beta_rang = hookimpl(hear)  # type: ignore[attr-defined]
    loaded = Loaded(name="beta", module=module, offers=offers, hooks=frozenset({"beta_rang"}))
    loaded.contributions["huijia_jobs"] = jobs
    registry.catalogue["beta"] = Installed("beta", "1", Text("beta"))
    registry.order.append("beta")
    registry.loaded["beta"] = loaded
    registry.snapshot = Snapshot(1, {HERE: frozenset({"beta"}), ELSEWHERE: frozenset({"beta"})})
    return SimpleNamespace(storage=storage, registry=registry, clock=clock)


def job(name: str, run: Callable[..., Any] | None = None, *, per_centre: bool = False, **every: float) -> Job:
    def write(session: Any, now: Any) -> None:
        session.execute(
            insert(RAN), {"what": f"{name} {session.centre_id.int if session.centre_id else ''}".strip()}
        )
        if run:
            run(session)

    return Job(name, timedelta(**every or {"minutes": 1}), write, per_centre=per_centre)


def ran(small: Any) -> list[str]:
    with small.storage.reading() as session:
        return list(session.execute(select(RAN.c.what).order_by(RAN.c.id)).scalars())


def row(small: Any, name: str) -> JobRow:
    with small.storage.reading() as session:
        return session.get_one(JobRow, name)


def run(small: Any) -> int:
    return run_due_jobs(small, small.clock())


def fail(_session: Any) -> None:
    raise ZeroDivisionError("the name of a person")


def test_a_job_runs_at_once_and_then_every_so_often(
    small: Any, jobs: list[Job], clock, both_engines: str
) -> None:
    jobs.append(job("sweep", minutes=10))
    run(small)
    run(small)
    clock.move(minutes=9, seconds=59)
    run(small)
    assert ran(small) == ["sweep"]
    clock.move(seconds=1)
    run(small)
    clock.move(hours=5)  # what was missed is not made up for
    run(small)
    run(small)
    assert ran(small) == ["sweep"] * 3
    assert row(small, "beta:sweep").last_run_at == clock()


def test_a_job_of_centres_runs_in_each_that_enabled_its_service(
    small: Any, jobs: list[Job], both_engines: str
) -> None:
    jobs.extend([job("once"), job("each", per_centre=True)])
    run(small)
    assert sorted(ran(small)) == ["each 1", "each 2", "once"]
    assert row(small, f"beta:each:{HERE}").failures == 0


def test_a_service_that_is_switched_off_has_no_jobs(small: Any, jobs: list[Job]) -> None:
    jobs.extend([job("once"), job("each", per_centre=True)])
    small.registry.snapshot = Snapshot(1, {HERE: frozenset({"beta"})})
    run(small)
    assert sorted(ran(small)) == ["each 1", "once"]
    small.registry.snapshot = Snapshot(1, {})
    small.clock.move(hours=1)
    run(small)
    assert len(ran(small)) == 2


@pytest.mark.parametrize(
    "misdeed",
    [fail, lambda _session: sys.exit(3), lambda _session: (_ for _ in ()).throw(GeneratorExit)],
    ids=["error", "exit", "stranger things"],
)
def test_a_failing_job_is_undone_recorded_and_tried_again_while_others_go_on(
    small: Any, jobs: list[Job], clock, both_engines: str, misdeed: Callable[[Any], Any]
) -> None:
    jobs.extend([job("bad", misdeed), job("good")])
    run(small)
    assert ran(small) == ["good"]
    bad = row(small, "beta:bad")
    assert (bad.failures, bad.leased_until) == (1, None)
    assert bad.last_error
    assert "person" not in bad.last_error
    for pause, failures in ((1, 2), (5, 3), (30, 4), (300, 5), (3600, 6), (3600, 7)):
        clock.move(seconds=pause - 1)
        run(small)
        assert row(small, "beta:bad").failures == failures - 1
        clock.move(seconds=1)
        run(small)
        assert row(small, "beta:bad").failures == failures
    jobs[0] = job("bad")
    clock.move(hours=1)
    run(small)
    mended = row(small, "beta:bad")
    assert (mended.failures, mended.last_error) == (0, None)


def test_what_a_job_changed_is_audited_and_housekeeping_is_not(small: Any, jobs: list[Job]) -> None:
    jobs.append(job("sweep", lambda session: session.note("beta_ran", 1), per_centre=True))
    jobs.append(job("idle"))
    run(small)
    small.clock.move(seconds=15)
    run(small)  # seals what the first run left
    with small.storage.reading() as session:
        found = session.scalars(select(audit.Entry)).all()
        assert session.scalar(select(func.count()).select_from(seal.Sealed)) == 2
    assert {(one.action, one.centre_id, one.actor_kind) for one in found} == {
        (f"job beta:sweep:{centre}", centre, "system") for centre in (HERE, ELSEWHERE)
    }


@pytest.fixture(autouse=True)
def core_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands on the core has jobs of its own, and needs tables and keys that are not here."""
    monkeypatch.setattr("huijia.registry.jobs.contributed", lambda _hook: [])


def test_the_kernels_own_jobs_run(small: Any, both_engines: str) -> None:
    assert run(small) == 4
    with small.storage.reading() as session:
        names = session.scalars(select(JobRow.name).order_by(JobRow.name)).all()
        failed = session.scalars(select(JobRow.name).where(JobRow.failures > 0)).all()
    assert names == [
        "huijia:purge-events",
        "huijia:purge-idempotency",
        "huijia:purge-sessions",
        "huijia:seal",
    ]
    assert failed == []


def test_a_job_in_batches_lets_others_write_in_between(
    small: Any, jobs: list[Job], both_engines: str
) -> None:
    left = [3, 2, 1, 0]
    parts = job("parts")
    run_one = lambda session, now: (parts.run(session, now), left.pop(0))[1]  # noqa: E731
    jobs.append(replace(parts, run=run_one, in_batches=True))
    for _round in range(6):  # without an hour's pause: a batch is due again at once
        run(small)
        with small.storage.writing() as session:
            session.execute(insert(RAN), {"what": "somebody else"})
    assert ran(small) == ["parts", "somebody else"] * 4 + ["somebody else"] * 2


def expired_keys(at: Any) -> list[dict[str, Any]]:
    return [{"actor_id": "a", "route": "r", "key": str(n), "expires_at": at} for n in range(2500)]


def old_events(at: Any) -> list[dict[str, Any]]:
    common = {"recorded_at": at, "name": "beta_rang", "subject": "a", "payload": {}}
    return [{**common, "id": UUID(int=n)} for n in range(2500)]


def open_entries(at: Any) -> list[dict[str, Any]]:
    common = {"recorded_at": at, "actor_kind": "system", "action": "x", "changes": [], "crossed": []}
    return [{**common, "id": UUID(int=n)} for n in range(1250)]


BACKLOGS = [
    # the job, what waits for it, how much is left after each of its batches
    (idempotency.Record, expired_keys, [1500, 500, 0]),
    (outbox.Event, old_events, [1500, 500, 0]),
    (audit.Entry, open_entries, [750, 250, 0]),
]


@pytest.mark.parametrize(("model", "rows", "left"), BACKLOGS)
def test_the_kernels_jobs_work_off_a_backlog_in_batches(
    small: Any, clock, both_engines: str, model: Any, rows: Callable[..., Any], left: list[int]
) -> None:
    table: Any = model.__table__
    waiting = select(func.count()).select_from(model)
    if model is audit.Entry:
        waiting = waiting.where(model.id.not_in(select(seal.Sealed.entry_id)))
    with small.storage.writing() as session:
        session.execute(insert(table), rows(clock() - timedelta(days=50)))
    seen = []
    for _round in left:
        run(small)
        with small.storage.reading() as session:
            seen.append(session.scalar(waiting))
    assert seen == left


def test_a_killed_workers_lease_ends(small: Any, jobs: list[Job], clock, both_engines: str) -> None:
    jobs.append(job("sweep"))
    with small.storage.writing() as session:
        dead = {"name": "beta:sweep", "due_at": clock(), "leased_until": clock() + timedelta(minutes=10)}
        session.add(JobRow(**dead))
    clock.move(minutes=9)
    run(small)
    assert ran(small) == []
    clock.move(minutes=1)
    run(small)
    assert ran(small) == ["sweep"]


@pytest.mark.races
def test_racing_workers_run_each_job_once(
    small: Any, jobs: list[Job], engine_url: str, clock, both_engines: str
) -> None:
    jobs.extend([job("once"), job("each", per_centre=True)])
    gate, errors = Barrier(4), []

    def work() -> None:
        mine = open_small(engine_url, clock, jobs)
        gate.wait()
        try:
            for _turn in range(5):
                run(mine)
        except Exception as error:
            errors.append(error)
        mine.storage.close()

    threads = [Thread(target=work) for _worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(ran(small)) == ["each 1", "each 2", "once"]


@pytest.mark.races
@pytest.mark.postgres
def test_a_job_that_outlives_its_lease_is_not_begun_again_beside_itself(
    small: Any, jobs: list[Job], engine_url: str, clock
) -> None:
    begun, go_on = Event(), Event()
    jobs.append(job("slow", lambda _session: (begun.set(), go_on.wait())))
    first = Thread(target=run, args=(small,))
    first.start()
    begun.wait()
    other = open_small(engine_url, clock, jobs)
    clock.move(minutes=30)
    run(other)
    go_on.set()
    first.join()
    other.storage.close()
    assert ran(small) == ["slow"]


# --- the thread ---


@pytest.fixture
def runner(small: Any) -> Iterator[Runner]:
    runner = Runner(small)
    yield runner
    runner.stop()


def wait_for(met: Callable[[], Any], seconds: float = 10) -> None:
    end = monotonic() + seconds
    while not met():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.01)


def ring(small: Any, number: int) -> None:
    with small.storage.writing(centre_id=HERE) as session:
        session.hooks.emit("beta_rang", subject="bell", number=number)


def test_a_commit_wakes_the_runner(small: Any, runner: Runner, monkeypatch) -> None:
    monkeypatch.setattr("huijia.registry.jobs.PAUSE_SECONDS", 60.0)
    runner.start()
    wait_for(lambda: count_jobs(small) == 4)
    ring(small, 1)
    wait_for(lambda: "heard 1" in ran(small))


def count_jobs(small: Any) -> int:
    with small.storage.reading() as session:
        done = select(func.count()).select_from(JobRow).where(JobRow.last_run_at.is_not(None))
        return session.scalar(done) or 0


def test_a_runner_hears_of_other_processes_within_a_second(small: Any, runner: Runner) -> None:
    runner.start()
    outbox.bells.discard(runner._bell)  # what another process commits rings no bell here
    ring(small, 1)
    wait_for(lambda: ran(small) == ["heard 1"], 5)


def test_a_runner_outlives_whatever_goes_wrong(small: Any, runner: Runner, monkeypatch) -> None:
    broken = small.storage.reading
    monkeypatch.setattr(small.storage, "reading", lambda **_how: sys.exit(1))
    runner.start()
    sleep(0.2)
    monkeypatch.setattr(small.storage, "reading", broken)
    ring(small, 1)
    wait_for(lambda: ran(small) == ["heard 1"])


def test_a_runner_stops_promptly(small: Any) -> None:
    runner = Runner(small)
    runner.start()
    wait_for(lambda: count_jobs(small) == 4)
    started = monotonic()
    runner.stop()
    assert monotonic() - started < 0.5
    assert not runner._thread.is_alive()


def test_stopping_leaves_what_has_not_begun(small: Any, jobs: list[Job]) -> None:
    runner = Runner(small)
    jobs.extend([job("a", lambda _session: runner._stopping.set()), job("b")])
    runner.start()
    runner._thread.join(10)
    assert ran(small) == ["a"]
