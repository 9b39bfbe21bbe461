"""A real server in a thread, and the browser to look at it with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any


@contextmanager
def serve(installation: Any) -> Iterator[str]:
    """Serve the installation on a free port until the block ends; the address."""
    from werkzeug.serving import make_server

    from huijia.cli.serving import application

    served = application(installation)
    server = make_server("127.0.0.1", 0, served, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        served.close()  # a test client's holder may have taken its place at the installation


def chromium() -> dict[str, Any]:
    """Playwright's launch arguments for HUIJIA_CHROMIUM or /usr/bin/chromium; skips or fails without."""
    from huijia.testing.pytest_plugin import missing

    path = os.environ.get("HUIJIA_CHROMIUM", "/usr/bin/chromium")
    if not Path(path).exists():
        missing(f"There is no Chromium at {path}; set HUIJIA_CHROMIUM.", "HUIJIA_REQUIRE_BROWSER")
    # Chromium refuses its sandbox to root, which is who runs in containers.
    return {"executable_path": path, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}
