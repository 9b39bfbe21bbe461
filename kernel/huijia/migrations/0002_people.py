"""People: names, numbers, contacts, addresses, where they are registered, cards.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from huijia.storage.base import UtcDateTime

revision = "0002"
down_revision = "0001"

TABLES = """
    huijia_person
    huijia_card
    huijia_person_address
    huijia_person_confirmation
    huijia_person_contact
    huijia_person_name
    huijia_person_number
    huijia_person_token
    huijia_registration
"""


def upgrade() -> None:
    op.create_table(
        "huijia_person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("sort_key", sa.String(length=200), nullable=False),
        sa.Column("sex", sa.String(length=8), server_default="", nullable=False),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("died_on", sa.Date(), nullable=True),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("photo_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(length=500), server_default="", nullable=False),
        sa.Column("confirmed_until", sa.Date(), nullable=True),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("erased_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("sex IN ('', 'female', 'male')", name=op.f("ck_huijia_person_sex")),
        sa.CheckConstraint(
            "died_on IS NULL OR born_on IS NULL OR died_on >= born_on", name=op.f("ck_huijia_person_life")
        ),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 80", name=op.f("ck_huijia_person_name_length")),
        sa.CheckConstraint("length(note) BETWEEN 0 AND 500", name=op.f("ck_huijia_person_note_length")),
        sa.CheckConstraint("length(sex) BETWEEN 0 AND 8", name=op.f("ck_huijia_person_sex_length")),
        sa.CheckConstraint(
            "length(sort_key) BETWEEN 1 AND 200", name=op.f("ck_huijia_person_sort_key_length")
        ),
        sa.CheckConstraint("merged_into <> id", name=op.f("ck_huijia_person_not_into_itself")),
        sa.ForeignKeyConstraint(
            ["merged_into"], ["huijia_person.id"], name=op.f("fk_huijia_person_merged_into")
        ),
        sa.ForeignKeyConstraint(["photo_id"], ["huijia_file.id"], name=op.f("fk_huijia_person_photo_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_person")),
    )
    op.create_index(op.f("ix_huijia_person_import_id"), "huijia_person", ["import_id"], unique=False)
    op.create_index(op.f("ix_huijia_person_merged_into"), "huijia_person", ["merged_into"], unique=False)
    op.create_table(
        "huijia_card",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_why", sa.String(length=200), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('active', 'blocked', 'replaced')", name=op.f("ck_huijia_card_state")),
        sa.CheckConstraint("length(code) BETWEEN 1 AND 16", name=op.f("ck_huijia_card_code_length")),
        sa.CheckConstraint(
            "length(ended_why) BETWEEN 0 AND 200", name=op.f("ck_huijia_card_ended_why_length")
        ),
        sa.CheckConstraint("length(state) BETWEEN 1 AND 8", name=op.f("ck_huijia_card_state_length")),
        sa.ForeignKeyConstraint(["centre_id"], ["huijia_centre.id"], name=op.f("fk_huijia_card_centre_id")),
        sa.ForeignKeyConstraint(["issued_by"], ["huijia_staff.id"], name=op.f("fk_huijia_card_issued_by")),
        sa.ForeignKeyConstraint(["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_card_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_card")),
        sa.UniqueConstraint("code", name=op.f("uq_huijia_card_code")),
    )
    op.create_index(op.f("ix_huijia_card_person_id"), "huijia_card", ["person_id"], unique=False)
    op.create_index(
        "uq_huijia_card_active",
        "huijia_card",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "huijia_person_address",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("area_id", sa.Uuid(), nullable=True),
        sa.Column("building", sa.String(length=40), server_default="", nullable=False),
        sa.Column("detail", sa.String(length=160), server_default="", nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "length(building) BETWEEN 0 AND 40", name=op.f("ck_huijia_person_address_building_length")
        ),
        sa.CheckConstraint(
            "length(detail) BETWEEN 0 AND 160", name=op.f("ck_huijia_person_address_detail_length")
        ),
        sa.ForeignKeyConstraint(
            ["area_id"], ["huijia_area.id"], name=op.f("fk_huijia_person_address_area_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_address_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_person_address")),
    )
    op.create_index(
        op.f("ix_huijia_person_address_area_id"), "huijia_person_address", ["area_id"], unique=False
    )
    op.create_index(
        op.f("ix_huijia_person_address_person_id"), "huijia_person_address", ["person_id"], unique=False
    )
    op.create_table(
        "huijia_person_confirmation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("evidence", sa.String(length=24), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("withdrawn_why", sa.String(length=200), server_default="", nullable=False),
        sa.CheckConstraint(
            "evidence IN ('identity-card', 'household-register', 'permit', 'passport', 'known-to-staff')",
            name=op.f("ck_huijia_person_confirmation_evidence"),
        ),
        sa.CheckConstraint(
            "length(evidence) BETWEEN 1 AND 24", name=op.f("ck_huijia_person_confirmation_evidence_length")
        ),
        sa.CheckConstraint(
            "length(withdrawn_why) BETWEEN 0 AND 200",
            name=op.f("ck_huijia_person_confirmation_withdrawn_why_length"),
        ),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["huijia_centre.id"], name=op.f("fk_huijia_person_confirmation_centre_id")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["huijia_staff.id"], name=op.f("fk_huijia_person_confirmation_confirmed_by")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_confirmation_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_person_confirmation")),
    )
    op.create_index(
        op.f("ix_huijia_person_confirmation_person_id"),
        "huijia_person_confirmation",
        ["person_id"],
        unique=False,
    )
    op.create_table(
        "huijia_person_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("value", sa.String(length=120), nullable=False),
        sa.Column("whose", sa.String(length=80), server_default="", nullable=False),
        sa.Column("emergency", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('phone', 'email', 'other')", name=op.f("ck_huijia_person_contact_kind")),
        sa.CheckConstraint("length(kind) BETWEEN 1 AND 8", name=op.f("ck_huijia_person_contact_kind_length")),
        sa.CheckConstraint(
            "length(value) BETWEEN 1 AND 120", name=op.f("ck_huijia_person_contact_value_length")
        ),
        sa.CheckConstraint(
            "length(whose) BETWEEN 0 AND 80", name=op.f("ck_huijia_person_contact_whose_length")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_contact_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_person_contact")),
    )
    op.create_index(
        op.f("ix_huijia_person_contact_person_id"), "huijia_person_contact", ["person_id"], unique=False
    )
    op.create_table(
        "huijia_person_name",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("text", sa.String(length=120), nullable=False),
        sa.CheckConstraint("kind IN ('other', 'former')", name=op.f("ck_huijia_person_name_kind")),
        sa.CheckConstraint("length(kind) BETWEEN 1 AND 8", name=op.f("ck_huijia_person_name_kind_length")),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 120", name=op.f("ck_huijia_person_name_text_length")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_name_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_person_name")),
    )
    op.create_index(
        op.f("ix_huijia_person_name_person_id"), "huijia_person_name", ["person_id"], unique=False
    )
    op.create_table(
        "huijia_person_number",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("masked", sa.String(length=40), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('resident', 'permit', 'foreign', 'passport')", name=op.f("ck_huijia_person_number_kind")
        ),
        sa.CheckConstraint("length(kind) BETWEEN 1 AND 12", name=op.f("ck_huijia_person_number_kind_length")),
        sa.CheckConstraint(
            "length(masked) BETWEEN 1 AND 40", name=op.f("ck_huijia_person_number_masked_length")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_number_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_person_number")),
        sa.UniqueConstraint("hash", name=op.f("uq_huijia_person_number_hash")),
    )
    op.create_index(
        op.f("ix_huijia_person_number_key_version"), "huijia_person_number", ["key_version"], unique=False
    )
    op.create_index(
        op.f("ix_huijia_person_number_person_id"), "huijia_person_number", ["person_id"], unique=False
    )
    op.create_table(
        "huijia_person_token",
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column(
            "token",
            sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "length(token) BETWEEN 1 AND 80", name=op.f("ck_huijia_person_token_token_length")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_token_person_id")
        ),
        sa.PrimaryKeyConstraint("centre_id", "token", "person_id", name=op.f("pk_huijia_person_token")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_huijia_person_token_person_id", "huijia_person_token", ["person_id"], unique=False)
    op.create_table(
        "huijia_registration",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("sort_key", sa.String(length=200), server_default="", nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_why", sa.String(length=200), server_default="", nullable=False),
        sa.CheckConstraint(
            "length(ended_why) BETWEEN 0 AND 200", name=op.f("ck_huijia_registration_ended_why_length")
        ),
        sa.CheckConstraint(
            "length(sort_key) BETWEEN 0 AND 200", name=op.f("ck_huijia_registration_sort_key_length")
        ),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["huijia_centre.id"], name=op.f("fk_huijia_registration_centre_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_registration_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["registered_by"], ["huijia_staff.id"], name=op.f("fk_huijia_registration_registered_by")
        ),
        sa.PrimaryKeyConstraint("person_id", "centre_id", name=op.f("pk_huijia_registration")),
    )
    op.create_index(
        op.f("ix_huijia_registration_centre_id_sort_key_person_id"),
        "huijia_registration",
        ["centre_id", "sort_key", "person_id"],
        unique=False,
    )


def downgrade() -> None:
    for table in reversed(TABLES.split()):
        op.drop_table(table)
