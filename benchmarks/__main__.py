"""`python -m benchmarks`: ours beside the reference in one run, as a table. Ratios count, taken in turn."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.load import Call, Outcome, drive
from benchmarks.stage import SLUG, Stage, environment, memory_mib, stages, start_ours, stop

CONNECTIONS = 8
WARM_UP = 80
MEMORY_STEPS = (1_000, 4_000, 7_000, 10_000)
API, PAGES = f"/api/v1/centres/{SLUG}/rooms", f"/c/{SLUG}/rooms"
# What the stack itself costs to import, without a line of ours.
FLOOR = "import flask, sqlalchemy.orm, marshmallow, pluggy, alembic.command, flask_smorest, babel, argon2"
FLOOR_SQLITE, FLOOR_POSTGRES = f"{FLOOR}, granian, pysqlite3.dbapi2", f"{FLOOR}, granian, psycopg"
Calls = Callable[[int], list[Call]]


class Row(NamedTuple):
    """One line of the table: what ours does against what, and whether the goal is reached."""

    work: str
    ours: str
    other: str
    ratio: str
    goal: str
    reached: bool


def in_turn(
    stage: Stage, sides: dict[str, tuple[str, Calls]], options: argparse.Namespace
) -> dict[str, list[Outcome]]:
    """Each side's outcomes, A B C A B C …; sides are (server, calls) by name. All answers must be good."""
    found: dict[str, list[Outcome]] = {name: [] for name in sides}
    for number in range(options.rounds + 1):
        for name, (server, calls) in sides.items():
            count = WARM_UP if number == 0 else options.requests
            outcome = drive(stage.ports[server], _dealt(calls(count)))
            assert set(outcome.statuses) <= {200, 201}, f"{stage.engine} {name}: {dict(outcome.statuses)}"
            if number:
                found[name].append(outcome)
    return found


def _dealt(calls: list[Call]) -> list[list[Call]]:
    return [calls[number::CONNECTIONS] for number in range(CONNECTIONS)]


def compared(work: str, found: dict[str, list[Outcome]], ours: str, other: str, goal: float) -> Row:
    """The median of the rounds' ratios of rates."""
    ratio = median(a.rate / b.rate for a, b in zip(found[ours], found[other], strict=True))
    rates = [f"{median(one.rate for one in found[name]):,.0f}/s" for name in (ours, other)]
    return Row(work, *rates, f"{ratio:.2f}", f"≥ {goal}" if goal else "", ratio >= goal)


def slowest(work: str, found: dict[str, list[Outcome]], ours: str, other: str) -> Row:
    """The median of the rounds' 99th percentiles."""
    ratio = median(
        a.percentile(99) / b.percentile(99) for a, b in zip(found[ours], found[other], strict=True)
    )
    times = [f"{median(one.percentile(99) for one in found[name]):.0f} ms" for name in (ours, other)]
    return Row(f"{work}, p99", *times, f"{ratio:.2f}", "≤ 3", ratio <= 3)


def booking(stage: Stage, options: argparse.Namespace) -> Iterator[Row]:
    """Book a room over HTTP, against the same rows by the bare driver, and against the thinner reference."""
    signed_in = {"Authorization": f"Bearer {stage.token}", "Content-Type": "application/json"}

    def calls(path: str, **other: str) -> Calls:
        def made(count: int) -> list[Call]:
            return [Call("POST", path, _body(slot, **other), signed_in) for slot in stage.slots(count)]

        return made

    bare = {"centre_id": str(stage.centre_id)}
    sides = {
        "ours": ("ours", calls(f"{API}/bookings")),
        "full": ("reference", calls("/full", **bare)),
        "thin": ("reference", calls("/thin", **bare)),
    }
    found = in_turn(stage, sides, options)
    yield compared(f"booking, {stage.engine}", found, "ours", "full", 0.5)
    yield slowest(f"booking, {stage.engine}", found, "ours", "full")
    yield compared(f"booking, {stage.engine}, thin reference", found, "ours", "thin", 0)


def _body(slot: tuple[str, str, str], **other: str) -> bytes:
    room_id, start, end = slot
    return json.dumps(
        {"room_id": room_id, "starts_at": start, "ends_at": end, "name": "夕阳红舞队", **other}
    ).encode()


def day(stage: Stage, options: argparse.Namespace) -> Iterator[Row]:
    """The day of 50 rooms with 20 bookings each, as JSON and as a page, against the reference's JSON."""
    signed_in = {"Authorization": f"Bearer {stage.token}"}
    sides: dict[str, tuple[str, Calls]] = {}
    for name, server, path in (
        ("JSON", "ours", f"{API}/days/{stage.shown}"),
        ("page", "ours", f"{PAGES}/?day={stage.shown}"),
        ("bare", "reference", f"/days/{stage.shown}?centre={stage.centre_id}"),
    ):
        call = Call("GET", path, None, signed_in)
        sides[name] = server, lambda count, call=call: [call] * count
    found = in_turn(stage, sides, options)
    yield compared(f"day view as JSON, {stage.engine}", found, "JSON", "bare", 0.6)
    yield slowest(f"day view as JSON, {stage.engine}", found, "JSON", "bare")
    yield compared(f"day view as page, {stage.engine}", found, "page", "bare", 0.3)


def memory(stage: Stage, _options: argparse.Namespace) -> Iterator[Row]:
    """Resident memory after the first thousand requests and after ten thousand; a fresh server."""
    stop(stage, "ours")
    start_ours(stage)
    sizes, sent = [], 0
    for step in MEMORY_STEPS:
        calls = _mixed(stage, step - sent)
        outcome = drive(stage.ports["ours"], _dealt(calls))
        assert set(outcome.statuses) <= {200, 201}, dict(outcome.statuses)
        sizes.append(memory_mib(stage.processes["ours"]))
        sent = step
    steps = " → ".join(f"{size:.0f}" for size in sizes)
    growth = sizes[-1] / sizes[1]
    work = f"memory after 1,000 → 10,000 requests, {stage.engine}"
    yield Row(
        work, f"{steps} MiB", "", f"{growth:.2f}", "≤ 150 MiB, level", sizes[-1] <= 150 and growth <= 1.05
    )


def _mixed(stage: Stage, count: int) -> list[Call]:
    """Lists mostly, some days and pages, and every fourth a booking."""
    signed_in = {"Authorization": f"Bearer {stage.token}", "Content-Type": "application/json"}
    seldom = [f"{API}/days/{stage.shown}", f"{PAGES}/?day={stage.shown}", f"/c/{SLUG}/"]
    paths = seldom + [f"{API}/rooms"] * 12
    reads = [Call("GET", paths[number % len(paths)], None, signed_in) for number in range(count * 3 // 4)]
    slots = stage.slots(count - len(reads))
    return reads + [Call("POST", f"{API}/bookings", _body(slot), signed_in) for slot in slots]


def starting(stage: Stage, options: argparse.Namespace) -> Iterator[Row]:
    """The command line against bare Python, and the application against the imports of its own stack."""
    huijia = str(Path(sys.executable).with_name("huijia"))
    floor = FLOOR_SQLITE if stage.engine == "sqlite" else FLOOR_POSTGRES
    ready = (
        "import sys; from pathlib import Path; from huijia.cli.serving import application; "
        "from huijia.config import Config; from huijia.installation import Installation; import granian; "
        f"application(Installation.open(Config.load(Path({str(stage.home)!r}))), watch=False)"
    )
    commands = {
        "pass": [sys.executable, "-c", "pass"],
        "help": [huijia, "--help"],
        "floor": [sys.executable, "-c", floor],
        "ready": [sys.executable, "-c", ready],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(options.rounds + 1):
        for name, command in commands.items():
            before = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=environment())
            if number:  # the first one fills the disk's cache
                times[name].append(time.perf_counter() - before)
    if stage.engine == "sqlite":
        yield _times("huijia --help, against python -c pass", times, "help", "pass", 6)
    yield _times(f"application ready, against its imports, {stage.engine}", times, "ready", "floor", 1.6)


def _times(work: str, times: dict[str, list[float]], ours: str, other: str, goal: float) -> Row:
    ratio = median(a / b for a, b in zip(times[ours], times[other], strict=True))
    shown = [f"{median(times[name]) * 1000:,.0f} ms" for name in (ours, other)]
    return Row(work, *shown, f"{ratio:.2f}", f"≤ {goal}", ratio <= goal)


WORKS = {"booking": booking, "day": day, "start": starting, "memory": memory}


def main() -> int:
    """Run what is asked for; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("works", nargs="*", help=f"of {', '.join(WORKS)}; all unless named")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=400, help="in each round, on each side")
    options = parser.parse_args()
    rows = []
    for engine in options.engine or ("sqlite", "postgresql"):
        with stages(engine) as stage:
            for name in options.works or WORKS:
                for row in WORKS[name](stage, options):
                    rows.append(row)
                    print(*row[:5], "" if row.reached else "MISSED", sep=" | ", flush=True)
    print("\n| work | ours | against | ratio | goal | |\n|---|---|---|---|---|---|")
    for row in rows:
        print(
            "|", " | ".join(row[:5]), "|", "" if not row.goal else "reached" if row.reached else "missed", "|"
        )
    return 0 if all(row.reached for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
