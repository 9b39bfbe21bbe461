"""Tables that belong to a centre, and two centres that have something in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from huijia.identity.models import Area, Centre
from huijia.storage.base import CentreOwned, KernelBase, pk, plugin_base
from huijia.storage.work import Storage
from sqlalchemy import ForeignKey, String, Uuid, bindparam
from sqlalchemy.orm import Mapped, aliased, mapped_column, relationship

Base = plugin_base("trial")
OURS, THEIRS = UUID(int=1), UUID(int=2)


class Item(CentreOwned, Base):
    __tablename__ = "trial_item"
    id: Mapped[UUID] = pk()
    name: Mapped[str] = mapped_column(String(20))
    size: Mapped[int] = mapped_column(default=1)
    parts: Mapped[list[Part]] = relationship(back_populates="item", cascade="all, delete-orphan")


class Part(CentreOwned, Base):
    __tablename__ = "trial_part"
    id: Mapped[UUID] = pk()
    item_id: Mapped[UUID] = mapped_column(ForeignKey(Item.id))
    name: Mapped[str] = mapped_column(String(20))
    item: Mapped[Item] = relationship(back_populates="parts")


class Word(Base):
    __tablename__ = "trial_word"
    id: Mapped[UUID] = pk()
    name: Mapped[str] = mapped_column(String(20))


i, p, w, c = Item.__table__, Part.__table__, Word.__table__, Centre.__table__
AREA, CENTRE = Area.__table__, bindparam("_centre", type_=Uuid())
i2, p2 = i.alias(), p.alias("p2")
ItemAlias = aliased(Item)
ITEM, THEIR_ITEM = UUID(int=10), UUID(int=20)


@contextmanager
def filled(engine_url: str, clock: Any) -> Iterator[Storage]:
    """A storage with an item, and its part, at each of two centres."""
    storage = Storage(engine_url, clock=clock)
    KernelBase.metadata.create_all(storage.engine, tables=[AREA, c])
    Base.metadata.create_all(storage.engine)
    with storage.engine.begin() as connection:
        connection.execute(
            KernelBase.metadata.tables["huijia_area"].insert(),
            {"id": UUID(int=9), "kind": "city", "name": "A"},
        )
        for centre_id, name in ((OURS, "ours"), (THEIRS, "theirs")):
            row = {"slug": name, "name": name, "area_id": UUID(int=9), "time_zone": "Asia/Shanghai"}
            row |= {"currency": "CNY", "languages": [], "created_at": clock()}
            connection.execute(c.insert(), {"id": centre_id, **row})
            item = {"id": UUID(int=centre_id.int * 10), "name": name, "size": 1, "centre_id": centre_id}
            connection.execute(i.insert(), item)
            part = {"id": UUID(int=centre_id.int * 100), "name": name, "item_id": item["id"]}
            connection.execute(p.insert(), {**part, "centre_id": centre_id})
    yield storage
    storage.close()
