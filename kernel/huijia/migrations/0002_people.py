"""People, their documents, cards and households; organisations.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from huijia.storage.base import UtcDateTime

revision = "0002"
down_revision = "0001"

TABLES = """
    huijia_household
    huijia_organisation
    huijia_person
    huijia_card
    huijia_consent
    huijia_guardian
    huijia_household_member
    huijia_import
    huijia_organisation_member
    huijia_organisation_presence
    huijia_person_address
    huijia_person_confirmation
    huijia_person_contact
    huijia_person_different
    huijia_person_merge
    huijia_person_name
    huijia_person_number
    huijia_person_sensitive
    huijia_person_token
    huijia_registration
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
        "huijia_registration",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("centre_id", sa.Uuid(), nullable=False),
        sa.Column("registered_at", UtcDateTime(), nullable=False),
        sa.Column("registered_by", sa.Uuid(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("ended_why", sa.String(length=200), server_default="", nullable=False),
        sa.CheckConstraint(
            "length(ended_why) BETWEEN 0 AND 200", name=op.f("ck_huijia_registration_ended_why_length")
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
        op.f("ix_huijia_registration_centre_id"), "huijia_registration", ["centre_id"], unique=False
    )


def downgrade() -> None:
    for table in reversed(TABLES.split()):
        op.drop_table(table)
