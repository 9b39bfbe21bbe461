"""Tables of visits and of the totals that are kept beside them, in the same transaction.

Totals are spread over `slot`s, so that a busy counter does not queue on one row. A `scope` is "" (any
service), `s:NAME` (a service) or `p:PLACE`; a visitor is counted once a month in each.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from huijia.identity.models import Centre
from huijia.marks import subject
from huijia.storage.base import KernelBase, pk
from huijia.storage.settings import bound_lengths

PLACES = ("centre", "community", "home")
NOWHERE = UUID(int=0)  # the community of those whose address is not known


class Visit(KernelBase):
    """Somebody was served, or gave; or `heads` people came whose names nobody asked.

    `subject` names the service's record behind it; with `kind` and person it is counted once.
    """

    __tablename__ = "huijia_visit"
    __table_args__ = (
        Index("uq_huijia_visit_key", "key", unique=True),
        Index(None, "centre_id", "month", "id"),
        Index(None, "person_id", "centre_id", "month"),
        CheckConstraint(f"place IN {PLACES}", name="place"),
        CheckConstraint("heads BETWEEN 1 AND 100000", name="heads"),
    )
    id: Mapped[UUID] = pk()
    key: Mapped[str] = mapped_column(String(240))
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id))
    kind: Mapped[str] = mapped_column(String(60))
    service: Mapped[str] = mapped_column(String(40))
    person_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("huijia_person.id"), info=subject())
    heads: Mapped[int]
    place: Mapped[str] = mapped_column(String(12))
    on: Mapped[date]
    month: Mapped[date]
    community_id: Mapped[UUID]
    band: Mapped[str] = mapped_column(String(8), default="", server_default="")
    giving: Mapped[bool]
    subject: Mapped[str] = mapped_column(String(80))
    counted_at: Mapped[datetime]


class VisitTotal(KernelBase):
    """Visits and heads of a month, by service, place, community and age band."""

    __tablename__ = "huijia_visit_total"
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[str] = mapped_column(String(12), primary_key=True)
    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    band: Mapped[str] = mapped_column(String(8), primary_key=True, default="", server_default="")
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    visits: Mapped[int]
    heads: Mapped[int]


class Visitor(KernelBase):
    """Somebody came in a month, within a scope. `first`: never before within it at this centre."""

    __tablename__ = "huijia_visitor"
    __table_args__ = (Index(None, "person_id"),)
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(44), primary_key=True, default="", server_default="")
    person_id: Mapped[UUID] = mapped_column(ForeignKey("huijia_person.id"), primary_key=True, info=subject())
    community_id: Mapped[UUID]
    band: Mapped[str] = mapped_column(String(8), default="", server_default="")
    first: Mapped[bool]
    giving: Mapped[bool]


class VisitorTotal(KernelBase):
    """Persons of a month within a scope, each counted once; of them those new here, and those who gave."""

    __tablename__ = "huijia_visitor_total"
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(String(44), primary_key=True, default="", server_default="")
    community_id: Mapped[UUID] = mapped_column(primary_key=True)
    band: Mapped[str] = mapped_column(String(8), primary_key=True, default="", server_default="")
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    persons: Mapped[int]
    first: Mapped[int]
    giving: Mapped[int]


for _model in (Visit, VisitTotal, Visitor, VisitorTotal):
    bound_lengths(_model)
