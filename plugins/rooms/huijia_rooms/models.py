"""Tables, and what the database itself refuses.

That two bookings exclude each other is the database's word: a whole booking marks its occupancy with
its own id, a shared one with the room's, and two overlapping rows of one room must bear the same
token. PostgreSQL holds that by an exclusion constraint, SQLite by triggers (see `migrations`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from huijia import CentreOwned, Person, personal, pk, plugin_base, subject
from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

Base = plugin_base("rooms")

BOOKED_AS = ("whole", "shared", "either")
BOOKER_KINDS = ("person", "group", "organisation", "service")
ON_HOLIDAYS = ("centre", "open", "closed")
CALL = "to know whose booking it is, and to talk to them"
CAPACITY_MAX = 5_000
AREA_MAX = 100_000


class Room(CentreOwned, Base):
    """A place that can be booked. `hours` are spans by ISO weekday, see `rules.Hours`."""

    __tablename__ = "rooms_room"
    __table_args__ = (
        CheckConstraint(f"capacity BETWEEN 1 AND {CAPACITY_MAX}", name="capacity"),
        CheckConstraint(f"area_m2 BETWEEN 1 AND {AREA_MAX}", name="area"),
        CheckConstraint(f"booked_as IN {BOOKED_AS}", name="booked_as"),
        CheckConstraint(f"on_holidays IN {ON_HOLIDAYS}", name="on_holidays"),
        Index("uq_rooms_room_name", "centre_id", "name", unique=True),
    )

    id: Mapped[UUID] = pk()
    name: Mapped[str] = mapped_column(String(60))
    name_en: Mapped[str] = mapped_column(String(80), default="")
    floor: Mapped[int]
    area_m2: Mapped[int | None]
    capacity: Mapped[int]
    booked_as: Mapped[str] = mapped_column(String(10), default="whole")
    use: Mapped[str] = mapped_column(String(60), default="")
    equipment: Mapped[list[str]] = mapped_column(JSON, default=list)
    hours: Mapped[dict[str, Any]] = mapped_column(JSON)
    on_holidays: Mapped[str] = mapped_column(String(10), default="centre")
    photo_id: Mapped[UUID | None]
    active: Mapped[bool] = mapped_column(default=True)
    position: Mapped[int] = mapped_column(default=100)


class Closure(CentreOwned, Base):
    """A stretch of time in which one room, or with no `room_id` the whole centre, is shut."""

    __tablename__ = "rooms_closure"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="forward"),
        Index("ix_rooms_closure_centre_id_ends_at", "centre_id", "ends_at"),
    )

    id: Mapped[UUID] = pk()
    room_id: Mapped[UUID | None] = mapped_column(ForeignKey("rooms_room.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(200))


class Booking(CentreOwned, Base):
    """Who uses a room, when and for what. `seats` None means the whole room. Never deleted."""

    __tablename__ = "rooms_booking"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="forward"),
        CheckConstraint("seats IS NULL OR seats >= 1", name="seats"),
        CheckConstraint(f"kind IN {BOOKER_KINDS}", name="kind"),
        CheckConstraint("place IN ('centre', 'community', 'home')", name="place"),
        CheckConstraint(
            "(status = 'booked' AND cancelled_at IS NULL) OR "
            "(status = 'cancelled' AND cancelled_at IS NOT NULL AND cancel_reason <> '')",
            name="status",
        ),
        Index("ix_rooms_booking_centre_id_starts_at_id", "centre_id", "starts_at", "id"),
        Index("ix_rooms_booking_room_id_starts_at", "room_id", "starts_at"),
    )

    id: Mapped[UUID] = pk()
    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms_room.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    seats: Mapped[int | None]
    person_id: Mapped[UUID | None] = mapped_column(
        ForeignKey(Person.__table__.c.id), index=True, info=subject(keep_months=36, since="ends_at")
    )
    name: Mapped[str] = mapped_column(String(80), info=personal(CALL, erased="—"))
    kind: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[str] = mapped_column(String(200), default="", info=personal(CALL, erased=""))
    head_count: Mapped[int | None]
    contact: Mapped[str] = mapped_column(String(80), default="", info=personal(CALL, erased=""))
    place: Mapped[str] = mapped_column(String(10), default="centre")
    subject: Mapped[str] = mapped_column(String(120), default="")  # what another service holds it for
    status: Mapped[str] = mapped_column(String(10), default="booked")
    booked_by: Mapped[str] = mapped_column(String(80))
    booked_at: Mapped[datetime]
    cancelled_by: Mapped[str] = mapped_column(String(80), default="")
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str] = mapped_column(String(200), default="", info=personal(CALL, erased="—"))
    counted: Mapped[bool] = mapped_column(default=False)  # among the visits of the figures


class Occupancy(CentreOwned, Base):
    """The part of a room that a standing booking takes: what exclusion is told by. Gone once cancelled."""

    __tablename__ = "rooms_occupancy"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="forward"),
        Index("ix_rooms_occupancy_room_id_ends_at", "room_id", "ends_at"),
        Index("ix_rooms_occupancy_booking_id", "booking_id"),
    )

    room_id: Mapped[UUID] = mapped_column(ForeignKey("rooms_room.id"), primary_key=True)
    booking_id: Mapped[UUID] = mapped_column(ForeignKey("rooms_booking.id"), primary_key=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    seats: Mapped[int | None]
    token: Mapped[UUID]
