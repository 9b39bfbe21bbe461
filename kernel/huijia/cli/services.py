"""What is installed, where it is switched on, its tables and its hooks."""

from __future__ import annotations

import sys
from typing import Any

import click

from huijia.cli import say
from huijia.cli.opening import as_json, centre_called, opened, show


@click.command()
@as_json
def services(as_json: bool) -> None:
    """List installed services, their state, and the centres where they are switched on."""
    from sqlalchemy import select

    from huijia.identity.models import Centre
    from huijia.registry import states

    rows: list[dict[str, Any]] = []
    words_of: Any = states.WORDS
    with opened() as installation, installation.reading() as session:
        registry = installation.registry
        centres = {centre.id: centre.slug for centre in session.scalars(select(Centre))}
        state = registry.current(session)
        for name, one in registry.catalogue.items():
            stands = states.standing(registry, name, session)
            on = sorted(centres[c] for c, names in state.centres.items() if name in names)
            words = {"state": stands.state, "word": str(words_of[stands.state]), "why": str(stands.why)}
            rows.append(
                {"name": name, "version": one.version, "centres": on, "at": ", ".join(on) or "–", **words}
            )
        show(rows, as_json, "name", "version", "word", "at", "why")


def _switch(how: str, name: str, slug: str, changed: str, unchanged: str) -> None:
    from huijia.identity.actor import SYSTEM
    from huijia.registry import lifecycle

    with opened() as installation:
        centre = centre_called(installation, slug)
        done = getattr(lifecycle, how)(installation, centre.id, name, SYSTEM)
    click.echo(say(changed if done else unchanged, name=name, centre=slug))


@click.command()
@click.argument("name")
@click.option("--centre", metavar="SLUG", required=True)
def enable(name: str, centre: str) -> None:
    """Switch the service NAME on at a centre; a running server serves it within a moment."""
    _switch("enable", name, centre, "{name} is now on at {centre}.", "{name} was on at {centre} already.")


@click.command()
@click.argument("name")
@click.option("--centre", metavar="SLUG", required=True)
def disable(name: str, centre: str) -> None:
    """Switch the service NAME off at a centre. Its data stay."""
    off = "{name} is now off at {centre}; its data stay."
    _switch("disable", name, centre, off, "{name} was off at {centre} already.")


@click.command()
@click.option("--check", is_flag=True, help="Only say what would run; ends with 1 where anything would.")
def migrate(check: bool) -> None:
    """Bring the kernel's tables, and those of services in use, up to date."""
    from huijia.storage.migrate import kernel_line, pending

    with opened(installed=False) as installation:
        with installation.storage.engine.connect() as connection:
            kernel = pending(connection, kernel_line())
        for name, steps in {"huijia": kernel, **installation.registry.pending}.items():
            for step in steps:
                click.echo(f"{name}: {step}")
        behind = bool(kernel or installation.registry.pending)
        troubles = [] if check else installation.migrate()
    for trouble in troubles:
        click.echo(str(trouble), err=True)
    if troubles or (check and behind):
        sys.exit(1)
    click.echo(say("All tables are up to date."))


@click.command()
@as_json
def hooks(as_json: bool) -> None:
    """List every hook of the kernel and of installed services, its kind, and who answers."""
    with opened() as installation:
        registry = installation.registry
        registry.load(list(registry.catalogue))
        rows = registry.hooks_of(frozenset(filter(registry.works, registry.loaded))).describe()
    for row in rows:
        row["by"] = ", ".join(row["answers"]) or "–"
    show(rows, as_json, "hook", "kind", "by")
