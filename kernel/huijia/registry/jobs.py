"""Background work: each job by one worker at a time, whoever takes its lease, and the thread that does it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Event as Bell
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from huijia.contributions import Job
from huijia.i18n import KERNEL, messages
from huijia.identity import signin
from huijia.identity.actor import SYSTEM
from huijia.registry import troubles
from huijia.registry.breaker import FAILURES_MAX
from huijia.registry.built_in import contributed
from huijia.registry.deliver import deliver_due
from huijia.storage import audit, idempotency, outbox, seal
from huijia.storage.base import KernelBase

if TYPE_CHECKING:
    from huijia.installation import Installation
    from huijia.storage.work import WorkSession

_ = messages("huijia")
logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=10)
PAUSE_SECONDS = 1.0
SOURCE = "job"


class JobRow(KernelBase):
    """When a job is due and how it went. Its name is `PLUGIN:JOB`, per centre `PLUGIN:JOB:CENTRE`."""

    __tablename__ = "huijia_job"
    name: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    last_run_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)


class Planned(NamedTuple):
    """A job where it runs."""

    name: str
    centre_id: UUID | None
    plugin: str
    job: Job


def _kernels(name: str, run: Callable[..., bool], **every: float) -> Job:
    return Job(name, timedelta(**every), run, per_centre=False, in_batches=True)


KERNEL_JOBS = (
    _kernels("seal", lambda session, now: seal.seal(session, now) == seal.BATCH, seconds=15),
    _kernels("purge-idempotency", idempotency.purge, hours=1),
    _kernels("purge-sessions", signin.purge, hours=1),
    _kernels("purge-events", outbox.purge, days=1),
)


def planned_jobs(installation: Installation) -> Iterator[Planned]:
    """The kernel's jobs and those of all services that work, once for each centre where they ask for it."""
    yield from (
        Planned(f"{KERNEL}:{job.name}", None, KERNEL, job)
        for job in (*KERNEL_JOBS, *contributed("huijia_jobs"))
    )
    registry = installation.registry
    state = registry.refresh()
    for plugin in registry.plugins(registry.serving(None, state)):
        enabled = [centre_id for centre_id, names in state.centres.items() if plugin.name in names]
        for job in plugin.contributions.get("huijia_jobs", ()):
            name = f"{plugin.name}:{job.name}"
            if job.per_centre:
                yield from (
                    Planned(f"{name}:{centre_id}", centre_id, plugin.name, job) for centre_id in enabled
                )
            else:
                yield Planned(name, None, plugin.name, job)


def run_due_jobs(
    installation: Installation, now: datetime, *, stopping: Callable[[], bool] = lambda: False
) -> int:
    """Run what is due and nobody else runs; how many. A failing job is put down and tried again later."""
    with installation.storage.reading() as session:
        rows = {row.name: row for row in session.execute(select(*JobRow.__table__.c))}
    ran = 0
    for planned in planned_jobs(installation):
        row = rows.get(planned.name)
        if stopping():
            break
        if row is None or (row.due_at <= now and (row.leased_until is None or row.leased_until <= now)):
            ran += _run(installation, planned, now, known=row is not None)
    return ran


def _run(installation: Installation, planned: Planned, now: datetime, *, known: bool) -> bool:
    lease = _lease(installation, planned.name, now, known=known)
    if lease is None:
        return False
    ours = JobRow.name == planned.name, JobRow.leased_until == lease
    try:
        with installation.storage.writing(centre_id=planned.centre_id, actor=SYSTEM) as session:
            # Locked until the end: a job that outlives its lease is not begun by anybody else.
            if session.execute(select(JobRow.name).where(*ours).with_for_update()).first():
                more = planned.job.run(session, now)
                due_at = now if more and planned.job.in_batches else now + planned.job.every
                _settle(session, planned, last_run_at=now, due_at=due_at, failures=0, last_error=None)
                troubles.mended(session, SOURCE, planned.plugin, planned.name)
                if session.changes and planned.plugin != KERNEL:
                    audit.record(session, action=f"job {planned.name}")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        logger.warning("The job %s failed.", planned.name, exc_info=True)
        _failed(installation, planned, now, troubles.where(error))
    return True


def _lease(installation: Installation, name: str, now: datetime, *, known: bool) -> datetime | None:
    if not known:
        try:
            with installation.storage.writing() as session:
                session.add(JobRow(name=name, due_at=now))
        except IntegrityError:
            pass  # another worker saw it first; one of us gets the lease below
    free = or_(JobRow.leased_until.is_(None), JobRow.leased_until <= now)
    due = select(JobRow.name).where(JobRow.name == name, JobRow.due_at <= now, free)
    with installation.storage.writing() as session:
        if session.execute(due.with_for_update(skip_locked=True)).first() is None:
            return None
        session.execute(update(JobRow).where(JobRow.name == name).values(leased_until=now + LEASE))
    return now + LEASE


def _failed(installation: Installation, planned: Planned, now: datetime, error: str) -> None:
    with installation.storage.writing() as session:
        failures = session.scalar(select(JobRow.failures).where(JobRow.name == planned.name)) or 0
        pause = outbox.BACK_OFF_SECONDS[min(failures, len(outbox.BACK_OFF_SECONDS) - 1)]
        due_at = now + timedelta(seconds=pause)
        _settle(session, planned, last_run_at=now, due_at=due_at, failures=failures + 1, last_error=error)
        if failures + 1 >= FAILURES_MAX:
            troubles.keep(session, _trouble(planned, error))


def _trouble(planned: Planned, error: str) -> troubles.Trouble:
    words = {"service": troubles.label(planned.plugin), "job": planned.job.name, "plugin": planned.plugin}
    message = _("{service} cannot do its background work {job}; it failed again and again.", **words)
    remedy = _(
        "It is tried again by itself. If this stays, update huijia-{plugin} or switch it off.", **words
    )
    return troubles.Trouble(planned.plugin, "job-failed", message, remedy, error, SOURCE, planned.name)


def _settle(session: WorkSession, planned: Planned, **values: object) -> None:
    session.execute(update(JobRow).where(JobRow.name == planned.name).values(leased_until=None, **values))


class Runner:
    """A thread that delivers events and runs jobs; every worker that serves has one."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._bell, self._stopping = Bell(), Bell()
        self._thread = Thread(target=self._loop, name="huijia-runner", daemon=True)

    def start(self) -> None:
        """Begin; from now on a commit with an event wakes it."""
        outbox.bells.add(self._bell)
        self._thread.start()

    def stop(self, seconds: float = 10) -> None:
        """Let it end what is in hand, and no more; waits `seconds` at most."""
        self._stopping.set()
        self._bell.set()
        self._thread.join(seconds)

    def _loop(self) -> None:
        jobs_at = 0.0
        while not self._stopping.is_set():
            self._bell.clear()
            delivered = self._guarded(deliver_due)
            if monotonic() >= jobs_at:
                self._guarded(run_due_jobs, self._installation.clock())
                jobs_at = monotonic() + PAUSE_SECONDS
            if not delivered and not self._stopping.is_set():
                self._bell.wait(PAUSE_SECONDS)

    def _guarded(self, work: Callable[..., int], *how: datetime) -> int:
        try:
            return work(self._installation, *how, stopping=self._stopping.is_set)
        except BaseException:  # the thread outlives a lost database and whatever a plugin raises
            logger.exception("Background work failed; it goes on in a second.")
            return 0
