"""`python -m benchmarks.people`: finding people among many, on either engine.

Fills a database with invented people (common surnames and given names, phones, birth dates), then times what
the box and the list ask of the database. Milliseconds are of the query and its answer, without HTTP.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

from huijia.clock import clock_from_environment
from huijia.identity.actor import Actor
from huijia.people import reports
from huijia.people.models import Person, PersonContact, PersonToken, Registration
from huijia.people.permissions import MANAGER
from huijia.people.search import search_people
from huijia.people.service.numbers import PURPOSE
from huijia.people.tokens import tokens_of
from huijia.region.cn import China
from huijia.storage.base import new_id
from huijia.web.paging import paged
from sqlalchemy import insert, text

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂建国华玉兰红梅春生文斌宁海燕雪琴玲志新"
CHUNK = 5_000
DESK = Actor("staff", None, "desk", MANAGER)


def invented(random: Random, number: int) -> dict[str, Any]:
    """One person."""
    name = random.choice(SURNAMES) + "".join(random.choice(GIVEN) for _ in range(random.choice((1, 2, 2))))
    born_on = date(1930, 1, 1) + timedelta(days=random.randrange(28_000))
    return {"name": name, "born_on": born_on, "phone": f"13{random.randrange(10**9):09}", "number": number}


def fill(session: Any, centre_id: Any, random: Random, count: int) -> None:
    """Add that many people, with what they are found by, in one transaction."""
    region, now = China(), session.now
    people, contacts, seen, tokens = [], [], [], []
    for number in range(count):
        one, key = invented(random, number), new_id()
        facts = {"name": one["name"], "sort_key": region.sort_key(one["name"]), "born_on": one["born_on"]}
        people.append({"id": key, **facts, "sex": "", "languages": [], "note": "", "created_at": now})
        contacts.append(
            {"id": new_id(), "person_id": key, "kind": "phone", "value": one["phone"], "position": 0}
        )
        place = {"centre_id": centre_id, "sort_key": facts["sort_key"]}
        seen.append({"person_id": key, "registered_at": now, **place})
        found = tokens_of(region, [one["name"]], [one["phone"]])
        tokens += [{"centre_id": centre_id, "token": token, "person_id": key} for token in sorted(found)]
    for model, rows in (
        (Person, people),
        (PersonContact, contacts),
        (Registration, seen),
        (PersonToken, tokens),
    ):
        for start in range(0, len(rows), CHUNK):
            session.execute(insert(model.__table__), rows[start : start + CHUNK])


def timed(deed: Callable[[], Any], rounds: int = 60) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds."""
    deed()
    spent = []
    for _round in range(rounds):
        before = time.perf_counter()
        deed()
        spent.append(1000 * (time.perf_counter() - before))
    return median(spent), quantiles(spent, n=20)[18]


@contextmanager
def installation(url: str, folder: Path) -> Iterator[tuple[Any, Any]]:
    """An installation with one centre."""
    from huijia.testing.factories import Factories, migrate_kernel, open_installation

    migrate_kernel(url)
    opened = open_installation(url, clock=clock_from_environment(), home=folder)
    try:
        yield opened, Factories(opened).centre("duling", "杜岭街道党群服务中心")
    finally:
        opened.close()


def measure(url: str, folder: Path, sizes: list[int], seed: int) -> Iterator[tuple[str, int, float, float]]:
    """Rows of the table: what, among how many, median, 95th percentile."""
    random, held = Random(seed), 0
    with installation(url, folder) as (opened, centre):
        for size in sizes:
            with opened.writing(centre) as session:
                fill(session, centre.id, random, size - held)
            held = size
            with opened.storage.engine.begin() as connection:
                connection.execute(text("ANALYZE"))
            with opened.reading(centre) as session:
                yield from ((what, size, *timed(deed)) for what, deed in asked(session, random))


def asked(session: Any, random: Random) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What the desk asks, each time of somebody else."""
    names = list(session.execute(text("SELECT name FROM huijia_person LIMIT 500")).scalars())
    phones = list(session.execute(text("SELECT value FROM huijia_person_contact LIMIT 500")).scalars())
    region = China()

    def look(*words: Callable[[], str]) -> Callable[[], Any]:
        return lambda: search_people(session, actor=DESK, text=" ".join(word() for word in words))

    yield "whole name", look(lambda: random.choice(names))
    yield "surname alone", look(lambda: random.choice(SURNAMES))
    yield "given name", look(lambda: random.choice(names)[1:])
    yield "initials", look(lambda: "".join(s[0] for s in region.sort_key(random.choice(names)).split()))
    yield "one initial", look(lambda: random.choice("lwzcyx"))
    yield "last four of a phone", look(lambda: random.choice(phones)[-4:])
    yield "surname and last four", look(lambda: random.choice(SURNAMES), lambda: random.choice(phones)[-4:])
    yield "nobody", look(lambda: "司马相如")
    hashed = f"resident:{random.randrange(10**17)}"
    yield "keyed hash of a number", lambda: session.vault.keyed_hashes(PURPOSE, hashed)
    page = reports.people_here(session)
    yield "first page of the list", lambda: paged(session, page, *reports.BY_NAME)
    cursor = paged(session, page, *reports.BY_NAME, limit=200)[1]
    for _step in range(10):
        cursor = paged(session, page, *reports.BY_NAME, cursor=cursor, limit=200)[1] or cursor
    yield "a page further down", lambda: paged(session, page, *reports.BY_NAME, cursor=cursor)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.people", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--url", default="", help="an empty PostgreSQL database; SQLite unless it is given")
    parser.add_argument("--seed", type=int, default=20_261_123)
    options = parser.parse_args()
    print(f"seed {options.seed}\n\n| asked | people | median | p95 |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/people.db"
        for what, size, middle, late in measure(url, Path(folder), options.sizes, options.seed):
            print(f"| {what} | {size:,} | {middle:.2f} ms | {late:.2f} ms |", flush=True)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nLargest resident memory, filling included: {most:.0f} MiB", file=sys.stderr)


if __name__ == "__main__":
    main()
