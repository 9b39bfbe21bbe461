"""`huijia`, the command line. Only click is imported here: a command's module is loaded when it is called.

Plugins' names come from a cache beside the configuration, so that `--help` never looks for them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from copy import copy
from importlib import import_module
from pathlib import Path
from typing import Any

import click

COMMANDS = {
    "init": ("installing", "Set up an installation: configuration, keys, database, first centre."),
    "demo": ("demonstrating", "Make two demonstration centres with invented people."),
    "serve": ("serving", "Serve pages and REST, and do the background work."),
    "services": ("services", "List services and where they are switched on."),
    "enable": ("services", "Switch a service on at a centre, at once."),
    "disable": ("services", "Switch a service off at a centre, at once; its data stay."),
    "migrate": ("services", "Bring the tables up to date."),
    "hooks": ("services", "List every hook, its kind and who answers it."),
    "doctor": ("checking", "Look for what is wrong, and say what to do."),
    "verify-audit": ("checking", "Recompute the chain that seals the audit."),
    "token": ("tokens", "Issue, list and revoke tokens for programs."),
}
CACHE = "commands.json"


class Commands(click.Group):
    """The kernel's commands and, each below its own name, the plugins'."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *_cached(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return import_module("huijia.cli.opening").plugin_commands(cmd_name)
        home = import_module(f"huijia.cli.{COMMANDS[cmd_name][0]}")
        return _translated(getattr(home, cmd_name.replace("-", "_")))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        if self.get_command(ctx, args[0]) is None:
            near = import_module("huijia.spelling").nearest(args[0], self.list_commands(ctx))
            words = say("There is no command {name}.", name=args[0])
            ctx.fail(f"{words} {say('Did you mean {near}?', near=near)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        kernel = {name: summary for name, (_module, summary) in COMMANDS.items()}
        for title, rows in (("Commands", kernel), ("Services", _cached(ctx))):
            if rows:
                with formatter.section(say(title)):
                    formatter.write_dl([(name, say(summary)) for name, summary in rows.items()])


def _translated(command: click.Command) -> click.Command:
    """A copy that speaks the operator's language; the next one may speak another."""
    spoken = copy(command)
    spoken.help = command.help and say(command.help)
    spoken.params = [copy(option) for option in command.params]
    for option in spoken.params:
        for words in ("help", "prompt"):
            if getattr(option, words, None):
                setattr(option, words, say(getattr(option, words)))
    if isinstance(spoken, click.Group):
        spoken.commands = {name: _translated(below) for name, below in spoken.commands.items()}
    return spoken


def language() -> str:
    """`zh_Hans` or `en`, by HUIJIA_LANG, else by the terminal's own setting."""
    names = ("HUIJIA_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    return "zh_Hans" if next((v for n in names if (v := os.environ.get(n))), "").startswith("zh") else "en"


def say(message: str, **values: Any) -> str:
    """The sentence in the operator's language. English is here already, and costs no catalogue."""
    if language() == "en":
        return message.format(**values) if values else message
    from huijia.i18n import Text, speaking

    with speaking(language()):
        return str(Text(message, **values))


def home_of(ctx: click.Context, otherwise: str = "var") -> Path:
    """Where the installation lives: --home, or HUIJIA_HOME."""
    return Path(ctx.find_root().params.get("home") or os.environ.get("HUIJIA_HOME") or otherwise)


def _cached(ctx: click.Context) -> dict[str, str]:
    try:
        return dict(json.loads((home_of(ctx) / CACHE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="huijia")
@click.option("--home", type=click.Path(), is_eager=True, help="Folder of the installation [var].")
@click.option("--debug", is_flag=True, help="Show where an error came from.")
def commands(**_options: Any) -> None:
    """Huijia 回家: a platform for community service centres."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Ends with 0, with 1 (found something, or broke) or 2 (cannot be as asked)."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = _translated(commands).main(arguments, prog_name="huijia", standalone_mode=False)
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and language() != "en":
            click.echo(import_module("huijia.cli.opening").explain_usage(error), err=True)
        else:
            error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except Exception as error:
        if "--debug" in arguments:
            raise
        words, code = import_module("huijia.cli.opening").explain(error)
        click.echo(words, err=True)
    sys.exit(code if isinstance(code, int) else 0)
