"""Visits, and the totals kept beside them.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from huijia.storage.base import UtcDateTime

revision = "0004"
down_revision = "0003"

TABLES = """
    huijia_visit
    huijia_visit_total
    huijia_visitor
    huijia_visitor_total
"""


def upgrade() -> None:
    op.create_table(
        "huijia_visit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=240), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=12), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("band", sa.String(length=8), server_default="", nullable=False),
        sa.Column("giving", sa.Boolean(), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("counted_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("place IN ('centre', 'community', 'home')", name=op.f("ck_huijia_visit_place")),
        sa.CheckConstraint("heads BETWEEN 1 AND 100000", name=op.f("ck_huijia_visit_heads")),
        sa.CheckConstraint("length(band) BETWEEN 0 AND 8", name=op.f("ck_huijia_visit_band_length")),
        sa.CheckConstraint("length(key) BETWEEN 1 AND 240", name=op.f("ck_huijia_visit_key_length")),
        sa.CheckConstraint("length(kind) BETWEEN 1 AND 60", name=op.f("ck_huijia_visit_kind_length")),
        sa.CheckConstraint("length(place) BETWEEN 1 AND 12", name=op.f("ck_huijia_visit_place_length")),
        sa.CheckConstraint("length(service) BETWEEN 1 AND 40", name=op.f("ck_huijia_visit_service_length")),
        sa.CheckConstraint("length(subject) BETWEEN 1 AND 80", name=op.f("ck_huijia_visit_subject_length")),
        sa.ForeignKeyConstraint(["centre_id"], ["huijia_centre.id"], name=op.f("fk_huijia_visit_centre_id")),
        sa.ForeignKeyConstraint(["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_visit_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_visit")),
    )
    op.create_index(
        op.f("ix_huijia_visit_centre_id_month_id"), "huijia_visit", ["centre_id", "month", "id"], unique=False
    )
    op.create_index(
        op.f("ix_huijia_visit_person_id_centre_id_month"),
        "huijia_visit",
        ["person_id", "centre_id", "month"],
        unique=False,
    )
    op.create_index("uq_huijia_visit_key", "huijia_visit", ["key"], unique=True)
    op.create_table(
        "huijia_visit_total",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=12), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("band", sa.String(length=8), server_default="", nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(band) BETWEEN 0 AND 8", name=op.f("ck_huijia_visit_total_band_length")),
        sa.CheckConstraint("length(place) BETWEEN 1 AND 12", name=op.f("ck_huijia_visit_total_place_length")),
        sa.CheckConstraint(
            "length(service) BETWEEN 1 AND 40", name=op.f("ck_huijia_visit_total_service_length")
        ),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["huijia_centre.id"], name=op.f("fk_huijia_visit_total_centre_id")
        ),
        sa.PrimaryKeyConstraint(
            "centre_id",
            "month",
            "service",
            "place",
            "community_id",
            "band",
            "slot",
            name=op.f("pk_huijia_visit_total"),
        ),
    )
    op.create_table(
        "huijia_visitor",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("scope", sa.String(length=44), server_default="", nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("band", sa.String(length=8), server_default="", nullable=False),
        sa.Column("first", sa.Boolean(), nullable=False),
        sa.Column("giving", sa.Boolean(), nullable=False),
        sa.CheckConstraint("length(band) BETWEEN 0 AND 8", name=op.f("ck_huijia_visitor_band_length")),
        sa.CheckConstraint("length(scope) BETWEEN 0 AND 44", name=op.f("ck_huijia_visitor_scope_length")),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["huijia_centre.id"], name=op.f("fk_huijia_visitor_centre_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_visitor_person_id")
        ),
        sa.PrimaryKeyConstraint("centre_id", "month", "scope", "person_id", name=op.f("pk_huijia_visitor")),
    )
    op.create_index(op.f("ix_huijia_visitor_person_id"), "huijia_visitor", ["person_id"], unique=False)
    op.create_table(
        "huijia_visitor_total",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("scope", sa.String(length=44), server_default="", nullable=False),
        sa.Column("community_id", sa.Uuid(), nullable=False),
        sa.Column("band", sa.String(length=8), server_default="", nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("giving", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(band) BETWEEN 0 AND 8", name=op.f("ck_huijia_visitor_total_band_length")),
        sa.CheckConstraint(
            "length(scope) BETWEEN 0 AND 44", name=op.f("ck_huijia_visitor_total_scope_length")
        ),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["huijia_centre.id"], name=op.f("fk_huijia_visitor_total_centre_id")
        ),
        sa.PrimaryKeyConstraint(
            "centre_id",
            "month",
            "scope",
            "community_id",
            "band",
            "slot",
            name=op.f("pk_huijia_visitor_total"),
        ),
    )


def downgrade() -> None:
    for table in reversed(TABLES.split()):
        op.drop_table(table)
