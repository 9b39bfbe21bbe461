"""The registry's tables: what is enabled where, since which version, what is paused, what needs mending."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from huijia.storage.base import KernelBase


class Enabling(KernelBase):
    """A service that is switched on at a centre."""

    __tablename__ = "huijia_enabling"
    centre_id: Mapped[UUID] = mapped_column(ForeignKey("huijia_centre.id"), primary_key=True)
    plugin: Mapped[str] = mapped_column(String(40), primary_key=True)
    enabled_at: Mapped[datetime]
    enabled_by: Mapped[str | None]


class StateRow(KernelBase):
    """One row. Its version goes up with every change that workers must hear of."""

    __tablename__ = "huijia_state"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]


class BreakerRow(KernelBase):
    """An open breaker: nobody asks this plugin this hook until the pause has ended."""

    __tablename__ = "huijia_breaker"
    plugin: Mapped[str] = mapped_column(String(40), primary_key=True)
    hook: Mapped[str] = mapped_column(String(120), primary_key=True)
    paused_until: Mapped[datetime]
    times: Mapped[int]


class TroubleRow(KernelBase):
    """A trouble that stands in Repairs until it is mended."""

    __tablename__ = "huijia_trouble"
    key: Mapped[str] = mapped_column(String(240), primary_key=True)
    source: Mapped[str]
    plugin: Mapped[str]
    code: Mapped[str]
    topic: Mapped[str]
    message: Mapped[list[Any]] = mapped_column(JSON)
    remedy: Mapped[list[Any]] = mapped_column(JSON)
    detail: Mapped[str]
    since: Mapped[datetime]
