"""Which tables hold something about people, by their marks; and that none is overlooked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table, inspect

from huijia.i18n import KERNEL, messages
from huijia.marks import PERSONAL, SUBJECT, Personal, Subject
from huijia.people.errors import MattersOpen
from huijia.registry.built_in import contributed
from huijia.registry.registry import REGISTRY, Registry
from huijia.registry.troubles import label
from huijia.storage.work import WorkSession

_ = messages("huijia")


@dataclass(frozen=True)
class Kept:
    """One table: whose it is, which column says about whom, and what of it is personal."""

    owner: str
    table: Table
    subject: Column[Any]
    how: Subject
    personal: dict[str, Personal]

    def of(self, ids: list[Any]) -> Any:
        """The condition for the rows about these people."""
        return self.subject.in_(ids)


def registry_of(session: WorkSession) -> Registry:
    """What knows every service, those that are off included, each of them loaded where it can be."""
    registry: Registry = session.info[REGISTRY]
    registry.load(registry.order)
    return registry


def tables_kept(registry: Registry) -> list[Kept]:
    """Every marked table that is there: the kernel's, and those of every service, switched on or not."""
    there = set(inspect(registry.storage.engine).get_table_names())
    found = [*_kept(KERNEL, contributed("huijia_personal_data"))]
    for name in registry.order:
        if name in registry.loaded:
            found += _kept(name, registry.loaded[name].contributions.get("huijia_personal_data", ()))
    return [one for one in found if one.table.name in there]


def need_every_table(registry: Registry, kept: list[Kept]) -> None:
    """Raises MattersOpen where a table refers to people and nobody here can say what stands in it."""
    known, looked = {one.table.name for one in kept}, inspect(registry.storage.engine)
    for table in looked.get_table_names():
        refers = any(key["referred_table"] == "huijia_person" for key in looked.get_foreign_keys(table))
        if refers and table not in known:
            owner = table.partition("_")[0]
            why = registry.troubles.get(owner)
            words = {"service": label(owner), "table": table, "why": str(why or "")}
            raise MattersOpen(
                _("{service} keeps something of people in {table}, and cannot be asked. Mend it first. {why}",
                  **words)
            )  # fmt: skip


def _kept(owner: str, models: Any) -> Iterator[Kept]:
    for model in models:
        table = model.__table__
        about = next((column for column in table.c if SUBJECT in column.info), None)
        marks = {column.name: column.info[PERSONAL] for column in table.c if PERSONAL in column.info}
        if about is not None:
            yield Kept(owner, table, about, about.info[SUBJECT], marks)
