"""What stands around people: households, organisations, consent, guardians, merges, imports.

Revision ID: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from huijia.storage.base import UtcDateTime

revision = "0003"
down_revision = "0002"

TABLES = """
    huijia_household
    huijia_organisation
    huijia_consent
    huijia_guardian
    huijia_household_member
    huijia_import
    huijia_organisation_member
    huijia_organisation_presence
    huijia_person_different
    huijia_person_merge
    huijia_person_sensitive
"""


def upgrade() -> None:
    op.create_table(
        "huijia_household",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_household")),
    )
    op.create_table(
        "huijia_organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("name_en", sa.String(length=120), server_default="", nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("phone", sa.String(length=40), server_default="", nullable=False),
        sa.Column("address", sa.String(length=200), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('social', 'partner', 'donor', 'team', 'group')",
            name=op.f("ck_huijia_organisation_kind"),
        ),
        sa.CheckConstraint(
            "length(address) BETWEEN 0 AND 200", name=op.f("ck_huijia_organisation_address_length")
        ),
        sa.CheckConstraint("length(code) BETWEEN 0 AND 40", name=op.f("ck_huijia_organisation_code_length")),
        sa.CheckConstraint("length(kind) BETWEEN 1 AND 8", name=op.f("ck_huijia_organisation_kind_length")),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 120", name=op.f("ck_huijia_organisation_name_length")),
        sa.CheckConstraint(
            "length(name_en) BETWEEN 0 AND 120", name=op.f("ck_huijia_organisation_name_en_length")
        ),
        sa.CheckConstraint(
            "length(phone) BETWEEN 0 AND 40", name=op.f("ck_huijia_organisation_phone_length")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_organisation")),
        sa.UniqueConstraint("code", name=op.f("uq_huijia_organisation_code")),
    )
    op.create_table(
        "huijia_consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=60), nullable=False),
        sa.Column("text", sa.String(length=4000), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=True),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.CheckConstraint("length(purpose) BETWEEN 1 AND 60", name=op.f("ck_huijia_consent_purpose_length")),
        sa.CheckConstraint("length(text) BETWEEN 1 AND 4000", name=op.f("ck_huijia_consent_text_length")),
        sa.ForeignKeyConstraint(["given_by"], ["huijia_person.id"], name=op.f("fk_huijia_consent_given_by")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_consent_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["huijia_staff.id"], name=op.f("fk_huijia_consent_recorded_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_consent")),
    )
    op.create_index(op.f("ix_huijia_consent_person_id"), "huijia_consent", ["person_id"], unique=False)
    op.create_table(
        "huijia_guardian",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.String(length=40), nullable=False),
        sa.Column("evidence", sa.String(length=120), server_default="", nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "length(evidence) BETWEEN 0 AND 120", name=op.f("ck_huijia_guardian_evidence_length")
        ),
        sa.CheckConstraint(
            "length(relation) BETWEEN 1 AND 40", name=op.f("ck_huijia_guardian_relation_length")
        ),
        sa.CheckConstraint("person_id <> guardian_id", name=op.f("ck_huijia_guardian_not_oneself")),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["huijia_person.id"], name=op.f("fk_huijia_guardian_guardian_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_guardian_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_guardian")),
    )
    op.create_index(op.f("ix_huijia_guardian_guardian_id"), "huijia_guardian", ["guardian_id"], unique=False)
    op.create_index(op.f("ix_huijia_guardian_person_id"), "huijia_guardian", ["person_id"], unique=False)
    op.create_table(
        "huijia_household_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("relation", sa.String(length=40), server_default="", nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "length(relation) BETWEEN 0 AND 40", name=op.f("ck_huijia_household_member_relation_length")
        ),
        sa.ForeignKeyConstraint(
            ["household_id"], ["huijia_household.id"], name=op.f("fk_huijia_household_member_household_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_household_member_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_household_member")),
    )
    op.create_index(
        op.f("ix_huijia_household_member_household_id"),
        "huijia_household_member",
        ["household_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_huijia_household_member_person_id"), "huijia_household_member", ["person_id"], unique=False
    )
    op.create_table(
        "huijia_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.String(length=60), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "length(file_name) BETWEEN 1 AND 200", name=op.f("ck_huijia_import_file_name_length")
        ),
        sa.CheckConstraint("length(what) BETWEEN 1 AND 60", name=op.f("ck_huijia_import_what_length")),
        sa.ForeignKeyConstraint(["centre_id"], ["huijia_centre.id"], name=op.f("fk_huijia_import_centre_id")),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["huijia_staff.id"], name=op.f("fk_huijia_import_imported_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_import")),
    )
    op.create_index(op.f("ix_huijia_import_centre_id"), "huijia_import", ["centre_id"], unique=False)
    op.create_table(
        "huijia_organisation_member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=60), server_default="", nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "length(role) BETWEEN 0 AND 60", name=op.f("ck_huijia_organisation_member_role_length")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["huijia_organisation.id"],
            name=op.f("fk_huijia_organisation_member_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_organisation_member_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_organisation_member")),
    )
    op.create_index(
        op.f("ix_huijia_organisation_member_organisation_id"),
        "huijia_organisation_member",
        ["organisation_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_huijia_organisation_member_person_id"),
        "huijia_organisation_member",
        ["person_id"],
        unique=False,
    )
    op.create_table(
        "huijia_organisation_presence",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["centre_id"], ["huijia_centre.id"], name=op.f("fk_huijia_organisation_presence_centre_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["huijia_organisation.id"],
            name=op.f("fk_huijia_organisation_presence_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "centre_id", name=op.f("pk_huijia_organisation_presence")),
    )
    op.create_index(
        op.f("ix_huijia_organisation_presence_centre_id"),
        "huijia_organisation_presence",
        ["centre_id"],
        unique=False,
    )
    op.create_table(
        "huijia_person_different",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["huijia_staff.id"], name=op.f("fk_huijia_person_different_decided_by")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_different_other_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_different_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "other_id", name=op.f("pk_huijia_person_different")),
    )
    op.create_index(
        op.f("ix_huijia_person_different_other_id"), "huijia_person_different", ["other_id"], unique=False
    )
    op.create_table(
        "huijia_person_merge",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kept_id", sa.Uuid(), nullable=False),
        sa.Column("merged_id", sa.Uuid(), nullable=False),
        sa.Column("why", sa.String(length=200), server_default="", nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("merged_at", UtcDateTime(), nullable=False),
        sa.Column("merged_by", sa.Uuid(), nullable=True),
        sa.Column("undone_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kept_id <> merged_id", name=op.f("ck_huijia_person_merge_two")),
        sa.CheckConstraint("length(why) BETWEEN 0 AND 200", name=op.f("ck_huijia_person_merge_why_length")),
        sa.ForeignKeyConstraint(
            ["kept_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_merge_kept_id")
        ),
        sa.ForeignKeyConstraint(
            ["merged_by"], ["huijia_staff.id"], name=op.f("fk_huijia_person_merge_merged_by")
        ),
        sa.ForeignKeyConstraint(
            ["merged_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_merge_merged_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_huijia_person_merge")),
    )
    op.create_index(op.f("ix_huijia_person_merge_kept_id"), "huijia_person_merge", ["kept_id"], unique=False)
    op.create_index(
        op.f("ix_huijia_person_merge_merged_id"), "huijia_person_merge", ["merged_id"], unique=False
    )
    op.create_table(
        "huijia_person_sensitive",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('health', 'diet', 'counselling')", name=op.f("ck_huijia_person_sensitive_kind")
        ),
        sa.CheckConstraint(
            "length(kind) BETWEEN 1 AND 12", name=op.f("ck_huijia_person_sensitive_kind_length")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["huijia_person.id"], name=op.f("fk_huijia_person_sensitive_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "kind", name=op.f("pk_huijia_person_sensitive")),
    )


def downgrade() -> None:
    for table in reversed(TABLES.split()):
        op.drop_table(table)
