"""Plugin `good`, and beside it plugin `bad`, broken in each way there is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from huijia.i18n import speaking
from huijia.installation import Installation
from huijia.testing.broken import make_good, make_plugin, on_path


@dataclass(frozen=True)
class Fault:
    """A way to be broken: the code of the trouble that it ends in, and the plugin's files."""

    code: str
    files: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ("huijia",)
    entry_point: str | None = None
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # further plugins and what they require

    def make(self, folder: Path) -> None:
        """Write it as plugin `bad`, with what belongs to it."""
        make_plugin(folder, "bad", self.files, requires=self.requires, entry_point=self.entry_point)
        for distribution, requires in self.also.items():
            name = "bad" if distribution == "huijia-second" else distribution.removeprefix("huijia-")
            make_plugin(folder, name, requires=requires, distribution=distribution)


def _plugin(source: str) -> dict[str, str]:
    return {"plugin.py": source}


_ROUTES = """
    pages = Pages("bad", __name__)
    {routes}
    @hookimpl
    def huijia_permissions(): return [Permission("bad.see", messages("bad")("See"))]
    @hookimpl
    def huijia_blueprints(): return [pages]
    """
_TABLE = "from sqlalchemy.orm import Mapped\nfrom huijia import pk, plugin_base\nfrom uuid import UUID\n"
_CORE = "import sqlalchemy as s\n"
_KIND = "from huijia.hookspecs import _hookspec\n"


def _routes(*lines: str) -> dict[str, str]:
    return _plugin(dedent(_ROUTES).format(routes="\n".join(lines)))


# Found out before the plugin is used at all.
FAULTS = {
    "import error": Fault("import-failed", _plugin("import no_such_module")),
    "syntax error": Fault("import-failed", _plugin("def (")),
    "exit at import": Fault("import-failed", _plugin("raise SystemExit('bye')")),
    "unknown need": Fault("unknown-need", requires=("huijia", "huijia-absent>=1")),
    "wrong kernel": Fault("wrong-kernel", requires=("huijia>=99",)),
    "unreadable need": Fault("unreadable-metadata", requires=("huijia ~~ 1",)),
    "need in a circle": Fault("need-cycle", requires=("huijia-ring",), also={"huijia-ring": ("huijia-bad",)}),
    "name taken twice": Fault("duplicate-name", also={"huijia-second": ("huijia",)}),
    "another package": Fault("wrong-package", entry_point="huijia_good.plugin"),
    "wrong signature": Fault("wrong-signature", _plugin("@hookimpl\ndef good_opinion(subject): return 1")),
    "unknown kernel hook": Fault("unknown-hook", _plugin("@hookimpl\ndef huijia_permisions(): return []")),
    "unknown hook of another": Fault("unknown-hook", _plugin("@hookimpl\ndef good_opinions(): return 1")),
    "forgotten mark": Fault("unmarked-hook", _plugin("def huijia_permissions(): return []")),
    "wrapper": Fault("hook-wrapper", _plugin("@hookimpl(wrapper=True)\ndef good_opinion(): return (yield)")),
    "old wrapper": Fault("hook-wrapper", _plugin("@hookimpl(hookwrapper=True)\ndef good_opinion(): yield")),
    "hook renamed": Fault(
        "hook-renamed", _plugin("@hookimpl(specname='good_opinion')\ndef mine(): return 1")
    ),
    "hook outside its prefix": Fault(
        "hook-prefix", {"hookspecs.py": "from huijia import event\n@event\ndef good_more(session): ..."}
    ),
    "hook without kind": Fault(
        "hook-kind", {"hookspecs.py": f"{_KIND}@_hookspec\ndef bad_more(session): ..."}
    ),
    "failing contribution": Fault(
        "contribution-failed", _plugin("@hookimpl\ndef huijia_roles(): return 1 / 0")
    ),
    "exit in a contribution": Fault("contribution-failed", _plugin("@hookimpl\ndef huijia_roles(): exit(3)")),
    "contribution of a wrong type": Fault(
        "contribution-type", _plugin("@hookimpl\ndef huijia_roles(): return ['a']")
    ),
    "permission outside its prefix": Fault(
        "permission-prefix",
        _plugin(
            "@hookimpl\ndef huijia_permissions(): return [Permission('good.all', messages('bad')('All'))]"
        ),
    ),
    "message outside its domain": Fault(
        "message-domain",
        _plugin(
            "@hookimpl\ndef huijia_permissions(): return [Permission('bad.all', messages('good')('All'))]"
        ),
    ),
    "catalogue of another": Fault("message-domain", {"translations/zh_Hans/LC_MESSAGES/huijia.po": ""}),
    "translation with other values": Fault(
        "message-values",
        {"translations/zh_Hans/LC_MESSAGES/bad.po": 'msgid "at {start}"\nmsgstr "{begin}"\n'},
    ),
    "route without permission": Fault("open-route", _routes("@pages.get('/')", "def index(): return ''")),
    "route with a strange permission": Fault(
        "unknown-permission", _routes("@pages.get('/', permission='good.see')", "def index(): return ''")
    ),
    "duplicate route": Fault(
        "duplicate-route",
        _routes(*(f"@pages.get('/', public=True)\ndef {name}(): return ''" for name in ("one", "other"))),
    ),
    "duplicate endpoint": Fault(
        "import-failed",
        _routes(
            *(f"@pages.get('/{path}', public=True)\ndef index(): return ''" for path in ("one", "other"))
        ),
    ),
    "table outside its prefix": Fault(
        "import-failed",
        {
            "models.py": _TABLE
            + "class T(plugin_base('bad')):\n __tablename__ = 'good_x'\n id: Mapped[UUID] = pk()"
        },
    ),
    "core table outside its prefix": Fault(
        "table-prefix", {"models.py": _CORE + "T = s.Table('huijia_x', s.MetaData())"}
    ),
    "table of the kernel": Fault(
        "table-base",
        {"models.py": "from huijia.storage.base import KernelBase as K\nclass T(K): __abstract__ = True"},
    ),
    "reference to another's table": Fault(
        "table-reference",
        {"models.py": _CORE + "T = s.Table('bad_x', s.MetaData(), s.Column('a', s.ForeignKey('good_y.id')))"},
    ),
}

_STEP = """
    import sqlalchemy as sa
    from alembic import op

    revision, down_revision = "0001", None

    def upgrade():
        op.create_table("bad_first", sa.Column("id", sa.Integer, primary_key=True))
        {then}
    """
# Found out while it is migrated.
MIGRATIONS = {
    "failing": 'raise RuntimeError("no")',
    "failing half-way": 'op.execute("INSERT INTO bad_second VALUES (1)")',
    "exiting": "raise SystemExit(1)",
    "outside its prefix": 'op.create_table("good_second", sa.Column("id", sa.Integer, primary_key=True))',
}


def make_unmigratable(folder: Path, kind: str) -> Path:
    """The plugin `bad`, whose only migration goes wrong in a way of MIGRATIONS."""
    return make_plugin(
        folder, "bad", {"migrations/0001_first.py": dedent(_STEP).format(then=MIGRATIONS[kind])}
    )


@pytest.fixture(params=FAULTS, ids=str)
def fault(request: pytest.FixtureRequest) -> Fault:
    """Each fault that is found out before the plugin is used."""
    return FAULTS[request.param]


@pytest.fixture(params=MIGRATIONS, ids=str)
def unmigratable(request: pytest.FixtureRequest, folder: Path) -> Path:
    """Plugin `bad`, whose only migration goes wrong."""
    return make_unmigratable(folder, request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where plugins are made; `good` is there."""
    make_good(tmp_path / "plugins")
    with on_path(tmp_path / "plugins") as found:
        yield found


@pytest.fixture
def worker(folder: Path, installation: Installation) -> Iterator[Callable[..., Installation]]:
    """`worker()` opens the installation once more, as a process started now would."""
    opened: list[Installation] = []

    def open_one(**options: Any) -> Installation:
        for name in [m for m in sys.modules if m.startswith(("huijia_good", "huijia_bad", "huijia_upon"))]:
            del sys.modules[name]
        importlib.invalidate_caches()
        opened.append(type(installation).open(installation.config, clock=installation.clock, **options))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def english() -> Iterator[None]:
    """Sentences are in English."""
    with speaking("en"):
        yield
