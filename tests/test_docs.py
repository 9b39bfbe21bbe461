"""The documents say what the code says: generated pages are fresh, links lead somewhere, examples run,
and whatever a service or the kernel offers is documented and tested."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from huijia import cli, hookspecs
from huijia.i18n import speaking
from huijia.storage.engine import make_engine
from huijia.storage.migrate import Line, downgrade, kernel_line, pending, upgrade
from huijia.testing.broken import make_plugin, on_path
from sqlalchemy import inspect

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/*.md")])


def _load_generator() -> Any:
    spec = importlib.util.spec_from_file_location("huijia_docs", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = _load_generator()
SERVICES = generate.services()
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py") if path.name != "test_docs.py")


def test_generated_pages_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUIJIA_LANG", "en")
    monkeypatch.setenv("HUIJIA_HOME", os.devnull)
    with speaking("en"):
        fresh = generate.pages()
    stale = [str(path.relative_to(ROOT)) for path, text in fresh.items() if not _is(path, text)]
    left = {*(ROOT / "docs" / "reference").glob("*.md")} - set(fresh)
    assert (stale, left) == ([], set()), "run make docs"


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_named_in_documents_exist(document: Path) -> None:
    known = {*cli.COMMANDS, *SERVICES, "NAME", "backup", "run"}
    named = re.findall(r"(?:`|^ {4}|bin/)huijia ([a-z][a-z-]*)", document.read_text(), flags=re.MULTILINE)
    assert sorted(set(named) - known) == []


# --- every hook, permission, setting, command, page and migration ---------------------------------


def _offered() -> list[tuple[str, str]]:
    found = [("hook", name) for name, _spec in generate.hooks_in(hookspecs)]
    found += [("command", name) for name in cli.COMMANDS]
    for name, one in SERVICES.items():
        given = one.contributions
        found += [("hook", hook) for hook, _spec in generate.hooks_in(one.offers)]
        found += [("permission", permission.key) for permission in given.get("huijia_permissions", ())]
        found += [("command", f"{name} {command.name}") for command in given.get("huijia_commands", ())]
        section = given.get("huijia_settings")
        found += [("setting", field) for field in (section.schema().fields if section else ())]
    found += [("permission", permission.key) for permission in generate.kernel()["huijia_permissions"]]
    return found


@pytest.mark.parametrize(("what", "name"), _offered())
def test_what_is_offered_is_documented(what: str, name: str) -> None:
    written = "\n".join(path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    assert re.search(rf"(?<![\w.]){re.escape(name)}(?![\w])", written), f"the {what} {name} stands in no page"


@pytest.mark.parametrize(("what", "name"), _offered())
def test_what_is_offered_is_tested(what: str, name: str) -> None:
    parts = name.split() if what == "command" else [name]
    assert all(re.search(rf"\b{re.escape(part)}\b", TESTS) for part in parts), (
        f"no test names the {what} {name}"
    )


@pytest.mark.parametrize("module", [hookspecs, *(one.offers for one in SERVICES.values() if one.offers)])
def test_every_hook_has_a_docstring(module: Any) -> None:
    assert [name for name, spec in generate.hooks_in(module) if not spec.__doc__] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_page_opens_for_who_may_and_for_nobody_else(service: str, enable, client) -> None:
    enable(service)
    everything, nothing = client(permissions={"*"}), client(permissions={"today.see"})
    for rule, _endpoint, permission in generate.routes_of(
        SERVICES[service].contributions["huijia_blueprints"]
    ):
        methods, _, path = rule.partition(" ")
        if "GET" not in methods or "<" in path.replace("<slug:centre>", ""):
            continue
        path = path.replace("<slug:centre>", "duling")
        assert everything.get(path).status_code == 200, path
        assert nothing.get(path).status_code == (200 if permission == "public" else 403), path


@pytest.mark.parametrize("service", ["huijia", *SERVICES])
def test_every_migration_goes_up_and_down_and_ends_with_the_models(
    service: str, engine_url: str, both_engines: str
) -> None:
    engine = make_engine(engine_url)
    try:
        upgrade(engine, kernel_line())
        line = kernel_line()
        if service != "huijia":
            one = SERVICES[service]
            line = Line(service, one.migrations, one.metadata)
            upgrade(engine, line)
        before = set(inspect(engine).get_table_names())
        downgrade(engine, line, "base")
        upgrade(engine, line)
        with engine.connect() as connection:
            assert pending(connection, line) == []
        assert set(inspect(engine).get_table_names()) == before
    finally:
        engine.dispose()


def test_the_files_that_a_change_touches_are_there() -> None:
    named = re.findall(
        r"`([\w./]+(?:/|\.py|\.css|\.md|\.toml))`", (ROOT / "docs/authors/changes.md").read_text()
    )
    homes = (ROOT, ROOT / "plugins/rooms/huijia_rooms", ROOT / "kernel/huijia/identity")
    assert [path for path in named if not any((home / path).exists() for home in homes)] == []


# --- the pieces of pages ----------------------------------------------------------------------------

PIECES = ROOT / "docs" / "authors" / "pieces.md"


def _macros() -> list[str]:
    """Each macro with its arguments, as its page must call it."""
    source = (ROOT / "kernel/huijia/templates/huijia/pieces.html").read_text()
    found = re.findall(r"\{%-? macro (\w+\(.*?\)) -?%\}", source)
    assert len(found) == source.count(" macro ")
    return found


def test_every_piece_is_documented_with_its_arguments() -> None:
    told = re.findall(r"^### `(.+)`$", PIECES.read_text(), flags=re.MULTILINE)
    assert sorted(told) == sorted(_macros()), "docs/authors/pieces.md differs from pieces.html"


PAGE = """
    from huijia import page
    pages = Pages("lost", __name__)

    @hookimpl
    def huijia_permissions(): return [Permission("lost.see", "See the shelf")]

    @pages.get("/", permission="lost.see")
    def shelf():
        things = [{"name": "umbrella", "grams": 1500}]
        errors = {"name": ["too long"], "_schema": ["not like this"]}
        return page("lost/shelf.html", things=things, errors=errors, values={}, refusal="No.")

    @hookimpl
    def huijia_blueprints(): return [pages]
    """


def test_the_examples_of_pieces_make_a_page(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    examples = re.findall(r"```html\n(.*?)```", PIECES.read_text(), flags=re.DOTALL)
    names = [macro.partition("(")[0] for macro in _macros()]
    assert [name for name in names if not re.search(rf"\b{name}\(", "".join(examples))] == []
    head = '{% extends "huijia/base.html" %}{% from "huijia/pieces.html" import ' + ", ".join(names)
    body = "\n".join([head + " with context %}{% block main %}", *examples, "{% endblock %}"])
    make_plugin(tmp_path, "lost", {"plugin.py": PAGE, "templates/lost/shelf.html": body})
    with on_path(tmp_path):
        request.getfixturevalue("enable")("lost")
        shown = request.getfixturevalue("client")(permissions={"lost.see"}).get("lost/")
    assert shown.status_code == 200
    said = [
        '<th scope="col" class="num">',
        '<td class="num"',
        "1,500",
        'id="name-error">too long',
        "not like this",
    ]
    assert [words for words in said if words not in shown.text] == []


# --- the example in the documents -----------------------------------------------------------------

EXAMPLE = ROOT / "docs" / "authors" / "write-a-service.md"


def write_example(folder: Path) -> None:
    """Every file that the page shows, and the metadata that installing it would give."""
    for name, text in re.findall(
        r"\*\*`([^`]+)`\*\*\n\n```\w*\n(.*?)```", EXAMPLE.read_text(), flags=re.DOTALL
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "huijia_lost" / "__init__.py").touch()
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = folder / f"huijia_lost-{project['version']}.dist-info"
    info.mkdir()
    heads = {"Name": project["name"], "Version": project["version"], "Summary": project["description"]}
    heads["Requires-Dist"] = project["dependencies"][0]
    lines = ["Metadata-Version: 2.1", *(f"{head}: {value}" for head, value in heads.items())]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    points = [
        f"[{group}]\n" + "\n".join(f"{name} = {value}" for name, value in given.items())
        for group, given in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(points) + "\n")


def run_tests(tests: Path, engine: str, request: pytest.FixtureRequest, *path: str) -> None:
    """Run a file as its author does: in a process of its own, which must skip nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "-W", "error"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    if engine == "postgresql":
        environment["HUIJIA_TEST_POSTGRES"] = request.getfixturevalue("postgres_server")
    said = subprocess.run(
        [*command, f"--engine={engine}", f"--rootdir={tests.parent}", "-c", os.devnull, tests.name],
        cwd=tests.parent, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout + said.stderr
    assert " passed" in said.stdout
    assert "skipped" not in said.stdout


def test_the_service_in_the_authors_guide_works(
    tmp_path: Path, both_engines: str, request: pytest.FixtureRequest
) -> None:
    write_example(tmp_path)
    run_tests(tmp_path / "test_lost.py", both_engines, request, str(tmp_path))


def test_the_tests_that_authors_copy_pass(both_engines: str, request: pytest.FixtureRequest) -> None:
    run_tests(ROOT / "plugins" / "rooms" / "tests" / "test_rooms.py", both_engines, request)
