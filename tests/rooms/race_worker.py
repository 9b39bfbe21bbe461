"""One worker process of a race for rooms: the whole application over one database, through its HTTP door.

Run as a script with a JSON object as its one argument; prints what it got back as a JSON object.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from huijia.cli.serving import application
from huijia.config import Config
from huijia.installation import Installation
from werkzeug.test import Client

SLOW_SECONDS = 10.0
CANCELLED_SHARE = 0.1


def attempt(dice: random.Random, race: dict[str, Any]) -> dict[str, Any]:
    """A booking of half an hour to two hours somewhere in the raced hours: all of a room, or some seats."""
    room = dice.choice(race["rooms"])
    start = datetime.fromisoformat(race["from"]) + timedelta(minutes=15 * dice.randrange(race["steps"]))
    body = {
        "room_id": room["id"],
        "name": "夕阳红舞队",
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(minutes=15 * dice.randint(2, 8))).isoformat(),
    }
    if room["booked_as"] == "shared" or (room["booked_as"] == "either" and dice.random() < 0.7):
        body["seats"] = dice.randint(1, 4)
    return body


def run(race: dict[str, Any]) -> dict[str, Any]:
    """Send all attempts, and cancel a few of what was won; counts of what came back."""
    installation = Installation.open(Config.load(Path(race["home"])))
    client = Client(application(installation, watch=False))
    headers = {"Authorization": f"Bearer {race['token']}"}
    start = f"/api/v1/centres/{race['centre']}/rooms/bookings"
    dice = random.Random(race["seed"])
    statuses: Counter[str] = Counter()
    won: list[str] = []
    longest = 0.0
    Path(race["ready"]).touch()
    while not Path(race["go"]).exists():
        time.sleep(0.005)
    for _number in range(race["attempts"]):
        before = time.perf_counter()
        if won and dice.random() < CANCELLED_SHARE:
            path, body = f"{start}/{won.pop(dice.randrange(len(won)))}/cancel", {"reason": "让给别人"}
        else:
            path, body = start, attempt(dice, race)
        answer = client.post(path, json=body, headers=headers)
        took = time.perf_counter() - before
        longest = max(longest, took)
        statuses[verdict(answer, took)] += 1
        if answer.status_code == 201:
            won.append(answer.get_json()["id"])
    installation.close()
    return {"statuses": statuses, "standing": len(won), "longest_seconds": longest}


def verdict(answer: Any, took: float) -> str:
    """The status; a 409 that does not say when the room is free, and a slow answer, are told apart."""
    if took > SLOW_SECONDS:
        return f"{answer.status_code} after {took:.0f} s"
    if answer.status_code != 409:
        return str(answer.status_code)
    problem = answer.get_json(force=True)
    return "409" if problem["code"] == "room-taken" and problem.get("until") else "409 without a time"


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
