"""The shape of the house: sizes as a ratchet, the same names everywhere, nothing of one machine in it.

`SIZES` holds what has been reached; lower a number when the code beats it, and never raise one.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[1]
# Code only: no blank lines, comments or docstrings. Ratchets: lower a number when its part shrinks.
CORE_LINES = 5_850  # storage, registry, web, cli and the files beside them; docs/decisions/0008
PART_LINES = {
    "identity": 850,
    "admin": 900,
    "people": 3_600,
    "figures": 500,
    "resource": 1_000,
    "region": 250,
    "sheets": 200,
}
SIZES = {
    "lines of the longest file": 400,
    "lines of the longest function": 40,
    "lines of the median file": 110,
    "lines of the function at the ninth decile": 20,
}
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "manager", "managers", "stuff"}
PLUGIN_FILES = set(
    """
    __init__ plugin pages routes commands jobs reports schemas service models rules errors hookspecs demo
    migrations templates static translations py.typed
    """.split()  # noqa: SIM905
)
# Words of services; the kernel must not know one from another.
SERVICE_NOUNS = set(
    """
    academy booking bookings canteen charity classroom course courses dish dishes donation enrolment
    exhibition lesson lunch meal meals proposal room rooms shop shops volunteer volunteers waitlist
    """.split()  # noqa: SIM905
)
NOT_NOUNS = {"of course"}


def tracked() -> list[Path]:
    """What is, or would be, in a commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in found.split("\0") if name and (path := ROOT / name).is_file()]


TRACKED = tracked()
CODE = [p for p in TRACKED if p.suffix == ".py" and p.relative_to(ROOT).parts[0] in ("kernel", "plugins")]
KERNEL = [p for p in CODE if p.is_relative_to(ROOT / "kernel" / "huijia")]


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


def functions() -> Iterator[tuple[int, str]]:
    for path in CODE:
        if "migrations" in path.parts:
            continue  # a migration says one thing, however long it is
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                yield length, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def code_lines_of(path: Path) -> int:
    """Lines that hold code: what is left without blank lines, comments and docstrings."""
    tree, lines = ast.parse(source := path.read_text()), set[int]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING):
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            lines.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def lines_by_part() -> dict[str, int]:
    found: dict[str, int] = {}
    for path in KERNEL:
        part = path.relative_to(ROOT / "kernel" / "huijia").parts[0]
        if part not in ("migrations", "testing"):
            part = part if part in PART_LINES else "core"
            found[part] = found.get(part, 0) + code_lines_of(path)
    return found


def test_the_core_and_each_part_on_it_stay_small() -> None:
    most = {**PART_LINES, "core": CORE_LINES}
    assert {part: n for part, n in lines_by_part().items() if n > most[part]} == {}
    assert CORE_LINES < 6_000


def test_no_file_and_no_function_passes_the_walls() -> None:
    files = [
        f"{p.relative_to(ROOT)}: {n} lines" for p in TRACKED if p.suffix == ".py" and (n := lines_of(p)) > 400
    ]
    assert files + [f"{where}: {length} lines" for length, where in functions() if length > 40] == []


def test_sizes_only_shrink() -> None:
    files = [n for p in CODE if (n := lines_of(p)) and "migrations" not in p.parts]
    lengths = [length for length, _ in functions()]
    reached = {
        "lines of the longest file": max(files),
        "lines of the longest function": max(lengths),
        "lines of the median file": median(files),
        "lines of the function at the ninth decile": quantiles(lengths, n=10)[8],
    }
    assert {what: n for what, n in reached.items() if n > SIZES[what]} == {}


def test_file_names_say_what_is_inside() -> None:
    assert [str(p.relative_to(ROOT)) for p in TRACKED if p.suffix == ".py" and p.stem in VAGUE] == []


def test_every_service_uses_the_known_file_names() -> None:
    names = {
        f"{package.name}/{entry.name}"
        for package in (ROOT / "plugins").glob("*/huijia_*")
        for entry in package.iterdir()
        if entry.name != "__pycache__" and entry.name.removesuffix(".py") not in PLUGIN_FILES
    }
    assert names == set()


def test_the_kernel_knows_no_service() -> None:
    found = [f"{p.relative_to(ROOT)}: {', '.join(words)}" for p in KERNEL if (words := sorted(nouns_in(p)))]
    assert found == []


def nouns_in(path: Path) -> set[str]:
    """Service nouns among the names and strings of a file; its docstrings and comments may give examples."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    first = [node.body[0] for node in ast.walk(tree) if isinstance(node, documented) and node.body]
    prose = {id(statement.value) for statement in first if isinstance(statement, ast.Expr)}
    words: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in prose:
            continue
        for field in ("id", "attr", "arg", "name", "value"):
            text = getattr(node, field, None)
            if isinstance(text, str):
                text = re.sub("|".join(NOT_NOUNS), "", text)
                words |= {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", text)}
    return words & SERVICE_NOUNS


@pytest.mark.parametrize("folder", ["kernel", "plugins", "tests", "docs"])
def test_no_folder_is_empty(folder: str) -> None:
    empty = [
        str(path.relative_to(ROOT))
        for path in (ROOT / folder).rglob("*")
        if path.is_dir() and "__pycache__" not in path.parts and not any(path.iterdir())
    ]
    assert empty == []


SLASH = "/"
HOSTS = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "mirrors" + "."]
MACHINE = re.compile(rf"(?<![\w.}}]){SLASH}(work|root|home|farm|Users){SLASH}\w")
ISSUE = re.compile(r"(?<![\w&#/])#\d{1,5}\b")


def complaints_about(path: Path) -> Iterator[str]:
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{path.relative_to(ROOT)}:{number}"
        if MACHINE.search(line):
            yield f"{where} names a path of one machine"
        if any(host in line for host in HOSTS):
            yield f"{where} names a registry's host"
        if path.suffix in (".py", ".md", ".toml") and ISSUE.search(line):
            yield f"{where} names an issue by number; say what it was"


def test_tracked_files_name_no_machine_no_registry_and_no_issue() -> None:
    # Files that others wrote (vendor/) keep their own words.
    assert [line for p in TRACKED if "vendor" not in p.parts for line in complaints_about(p)] == []


def test_no_lock_file_is_tracked() -> None:
    # They are full of registry addresses; requirements.txt holds the pins.
    assert [p.name for p in TRACKED if p.name in {"uv.lock", "poetry.lock", "Pipfile.lock"}] == []
