"""The kernel's first tables.

Revision ID: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from huijia.storage.base import UtcDateTime
from huijia.storage.ddl import append_only

revision = "0001"
down_revision = None

APPEND_ONLY = ("huijia_audit_entry", "huijia_audit_seal", "huijia_audit_sealed")
TABLES = """
    huijia_area huijia_audit_entry huijia_audit_head huijia_audit_seal huijia_audit_sealed
    huijia_breaker huijia_event huijia_file huijia_guarded huijia_idempotency huijia_job huijia_role
    huijia_staff huijia_state huijia_throttle huijia_trouble huijia_audit_detail huijia_centre
    huijia_delivery huijia_staff_session huijia_api_token huijia_enabling huijia_grant
    huijia_setting huijia_site
"""
UUID = sa.Uuid()
TIME = UtcDateTime()
TEXT = sa.String()
LONG = sa.Text()
INT = sa.Integer()
BOOL = sa.Boolean()
DATE = sa.Date()
JSON = sa.JSON()
BLOB = sa.LargeBinary()


def _column(name: str, *rest: Any, nullable: bool = False, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, *rest, nullable=nullable, **more)


def _id() -> sa.Column[Any]:
    return _column("id", UUID, primary_key=True)


def _sized(name: str, most: int, *rest: Any, **more: Any) -> tuple[sa.Column[Any], sa.CheckConstraint]:
    least = 0 if more.get("nullable") or "server_default" in more else 1
    rule = f"length({name}) BETWEEN {least} AND {most}"
    return _column(name, sa.String(most), *rest, **more), sa.CheckConstraint(rule, name=f"{name}_length")


def _columns(kind: Any, names: str, **more: Any) -> list[sa.Column[Any]]:
    return [_column(name, kind, **more) for name in names.split()]


def _index(table: str, columns: str) -> None:
    op.create_index(f"ix_{table}_{columns.replace(' ', '_')}", table, columns.split())


def _once_per_place(table: str, columns: str) -> None:
    nowhere = "area_id IS NULL AND centre_id IS NULL"
    places = {"installation": nowhere, "area_id": "area_id IS NOT NULL", "centre_id": "centre_id IS NOT NULL"}
    for place, where in places.items():
        keys = [*columns.split(), *([] if place == "installation" else [place])]
        rule = sa.text(where)
        options: Any = {"sqlite_where": rule, "postgresql_where": rule}
        op.create_index(f"uq_{table}_{place}", table, keys, unique=True, **options)


def upgrade() -> None:
    op.create_table(
        "huijia_area",
        _id(),
        _column("parent_id", UUID, sa.ForeignKey("huijia_area.id"), nullable=True, index=True),
        *_sized("kind", 20),
        *_sized("code", 20, nullable=True, unique=True),
        *_sized("name", 120),
        *_sized("name_en", 120, server_default=""),
        sa.CheckConstraint(
            "kind IN ('city', 'district', 'subdistrict', 'community', 'compound')", name="kind"
        ),
        sa.CheckConstraint("parent_id <> id", name="not_its_own_parent"),
    )
    op.create_table(
        "huijia_audit_entry",
        _id(),
        _column("recorded_at", TIME),
        _column("centre_id", UUID, nullable=True),
        _column("actor_kind", TEXT),
        _column("actor_id", TEXT, nullable=True),
        _column("action", TEXT),
        *_columns(TEXT, "subject reason", nullable=True),
        *_columns(JSON, "changes crossed"),
        *_columns(TEXT, "detail_hash request_id", nullable=True),
    )
    _index("huijia_audit_entry", "actor_id recorded_at")
    _index("huijia_audit_entry", "centre_id recorded_at id")
    _index("huijia_audit_entry", "recorded_at id")
    op.create_table(
        "huijia_audit_head",
        _column("id", INT, primary_key=True, autoincrement=False),
        _column("number", INT),
        _column("hash", TEXT),
    )
    op.create_table(
        "huijia_audit_seal",
        _column("number", INT, primary_key=True, autoincrement=False),
        *_columns(TEXT, "previous_hash hash"),
        _column("count", INT),
        *_columns(TIME, "newest_at sealed_at"),
    )
    op.create_table(
        "huijia_audit_sealed",
        _column("entry_id", UUID, primary_key=True),
        _column("number", INT, index=True),
        _column("position", INT),
        _column("entry_hash", TEXT),
    )
    op.create_table(
        "huijia_breaker",
        _column("plugin", sa.String(40), primary_key=True),
        _column("hook", sa.String(120), primary_key=True),
        _column("paused_until", TIME),
        _column("times", INT),
    )
    op.create_table(
        "huijia_event",
        _id(),
        _column("recorded_at", TIME),
        _column("centre_id", UUID, nullable=True),
        *_columns(TEXT, "name subject"),
        _column("payload", LONG),
    )
    _index("huijia_event", "subject recorded_at")
    op.create_table(
        "huijia_file",
        _id(),
        _column("centre_id", UUID, nullable=True, index=True),
        *_columns(TEXT, "media_type name"),
        _column("size", INT),
        _column("sha256", TEXT),
        _column("body", BLOB),
        _column("permission", TEXT),
        _column("created_at", TIME),
        _column("created_by", TEXT, nullable=True),
    )
    op.create_table(
        "huijia_guarded",
        _column("name", sa.String(63), primary_key=True),
    )
    op.create_table(
        "huijia_idempotency",
        _column("actor_id", TEXT, primary_key=True),
        _column("route", TEXT, primary_key=True),
        _column("key", TEXT, primary_key=True),
        _column("expires_at", TIME, index=True),
        _column("answer", BLOB, nullable=True),
    )
    op.create_table(
        "huijia_job",
        _column("name", TEXT, primary_key=True),
        _column("due_at", TIME),
        *_columns(TIME, "leased_until last_run_at", nullable=True),
        _column("last_error", TEXT, nullable=True),
        _column("failures", INT),
    )
    op.create_table(
        "huijia_role",
        _id(),
        *_sized("key", 80, unique=True),
        _column("permissions", JSON),
        *_sized("plugin", 80, nullable=True),
        *_sized("name", 120),
        *_sized("name_en", 120, server_default=""),
    )
    op.create_table(
        "huijia_staff",
        _id(),
        *_sized("username", 64, unique=True),
        *_sized("display_name", 80),
        *_sized("password_hash", 255),
        _column("active", BOOL, server_default=sa.true()),
        *_sized("locale", 16),
        _column("large_type", BOOL, server_default=sa.false()),
        _column("must_change_password", BOOL, server_default=sa.false()),
        sa.CheckConstraint("username = lower(username)", name="username_folded"),
    )
    op.create_table(
        "huijia_state",
        _column("id", INT, primary_key=True, autoincrement=False),
        _column("version", INT),
    )
    op.create_table(
        "huijia_throttle",
        *_sized("key", 64, primary_key=True),
        _column("failures", INT),
        _column("heard_again_at", TIME, index=True),
        sa.CheckConstraint("failures >= 0", name="failures"),
    )
    op.create_table(
        "huijia_trouble",
        _column("key", sa.String(240), primary_key=True),
        *_columns(TEXT, "source plugin code topic"),
        *_columns(JSON, "message remedy"),
        _column("detail", TEXT),
        _column("since", TIME),
    )
    op.create_table(
        "huijia_audit_detail",
        _column("entry_id", UUID, sa.ForeignKey("huijia_audit_entry.id"), primary_key=True),
        _column("salt", TEXT),
        _column("values", JSON),
    )
    op.create_table(
        "huijia_centre",
        _id(),
        _column("area_id", UUID, sa.ForeignKey("huijia_area.id"), index=True),
        *_sized("slug", 40, unique=True),
        *_sized("time_zone", 64),
        *_sized("currency", 3),
        _column("languages", JSON),
        _column("active", BOOL, server_default=sa.true()),
        _column("created_at", TIME),
        *_sized("name", 120),
        *_sized("name_en", 120, server_default=""),
        sa.CheckConstraint("length(currency) = 3 AND currency = upper(currency)", name="currency_shape"),
        sa.CheckConstraint("ltrim(slug, 'abcdefghijklmnopqrstuvwxyz0123456789-') = ''", name="slug_shape"),
    )
    op.create_table(
        "huijia_delivery",
        _id(),
        _column("event_id", UUID, sa.ForeignKey("huijia_event.id"), index=True),
        _column("listener", TEXT),
        _column("centre_id", UUID, nullable=True),
        _column("subject", TEXT),
        _column("recorded_at", TIME),
        _column("state", TEXT),
        _column("attempts", INT),
        _column("due_at", TIME),
        _column("leased_until", TIME, nullable=True),
        _column("error", TEXT, nullable=True),
    )
    _index("huijia_delivery", "listener subject recorded_at")
    _index("huijia_delivery", "state due_at")
    op.create_table(
        "huijia_staff_session",
        *_sized("token_hash", 64, primary_key=True),
        _column("staff_id", UUID, sa.ForeignKey("huijia_staff.id"), index=True),
        *_columns(TIME, "created_at last_seen_at"),
        _column("expires_at", TIME, index=True),
        _column("revoked_at", TIME, nullable=True),
        *_sized("address", 64, server_default=""),
        *_sized("agent", 120, server_default=""),
    )
    op.create_table(
        "huijia_api_token",
        _id(),
        *_sized("token_hash", 64, unique=True),
        _column("staff_id", UUID, sa.ForeignKey("huijia_staff.id"), index=True),
        *_sized("name", 80),
        _column("permissions", JSON),
        _column("centre_id", UUID, sa.ForeignKey("huijia_centre.id"), nullable=True),
        _column("created_at", TIME),
        *_columns(TIME, "expires_at last_used_at revoked_at", nullable=True),
    )
    op.create_table(
        "huijia_enabling",
        _column("centre_id", UUID, sa.ForeignKey("huijia_centre.id"), primary_key=True),
        _column("plugin", sa.String(40), primary_key=True),
        _column("enabled_at", TIME),
        _column("enabled_by", TEXT, nullable=True),
    )
    op.create_table(
        "huijia_grant",
        _id(),
        _column("staff_id", UUID, sa.ForeignKey("huijia_staff.id")),
        _column("role_id", UUID, sa.ForeignKey("huijia_role.id"), index=True),
        _column("granted_by", UUID, sa.ForeignKey("huijia_staff.id"), nullable=True),
        _column("granted_at", TIME),
        _column("ends_on", DATE, nullable=True),
        _column("area_id", UUID, sa.ForeignKey("huijia_area.id"), nullable=True, index=True),
        _column("centre_id", UUID, sa.ForeignKey("huijia_centre.id"), nullable=True, index=True),
        sa.CheckConstraint("area_id IS NULL OR centre_id IS NULL", name="one_place"),
    )
    _once_per_place("huijia_grant", "staff_id role_id")
    op.create_table(
        "huijia_setting",
        _id(),
        *_sized("plugin", 80),
        *_sized("key", 80),
        _column("value", JSON),
        _column("locked", BOOL),
        _column("effective_on", DATE),
        _column("recorded_at", TIME),
        _column("recorded_by", UUID, sa.ForeignKey("huijia_staff.id"), nullable=True),
        _column("area_id", UUID, sa.ForeignKey("huijia_area.id"), nullable=True, index=True),
        _column("centre_id", UUID, sa.ForeignKey("huijia_centre.id"), nullable=True, index=True),
        sa.CheckConstraint("area_id IS NULL OR centre_id IS NULL", name="one_place"),
    )
    _once_per_place("huijia_setting", "plugin key effective_on")
    op.create_table(
        "huijia_site",
        _id(),
        _column("centre_id", UUID, sa.ForeignKey("huijia_centre.id"), index=True),
        *_sized("address", 200, server_default=""),
        *_sized("name", 120),
        *_sized("name_en", 120, server_default=""),
    )
    for table in APPEND_ONLY:
        append_only(op.get_bind(), table)


def downgrade() -> None:
    for table in reversed(TABLES.split()):
        op.drop_table(table)
