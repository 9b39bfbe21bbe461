"""Fixtures for tests of the kernel and of plugins; pytest finds them by itself.

Nothing of the kernel is imported before a fixture asks for it. Tests with a database run on SQLite,
those that ask for `both_engines` on both, those marked `postgres` on PostgreSQL; --engine overrules.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from huijia.identity.models import Centre
    from huijia.installation import Installation
    from huijia.storage.work import WorkSession
    from huijia.testing.clock import SettableClock
    from huijia.testing.factories import Factories

ENGINES = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("huijia")
    group.addoption("--engine", choices=(*ENGINES, "both"), help="run tests with a database on these engines")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgres: runs against a real PostgreSQL server")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine_name" not in metafunc.fixturenames:
        return
    asked = "both" if "both_engines" in metafunc.fixturenames else None
    marked = "postgresql" if metafunc.definition.get_closest_marker("postgres") else None
    if chosen := metafunc.config.getoption("--engine") or asked or marked:
        cases = [pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.postgres)]
        cases = [case for case in cases if chosen in ("both", *case.values)]
        metafunc.parametrize("engine_name", cases, indirect=True)


def missing(what: str, switch: str) -> None:
    """Skip what this machine cannot run; fail instead where `switch` or CI is set."""
    (pytest.fail if os.environ.get(switch) or os.environ.get("CI") else pytest.skip)(what)


@pytest.fixture
def engine_name(request: pytest.FixtureRequest) -> str:
    """`"sqlite"` or `"postgresql"`."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def both_engines(engine_name: str) -> str:
    """Ask for it, and the test runs once on each engine; the engine's name."""
    return engine_name


@pytest.fixture(scope="session")
def postgres_server() -> str:
    """The URL of a server where databases may be created. Override it to start one."""
    if not (url := os.environ.get("HUIJIA_TEST_POSTGRES")):
        missing("There is no PostgreSQL; set HUIJIA_TEST_POSTGRES.", "HUIJIA_REQUIRE_POSTGRES")
    return url or ""


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from huijia.testing.databases import Sqlite

    return Sqlite(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def postgresql_databases(postgres_server: str) -> Iterator[Any]:
    from huijia.testing.databases import Postgres

    yield (databases := Postgres(postgres_server))
    databases.close()


@pytest.fixture
def databases(request: pytest.FixtureRequest, engine_name: str) -> Any:
    """Where fresh databases come from."""
    return request.getfixturevalue(f"{engine_name}_databases")


@pytest.fixture
def engine_url(databases: Any) -> Iterator[str]:
    """The URL of an empty database."""
    yield (url := databases.empty())
    databases.drop(url)


@pytest.fixture
def database(databases: Any) -> Iterator[str]:
    """The URL of a migrated database with nothing in it."""
    from huijia.testing.factories import migrate_kernel

    yield (url := databases.copy("kernel", migrate_kernel))
    databases.drop(url)


@pytest.fixture
def clock() -> SettableClock:
    """The time of the test: 22 November 2026, 9:00 in Zhengzhou, until it is set or moved."""
    from huijia.testing.clock import SettableClock

    return SettableClock()


@pytest.fixture
def installation(database: str, clock: SettableClock, tmp_path: Path) -> Iterator[Installation]:
    """A migrated installation on the test's clock, with nobody in it."""
    from huijia.testing.factories import open_installation

    yield (opened := open_installation(database, clock=clock, home=tmp_path))
    opened.close()


@pytest.fixture
def factories(installation: Installation) -> Factories:
    """Areas, centres, staff, tokens and signed-in clients, made by use cases."""
    from huijia.testing.factories import Factories

    return Factories(installation)


@pytest.fixture
def centre(factories: Factories) -> Centre:
    """The centre `duling`."""
    return factories.centre("duling", "杜岭街道党群服务中心", "Duling Party-masses service centre")


@pytest.fixture
def second_centre(factories: Factories) -> Centre:
    """The centre `huayuan`, where nothing of `centre` may be seen."""
    return factories.centre("huayuan", "花园路街道党群服务中心", "Huayuan Road Party-masses service centre")


@pytest.fixture
def staff(factories: Factories, centre: Centre) -> Callable[..., Any]:
    """`staff("wang", permissions={"rooms.book"})` or `staff("wang", role="rooms.keeper")`, at `centre`."""
    return lambda *username, **what: factories.staff(*username, **{"at": centre, **what})


@pytest.fixture
def token(factories: Factories, centre: Centre, staff: Callable[..., Any]) -> Callable[..., str]:
    """`token({"rooms.book"})`: a bearer token as text, bound to `centre`."""
    return lambda rights: factories.token(staff(permissions={*rights, "tokens.issue"}), rights, centre)


@pytest.fixture
def enable(factories: Factories, centre: Centre) -> Callable[..., None]:
    """`enable("rooms")` switches a service on at `centre`; `enable("rooms", another)` elsewhere."""
    return lambda name, at=centre: factories.enable(name, at)


@pytest.fixture
def client(factories: Factories, centre: Centre, staff: Callable[..., Any]) -> Callable[..., Any]:
    """`client(wang)`, `client(permissions={…})` or, signed out, `client(None)`; `.api` speaks JSON.

    Paths without a leading slash are below `/c/SLUG/`, of `.api` below `/api/v1/centres/SLUG/`.
    With `language="en"` the reader chose English; Chinese is what nobody needs to choose.
    """

    def client(*who: Any, at: Any = centre, language: str = "", **what: Any) -> Any:
        return factories.client(who[0] if who else staff(at=at, **what), at, language)

    return client


@pytest.fixture
def check_tables(both_engines: str, factories: Factories, centre: Centre) -> Callable[[str], None]:
    """`check_tables("rooms")`: migrations make what the models say, or it says what differs; both engines."""
    return lambda name: factories.check_tables(name, centre)


@pytest.fixture
def check_words() -> Callable[[str], None]:
    """`check_words("rooms")`: every `_("…")` of code and templates has its Chinese, or it lists those."""
    from huijia.testing.checks import check_words

    return check_words


@pytest.fixture
def work(factories: Factories, centre: Centre) -> Iterator[WorkSession]:
    """A writing unit at `centre`, undone at the end. While it is open no client can write on SQLite."""
    with factories.work(centre) as session:
        yield session


@pytest.fixture
def live_server(installation: Installation) -> Iterator[str]:
    """The address of a real server in a thread; ask for pytest-playwright's `page` beside it."""
    from huijia.testing.live import serve

    with serve(installation) as address:
        yield address
