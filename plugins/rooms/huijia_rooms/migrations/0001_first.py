"""Rooms, closures, bookings, and the guard that no two exclude each other at once.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from huijia import UtcDateTime

revision = "0001"
down_revision = None

# The same condition for both engines: one room, overlapping times, different tokens.
EXCLUSION = """
    ALTER TABLE rooms_occupancy ADD CONSTRAINT ex_rooms_occupancy_overlap EXCLUDE USING gist (
        room_id WITH =, tstzrange(starts_at, ends_at) WITH &&, token WITH <>)
"""
TRIGGER = """
    CREATE TRIGGER rooms_occupancy_overlap_{name} BEFORE {event} ON rooms_occupancy
    WHEN EXISTS (
        SELECT 1 FROM rooms_occupancy AS other
        WHERE other.room_id = NEW.room_id AND other.ends_at > NEW.starts_at AND other.starts_at < NEW.ends_at
          AND other.token <> NEW.token {but})
    BEGIN SELECT RAISE(ABORT, 'rooms_occupancy: this room is taken at that time'); END
"""


def _owned(name: str, *parts: sa.Column | sa.Constraint) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "centre_id",
            sa.Uuid(),
            sa.ForeignKey("huijia_centre.id", name=f"fk_{name}_centre_id"),
            nullable=False,
        ),
        *parts,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    op.create_index(f"ix_{name}_centre_id", name, ["centre_id"])


def _room_id(table: str, *, nullable: bool = False) -> sa.Column:
    key = sa.ForeignKey("rooms_room.id", name=f"fk_{table}_room_id")
    return sa.Column("room_id", sa.Uuid(), key, nullable=nullable)


def _period(table: str) -> tuple[sa.Column | sa.Constraint, ...]:
    return (
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("starts_at < ends_at", name="forward"),
    )


def upgrade() -> None:
    _rooms()
    _owned(
        "rooms_closure",
        _room_id("rooms_closure", nullable=True),
        *_period("rooms_closure"),
        sa.Column("reason", sa.String(200), nullable=False),
    )
    op.create_index("ix_rooms_closure_centre_id_ends_at", "rooms_closure", ["centre_id", "ends_at"])
    _bookings()
    _occupancy()
    _guard()


def _rooms() -> None:
    _owned(
        "rooms_room",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("name_en", sa.String(80), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.Column("area_m2", sa.Integer()),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("booked_as", sa.String(10), nullable=False),
        sa.Column("use", sa.String(60), nullable=False),
        sa.Column("equipment", sa.JSON(), nullable=False),
        sa.Column("hours", sa.JSON(), nullable=False),
        sa.Column("on_holidays", sa.String(10), nullable=False),
        sa.Column("photo_id", sa.Uuid()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("capacity BETWEEN 1 AND 5000", name="capacity"),
        sa.CheckConstraint("area_m2 BETWEEN 1 AND 100000", name="area"),
        sa.CheckConstraint("booked_as IN ('whole', 'shared', 'either')", name="booked_as"),
        sa.CheckConstraint("on_holidays IN ('centre', 'open', 'closed')", name="on_holidays"),
    )
    op.create_index("uq_rooms_room_name", "rooms_room", ["centre_id", "name"], unique=True)


def _bookings() -> None:
    _owned(
        "rooms_booking",
        _room_id("rooms_booking"),
        *_period("rooms_booking"),
        sa.Column("seats", sa.Integer()),
        sa.Column(
            "person_id", sa.Uuid(), sa.ForeignKey("huijia_person.id", name="fk_rooms_booking_person_id")
        ),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("purpose", sa.String(200), nullable=False),
        sa.Column("head_count", sa.Integer()),
        sa.Column("contact", sa.String(80), nullable=False),
        sa.Column("place", sa.String(10), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("booked_by", sa.String(80), nullable=False),
        sa.Column("booked_at", UtcDateTime(), nullable=False),
        sa.Column("cancelled_by", sa.String(80), nullable=False),
        sa.Column("cancelled_at", UtcDateTime()),
        sa.Column("cancel_reason", sa.String(200), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.CheckConstraint("seats IS NULL OR seats >= 1", name="seats"),
        sa.CheckConstraint("kind IN ('person', 'group', 'organisation', 'service')", name="kind"),
        sa.CheckConstraint("place IN ('centre', 'community', 'home')", name="place"),
        sa.CheckConstraint(
            "(status = 'booked' AND cancelled_at IS NULL) OR "
            "(status = 'cancelled' AND cancelled_at IS NOT NULL AND cancel_reason <> '')",
            name="status",
        ),
    )
    op.create_index(
        "ix_rooms_booking_centre_id_starts_at_id", "rooms_booking", ["centre_id", "starts_at", "id"]
    )
    op.create_index("ix_rooms_booking_person_id", "rooms_booking", ["person_id"])
    op.create_index("ix_rooms_booking_room_id_starts_at", "rooms_booking", ["room_id", "starts_at"])


def _occupancy() -> None:
    booking = sa.ForeignKey("rooms_booking.id", name="fk_rooms_occupancy_booking_id")
    centre = sa.ForeignKey("huijia_centre.id", name="fk_rooms_occupancy_centre_id")
    op.create_table(
        "rooms_occupancy",
        _room_id("rooms_occupancy"),
        sa.Column("booking_id", sa.Uuid(), booking, nullable=False),
        sa.Column("centre_id", sa.Uuid(), centre, nullable=False),
        *_period("rooms_occupancy"),
        sa.Column("seats", sa.Integer()),
        sa.Column("token", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("room_id", "booking_id", name="pk_rooms_occupancy"),
    )
    op.create_index("ix_rooms_occupancy_centre_id", "rooms_occupancy", ["centre_id"])
    op.create_index("ix_rooms_occupancy_room_id_ends_at", "rooms_occupancy", ["room_id", "ends_at"])
    op.create_index("ix_rooms_occupancy_booking_id", "rooms_occupancy", ["booking_id"])


def _guard() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        op.execute(EXCLUSION)
        return
    op.execute(TRIGGER.format(name="insert", event="INSERT", but=""))
    op.execute(TRIGGER.format(name="update", event="UPDATE", but="AND other.rowid <> OLD.rowid"))


def downgrade() -> None:
    for table in ("rooms_occupancy", "rooms_booking", "rooms_closure", "rooms_room"):
        op.drop_table(table)
