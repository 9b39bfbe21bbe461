"""Every sentence of the command line has its Chinese."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
from huijia import cli
from huijia.cli import demonstrating
from huijia.i18n import KERNEL, catalogue


def sentences() -> Iterator[str]:
    """What `say` is given as it stands in the code, what commands say of themselves, and of their options."""
    for path in Path(cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                yield from (n.value for n in ast.walk(node.args[0]) if isinstance(n, ast.Constant))
            elif isinstance(node, ast.Constant) and re.search(r"\{[a-z]+\}.* ", str(node.value)):
                yield node.value  # given a name before it is said
    yield from demonstrating.PEOPLE.values()
    yield from (summary for _module, summary in cli.COMMANDS.values())
    context = click.Context(cli.commands)
    for name in cli.COMMANDS:
        command = cli.commands.get_command(context, name)
        assert command is not None
        yield from _of(command)


def _of(command: click.Command) -> Iterator[str]:
    yield command.help or ""
    for option in command.params:
        yield from (words for what in ("help", "prompt") if (words := getattr(option, what, None)))
    for below in getattr(command, "commands", {}).values():
        yield from _of(below)


def test_every_sentence_of_the_command_line_has_its_chinese(monkeypatch) -> None:
    monkeypatch.setenv("HUIJIA_LANG", "en")
    known = catalogue(KERNEL, "zh_Hans")
    assert sorted({sentence for sentence in sentences() if sentence and sentence not in known}) == []
