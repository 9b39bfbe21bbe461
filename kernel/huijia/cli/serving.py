"""`huijia serve`: Granian in front, one process on SQLite, as many as asked for on PostgreSQL."""

from __future__ import annotations

import gc
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click

from huijia.cli import home_of, say
from huijia.config import Config, ConfigError

if TYPE_CHECKING:
    from huijia.installation import Installation
    from huijia.registry.holder import Holder


@click.command()
@click.option("--host", "address", help="Address to listen at [web.address].")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen at [web.port].")
@click.option("--workers", type=click.IntRange(1, 256), help="Processes; more than one on PostgreSQL only.")
@click.option("--certificate", "tls_cert", type=click.Path(exists=True), help="PEM file for HTTPS.")
@click.option("--key", "tls_key", type=click.Path(exists=True), help="PEM file of its key.")
@click.pass_context
def serve(ctx: click.Context, **given: Any) -> None:
    """Serve pages and REST, and do the background work; Ctrl-C lets what is in flight end first."""
    from multiprocessing import Semaphore

    from granian import Granian
    from granian.constants import Interfaces

    config = Config.load(home_of(ctx))
    vars(config.web).update({name: value for name, value in given.items() if value is not None})
    web = config.web
    if web.workers > 1 and config.database.url.startswith("sqlite"):
        raise ConfigError(say("SQLite is served by one process; leave --workers out, or use PostgreSQL."))
    if bool(web.tls_cert) != bool(web.tls_key):
        raise ConfigError(say("HTTPS needs both a certificate and its key."))
    config.read_keys()
    check_free(web.address, web.port)
    server = Granian(
        "huijia",
        web.address,
        web.port,
        interface=Interfaces.WSGI,
        workers=web.workers,
        blocking_threads=web.threads,
        workers_kill_timeout=30,
        ssl_cert=Path(web.tls_cert) if web.tls_cert else None,
        ssl_key=Path(web.tls_key) if web.tls_key else None,
        log_enabled=False,
    )
    telling = partial(tell_when_ready, web, Semaphore(1))
    server.serve(target_loader=partial(load, config.home, telling), wrap_loader=False)


def check_free(host: str, port: int) -> None:
    """Raises ConfigError where something else listens there, or we may not."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            message = "{host}:{port} cannot be used ({error}). Stop what uses it, or choose another --port."
            raise ConfigError(say(message, host=host, port=port, error=error.strerror)) from None


def tell_when_ready(web: SimpleNamespace, first: Any) -> None:
    """Say where Huijia is once it answers there; every worker asks, and the first to hear says so for all."""
    import ssl
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    how: Any = {"context": ssl._create_unverified_context()} if web.tls_cert else {}  # it asks itself
    status = 0
    while not status:
        with suppress(OSError, HTTPException):
            asked = (HTTPSConnection if how else HTTPConnection)(web.address, web.port, timeout=10, **how)
            asked.request("GET", "/readyz", headers={"Host": "localhost"})
            status = asked.getresponse().status
            asked.close()
        time.sleep(0.05)
    if first.acquire(block=False):
        host = f"[{web.address}]" if ":" in web.address else web.address
        address = f"{'https' if how else 'http'}://{host}:{web.port}"
        click.echo(say("Huijia is at {address} – Ctrl-C stops it.", address=address))
        if status != 200:
            click.echo(say("Not all is ready; huijia doctor says what is amiss."), err=True)


def load(home: Path, telling: Callable[[], None]) -> Holder:
    """What one worker serves, with its background thread. Runs in the worker, after the fork."""
    from multiprocessing.util import Finalize

    from huijia.cli.opening import explain
    from huijia.installation import Installation
    from huijia.registry.jobs import Runner
    from huijia.web.logs import log_as_json

    config = Config.load(home)
    log_as_json(config.log.level)
    try:
        installation = Installation.open(config)
        served, runner = application(installation), Runner(installation)
    except Exception as error:
        click.echo(explain(error)[0], err=True)
        sys.exit(2)
    gc.collect()
    gc.freeze()  # 130,000 objects that stay: looking through them stopped every request for 80 ms
    runner.start()
    Thread(target=telling, name="huijia-telling", daemon=True).start()
    Finalize(None, lambda: (runner.stop(), installation.close()), exitpriority=10)
    return served


def application(installation: Installation, *, watch: bool = True) -> Holder:
    """The WSGI application: an app for what is switched on anywhere, swapped when that changes."""
    from huijia.registry.holder import Holder
    from huijia.web.app import build

    return Holder(installation, build, watch=watch)
