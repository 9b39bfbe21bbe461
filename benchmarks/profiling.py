"""`python -m benchmarks.profiling booking|json|page`: where the time of one request goes, without a server.

Prints the dearest functions by cumulative and by own time, over requests sent to the WSGI application.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.stage import SLUG, Stage, fill

WARM_UP = 30


def asking(stage: Stage, client: Any, what: str) -> Callable[[], Any]:
    """Sends one request each time it is called."""
    signed_in = {"Authorization": f"Bearer {stage.token}", "Content-Type": "application/json"}
    if what != "booking":
        start = f"/api/v1/centres/{SLUG}/rooms/days/" if what == "json" else f"/c/{SLUG}/rooms/?day="
        return lambda: client.get(f"{start}{stage.shown}", headers=signed_in)

    def book() -> Any:
        [(room_id, start, end)] = stage.slots(1)
        body = {"room_id": room_id, "starts_at": start, "ends_at": end, "name": "夕阳红舞队"}
        return client.post(f"/api/v1/centres/{SLUG}/rooms/bookings", data=json.dumps(body), headers=signed_in)

    return book


def main() -> None:
    """Profile one kind of request on SQLite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profiling", description=__doc__)
    parser.add_argument("what", choices=("booking", "json", "page"))
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--top", type=int, default=25, help="lines of each table")
    options = parser.parse_args()
    from huijia.cli.serving import application
    from huijia.config import Config
    from huijia.installation import Installation
    from werkzeug.test import Client

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        url = f"sqlite:///{home / 'huijia.db'}"
        stage = Stage("sqlite", home, url=url, reference_url="", **fill(url, home))
        installation = Installation.open(Config.load(home))
        ask = asking(stage, Client(application(installation, watch=False)), options.what)
        for _number in range(WARM_UP):
            assert ask().status_code in (200, 201)
        before = time.process_time()
        for _number in range(options.requests):
            ask()
        each = 1000 * (time.process_time() - before) / options.requests
        print(f"{options.what}: {each:.2f} ms of processor time each, without the profiler")
        profile = cProfile.Profile()
        profile.enable()
        for _number in range(options.requests):
            ask()
        profile.disable()
        installation.close()
    figures = pstats.Stats(profile)
    for order in ("cumulative", "tottime"):
        figures.sort_stats(order).print_stats(options.top)


if __name__ == "__main__":
    main()
