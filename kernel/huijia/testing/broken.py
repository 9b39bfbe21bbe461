"""Plugins for tests: made in a folder with real metadata, a good one and one broken in each way there is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

HEAD = "from huijia import Pages, Permission, hookimpl, hookimpl_at_once, messages\n"


def make_plugin(
    folder: Path,
    name: str,
    files: Mapping[str, str] | None = None,
    *,
    requires: Sequence[str] = ("huijia",),
    version: str = "0.1.0",
    distribution: str | None = None,
    entry_point: str | None = None,
) -> Path:
    """Write plugin `name` with its metadata into `folder`, which is to be put `on_path`. Returns its package.

    `files` are sources by their path inside the package; `plugin.py` may do without the usual imports.
    """
    package = folder / f"huijia_{name}"
    for path, source in {"__init__.py": "", "plugin.py": "", **(files or {})}.items():
        file = package / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((HEAD if path == "plugin.py" else "") + dedent(source), "utf-8")
    distribution = distribution or f"huijia-{name}"
    info = folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {distribution}",
        f"Version: {version}",
        f"Summary: The {name} service.",
    ]
    lines += [*(f"Requires-Dist: {one}" for one in requires), "Provides-Extra: partners", ""]
    (info / "METADATA").write_text("\n".join(lines), "utf-8")
    value = entry_point or f"huijia_{name}.plugin"
    (info / "entry_points.txt").write_text(f"[huijia.plugins]\n{name} = {value}\n", "utf-8")
    return package


@contextmanager
def on_path(folder: Path) -> Iterator[Path]:
    """Let Python find what lies in `folder`; afterwards nothing of it is left in this process."""
    from huijia.i18n import catalogue

    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        importlib.invalidate_caches()
        catalogue.cache_clear()
        made = {path.stem for path in folder.glob("huijia_*") if path.suffix != ".dist-info"}
        for module in [m for m in sys.modules if m.partition(".")[0] in made]:
            del sys.modules[module]


GOOD = {
    "hookspecs.py": """
        from huijia import event, question, request

        @question
        def good_opinion(session, about): "What do you think of it?"

        @request
        def good_favour(session, about): "Do it."

        @event
        def good_news(session, about): "It became true."
        """,
    "plugin.py": """
        _ = messages("good")
        HEARD = []
        pages = Pages("good", __name__)

        @pages.get("/", permission="good.see")
        def index(): return "good"

        @hookimpl
        def huijia_permissions(): return [Permission("good.see", _("See it"))]

        @hookimpl
        def huijia_blueprints(): return [pages]

        @hookimpl
        def good_opinion(about): return f"good {about}"

        @hookimpl(trylast=True)
        def good_favour(about): return f"done {about}"

        @hookimpl_at_once
        def good_news(about): HEARD.append(about)
        """,
}


def make_good(folder: Path) -> Path:
    """The plugin `good`: it offers a question, a request and an event, and answers each itself."""
    return make_plugin(folder, "good", GOOD)


# What goes wrong inside an answer.
RAISING = {
    "an exception": "raise RuntimeError('broken')",
    "an exit": "raise SystemExit(1)",
    "a commit": "session.commit()",
    "a rollback": "session.rollback()",
    "a commit by text": "import sqlalchemy; session.execute(sqlalchemy.text('COMMIT'))",
    "a bad statement": "import sqlalchemy; session.execute(sqlalchemy.text('SELECT nothing FROM nowhere'))",
}


def make_raising(folder: Path, hook: str, what: str, *, at_once: bool = False) -> Path:
    """The plugin `bad`, which answers `hook` by doing `what` (a key of RAISING or a statement)."""
    mark = "hookimpl_at_once" if at_once else "hookimpl"
    source = f"@{mark}\ndef {hook}(session):\n    {RAISING.get(what, what)}\n"
    return make_plugin(folder, "bad", {"plugin.py": source})
