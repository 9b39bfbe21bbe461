"""A whole app over a real installation: a tiny service at two of three centres, staff with few rights."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask.testing import FlaskClient
from huijia.config import Config
from huijia.identity.actor import SYSTEM
from huijia.identity.models import ApiToken, Area, Centre, Grant, Role, Staff, StaffSession
from huijia.identity.signin import hash_of
from huijia.installation import Installation
from huijia.registry import lifecycle
from huijia.storage.vault import generate_keys
from huijia.testing.broken import make_plugin, on_path
from huijia.testing.clock import SettableClock
from huijia.testing.factories import migrate_kernel
from huijia.web.app import build
from huijia.web.door import Door
from sqlalchemy import select

TINY = Path(__file__).with_name("tiny.txt")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An installation to be copied: a tiny service, switched on at two of its three centres."""
    folder = tmp_path_factory.mktemp("web")
    migrate_kernel(f"sqlite:///{folder / 'huijia.db'}")
    Config(folder).write_keys(generate_keys())
    make_plugin(folder, "tiny", {"plugin.py": TINY.read_text(), "models.py": ""})
    with on_path(folder):
        opened = open_at(folder)
        with opened.writing() as session:
            area = Area(kind="city", name="郑州市")
            session.add(area)
            session.flush()
            for slug in ("duling", "huayuan", "quiet"):
                session.add(Centre(area_id=area.id, slug=slug, name=slug, created_at=session.now))
        with opened.reading() as session:
            ids = dict(session.execute(select(Centre.slug, Centre.id)).all())
        for slug in ("duling", "huayuan"):
            lifecycle.enable(opened, ids[slug], "tiny", SYSTEM)
        opened.close()
        yield folder


def open_at(folder: Path) -> Installation:
    config = Config(folder, {"web": {"external_url": "http://localhost"}})
    return Installation.open(config, clock=SettableClock(), only=["tiny"], strict=True)


@pytest.fixture
def installation(home: Path, tmp_path: Path) -> Iterator[Installation]:
    for name in ("huijia.db", "keys.json"):
        shutil.copy2(home / name, tmp_path)
    opened = open_at(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def app(installation: Installation) -> Door:
    built, troubles = build(installation, installation.registry.plugins(["tiny"]))
    assert troubles == []
    return built


@pytest.fixture
def someone(installation: Installation) -> Callable[..., SimpleNamespace]:
    """`someone("tiny.see", at="duling")`: a staff member with a session and a token of the same rights."""

    def make(*permissions: str, at: str | None = "duling", locale: str = "en") -> SimpleNamespace:
        name = os.urandom(4).hex()
        with installation.writing() as session:
            centre_id = session.scalar(select(Centre.id).where(Centre.slug == at))
            person = Staff(username=name, display_name="王芳", password_hash="x", locale=locale)
            role = Role(key=name, name="测试", permissions=list(permissions))
            session.add_all([person, role])
            session.flush()
            now, owner = session.now, {"staff_id": person.id}
            if permissions:
                session.add(Grant(role_id=role.id, centre_id=centre_id, granted_at=now, **owner))
            times = {"created_at": now, "last_seen_at": now, "expires_at": now + timedelta(hours=1)}
            session.add(StaffSession(token_hash=hash_of(name), **owner, **times))
            key = {"token_hash": hash_of(f"hj_{name}"), "name": "till", "permissions": list(permissions)}
            session.add(ApiToken(created_at=now, **key, **owner))
            return SimpleNamespace(id=person.id, cookie=name, bearer=f"hj_{name}")

    return make


@pytest.fixture
def client(app: Door, someone: Callable[..., SimpleNamespace]) -> Callable[..., FlaskClient]:
    """`client("tiny.see")`: a browser signed in with these rights at duling; `client()` holds none."""

    def make(*permissions: str, **where: Any) -> FlaskClient:
        browser = app.test_client()
        browser.set_cookie("huijia_session", someone(*permissions, **where).cookie, domain="localhost")
        browser.environ_base["HTTP_ORIGIN"] = "http://localhost"
        return browser

    return make


@pytest.fixture
def counted(installation: Installation) -> Callable[[Any], int]:
    """`counted(Area)`: how many rows a table has."""
    from sqlalchemy import func

    def count(model: Any, *where: Any) -> int:
        with installation.reading() as session:
            return session.scalar(select(func.count()).select_from(model).where(*where)) or 0

    return count
