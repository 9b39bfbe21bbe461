"""What every command needs: the installation, a centre in it, a table, and words for what went wrong."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from huijia.cli import CACHE, home_of, language, say
from huijia.config import Config, ConfigError, write_whole
from huijia.errors import Refusal
from huijia.i18n import speaking

if TYPE_CHECKING:
    from huijia.identity.models import Centre
    from huijia.installation import Installation

QUIET = logging.NullHandler()  # whoever types a command reads sentences; tracebacks are for --debug
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


@contextmanager
def opened(config: Config | None = None, *, installed: bool = True) -> Iterator[Installation]:
    """The installation of --home, closed at the end; sentences in it are in the operator's language."""
    from huijia.installation import Installation

    if not click.get_current_context().find_root().params.get("debug"):
        logging.getLogger("huijia").addHandler(QUIET)
    config = config or Config.load(home_of(click.get_current_context()))
    with speaking(language()):
        installation = Installation.open(config)
        try:
            if installed and not installation.registry.is_installed():
                raise ConfigError(say("There is nothing at {home} yet; run huijia init.", home=config.home))
            yield installation
        finally:
            _remember(config.home / CACHE, installation)
            installation.close()


def _remember(cache: Path, installation: Installation) -> None:
    names = {one.name: one.summary.message for one in installation.registry.catalogue.values()}
    text = json.dumps(names, ensure_ascii=False)
    with suppress(OSError):  # a home that may only be read is as good for everything else
        if not cache.exists() or cache.read_bytes() != text.encode():
            write_whole(cache, text, 0o644)


def centre_called(installation: Installation, slug: str) -> Centre:
    """The centre with that slug. Raises ConfigError, which names those that there are."""
    from sqlalchemy import select

    from huijia.identity.models import Centre

    with installation.reading() as session:
        found = {centre.slug: centre for centre in session.scalars(select(Centre).order_by(Centre.slug))}
    if slug not in found:
        raise ConfigError(
            say("There is no centre {slug}; there are: {all}.", slug=slug, all=", ".join(found))
        )
    return found[slug]


def plugin_commands(name: str) -> click.Group | None:
    """The commands that a plugin contributes; each gets a writing session at --centre as its object."""
    from huijia.registry.catalogue import discover

    if name not in discover():
        return None
    with opened() as installation:
        installation.registry.load([name])
        if name in installation.registry.troubles:
            raise ConfigError(str(installation.registry.troubles[name]))
        found = installation.registry.loaded[name].contributions.get("huijia_commands", [])

    @click.group(name, commands=found, help=say("Commands of the service {name}.", name=name))
    @click.option("--centre", metavar="SLUG", required=True)
    @click.pass_context
    def group(ctx: click.Context, centre: str) -> None:
        installation = ctx.with_resource(opened())
        ctx.obj = ctx.with_resource(installation.doing(f"huijia {name}", centre_called(installation, centre)))

    return group


def show(rows: Sequence[dict[str, Any]], printed_as_json: bool, *columns: str) -> None:
    """Print rows: as JSON, or these columns of them side by side."""
    if printed_as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2, default=str))
        return
    widths = {column: max((len(str(row[column])) for row in rows), default=0) for column in columns}
    for row in rows:
        click.echo("  ".join(str(row[column]).ljust(widths[column]) for column in columns).rstrip())


def explain_usage(error: click.UsageError) -> str:
    """What click says in English, in the operator's language."""
    message, found = error.message, re.search(r"[(']([^()']+)['\)]", error.message)
    named = found[1] if found else ""
    if isinstance(error, click.NoSuchOption):
        message = say("There is no option {name}.", name=error.option_name)
        for near in (error.possibilities or ())[:1]:
            message += say("Did you mean {near}?", near=near)
    elif isinstance(error, click.MissingParameter) and error.param:
        message = say("{name} is missing.", name=error.param.get_error_hint(error.ctx))
    elif isinstance(error, click.BadParameter) and error.param:
        name = error.param.get_error_hint(error.ctx)
        message = say("{name} cannot be used: {why}", name=name, why=error.message)
    elif isinstance(error, click.BadOptionUsage):
        message = say("{name} needs a value.", name=error.option_name)
    elif message.startswith("No such command"):
        message = say("There is no command {name}.", name=named)
    elif message.startswith("Got unexpected extra"):
        message = say("One word too many: {words}.", words=named)
    command = error.ctx.command_path if error.ctx else "huijia"
    return message + say("{command} --help says what can be asked.", command=command)


def explain(error: Exception) -> tuple[str, int]:
    """One sentence for what was raised, and the exit code: 2 for what the operator can mend, else 1."""
    from sqlalchemy.exc import OperationalError

    if isinstance(error, Refusal | ConfigError):
        with speaking(language()):
            return str(error), 2
    if isinstance(error, OperationalError):
        return say("The database does not answer: {error}", error=str(error.orig).strip()), 2
    kind = type(error).__name__
    return say("{kind}: {error} – a fault of ours; huijia --debug shows where.", kind=kind, error=error), 1
