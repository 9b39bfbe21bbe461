"""The unit of work: one transaction, opened and closed by the door and never by a plugin.

Safe requests read in a deferred transaction. Unsafe ones queue for the process's write lock, then
begin immediately. A plugin gets the session inside: it can flush, and everything that would end the
transaction is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from sqlalchemy import Connection, RootTransaction, event, inspect
from sqlalchemy.orm import Session

from huijia.clock import Clock
from huijia.errors import Fault
from huijia.storage.base import CentreOwned
from huijia.storage.engine import UNIT, WRITES, ending, is_whole, make_engine
from huijia.storage.fifo import FifoLock
from huijia.storage.scope import READ_ONLY, narrow, stamp, straight

if TYPE_CHECKING:
    from huijia.identity.actor import Actor
    from huijia.registry.calls import BoundHooks
    from huijia.storage.vault import Vault

logger = logging.getLogger(__name__)
Deed = Callable[["WorkSession"], object]


@dataclass(frozen=True)
class Change:
    """One record that a unit of work made, changed or removed: ids and field names, no values."""

    table: str
    key: str
    action: str  # insert, update or delete
    fields: tuple[str, ...] = ()


class WorkSession(Session):
    """A session inside somebody else's transaction. It reads and writes one centre, or none."""

    def __init__(
        self,
        connection: Connection,
        *,
        now: datetime,
        writable: bool,
        centre_id: UUID | None,
        actor: Actor | None,
    ) -> None:
        super().__init__(connection, expire_on_commit=False, join_transaction_mode="rollback_only")
        self._direct = connection
        self.centre_id = centre_id
        self.actor = actor
        self.now = now
        self.vault: Vault = None  # type: ignore[assignment]  # bound by the installation
        self.writable = writable
        self.hooks: BoundHooks = None  # type: ignore[assignment]  # bound by the installation
        self.changes: list[Change] = []
        self.crossing: list[str] = []
        self.crossed: list[str] = []
        self.given_up = False
        self._kept = False
        self._deeds: list[Deed] = []
        self._committed: list[Callable[[], object]] = []

    def after_the_fact(self, deed: Deed) -> None:
        """Run `deed(session)` in a unit of its own once this one has ended, however it ended.

        For what must survive a rollback: refusals, throttles, counts of failures.
        """
        self._deeds.append(deed)

    def after_commit(self, deed: Callable[[], object]) -> None:
        """Run `deed()` once this unit is durable; never after a rollback."""
        self._committed.append(deed)

    def give_up(self) -> None:
        """Let the unit end in a rollback although nothing is raised."""
        self.given_up = True

    def note(self, table: str, key: object, fields: tuple[str, ...] = (), action: str = "update") -> None:
        """Tell the audit of a change made by a Core statement, which the session cannot see."""
        self.changes.append(Change(table, str(key), action, fields))

    @contextmanager
    def across_centres(self, reason: str) -> Iterator[None]:
        """Read or write over all centres until the block ends; the reason goes into the audit."""
        self.flush()
        self.crossing.append(reason)
        self.crossed.append(reason)
        try:
            yield
            self.flush()
        finally:
            self.crossing.pop()

    @contextmanager
    def at_centre(self, centre_id: UUID, reason: str) -> Iterator[None]:
        """Until the block ends this unit is another centre's, hooks and all; the reason is audited."""
        self.flush()
        self.crossed.append(reason)
        here, self.centre_id = self.centre_id, centre_id
        try:
            yield
            self.flush()
        finally:
            self.centre_id = here

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What happens inside is kept whole or not at all; an exception undoes it and goes on."""
        changes, committed = len(self.changes), len(self._committed)
        try:
            with Session.begin(self, nested=True):
                Session.connection(self)  # only now SAVEPOINT is sent; what goes straight must find it there
                yield
        except BaseException:
            del self.changes[changes:], self._committed[committed:]
            raise

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As in SQLAlchemy. A Core statement that was looked at before goes to the connection at once."""
        if not options and self.is_active:
            parameters = straight(self, statement, params)
            if parameters is not None:
                return self._direct.execute(statement, parameters)
        return super().execute(statement, params, **options)

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        """As in SQLAlchemy; None as well for another centre's record that was seen across centres before."""
        found = super().get(entity, ident, **options)
        theirs = isinstance(found, CentreOwned) and found.centre_id != self.centre_id
        return None if theirs and not self.crossing else found

    def _refuse(self, *_arguments: Any, **_keywords: Any) -> NoReturn:
        raise Fault(
            "The transaction belongs to the door: a plugin flushes, and never commits, rolls back or begins."
        )

    begin = begin_nested = commit = rollback = close = connection = prepare = invalidate = reset = _refuse

    def _refuse_bulk(self, *_arguments: Any, **_keywords: Any) -> NoReturn:
        raise Fault("Rows pass the centre's checks by session.execute(insert(table), rows); use that.")

    bulk_save_objects = bulk_insert_mappings = bulk_update_mappings = _refuse_bulk


event.listen(WorkSession, "do_orm_execute", narrow)


@event.listens_for(WorkSession, "before_flush")
def _check_records(session: WorkSession, _context: Any, _instances: Any) -> None:
    if not session.writable and (session.new or session.dirty or session.deleted):
        raise Fault(READ_ONLY)
    if not session.crossing:
        stamp(session.new, (*session.dirty, *session.deleted), session.centre_id)


@event.listens_for(WorkSession, "after_flush")
def _collect_changes(session: WorkSession, _context: Any) -> None:
    for action, records in (("insert", session.new), ("update", session.dirty), ("delete", session.deleted)):
        for record in records:
            state = inspect(record)
            names = state.mapper.column_attrs.keys() if action == "update" else ()
            fields = tuple(name for name in names if state.attrs[name].history.has_changes())
            if action != "update" or fields:
                key = state.identity or state.mapper.primary_key_from_instance(record)
                session.note(state.mapper.local_table.name, "/".join(map(str, key)), fields, action)


class Storage:
    """The database: its engine and its units of work."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        self.engine = make_engine(url)
        self.dialect = self.engine.dialect.name
        self.clock = clock
        # The installation binds hooks here.
        self.prepare: Callable[[WorkSession], object] = lambda _session: None
        self._queue = FifoLock()

    def reading(
        self, *, centre_id: UUID | None = None, actor: Actor | None = None
    ) -> AbstractContextManager[WorkSession]:
        """A unit that only reads; it never waits for a writer."""
        return self._unit(writable=False, centre_id=centre_id, actor=actor)

    def writing(
        self, *, centre_id: UUID | None = None, actor: Actor | None = None
    ) -> AbstractContextManager[WorkSession]:
        """A unit that may write; it commits at a clean exit. On SQLite it holds the write lock throughout."""
        return self._unit(writable=True, centre_id=centre_id, actor=actor)

    @contextmanager
    def _unit(self, *, writable: bool, **whose: Any) -> Iterator[WorkSession]:
        opened: list[WorkSession] = []
        try:
            with self._queued(writable), self.engine.connect() as connection:
                connection.execution_options(**self._options(writable))
                with ending(connection):
                    transaction = connection.begin()
                session = WorkSession(connection, now=self.clock(), writable=writable, **whose)
                opened.append(session)
                try:
                    self.prepare(session)
                    yield session
                    if not session.given_up:
                        _keep(session, connection, transaction)
                finally:
                    Session.close(session)
                    transaction.close()  # rolls back what was not kept
        finally:
            for session in opened:
                self._carry_out(session)

    def _queued(self, writable: bool) -> AbstractContextManager[None]:
        return self._queue if writable and self.dialect == "sqlite" else nullcontext()

    def _options(self, writable: bool) -> dict[str, Any]:
        own = {WRITES: writable} if self.dialect == "sqlite" else {"postgresql_readonly": not writable}
        return {UNIT: True, **own}

    def _carry_out(self, session: WorkSession) -> None:
        for done in session._committed if session._kept else ():
            try:
                done()
            except Exception:  # what is durable must not look as if it had failed
                logger.exception("What was to follow the commit went wrong.")
        for deed in session._deeds:
            try:
                with self.writing(centre_id=session.centre_id, actor=session.actor) as fresh:
                    deed(fresh)
            except Exception:  # a failing note must not turn a refusal into a fault
                logger.exception("What was to be kept after the fact was lost.")

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def _keep(session: WorkSession, connection: Connection, transaction: RootTransaction) -> None:
    if transaction.is_active:
        session.flush()
    if not (transaction.is_active and is_whole(connection)):
        raise Fault(
            "The transaction was rolled back inside the unit of work and nothing of it was saved; put what "
            "may fail into session.savepoint()."
        )
    with ending(connection):
        transaction.commit()
    session._kept = True
