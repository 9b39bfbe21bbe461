"""Take the pictures in docs/screens from a fresh demonstration: `make screens`.

Made with the clock set, so that they change only when the pages do. Pages are named by what follows the
centre's address; a service adds its own below.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huijia.cli.demonstrating import PASSWORD
from huijia.testing.live import chromium
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent / "screens"
CLOCK = "2026-11-23T10:30:00+08:00"
SIZES = {"": (1366, 900), "-phone": (360, 740)}
SCREENS = {"today": "", "services": "services", "rooms-day": "rooms/"}  # name: path below /c/duling/


@contextmanager
def served() -> Iterator[str]:
    """The address of a demonstration that is gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "huijia.cli",
            "--home",
            f"{folder}/demo",
            "demo",
            "--serve",
            "--port",
            str(port),
        ]
        server = subprocess.Popen(
            command, env={**os.environ, "HUIJIA_CLOCK": CLOCK}, stdout=subprocess.DEVNULL
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def wait_for(address: str, seconds_max: int = 180) -> None:
    """Return once the address answers. Raises TimeoutError."""
    for _attempt in range(seconds_max * 4):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(f"{address} did not answer within {seconds_max} seconds.")


def sign_in(page: Page, address: str) -> None:
    """Come in as the administrator of the demonstration."""
    page.goto(f"{address}/signin")
    page.fill("[name=username]", "admin")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_load_state("networkidle")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    launch: dict[str, Any] = chromium()
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch)
        for suffix, (width, height) in SIZES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
            page = context.new_page()
            sign_in(page, address)
            for name, path in SCREENS.items():
                page.goto(f"{address}/c/duling/{path}")
                page.wait_for_load_state("networkidle")
                page.screenshot(path=FOLDER / f"{name}{suffix}.png")
        browser.close()


if __name__ == "__main__":
    main()
