"""A small load generator: keep-alive connections in threads of one process, each with its own requests."""

from __future__ import annotations

import http.client
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Call:
    """One request to send."""

    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Outcome:
    """What came back: statuses counted, latencies in seconds, and the time the whole took."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    body_bytes: int = 0

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, percent: int) -> float:
        """Latency in milliseconds below which `percent` of the answers came."""
        return 1000 * statistics.quantiles(self.latencies, n=100, method="inclusive")[percent - 1]


def drive(port: int, calls_per_connection: list[list[Call]]) -> Outcome:
    """Send each list of calls over a connection of its own, all at once; raises on a refused connection."""
    outcome = Outcome()
    start = time.perf_counter()
    with ThreadPoolExecutor(len(calls_per_connection)) as pool:
        parts = list(pool.map(lambda calls: list(_send(port, calls)), calls_per_connection))
    outcome.seconds = time.perf_counter() - start
    for status, latency, size in (answer for part in parts for answer in part):
        outcome.statuses[status] += 1
        outcome.latencies.append(latency)
        outcome.body_bytes += size
    return outcome


def _send(port: int, calls: list[Call]) -> Iterator[tuple[int, float, int]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    for call in calls:
        before = time.perf_counter()
        connection.request(call.method, call.path, body=call.body, headers=call.headers)
        answer = connection.getresponse()
        size = len(answer.read())
        yield answer.status, time.perf_counter() - before, size
    connection.close()
