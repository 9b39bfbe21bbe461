"""Tables: bases, keys, times, and what belongs to a centre."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import DateTime, ForeignKey, MetaData, Uuid, delete, select, tuple_
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from huijia.errors import PluginFault

if TYPE_CHECKING:
    from huijia.storage.work import WorkSession

PURGED_MAX = 1000  # rows removed in one unit: others wait to write for that long
# Named, so that a migration can drop what another one made.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. It goes in aware, is kept in UTC, and comes out aware in UTC; naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone; pass an aware time.")
        value = value.astimezone(UTC)
        # SQLite keeps text, and text compares rightly only where every row is written alike.
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_id() -> UUID:
    """A UUIDv7: near in time means near on disk. Never an order of events, never a secret."""
    return cast("UUID", uuid_utils.compat.uuid7())


def pk() -> Mapped[UUID]:
    """The usual primary key."""
    return mapped_column(Uuid, primary_key=True, default=new_id)


def purge_some(session: WorkSession, model: Any, *which: Any) -> bool:
    """Remove up to `PURGED_MAX` of these records; True where there may be more."""
    keys = tuple_(*(table := model.__table__).primary_key)
    some = select(*table.primary_key).where(*which).limit(PURGED_MAX)
    return session.execute(delete(table).where(keys.in_(some))).rowcount == PURGED_MAX


class KernelBase(DeclarativeBase):
    """The kernel's own tables, all named `huijia_…`."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime(), UUID: Uuid()}


def plugin_base(plugin: str) -> Any:
    """A declarative base for one plugin's tables, which must all be named `PLUGIN_…`.

    Raises PluginFault where a table is not. Its metadata is its own, so that a plugin that fails while
    it is imported leaves nothing behind; refer to kernel tables by column object.
    """

    class Base(DeclarativeBase):
        metadata = MetaData(naming_convention=NAMING)
        type_annotation_map = {datetime: UtcDateTime(), UUID: Uuid()}

        def __init_subclass__(cls, **keywords: Any) -> None:
            table = getattr(cls, "__tablename__", None)
            if table is not None and not table.startswith(f"{plugin}_"):
                raise PluginFault(plugin, f"Table {table} must be named {plugin}_…; rename it in models.py.")
            super().__init_subclass__(**keywords)

    return Base


OWNED: set[str] = set()  # names of the tables of CentreOwned models, for what names a table by text


class CentreOwned:
    """Mixin for what belongs to one centre: the session reads, stamps and checks by `centre_id`."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        if "__tablename__" in vars(cls):
            OWNED.add(vars(cls)["__tablename__"])
        super().__init_subclass__(**keywords)

    @declared_attr
    def centre_id(cls) -> Mapped[UUID]:  # noqa: N805 - SQLAlchemy passes the class
        from huijia.identity.models import Centre

        return mapped_column(Uuid, ForeignKey(Centre.__table__.c.id), index=True, info={"centre": True})
