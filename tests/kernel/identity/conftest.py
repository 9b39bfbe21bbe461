"""A small district: two subdistricts with a centre each, and a quick password hasher."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from huijia.identity import roles, service
from huijia.identity.actor import SYSTEM, Actor
from huijia.identity.models import Area, Centre, Grant, Staff
from huijia.identity.passwords import PASSWORDS
from huijia.identity.permissions import KERNEL_ROLES
from huijia.storage.base import KernelBase
from huijia.storage.settings import Scope
from huijia.storage.work import Storage, WorkSession
from huijia.testing.clock import SettableClock

PASSWORD = "a kettle of green tea"


@pytest.fixture(autouse=True)
def quick_hasher(monkeypatch: pytest.MonkeyPatch) -> PasswordHasher:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(PASSWORDS, "hasher", hasher)
    return hasher


@pytest.fixture
def storage(engine_url: str, clock: SettableClock) -> Iterator[Storage]:
    opened = Storage(engine_url, clock=clock)
    KernelBase.metadata.create_all(opened.engine)
    yield opened
    opened.close()


class District:
    """Names for what a test needs, made by use cases."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        with storage.writing() as session:
            now = session.now
            roles.provide_roles(session, KERNEL_ROLES)

            def area(kind: str, name: str, parent: Area | None = None) -> Area:
                parent_id = parent.id if parent else None
                return service.add_area(
                    session, actor=SYSTEM, kind=kind, name=name, parent_id=parent_id, now=now
                )

            def centre(slug: str, where: Area, **facts: Any) -> Centre:
                return service.add_centre(
                    session, actor=SYSTEM, area_id=where.id, slug=slug, name=slug, now=now, **facts
                )

            self.city = area("city", "郑州市")
            self.district = area("district", "金水区", self.city)
            self.east = area("subdistrict", "杜岭街道", self.district)
            self.west = area("subdistrict", "花园路街道", self.district)
            self.duling = centre("duling", self.east)
            self.huayuan = centre("huayuan", self.west)

    def role(self, session: WorkSession, *permissions: str, key: str = "") -> Any:
        key = key or "+".join(sorted(permissions)) or "nothing"
        found = {role.key: role for role in session.query(roles.Role)}
        return found.get(key) or roles.add_role(
            session, actor=SYSTEM, key=key, name=key, permissions=permissions, now=session.now
        )

    def staff(self, username: str = "wang", **facts: Any) -> Staff:
        with self.storage.writing() as session:
            return service.add_staff(
                session,
                actor=SYSTEM,
                username=username,
                display_name=username.title(),
                password=PASSWORD,
                now=session.now,
                **facts,
            )

    def grant(self, staff: Staff, *permissions: str, at: Scope | None = None, **what: Any) -> Grant:
        with self.storage.writing() as session:
            role = self.role(session, *permissions, key=what.pop("key", ""))
            return roles.grant_role(
                session,
                actor=SYSTEM,
                staff_id=staff.id,
                role_id=role.id,
                scope=at or Scope(),
                now=session.now,
                **what,
            )

    def actor(self, staff: Staff, at: Scope | None = None) -> Actor:
        from huijia.identity.access import rights_at

        with self.storage.reading() as session:
            return Actor("staff", staff.id, staff.display_name, rights_at(session, staff.id, at or Scope()))


@pytest.fixture
def town(storage: Storage) -> District:
    return District(storage)
