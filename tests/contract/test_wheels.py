"""The kernel and one wheel, installed alone, are exactly one service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
OURS = "huijia"
ANSWERS = (
    *(
        "--url",
        "http://127.0.0.1:8080",
        "--city",
        "郑州市",
        "--district",
        "金水区",
        "--subdistrict",
        "杜岭街道",
    ),
    *("--centre", "杜岭街道党群服务中心", "--slug", "duling", "--admin", "wang"),
    *("--password", "a short sentence does well"),
)


def _closure(requirements: list[str]) -> set[str]:
    """Names of all distributions that these requirements need on this machine, ours left out."""
    found: set[str] = set()
    todo = [Requirement(line) for line in requirements]
    while todo:
        needed = todo.pop()
        name = needed.name.lower().replace("_", "-")
        extras = needed.extras or {""}
        if name in found or name.startswith(OURS):
            continue
        if needed.marker and not any(needed.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        found.add(name)
        for line in metadata.requires(name) or ():
            inner = Requirement(line)
            if not inner.marker or any(inner.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(inner)
    return found


def _link_dependencies(site_packages: Path) -> None:
    """The third-party packages of this environment, and nothing of ours, linked into a fresh one."""
    requires = [line for line in metadata.requires(OURS) or () if "extra ==" not in line]
    for name in _closure(requires):
        distribution = metadata.distribution(name)
        tops = {
            file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")
        }
        for top in tops:
            target = site_packages / top
            if not target.exists():
                target.symlink_to(Path(str(distribution.locate_file(top))))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the kernel's wheel and the wheel of rooms."""
    folder = tmp_path_factory.mktemp("fresh")
    for project in (ROOT / "kernel", ROOT / "plugins" / "rooms"):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "wheels")]
        subprocess.run(command, cwd=project, check=True, capture_output=True)
    venv.create(folder / "venv", with_pip=False)
    programs = folder / "venv" / "bin"
    [site_packages] = (folder / "venv").glob("lib/python*/site-packages")
    wheels = [str(path) for path in (folder / "wheels").glob("*.whl")]
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "-q", "--no-deps"]
    subprocess.run([*pip, "--no-index", *wheels], check=True, capture_output=True)
    _link_dependencies(site_packages)
    return programs


def _run(programs: Path, home: Path, *words: str) -> str:
    environment = {"PATH": os.environ["PATH"], "HUIJIA_HOME": str(home), "HUIJIA_LANG": "en"}
    done = subprocess.run(
        [str(programs / "huijia"), *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_kernel_and_one_wheel_are_exactly_that_one_service(fresh: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [str(fresh / "python"), "-c", "import huijia; print(huijia.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(fresh.parent) in where.stdout, "the fresh environment must not see the checkout"
    _run(fresh, tmp_path, "init", *ANSWERS)
    [rooms] = json.loads(_run(fresh, tmp_path, "services", "--json"))
    assert (rooms["name"], rooms["state"], rooms["centres"]) == ("rooms", "installed", [])
    _run(fresh, tmp_path, "enable", "rooms", "--centre", "duling")
    [rooms] = json.loads(_run(fresh, tmp_path, "services", "--json"))
    assert (rooms["state"], rooms["centres"]) == ("ready", ["duling"])
