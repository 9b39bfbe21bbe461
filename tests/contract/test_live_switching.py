"""Services go on and off at one centre while many work: nobody gets an error, no other centre notices.

Real servers, real connections, real commands: two workers on PostgreSQL, one process on SQLite.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from huijia.testing.broken import make_good
from live import Ask, Crowd, Heard, Server, served

SETTLED_SECONDS = 1.0  # by then every worker serves what was switched
LOOK_SECONDS = 0.8
EVERYTHING = {"*"}
ELSEWHERE, ALWAYS = "rooms at the other centre", "what is always there"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux which worker answered")


@dataclass
class Times:
    """When a service was surely on or surely off: from a second after a switch returned to the next one."""

    spans: list[tuple[bool, float, float]] = field(default_factory=list)
    _since: tuple[bool, float] | None = None

    def began(self) -> None:
        if self._since:
            self.spans.append((*self._since, time.monotonic()))

    def returned(self, on: bool) -> None:
        self._since = on, time.monotonic() + SETTLED_SECONDS

    def on_at(self, moment: float) -> bool | None:
        """True or False where it is certain."""
        return next((on for on, start, end in self.spans if start <= moment < end), None)


def switch_by_rest(server: Server, token: str, slug: str, name: str, on: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    path, method = f"/api/v1/centres/{slug}/services/{name}", "PUT" if on else "DELETE"
    connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read().decode()
    assert json.loads(answer.read())["enabled"] is on
    connection.close()


def switch_by_command(server: Server, _token: str, slug: str, name: str, on: bool) -> None:
    server.command("enable" if on else "disable", name, "--centre", slug)


def asks_for_rooms(about: str, slug: str, room_id: str, numbers: Iterator[int]) -> list[Ask]:
    """Pages and REST of rooms at a centre, reading and writing; no booking is asked for twice."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)

    def booking() -> bytes:
        at = start + timedelta(minutes=15 * next(numbers))
        times = {"starts_at": at.isoformat(), "ends_at": (at + timedelta(minutes=15)).isoformat()}
        return json.dumps({"room_id": room_id, "name": "合唱团", **times}).encode()

    rest, day = f"/api/v1/centres/{slug}/rooms", f"{start:%Y-%m-%d}"
    return [
        Ask(about, "GET", f"/c/{slug}/rooms/"),
        Ask(about, "GET", f"{rest}/days/{day}"),
        Ask(about, "POST", f"{rest}/bookings", booking),
        Ask(about, "GET", f"{rest}/rooms"),
        Ask(ALWAYS, "GET", f"/c/{slug}/"),
        Ask(ALWAYS, "GET", f"/api/v1/centres/{slug}/services"),
    ]


@pytest.fixture
def room_ids(client: Callable[..., Any], centre: Any, second_centre: Any, enable: Any) -> dict[str, str]:
    """A room that is open day and night at either centre, by slug."""
    found, hours = {}, {str(day): [["00:00", "24:00"]] for day in range(1, 8)}
    facts = {"name": "书法室", "floor": 2, "capacity": 12, "hours": hours, "on_holidays": "open"}
    for at in (centre, second_centre):
        enable("rooms", at)
        made = client(permissions=EVERYTHING, at=at).api.post("rooms/rooms", json=facts)
        assert made.status_code == 201, made.text
        found[at.slug] = made.json["id"]
    return found


@pytest.mark.races
def test_switching_at_one_centre_is_seen_within_a_second_and_by_nobody_else(
    both_engines: str,
    installation: Any,
    factories: Any,
    centre: Any,
    second_centre: Any,
    room_ids: dict[str, str],
    clock: Any,
    tmp_path: Path,
) -> None:
    clock.set(datetime.now(UTC))  # the server runs on the wall clock
    keeper = factories.staff("wang", at=None, permissions=EVERYTHING)
    token, theirs = (factories.token(keeper, EVERYTHING, at) for at in (centre, second_centre))
    make_good(tmp_path / "plugins")
    workers = 2 if both_engines == "postgresql" else 1
    here = centre.slug
    with served(installation.config.home, workers=workers, plugins=tmp_path / "plugins") as server:
        crowd, neighbours = Crowd(server, token), Crowd(server, theirs)
        crowd.join(asks_for_rooms("rooms", here, room_ids[here], count()), threads=8)
        crowd.join([Ask("good", "GET", f"/c/{here}/good/")], threads=4)
        there = second_centre.slug
        neighbours.join(asks_for_rooms(ELSEWHERE, there, room_ids[there], count()), threads=4)
        try:
            times = _switch_about(server, token, here)
        finally:
            crowd.go_home()
            neighbours.go_home()
    heard = [*crowd.heard, *neighbours.heard]
    _report(both_engines, heard, times)
    _check_no_errors(heard, server.log)
    for name in times:
        _check_switched(name, [one for one in heard if one.about == name], times[name], server.workers)


def _switch_about(server: Server, token: str, slug: str) -> dict[str, Times]:
    """Rooms off and on, by REST and by command; each time another service on and off, which swaps the app."""
    times = {"rooms": Times(), "good": Times()}
    times["rooms"].returned(True)
    times["good"].returned(False)
    for how in (switch_by_rest, switch_by_command):
        for off in (True, False):
            time.sleep(SETTLED_SECONDS + LOOK_SECONDS)
            for name, on, by in (("rooms", not off, how), ("good", off, switch_by_rest)):
                times[name].began()
                by(server, token, slug, name, on)
                times[name].returned(on)
    time.sleep(SETTLED_SECONDS + LOOK_SECONDS)
    for one in times.values():
        one.began()
    return times


def _report(engine: str, heard: list[Heard], times: dict[str, Times]) -> None:
    longest = max(one.seconds for one in heard)
    counted = Counter((one.about, one.worker, one.status) for one in heard)
    print(f"{engine}: {len(heard)} answers, longest {longest:.2f} s")
    for key in sorted(counted):
        print("  ", *key, counted[key])
    for name, one in times.items():
        print("  ", name, [(on, round(end - start, 1)) for on, start, end in one.spans])


def _check_no_errors(heard: list[Heard], log: Path) -> None:
    wrong = [one for one in heard if one.status not in (200, 201, 404)]
    assert not wrong, wrong[:5]
    lost = [one for one in heard if one.about in (ELSEWHERE, ALWAYS) and one.status == 404]
    assert not lost, lost[:5]
    assert '"traceback"' not in log.read_text(), log.read_text()[-4000:]


def _check_switched(name: str, heard: list[Heard], times: Times, pids: list[int]) -> None:
    """What began while the service was surely on was answered by it, and while it was surely off never."""
    judged = Counter[tuple[int, bool]]()
    for one in heard:
        on = times.on_at(one.began)
        if on is None or times.on_at(one.began + one.seconds) is not on:
            continue
        assert (one.status != 404) is on, f"{name} was {'on' if on else 'off'}: {one}"
        judged[one.worker, on] += 1
    assert all(judged[pid, on] > 0 for pid in pids for on in (True, False)), (judged, pids)
