"""What tests are made of: areas, centres, staff, tokens and signed-in clients, made by use cases."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import select
from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

from huijia.cli.installing import person, place
from huijia.cli.serving import application
from huijia.clock import Clock
from huijia.config import Config
from huijia.i18n import LOCALES
from huijia.identity import roles, signin, tokens
from huijia.identity.actor import SYSTEM, Actor
from huijia.identity.models import Centre, Role, Staff
from huijia.identity.passwords import PASSWORDS
from huijia.identity.permissions import ALL, KERNEL_PERMISSIONS, KERNEL_ROLES
from huijia.installation import Installation
from huijia.registry import lifecycle
from huijia.storage.engine import make_engine
from huijia.storage.migrate import kernel_line, upgrade
from huijia.storage.vault import generate_keys
from huijia.storage.work import WorkSession
from huijia.testing.checks import check_declared, check_tables
from huijia.web.recognise import SESSION_COOKIE

PASSWORD = "a short sentence does well"


def migrate_kernel(url: str) -> None:
    """Bring an empty database to the kernel's newest tables."""
    engine = make_engine(url)
    upgrade(engine, kernel_line())
    engine.dispose()


def open_installation(url: str, *, clock: Clock, home: Path) -> Installation:
    """An installation over a migrated database, with keys of its own; its passwords cost no time."""
    PASSWORDS.hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    config = Config(home, {"database": {"url": url}})
    config.save()
    config.write_keys(generate_keys())
    return Installation.open(config, clock=clock)


class Factories:
    """Makes what a test needs, in units of work of its own, or in that of `work` while it is open."""

    def __init__(self, installation: Installation) -> None:
        self.installation, self._numbers = installation, count(1)
        self._hand: WorkSession | None = None
        self._served: Any = None
        with self._unit() as session:
            roles.provide_roles(session, KERNEL_ROLES)

    @contextmanager
    def work(self, centre: Centre) -> Iterator[WorkSession]:
        """A writing unit, undone at its end."""
        with self.installation.writing(centre, SYSTEM) as session:
            self._hand = session
            try:
                yield session
            finally:
                self._hand = None
                session.give_up()

    @contextmanager
    def _unit(self) -> Iterator[WorkSession]:
        if self._hand is not None:
            yield self._hand
        else:
            with self.installation.writing(None, SYSTEM) as session:
                yield session

    def centre(
        self, slug: str, name: str = "", name_en: str = "", *, areas: list[str] | None = None
    ) -> Centre:
        """A centre, in its own subdistrict of Jinshui unless city, district and subdistrict are named."""
        with self._unit() as session:
            return place(session, areas or ["郑州市", "金水区", f"{slug}街道"], slug, name or slug, name_en)

    def staff(
        self, username: str = "", *, at: Centre | None, permissions: Collection[str] = (), role: str = ""
    ) -> Staff:
        """Somebody who holds these permissions, and this role, at a centre or (None) everywhere.

        AssertionError, with the nearest name, for what nobody declares.
        """
        number = next(self._numbers)
        held = {role: [at]} if role else {}
        self._check_permissions(permissions)
        with self._unit() as session:
            if role:
                check_declared("role", role, session.scalars(select(Role.key)).all())
            if permissions:
                what: Any = {"key": f"test.{number}", "name": "test", "permissions": permissions}
                held[roles.add_role(session, actor=SYSTEM, now=session.now, **what).key] = [at]
            return person(session, username or f"staff-{number}", PASSWORD, held)

    def _check_permissions(self, permissions: Collection[str]) -> None:
        registry = self.installation.registry
        known = {ALL, *(permission.key for permission in KERNEL_PERMISSIONS)}
        for one in registry.loaded.values():
            known |= {permission.key for permission in one.contributions.get("huijia_permissions", ())}
        for key in permissions:
            owner = key.partition(".")[0]
            if owner in registry.loaded or owner not in registry.catalogue:  # else it is read when needed
                check_declared("permission", key, known)

    def token(self, owner: Staff, permissions: Collection[str], at: Centre) -> str:
        """A bearer token as text; its owner must hold `tokens.issue` and the permissions."""
        what: Any = {"name": "test", "permissions": permissions, "centre_id": at.id}
        with self._unit() as session:
            actor = Actor("staff", owner.id, owner.display_name)
            return tokens.issue_token(session, actor=actor, now=session.now, **what)[1]

    def enable(self, name: str, centre: Centre) -> None:
        """Switch a service on, its tables migrated first."""
        lifecycle.enable(self.installation, centre.id, name, SYSTEM)

    def check_tables(self, name: str, centre: Centre) -> None:
        """Switch a service on; AssertionError where its migrations do not make its models' tables."""
        self.enable(name, centre)
        with self.installation.storage.engine.connect() as connection:
            check_tables(connection, name, self.installation.registry.loaded[name].metadata)

    def client(self, who: Staff | None, centre: Centre, language: str = "") -> Client:
        """A browser at a centre, signed in unless `who` is None, whose reader chose a language."""
        assert language in ("", *LOCALES), f"No page speaks {language}; take {' or '.join(LOCALES)}."
        self._served = self._served or application(self.installation, watch=False)
        client = Client(self._served, f"/c/{centre.slug}/")
        client.api = Client(self._served, f"/api/v1/centres/{centre.slug}/")
        if who is not None:
            cookie, _id = signin.sign_in(self.installation.storage, username=who.username, password=PASSWORD)
            for one in (client, client.api):
                one.set_cookie(SESSION_COOKIE, cookie)
        for one in (client, client.api) if language else ():
            assert one.post("/prefer", data={"locale": language}).status_code == 303
        return client


class Client(WsgiClient):
    """Sends what browsers send, and starts paths without a leading slash at its centre."""

    api: Client

    def __init__(self, application: Any, start: str) -> None:
        super().__init__(application)
        self.start = start

    def open(self, path: Any, **how: Any) -> TestResponse:
        if isinstance(path, str):
            path = path if path.startswith("/") else self.start + path
            sent = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
            how["headers"] = {**sent, **how.get("headers", {})}
        return super().open(path, **how)
