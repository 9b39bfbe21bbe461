"""`python -m benchmarks.importing`: many people from one spreadsheet, some of them wrong.

Makes a sheet of invented people, checks it, takes in what is left once the wrong rows are put right, gives
everybody out again and undoes the import. Seconds without HTTP; memory is the largest of the process, making
of the sheet excluded.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from huijia.identity.models import Area
from huijia.people.checking import HEADERS, check_people, marked_copy
from huijia.people.importing import export_people, import_people, undo_import
from huijia.region.cn import CHECKS, WEIGHTS
from huijia.sheets import Column, read_sheet, write_sheet

from benchmarks.people import DESK, installation, invented

WRONG = ({"name": ""}, {"born_on": "昨天"}, {"number": "410105195203030021"}, {"community": "无此社区"})


def sheet_of(count: int, wrong: int, seed: int) -> bytes:
    """That many rows, of which so many are wrong."""
    random = Random(seed)
    bad = set(random.sample(range(count), wrong))
    rows = (_row(random, number, bad) for number in range(count))
    return write_sheet("people", [Column(chinese) for chinese, _english in HEADERS.values()], rows)


def _row(random: Random, number: int, bad: set[int]) -> list[Any]:
    one = invented(random, number)
    first = f"4101{number // 500 % 100:02}{one['born_on']:%Y%m%d}{number % 500 + 100:03}"
    check = CHECKS[sum(int(d) * w for d, w in zip(first, WEIGHTS, strict=True)) % 11]
    home = {
        "community": "河畔社区",
        "building": f"{number % 40 + 1}号楼",
        "detail": f"{number % 30 + 1}0{number % 4}",
    }
    family = {"emergency_name": "女儿", "emergency_phone": f"139{number:08}"}
    facts = {"name": one["name"], "number": first + check, "phone": one["phone"], **home, **family}
    facts |= random.choice(WRONG) if number in bad else {}
    return [facts.get(key, "") for key in HEADERS]


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long it took, and the largest memory so far."""
    before, worked = time.perf_counter(), time.process_time()
    yield
    spent, worked = time.perf_counter() - before, time.process_time() - worked
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {what} | {spent:.1f} s | {worked:.1f} s | {most:.0f} MiB |", flush=True)


def measure(url: str, folder: Path, wrong: bytes, right: bytes) -> None:
    """Print the rows of the table."""
    with installation(url, folder) as (opened, centre):
        with opened.writing(centre) as session:
            session.add(Area(kind="community", name="河畔社区", parent_id=centre.area_id))
        with timed("nothing yet"):
            pass
        with timed(f"read {len(wrong) / 1e6:.1f} MB"):
            sheet = read_sheet(wrong, "people.xlsx")
        with opened.reading(centre) as session, timed(f"check {len(sheet.rows):,} rows"):
            checked = check_people(session, sheet, actor=DESK)
        with timed(f"marked copy, {len(checked.errors):,} errors"):
            marked_copy(sheet, checked.errors)
        sheet = read_sheet(right, "people.xlsx")
        with opened.reading(centre) as session:
            checked = check_people(session, sheet, actor=DESK)
        assert not checked.errors, checked.errors[:3]
        with timed("take them in"), opened.writing(centre) as session:
            run = import_people(session, checked, actor=DESK, file_name="people.xlsx", now=session.now)
        with opened.reading(centre) as session, timed("check the same again"):
            again = check_people(session, sheet, actor=DESK)
        assert len(again.errors) == len(sheet.rows)
        with opened.reading(centre) as session, timed("give them out"):
            export_people(session, actor=DESK)
        with timed("undo"), opened.writing(centre) as session:
            undo_import(session, actor=DESK, import_id=run.id, now=session.now)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.importing", description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--wrong", type=int, default=500)
    parser.add_argument("--url", default="", help="an empty PostgreSQL database; SQLite unless it is given")
    parser.add_argument("--seed", type=int, default=20_261_123)
    options = parser.parse_args()
    # In a process of their own, or the memory that they take would count.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        wrong = pool.apply(sheet_of, (options.rows, options.wrong, options.seed))
        right = pool.apply(sheet_of, (options.rows, 0, options.seed))
    print(f"seed {options.seed}\n\n| what | time | of a core | largest memory |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        measure(options.url or f"sqlite:///{folder}/people.db", Path(folder), wrong, right)


if __name__ == "__main__":
    main()
