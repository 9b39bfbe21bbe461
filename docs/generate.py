"""Write docs/hooks.md and docs/reference anew from the code: `make docs`.

tests/test_docs.py fails where what is written here is not what stands in the folder.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import huijia
from flask import Flask
from huijia import cli, config, hookspecs
from huijia.hookspecs import KINDS
from huijia.i18n import speaking
from huijia.identity.permissions import KERNEL_PERMISSIONS, KERNEL_ROLES
from huijia.registry import catalogue, loading
from huijia.registry.jobs import KERNEL_JOBS
from huijia.registry.troubles import Trouble
from huijia.storage.migrate import kernel_line

DOCS = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from the code; `make docs` writes it anew. -->"
KIND_WORDS = {
    "contribution": "Collected once, when a service is wired. A failure keeps that service from starting.",
    "question": "Any service may answer. A failing answer is left out, attributed and counted.",
    "request": "One service does something, in a savepoint; it returns a value, or raises `Refusal`.",
    "event": "Something became true. Listeners hear of it after the commit, until it works; or at once.",
}


# --- what there is -------------------------------------------------------------------------------


def services() -> dict[str, loading.Loaded]:
    """The services of this repository, loaded, with their contributions. Raises where one is broken."""
    here = {path.name for path in (DOCS.parent / "plugins").iterdir() if (path / "pyproject.toml").exists()}
    found: Any = {name: loading.load(one) for name, one in catalogue.discover(here).items()}
    troubles = [trouble for trouble in found.values() if isinstance(trouble, Trouble)]
    troubles += loading.check_together(found).values() if not troubles else []
    troubles += filter(None, (loading.contribute(one, found) for one in found.values() if not troubles))
    if troubles:
        raise RuntimeError("\n".join(map(str, troubles)))
    return found


def kernel() -> dict[str, Any]:
    """The kernel's own contributions, in the same form as a service's."""
    from huijia.admin import plugin
    from huijia.web import health, kernel_api

    return {
        "huijia_permissions": KERNEL_PERMISSIONS,
        "huijia_roles": KERNEL_ROLES,
        "huijia_jobs": KERNEL_JOBS,
        "huijia_blueprints": [health.pages, kernel_api.pages, kernel_api.api, *plugin.huijia_blueprints()],
    }


def hooks_in(module: ModuleType | None) -> list[tuple[str, Callable[..., Any]]]:
    """The hooks that a module specifies, in the order in which they stand there."""
    if module is None:
        return []
    return [(n, f) for n, f in vars(module).items() if callable(f) and hasattr(f, "huijia_kind")]


def routes_of(blueprints: Iterable[Any]) -> list[tuple[str, str, str]]:
    """(methods and path, endpoint, who may) of every route."""
    app = Flask("reference", static_folder=None)
    app.url_map.converters["slug"] = app.url_map.converters["string"]
    access = {}
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
        access |= {f"{blueprint.name}.{name}": who for name, who in blueprint.access.items()}
    rows = []
    for rule in app.url_map.iter_rules():
        who = access[rule.endpoint]
        methods = ", ".join(sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}))
        rows.append((f"{methods} {rule.rule}", rule.endpoint, who.permission or "public"))
    return sorted(rows, key=lambda row: (row[0].partition(" ")[2], row[0]))


def migrations_in(folder: Path | None) -> list[tuple[str, str]]:
    """(file, what it does) of each step of a line."""
    steps = sorted(path for path in (folder or DOCS / "none").glob("*.py") if path.stem != "__init__")
    return [(path.name, _first_sentence(_docstring(path))) for path in steps]


def _docstring(path: Path) -> str:
    import ast

    return ast.get_docstring(ast.parse(path.read_text())) or ""


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


# --- pages ---------------------------------------------------------------------------------------


def table(head: tuple[str, ...], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    if lines:
        yield from ("| " + " | ".join(head) + " |", "|" + "---|" * len(head), *lines, "")


def hook_section(name: str, spec: Callable[..., Any]) -> Iterator[str]:
    signature = str(inspect.signature(spec)).replace("'", "")
    yield from (f"### {name}", "", "```python", f"def {name}{signature}", "```", "")
    yield from (inspect.getdoc(spec) or "", "")


def hooks_page() -> str:
    lines = [NOTE, "", "# Every hook of the kernel", ""]
    lines += ["How to answer one: [authors/hooks.md](authors/hooks.md). Hooks that services offer stand in "]
    lines += ["their own [reference](reference/README.md).", ""]
    for kind in KINDS:
        lines += [f"## {kind.capitalize()}s", "", KIND_WORDS[kind], ""]
        for name, spec in hooks_in(hookspecs):
            if spec.huijia_kind == kind:  # type: ignore[attr-defined]
                lines += hook_section(name, spec)
    return "\n".join(lines)


def reference_page(title: str, given: dict[str, Any], offers: ModuleType | None, folder: Path | None) -> str:
    lines = [NOTE, "", f"# Reference: {title}", ""]

    def section(heading: str, content: Iterator[str]) -> None:
        if found := list(content):
            lines.extend([f"## {heading}", "", *found])

    permissions = given.get("huijia_permissions", [])
    sensitive = {True: "sensitive", False: ""}
    rows = [(f"`{p.key}`", p.label, sensitive[p.sensitive]) for p in permissions]
    section("Permissions", table(("key", "who holds it may", ""), rows))
    roles = [(f"`{r.key}`", r.label, ", ".join(sorted(r.permissions))) for r in given.get("huijia_roles", [])]
    section("Ready-made roles", table(("key", "role", "permissions"), roles))
    section("Settings", settings_table(given.get("huijia_settings")))
    routes = [
        (f"`{where}`", f"`{endpoint}`", who)
        for where, endpoint, who in routes_of(given.get("huijia_blueprints", []))
    ]
    section("Pages and REST", table(("route", "endpoint", "permission"), routes))
    commands = [
        (f"`huijia {title} {c.name}`", _first_sentence(c.help)) for c in given.get("huijia_commands", [])
    ]
    section("Commands", table(("command", "does"), commands))
    jobs = [(job.name, job.every) for job in given.get("huijia_jobs", [])]
    section("Background jobs", table(("job", "every"), jobs))
    if offers:
        section(
            "Hooks offered", (line for name, spec in hooks_in(offers) for line in hook_section(name, spec))
        )
    section("Migrations", table(("step", "does"), migrations_in(folder)))
    return "\n".join(lines)


def settings_table(section: Any) -> Iterator[str]:
    if section is not None:
        fields = section.schema().fields
        rows = [
            (
                f"`{name}`",
                field.metadata.get("label", ""),
                f"`{field.load_default}`",
                field.metadata.get("help", ""),
            )
            for name, field in fields.items()
        ]
        yield from table(("key", "setting", "default", ""), rows)


def commands_page() -> str:
    lines = [NOTE, "", "# Commands", "", "```", _help(cli.commands, "huijia"), "```", ""]
    context = click.Context(cli.commands, info_name="huijia", **cli.commands.context_settings)
    for name in cli.COMMANDS:
        command = cli.commands.get_command(context, name)
        assert command is not None
        lines += [f"## huijia {name}", "", "```", _help(command, name, context), "```", ""]
        for below in getattr(command, "commands", {}).values():
            inner = click.Context(command, info_name=name, parent=context)
            lines += [
                f"### huijia {name} {below.name}",
                "",
                "```",
                _help(below, below.name, inner),
                "```",
                "",
            ]
    return "\n".join(lines)


def _help(command: click.Command, name: str, parent: click.Context | None = None) -> str:
    settings = command.context_settings
    context = click.Context(command, info_name=name, parent=parent, terminal_width=96, **settings)
    return command.get_help(context).rstrip()


def configuration_page() -> str:
    lines = [NOTE, "", "# huijia.toml", "", "Each key may be a variable instead: `HUIJIA_SECTION_KEY`.", ""]
    for name, schema in config.SECTIONS.items():
        rows = []
        for key, field in schema.fields.items():
            default = field.load_default() if callable(field.load_default) else field.load_default
            rows.append((f"`{key}`", f"`HUIJIA_{name}_{key}`".upper(), f"`{default!r}`"))
        lines += [f"## [{name}]", "", *table(("key", "variable", "default"), rows)]
    return "\n".join(lines)


def names_page() -> str:
    """What `from huijia import …` offers, with signatures and first sentences."""
    lines = [
        NOTE,
        "",
        "# What `huijia` offers",
        "",
        "All that a service imports of the kernel comes by this one door.",
        "",
    ]
    for name in huijia.__all__:
        thing = getattr(huijia, name)
        lines += [f"## {name}", "", f"`{_signature(name, thing)}`", "", _first_words(thing), ""]
        lines += [f"- `.{part}`: {_first_words(value)}" for part, value in _properties(thing)]
        lines += [""] if lines[-1] else []
    return "\n".join(lines)


def _signature(name: str, thing: Any) -> str:
    if not (inspect.isfunction(thing) or dataclasses.is_dataclass(thing)):
        return name
    return f"{name}{inspect.signature(thing)}".replace("'", "").removesuffix(" -> None")


def _first_words(thing: Any) -> str:
    words = inspect.cleandoc(getattr(thing, "__doc__", None) or "")
    return " ".join(words.partition("\n\n")[0].split())


def _properties(thing: Any) -> list[tuple[str, Any]]:
    if inspect.isfunction(thing) or dataclasses.is_dataclass(thing):
        return []
    members = vars(thing if isinstance(thing, type) else type(thing)).items()
    return [(n, v) for n, v in members if isinstance(v, property) and v.__doc__ and not n.startswith("_")]


def pages() -> dict[Path, str]:
    """Every generated page by its path."""
    found = {DOCS / "hooks.md": hooks_page()}
    reference = DOCS / "reference"
    found[reference / "commands.md"] = commands_page()
    found[reference / "configuration.md"] = configuration_page()
    found[reference / "kernel.md"] = reference_page("kernel", kernel(), None, kernel_line().folder)
    found[reference / "names.md"] = names_page()
    loaded = services()
    for name, one in loaded.items():
        found[reference / f"{name}.md"] = reference_page(name, one.contributions, one.offers, one.migrations)
    rows = ["- [kernel](kernel.md)", *(f"- [{name}]({name}.md)" for name in loaded)]
    rows += ["- [what `huijia` offers](names.md)"]
    rows += ["- [commands](commands.md)", "- [configuration](configuration.md)", "- [hooks](../hooks.md)", ""]
    found[reference / "README.md"] = "\n".join([NOTE, "", "# Reference", "", *rows])
    return {path: text.rstrip() + "\n" for path, text in found.items()}


def main() -> None:
    import os

    os.environ["HUIJIA_LANG"] = "en"
    os.environ["HUIJIA_HOME"] = os.devnull
    with speaking("en"):
        for path, text in pages().items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            sys.stdout.write(f"{path.relative_to(DOCS.parent)}\n")


if __name__ == "__main__":
    main()
