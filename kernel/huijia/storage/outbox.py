"""Events, written in the transaction that made them true, and one delivery for each listener.

Deliveries of one (listener, centre, subject) are taken in the order of `recorded_at`. That is the unit's
start, moved just past the subject's last event: a unit may start first and get the lock on the subject's row
second, and the clocks of two machines differ. Who emits without such a lock is promised no order.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from threading import Event as Bell
from typing import Any, NamedTuple, cast
from uuid import UUID
from weakref import WeakSet

from sqlalchemy import (
    ForeignKey,
    Index,
    Text,
    Uuid,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column
from sqlalchemy.types import TypeDecorator

from huijia.errors import Fault
from huijia.storage.base import PURGED_MAX, KernelBase, new_id, pk
from huijia.storage.work import WorkSession

LEASE = timedelta(minutes=1)
BACK_OFF_SECONDS = (1, 5, 30, 300, 3600)
KEPT_FOR = timedelta(days=30)
bells: WeakSet[Bell] = WeakSet()  # rung after the commit of a unit that enqueued: runners of this process


class Payload(TypeDecorator[dict[str, Any]]):
    """JSON that brings back builtins, UUIDs, dates and aware datetimes as they went in."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str:
        return json.dumps(encode(value), allow_nan=False)

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return decode(json.loads(value))


_TAGS: dict[type, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    UUID: ("$uuid", str, UUID),
    datetime: ("$datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    bytes: ("$bytes", bytes.hex, bytes.fromhex),
    **{
        kind: (
            f"${kind.__name__}",
            lambda some: [*map(encode, some)],
            lambda some, kind=kind: kind(map(decode, some)),
        )
        for kind in (tuple, set, frozenset)
    },
}
_DECODERS = {tag: back for tag, _there, back in _TAGS.values()}


def encode(value: Any) -> Any:
    """`value` as plain JSON; Fault for what a listener could not be given back."""
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is list:
        return [encode(item) for item in value]
    if type(value) is dict:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: encode(item) for key, item in value.items()}
        return {"$dict": [[encode(key), encode(item)] for key, item in value.items()]}
    tag, there, _back = _TAGS.get(type(value), ("", None, None))
    if there is None or (isinstance(value, datetime) and value.tzinfo is None):
        raise Fault(f"An event cannot carry {value!r}; pass builtins, UUIDs, dates and aware datetimes.")
    return {tag: there(value)}


def decode(value: Any) -> Any:
    """The other way round."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    [(tag, inner)] = value.items() if len(value) == 1 else [("", ())]
    if tag == "$dict":
        return {decode(key): decode(item) for key, item in inner}
    return _DECODERS[tag](inner) if tag in _DECODERS else {key: decode(item) for key, item in value.items()}


class Event(KernelBase):
    """Something that became true."""

    __tablename__ = "huijia_event"
    id: Mapped[UUID] = pk()
    recorded_at: Mapped[datetime]
    centre_id: Mapped[UUID | None]
    name: Mapped[str]
    subject: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(Payload)
    __table_args__ = (Index(None, "subject", "recorded_at"),)


class Delivery(KernelBase):
    """What one listener is to hear: `waiting`, then `done`; or `parked` after failing, and then `skipped`."""

    __tablename__ = "huijia_delivery"
    id: Mapped[UUID] = pk()
    event_id: Mapped[UUID] = mapped_column(ForeignKey(Event.id), index=True)
    listener: Mapped[str]
    centre_id: Mapped[UUID | None]
    subject: Mapped[str]
    recorded_at: Mapped[datetime]
    state: Mapped[str]
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    error: Mapped[str | None]
    __table_args__ = (Index(None, "state", "due_at"), Index(None, "listener", "subject", "recorded_at"))


_events: Any = Event.__table__
_INSERT_EVENT, _INSERT_DELIVERY = insert(_events), insert(cast("Any", Delivery.__table__))
_LAST = select(func.max(_events.c.recorded_at)).where(
    _events.c.subject == bindparam("about"),
    _events.c.centre_id.is_not_distinct_from(bindparam("at", type_=Uuid())),
)


class Claimed(NamedTuple):
    """A delivery that this worker may make until its lease ends."""

    id: UUID
    listener: str
    centre_id: UUID | None
    subject: str
    attempts: int
    name: str
    payload: dict[str, Any]
    leased_until: datetime


def enqueue(
    session: WorkSession, *, name: str, subject: str, payload: dict[str, Any], listeners: Iterable[str]
) -> UUID | None:
    """Write an event and a delivery for each listener (a plugin). None, and nothing, where nobody listens."""
    listeners = list(listeners)
    if not listeners:
        return None
    last = session.execute(_LAST, {"about": subject, "at": session.centre_id}).scalar()
    row = {"recorded_at": max(session.now, last + timedelta(microseconds=1)) if last else session.now}
    row |= {"centre_id": session.centre_id, "subject": subject}
    event_id = new_id()
    session.execute(_INSERT_EVENT, {"id": event_id, "name": name, "payload": payload, **row})
    row |= {"event_id": event_id, "state": "waiting", "attempts": 0, "due_at": session.now}
    session.execute(_INSERT_DELIVERY, [{"id": new_id(), "listener": one, **row} for one in listeners])
    session.after_commit(lambda: [bell.set() for bell in list(bells)])
    return event_id


def _due(now: datetime) -> Any:
    earlier = aliased(Delivery)
    blocked = exists().where(
        earlier.listener == Delivery.listener,
        earlier.subject == Delivery.subject,
        earlier.centre_id.is_not_distinct_from(Delivery.centre_id),
        earlier.state.in_(("waiting", "parked")),  # leased ones wait too, until they are done
        tuple_(earlier.recorded_at, earlier.event_id) < tuple_(Delivery.recorded_at, Delivery.event_id),
    )
    free = or_(Delivery.leased_until.is_(None), Delivery.leased_until <= now)
    wanted = select(*(getattr(Delivery, name) for name in Claimed._fields[:5]), Event.name, Event.payload)
    wanted = wanted.join(Event).where(Delivery.state == "waiting", Delivery.due_at <= now, free, ~blocked)
    return wanted.order_by(Delivery.due_at)  # as the index has it: a long queue is not sorted each time


def anything_due(session: WorkSession) -> bool:
    """True where `claim` would find something; for a look that takes no lock."""
    return session.execute(_due(session.now).limit(1)).first() is not None


def claim(session: WorkSession, *, limit: int) -> list[Claimed]:
    """Lease the next deliveries, at most one for each listener and subject. A killed worker's come back."""
    until = session.now + LEASE
    locked = _due(session.now).limit(limit).with_for_update(skip_locked=True, of=Delivery)
    found = [Claimed(*row, leased_until=until) for row in session.execute(locked)]
    session.execute(
        update(Delivery).where(Delivery.id.in_([one.id for one in found])).values(leased_until=until)
    )
    return found


def still_ours(session: WorkSession, one: Claimed) -> bool:
    """Lock a claimed delivery for this unit. False where another worker took it after our lease ended."""
    ours = Delivery.id == one.id, Delivery.state == "waiting", Delivery.leased_until == one.leased_until
    return session.execute(select(Delivery.id).where(*ours).with_for_update()).first() is not None


def settle(session: WorkSession, one: Claimed, **values: Any) -> None:
    """End the lease; `values` say how it went (`state`, `due_at`, `attempts`, `error`)."""
    session.execute(update(Delivery).where(Delivery.id == one.id).values(leased_until=None, **values))


def purge(session: WorkSession, now: datetime) -> bool:
    """Forget some events of over 30 days ago that all have heard or skip; True where there may be more."""
    open_ones = select(Delivery.event_id).where(Delivery.state.in_(("waiting", "parked")))
    closed = select(Event.id).where(Event.recorded_at < now - KEPT_FOR, Event.id.not_in(open_ones))
    old = session.scalars(closed.limit(PURGED_MAX)).all()
    session.execute(delete(Delivery).where(Delivery.event_id.in_(old)))
    session.execute(delete(Event).where(Event.id.in_(old)))
    return len(old) == PURGED_MAX
