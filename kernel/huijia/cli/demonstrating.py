"""`huijia demo`: two invented centres, made beside where they will lie, checked, and moved there whole."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from huijia.cli import home_of, say
from huijia.cli.installing import person, place, prepare
from huijia.cli.opening import opened
from huijia.config import PORT, Config

SEED = 20261122
PASSWORD = "huijia-demo-2026"
CITY = ["郑州市", "金水区"]
CENTRES = {
    "main": ([*CITY, "杜岭街道"], "duling", "杜岭街道党群服务中心", "Duling Party-masses service centre"),
    "small": (
        [*CITY, "南阳路街道"],
        "nanyang",
        "南阳路街道党群服务中心",
        "Nanyang Road Party-masses service centre",
    ),
}
PEOPLE = {"admin": "may do everything", "desk": "works at the desk", "reader": "may only look"}


@click.command()
@click.option("--serve", is_flag=True, help="Then serve it.")
@click.option("--port", default=PORT, type=click.IntRange(1, 65535), help="Port to serve at [8000].")
@click.pass_context
def demo(ctx: click.Context, serve: bool, port: int) -> None:
    """Make two demonstration centres with invented people, in var/demo unless --home says otherwise."""
    from huijia.cli.serving import check_free

    home = home_of(ctx, "var/demo")
    if serve:
        check_free("127.0.0.1", port)
    if (home / "huijia.toml").exists():
        click.echo(
            say("The demonstration is in {home} already; remove that folder to make it anew.", home=home)
        )
    else:
        _make(home)
    for name, words in PEOPLE.items():
        click.echo(f"  {name.ljust(8)} {PASSWORD}   {say(words)}")
    if serve:
        # A fresh process: SQLite must not have been open when the server forks.
        arguments = [sys.executable, "-m", "huijia.cli", "--home", str(home), "serve", "--port", str(port)]
        os.execv(sys.executable, arguments)


def _make(home: Path) -> None:
    fresh = home.with_name(f"{home.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    config = Config(fresh, {"log": {"level": "WARNING"}})
    config.save()
    prepare(config)
    with opened(config) as installation:
        _hurry(installation.storage.engine)
        _tell_stories(installation, _people(installation))
        with installation.storage.engine.connect() as connection:
            for pragma in ("integrity_check", "foreign_key_check"):
                found = connection.exec_driver_sql(f"PRAGMA {pragma}").scalars().all()
                assert found in (["ok"], []), f"{pragma} of the demonstration: {found[:3]}"
    with (fresh / "huijia.db").open("rb") as database:
        os.fsync(database.fileno())
    fresh.rename(home)


def _hurry(engine: Any) -> None:
    from sqlalchemy import event

    # Nobody relies on it before it is whole, so nothing waits for the disk.
    event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous=OFF"))
    engine.dispose()


def _people(installation: Any) -> dict[str, Any]:
    from huijia.errors import Refusal
    from huijia.identity.actor import SYSTEM
    from huijia.registry import lifecycle

    with installation.doing("huijia demo") as session:
        centres = {key: place(session, *given) for key, given in CENTRES.items()}
    for name in installation.registry.order:
        for centre in centres.values():
            try:
                lifecycle.enable(installation, centre.id, name, SYSTEM)
            except Refusal as refusal:
                click.echo(str(refusal), err=True)
    plugins = installation.registry.loaded.values()
    bundles = [bundle.key for plugin in plugins for bundle in plugin.contributions.get("huijia_roles", ())]
    everywhere: list[Any] = list(centres.values())
    with installation.doing("huijia demo") as session:
        person(session, "admin", PASSWORD, {"installation.admin": [None]})
        person(session, "desk", PASSWORD, dict.fromkeys(["centre.desk", *bundles], everywhere))
        person(session, "reader", PASSWORD, {"official.reader": everywhere})
    return centres


def _tell_stories(installation: Any, centres: dict[str, Any]) -> None:
    from huijia.people.plugin import huijia_demo

    plugins = installation.registry.plugins(installation.registry.serving())
    demos = [(p.name, p.contributions["huijia_demo"]) for p in plugins if "huijia_demo" in p.contributions]
    demos.append(("people", huijia_demo()))
    for name, one in sorted(demos, key=lambda found: found[1].order):
        for key, centre in centres.items():
            title = f"{name.ljust(12)} {centre.slug.ljust(8)}"
            with (
                click.progressbar(length=100, label=title) as bar,
                installation.doing("huijia demo", centre, subject=f"service:{name}") as session,
            ):
                how = {"centre_key": key, "seed": SEED, "now": session.now}
                how["today"] = session.now.astimezone(centre.zone).date()
                step = lambda done, total, bar=bar: bar.update(100 * done // max(total, 1) - bar.pos)  # noqa: E731
                one.make(session, **how, progress=step)
                step(1, 1)
