"""Tables of areas, centres, staff, roles and sign-ins. The database enforces lengths and shapes itself."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, false, true
from sqlalchemy.orm import Mapped, mapped_column, validates

from huijia.errors import Invalid
from huijia.i18n import DEFAULT_LOCALE, current_locale, messages
from huijia.storage.base import KernelBase, pk
from huijia.storage.settings import Scoped, bound_lengths, one_per_scope

_ = messages("huijia")
AREA_KINDS = ("city", "district", "subdistrict", "community", "compound")
SLUG_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"


class Named:
    """Mixin: a name in the language of the house and, where there is one, in English."""

    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = mapped_column(String(120), default="", server_default="")

    @property
    def title(self) -> str:
        """The name for whoever reads."""
        return self.name_en if self.name_en and current_locale() == "en" else self.name


class Area(Named, KernelBase):
    """A node of the administrative tree. `code` is the official code of the division, if any."""

    __tablename__ = "huijia_area"
    __table_args__ = (
        CheckConstraint(f"kind IN {AREA_KINDS}", name="kind"),
        CheckConstraint("parent_id <> id", name="not_its_own_parent"),
    )
    id: Mapped[UUID] = pk()
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("huijia_area.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(20), unique=True)


class Centre(Named, KernelBase):
    """A centre on a node of the tree. `slug` stands in addresses; `languages` has the preferred one first."""

    __tablename__ = "huijia_centre"
    __table_args__ = (
        # ltrim with a set of characters is the one shape check that both engines spell alike.
        CheckConstraint(f"ltrim(slug, '{SLUG_CHARACTERS}') = ''", name="slug_shape"),
        CheckConstraint("length(currency) = 3 AND currency = upper(currency)", name="currency_shape"),
    )
    id: Mapped[UUID] = pk()
    area_id: Mapped[UUID] = mapped_column(ForeignKey(Area.id), index=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    time_zone: Mapped[str] = mapped_column(String(64), default="Asia/Shanghai")
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    languages: Mapped[list[str]] = mapped_column(JSON, default=lambda: [DEFAULT_LOCALE, "en"])
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime]

    @validates("time_zone")
    def _check_time_zone(self, _key: str, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            text = _("{value} is no time zone; choose one such as Asia/Shanghai.", value=value)
            raise Invalid(text, {"time_zone": [text]}) from None
        return value

    @property
    def zone(self) -> ZoneInfo:
        """The time zone, ready for `datetime.astimezone`."""
        return ZoneInfo(self.time_zone)


class Site(Named, KernelBase):
    """A building or floor that a centre uses."""

    __tablename__ = "huijia_site"
    id: Mapped[UUID] = pk()
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id), index=True)
    address: Mapped[str] = mapped_column(String(200), default="", server_default="")


class Staff(KernelBase):
    """A person who signs in. `username` is kept case-folded."""

    __tablename__ = "huijia_staff"
    __table_args__ = (CheckConstraint("username = lower(username)", name="username_folded"),)
    id: Mapped[UUID] = pk()
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str] = mapped_column(String(80))
    password_hash: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    locale: Mapped[str] = mapped_column(String(16), default=DEFAULT_LOCALE)
    large_type: Mapped[bool] = mapped_column(default=False, server_default=false())
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default=false())


class Role(Named, KernelBase):
    """A named set of permissions, the same everywhere. `plugin` ships it; None: the operator's own."""

    __tablename__ = "huijia_role"
    id: Mapped[UUID] = pk()
    key: Mapped[str] = mapped_column(String(80), unique=True)
    permissions: Mapped[list[str]] = mapped_column(JSON)
    plugin: Mapped[str | None] = mapped_column(String(80))


class Grant(Scoped, KernelBase):
    """A role given to somebody at a place, through `ends_on`. `granted_by` None: by the system."""

    __tablename__ = "huijia_grant"
    __table_args__ = one_per_scope("huijia_grant", "staff_id", "role_id")
    id: Mapped[UUID] = pk()
    staff_id: Mapped[UUID] = mapped_column(ForeignKey(Staff.id))
    role_id: Mapped[UUID] = mapped_column(ForeignKey(Role.id), index=True)
    granted_by: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    granted_at: Mapped[datetime]
    ends_on: Mapped[date | None]


class StaffSession(KernelBase):
    """One sign-in. Only the hash of its token is kept: who reads the table cannot use it."""

    __tablename__ = "huijia_staff_session"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey(Staff.id), index=True)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    address: Mapped[str] = mapped_column(String(64), default="", server_default="")
    agent: Mapped[str] = mapped_column(String(120), default="", server_default="")


class ApiToken(KernelBase):
    """A program's key, never worth more than its owner at that moment; `centre_id` binds it to one centre."""

    __tablename__ = "huijia_api_token"
    id: Mapped[UUID] = pk()
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey(Staff.id), index=True)
    name: Mapped[str] = mapped_column(String(80))
    permissions: Mapped[list[str]] = mapped_column(JSON)
    centre_id: Mapped[UUID | None] = mapped_column(ForeignKey(Centre.id))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Throttle(KernelBase):
    """Failed sign-ins under one key; nobody under it is heard before `heard_again_at`."""

    __tablename__ = "huijia_throttle"
    __table_args__ = (Index(None, "heard_again_at"), CheckConstraint("failures >= 0", name="failures"))
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    heard_again_at: Mapped[datetime]


for _table in (Area, Centre, Site, Staff, Role, Grant, StaffSession, ApiToken, Throttle):
    bound_lengths(_table)
