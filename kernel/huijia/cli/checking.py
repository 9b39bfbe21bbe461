"""`huijia doctor` and `huijia verify-audit`: what is wrong, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click

from huijia.cli import home_of, say
from huijia.cli.opening import as_json, explain, opened, show
from huijia.config import Config

WAL_FAULT = ((3, 7, 0), (3, 51, 2))  # resetting the write-ahead log could lose a commit
CLOCK_SLACK = timedelta(minutes=5)
TONES = {"ok": "green", "warn": "yellow", "fail": "red"}
Finding = tuple[str, str, str]  # warn or fail; what is so; what to do


@click.command()
@as_json
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look for what is wrong, and say what to do. Ends with 1 where something fails."""
    rows = list(_examine(Config.load(home_of(ctx))))
    if as_json:
        show(rows, True)
    for row in () if as_json else rows:
        words = f"{row['words']} → {row['remedy']}" if row["remedy"] else row["words"]
        click.echo(
            f"{click.style(row['state'].ljust(4), TONES[row['state']])}  {row['what'].ljust(10)}  {words}"
        )
    sys.exit(any(row["state"] == "fail" for row in rows))


def _examine(config: Config) -> Iterator[dict[str, str]]:
    yield from _look("keys", _keys, config)
    yield from _look("address", _address, config)
    try:
        with opened(config) as installation:
            for check in (_database, _migrations, _guards, _clock, _troubles):
                yield from _look(check.__name__.strip("_"), check, installation)
    except Exception as error:
        yield {"what": "database", "state": "fail", "words": explain(error)[0], "remedy": ""}


def _look(what: str, check: Any, given: Any) -> Iterator[dict[str, str]]:
    found: list[Finding] = []
    try:
        found += check(given)
    except Exception as error:
        found.append(("fail", explain(error)[0], ""))
    for state, words, remedy in found or [("ok", "", "")]:
        yield {"what": what, "state": state, "words": words, "remedy": remedy}


def _keys(config: Config) -> Iterator[Finding]:
    config.read_keys()  # raises where the file is missing, spoilt, or open to others
    yield from ()


def _address(config: Config) -> Iterator[Finding]:
    if not config.external_url.startswith("https:"):
        words = say(
            "{url} is not https: passwords cross the network in the open.", url=config.external_url or "–"
        )
        yield (
            "warn",
            words,
            say("Set web.external_url to the https address; docs/operators/https.md says how."),
        )


def _database(installation: Any) -> Iterator[Finding]:
    version = getattr(installation.storage.engine.dialect.dbapi, "sqlite_version_info", None)
    if version and WAL_FAULT[0] <= version <= WAL_FAULT[1]:
        words = say("SQLite {version} can lose a commit in a crash.", version=".".join(map(str, version)))
        yield "warn", words, say("Install pysqlite3, which brings a newer one.")


def _migrations(installation: Any) -> Iterator[Finding]:
    from huijia.storage.migrate import is_current

    with installation.storage.engine.connect() as connection:
        kernel = [] if is_current(connection) else ["huijia"]
    if behind := [*kernel, *installation.registry.pending]:
        yield "fail", say("Behind the code: {names}.", names=", ".join(behind)), say("Run huijia migrate.")


def _guards(installation: Any) -> Iterator[Finding]:
    from huijia.storage.ddl import missing_guards

    with installation.storage.engine.connect() as connection:
        missing = ", ".join(sorted(missing_guards(connection)))
    if missing:
        words = say("Missing: {guards}. What must never change could be changed.", guards=missing)
        yield (
            "fail",
            words,
            say("Put the database back from a backup, or ask the authors; find out who did it."),
        )


def _clock(installation: Any) -> Iterator[Finding]:
    from sqlalchemy import func, select

    from huijia.storage.audit import Entry

    with installation.reading() as session:
        newest, now = session.scalar(select(func.max(Entry.recorded_at))), session.now
    if newest and newest > now + CLOCK_SLACK:
        words = say("It is {now} here, and the newest record is of {newest}.", now=now, newest=newest)
        yield "fail", words, say("Set the machine's clock, best by NTP.")


def _troubles(installation: Any) -> Iterator[Finding]:
    from huijia.registry.troubles import standing_troubles

    with installation.reading() as session:
        for trouble in standing_troubles(session):
            yield "fail", str(trouble.message), str(trouble.remedy)


@click.command()
@click.option("--seal", "seals", is_flag=True, help="First seal all that is not sealed yet.")
@click.option("--known", default="", metavar="HASH", help="A seal's hash, written down earlier.")
@as_json
def verify_audit(seals: bool, known: str, as_json: bool) -> None:
    """Recompute the chain that seals the audit; ends with 1 where something is not as it was sealed."""
    from huijia.storage import seal

    with opened() as installation:
        while seals:  # a unit for each batch: others may write in between
            with installation.writing() as session:
                seals = seal.seal(session, session.now, everything=True) > 0
        with installation.reading() as session:
            findings, head = seal.verify(session, known.strip().lower()), seal.head(session)
    show([vars(finding) for finding in findings], as_json, "record", "problem", "remedy")
    if not (findings or as_json):
        click.echo(say("The audit is whole."))
    if head:
        words = "Newest seal: {number}, {hash}. Keep it elsewhere, and compare with --known next time."
        click.echo(say(words, **head._asdict()), err=as_json)
    sys.exit(bool(findings))
