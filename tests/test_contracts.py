"""The import contracts in pyproject.toml: every service is under them, and each of them bites."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in LINTER["contracts"]}
SERVICES = {path.name for path in (ROOT / "plugins").glob("*/huijia_*")}


@pytest.mark.parametrize(
    ("listed", "where"),
    [
        (LINTER["root_packages"], "root_packages"),
        (CONTRACTS["kernel-free"]["forbidden_modules"], "kernel-free"),
        (CONTRACTS["services-independent"]["modules"], "services-independent"),
        (CONTRACTS["service-layers"]["containers"], "service-layers"),
        (CONTRACTS["four-doors"]["source_modules"], "four-doors"),
    ],
)
def test_every_service_stands_in_every_list(listed: list[str], where: str) -> None:
    assert sorted(SERVICES - set(listed)) == [], f"add it to {where} in pyproject.toml"


def test_every_part_of_the_kernel_is_a_door_or_closed() -> None:
    doors = {"huijia.ledger", "huijia.kit", "huijia.testing"}
    parts = {
        f"huijia.{p.stem}" for p in (ROOT / "kernel" / "huijia").iterdir() if (p / "__init__.py").exists()
    }
    files = {f"huijia.{p.stem}" for p in (ROOT / "kernel" / "huijia").glob("*.py")} - {"huijia.__init__"}
    assert sorted((parts | files) - doors - set(CONTRACTS["four-doors"]["forbidden_modules"])) == []


PLANTED = [
    # contract, file, line
    ("kernel-layers", "huijia/storage/engine.py", "import huijia.cli"),
    ("kernel-free", "huijia/clock.py", "import huijia_rooms.service"),
    ("services-independent", "huijia_rooms/service.py", "import huijia_other.service"),
    ("service-layers", "huijia_rooms/models.py", "import huijia_rooms.service"),
    ("rules-pure", "huijia_rooms/rules.py", "import sqlalchemy"),
    ("four-doors", "huijia_rooms/service.py", "import huijia.storage.work"),
]


def test_each_contract_finds_a_planted_fault(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "kernel" / "huijia", tmp_path / "huijia")
    for service in SERVICES:
        shutil.copytree(next((ROOT / "plugins").glob(f"*/{service}")), tmp_path / service)
    (tmp_path / "huijia_other").mkdir()
    for name in ("__init__", "service"):
        (tmp_path / "huijia_other" / f"{name}.py").touch()
    for _contract, file, line in PLANTED:
        with (tmp_path / file).open("a") as planted:
            planted.write(f"\n{line}\n")
    text = (ROOT / "pyproject.toml").read_text().replace('"huijia_rooms"', '"huijia_rooms", "huijia_other"')
    (tmp_path / "pyproject.toml").write_text(text)
    command = [
        str(Path(sys.executable).with_name("lint-imports")),
        "--no-cache",
        "--config",
        "pyproject.toml",
    ]
    said = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={"PYTHONPATH": "."}
    )
    broken = {contract for contract, *_ in PLANTED if f"{CONTRACTS[contract]['name']} BROKEN" in said.stdout}
    assert broken == set(CONTRACTS), said.stdout + said.stderr
