"""A real `huijia serve`, and clients that ask it without a pause and note what they heard, and from whom."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

HUIJIA = str(Path(sys.executable).with_name("huijia"))
START_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 10


class Ask(NamedTuple):
    """One request; `about` says what is looked at: a service here or elsewhere, or what is always there."""

    about: str
    method: str
    path: str
    body: Callable[[], bytes] | None = None


class Heard(NamedTuple):
    """One answer; `status` is 0 where the connection broke."""

    about: str
    path: str
    worker: int
    began: float
    seconds: float
    status: int
    words: str


@dataclass
class Server:
    """A served installation."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    environment: dict[str, str]
    workers: list[int] = field(default_factory=list)  # their process ids, once each has answered

    def command(self, *words: str) -> None:
        """Run `huijia …` beside the server, in a process of its own."""
        done = subprocess.run(
            [HUIJIA, *words], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def worker_of(self, connection: http.client.HTTPConnection) -> int:
        """Which worker has the other end of a connection that it has accepted; Linux knows both ends."""
        client_port = connection.sock.getsockname()[1]
        ends = rf":{self.port:04X} \w+:{client_port:04X} (?:\S+ +){{6}} *(\d+)"
        found = re.search(ends, Path("/proc/net/tcp").read_text())
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        for pid in (int(pid) for file in children for pid in file.read_text().split()):
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    if found and handle.readlink() == Path(f"socket:[{found[1]}]"):
                        return pid
                except OSError:  # closed meanwhile
                    continue
        return 0


@contextmanager
def served(home: Path, *, workers: int, plugins: Path) -> Iterator[Server]:
    """Serve the installation in `home` by real processes that also see the plugins in a folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "HUIJIA_HOME": str(home), "HUIJIA_LANG": "en", "PYTHONPATH": str(plugins)}
    command = [HUIJIA, "serve", "--workers", str(workers), "--port", str(port)]
    log = home / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    server = Server(process, port, log, environment)
    try:
        _await(server, workers)
        yield server
        process.send_signal(signal.SIGINT)
        process.wait(30)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _await(server: Server, workers: int) -> None:
    deadline, ready = time.monotonic() + START_SECONDS_MAX, server.workers
    while len(ready) < workers:
        assert server.process.poll() is None, server.log.read_text()
        assert time.monotonic() < deadline, f"only {len(ready)} workers: {server.log.read_text()}"
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            worker = server.worker_of(connection)
            if answer.status == 200 and worker not in (0, *ready):
                ready.append(worker)
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()


class Crowd:
    """Clients in threads, each on one connection that it keeps; `heard` has every answer.

    They are dealt out to the workers in turn, by connecting anew until it is the right one.
    """

    def __init__(self, server: Server, token: str) -> None:
        self.server, self.heard = server, list[Heard]()
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._over = Event()
        self._threads: list[Thread] = []

    def join(self, asks: list[Ask], *, threads: int) -> None:
        """Let so many clients ask these things in turn, until the crowd goes home."""
        for number in range(threads):
            mine = asks[number % len(asks) :] + asks[: number % len(asks)]
            worker = self.server.workers[number % len(self.server.workers)]
            self._threads.append(Thread(target=self._ask, args=(mine, worker)))
            self._threads[-1].start()

    def go_home(self) -> None:
        """Let each client end the request it is at, and stop."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, asks: list[Ask], worker: int) -> None:
        turns = cycle(asks)
        while not self._over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=ANSWER_SECONDS_MAX)
            try:
                connection.request("GET", "/healthz")
                connection.getresponse().read()  # only now it is sure that it was accepted
                if self.server.worker_of(connection) == worker:
                    while not self._over.wait(0.002) and self._one(connection, worker, next(turns)):
                        pass
            except (OSError, http.client.HTTPException) as error:
                self.heard.append(Heard("connecting", "", 0, time.monotonic(), 0, 0, repr(error)))
            finally:
                connection.close()

    def _one(self, connection: http.client.HTTPConnection, worker: int, ask: Ask) -> bool:
        began, status, words = time.monotonic(), 0, ""
        try:
            body = ask.body() if ask.body else None
            connection.request(ask.method, ask.path, body=body, headers=self._headers)
            answer = connection.getresponse()
            status, words = answer.status, answer.read().decode()[:2000]
        except (OSError, http.client.HTTPException) as error:
            words = repr(error)
        seconds = time.monotonic() - began
        self.heard.append(Heard(ask.about, ask.path, worker, began, seconds, status, words))
        return status > 0
