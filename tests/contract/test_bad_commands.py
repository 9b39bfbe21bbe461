"""Rubbish at the command line and in the configuration: one sentence that says what and what next.

Never a traceback, never exit code 1 (which is ours), in the operator's language, and nothing is changed.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from huijia import cli
from huijia.config import FILE
from sqlalchemy import inspect, text

CHINESE = re.compile(r"[\u4e00-\u9fff]")
Run = Callable[..., tuple[int, str]]
LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])


@pytest.fixture
def home(installation: Any, centre: Any, enable: Any) -> Path:
    """The folder of an installation with a centre, where rooms is on."""
    enable("rooms")
    installation.config.save()
    return installation.config.home


@pytest.fixture
def run(home: Path) -> Run:
    """`run("services", HUIJIA_CLOCK="x")`: what `huijia` ends with and says."""

    def run(*words: str, language: str = "en", **environment: str) -> tuple[int, str]:
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
            for name in [name for name in os.environ if name.startswith("HUIJIA_")]:
                patch.delenv(name)
            for name, value in {"HUIJIA_LANG": language, **environment}.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                cli.main(["--home", str(home), *words])
        return int(ended.value.code or 0), said.getvalue()

    return run


def refused(run: Run, *words: str, language: str, **environment: str) -> str:
    """What it says, once that was looked at."""
    code, said = run(*words, language=language, **environment)
    about = f"{words} {environment}: {code} {said}"
    assert code == 2, about
    assert "Traceback" not in said, about
    assert len(said.strip()) > 10, about
    if language == "zh":
        assert CHINESE.search(said), f"not in Chinese: {about}"
    return said


# The words, what must be named in the answer, and why somebody would type it.
WORDS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("servces",), "services", "misspelt"),
    (("SERVICES",), "SERVICES", "in capitals"),
    (("服务",), "服务", "in Chinese"),
    (("enable",), "NAME", "no argument"),
    (("enable", "rooms"), "--centre", "no centre"),
    (("enable", "rooms", "--centre"), "--centre", "an option without its value"),
    (("enable", "rooms", "--centre", "dulng"), "duling", "a centre that is not there"),
    (("enable", "rooms", "--center", "duling"), "--centre", "American spelling"),
    (("enable", "room", "--centre", "duling"), "huijia-room", "a service that is not there"),
    (("enable", "../rooms", "--centre", "duling"), "../rooms", "a path for a service"),
    (("disable", "rooms", "--centre", "duling", "now"), "now", "a word too many"),
    (("serve", "--port", "80a"), "80a", "a port that is none"),
    (("serve", "--port", "70000"), "70000", "a port too high"),
    (("serve", "--certificate", "/nowhere.pem"), "/nowhere.pem", "a file that is not there"),
    (("serve", "--workers", "2"), "SQLite", "more workers than SQLite takes"),
    (("token", "revoke", "12"), "12", "no id"),
    (("token", "revoke", "00000000-0000-0000-0000-000000000000"), "", "an id of nothing"),
    (("token", "isue"), "isue", "a misspelt word below another"),
    (("rooms", "--centre", "dulng", "list"), "duling", "a service's command at a centre that is not there"),
    (("rooms", "--centre", "duling", "lst"), "lst", "a service's command, misspelt"),
    (("--hom", "x", "services"), "--hom", "a misspelt option"),
    (("migrate", "--chek"), "--chek", "another misspelt option"),
)


@LANGUAGES
@pytest.mark.parametrize(("words", "named", "why"), WORDS, ids=[why for _w, _n, why in WORDS])
def test_words_that_cannot_be_followed(
    run: Run, installation: Any, language: str, words: tuple[str, ...], named: str, why: str
) -> None:
    before = rows(installation)
    assert named in refused(run, *words, language=language)
    assert rows(installation) == before


def rows(installation: Any) -> dict[str, int]:
    with installation.storage.engine.connect() as connection:
        names = inspect(connection).get_table_names()
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}


# A variable, its value, what must be named, and why.
ENVIRONMENT = (
    ("HUIJIA_DATABASE_URL", "foo", "HUIJIA_DATABASE_URL", "no address"),
    ("HUIJIA_DATABASE_URL", "mysql://root@localhost/x", "HUIJIA_DATABASE_URL", "another engine"),
    ("HUIJIA_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/x", "", "nobody listens there"),
    ("HUIJIA_DATABASE_URL", "sqlite:////nowhere/at/all.db", "", "a folder that is not there"),
    ("HUIJIA_CLOCK", "yesterday", "HUIJIA_CLOCK", "words for an instant"),
    ("HUIJIA_CLOCK", "2026-11-22T09:00:00", "HUIJIA_CLOCK", "no offset"),
    ("HUIJIA_CLOCK", "9999-12-31T23:59:59-14:00", "HUIJIA_CLOCK", "beyond the calendar"),
    ("HUIJIA_WEBPORT", "80", "HUIJIA_WEB_PORT", "misspelt"),
    ("HUIJIA_NONSENSE", "1", "HUIJIA_NONSENSE", "nothing like any"),
    ("HUIJIA_WEB_PORT", "eighty", "port", "words for a number"),
    ("HUIJIA_WEB_PORT", "１２３４", "port", "full-width digits"),
    ("HUIJIA_WEB_PORT", "0", "port", "below the first"),
    ("HUIJIA_WEB_EXTERNAL_URL", "duling", "external_url", "no address"),
    ("HUIJIA_LOG_LEVEL", "LOUD", "level", "no level"),
    ("HUIJIA_KEYS_PATH", "/nowhere/keys.json", "/nowhere/keys.json", "no such file"),
)


@LANGUAGES
@pytest.mark.parametrize(
    ("name", "value", "named", "why"), ENVIRONMENT, ids=[f"{name} {why}" for name, _v, _n, why in ENVIRONMENT]
)
def test_an_environment_that_cannot_be_used(
    run: Run, language: str, name: str, value: str, named: str, why: str
) -> None:
    said = refused(run, "services", language=language, **{name: value})
    assert named in said
    assert "secret" not in said


# What stands in the file, what must be named, and why.
FILES = (
    (b"[web", FILE, "half a section"),
    (b"web = 1", "web", "a value for a section"),
    (b"[wbe]\nport = 1", "web", "a misspelt section"),
    (b"[web]\nprt = 1", "port", "a misspelt key"),
    ("[web]\nport = '８０'".encode(), "port", "full-width digits"),
    (b"[web]\nport = 1.9", "port", "a fraction"),
    (b"[web]\nport = true", "port", "yes for a number"),
    (b"[web]\nallowed_hosts = 'x'", "allowed_hosts", "text for a list"),
    (b"[database]\nurl = 'foo'", "", "no address"),
    (b"\xff\xfe[web]", FILE, "bytes that are not UTF-8"),
    ("[web]".encode("utf-16"), FILE, "UTF-16, as Notepad saves it"),
    (b"\xef\xbb\xbf[wbe]\nport = 1", "", "a byte order mark"),
)


@LANGUAGES
@pytest.mark.parametrize(("body", "named", "why"), FILES, ids=[why for _b, _n, why in FILES])
def test_a_file_that_cannot_be_used(
    run: Run, home: Path, language: str, body: bytes, named: str, why: str
) -> None:
    (home / FILE).write_bytes(body)
    assert named in refused(run, "services", language=language)


KEYS = (
    (None, 0, "missing"),
    (b"", 0o600, "empty"),
    (b"[]", 0o600, "a list"),
    (b'{"1": "short"}', 0o600, "no base64"),
    (b'{"1": "AAAA"}', 0o600, "too short"),
    (b'{"1": 1}', 0o600, "a number"),
    (b'{"one": "AAAA"}', 0o600, "no version"),
    (b"{}", 0o600, "no key in it"),
    (b"{}", 0o644, "open to others"),
)


@LANGUAGES
@pytest.mark.parametrize(("body", "mode", "why"), KEYS, ids=[why for _b, _m, why in KEYS])
def test_keys_that_cannot_be_used(
    run: Run, home: Path, installation: Any, language: str, body: bytes | None, mode: int, why: str
) -> None:
    path = installation.config.keys.path
    path.unlink()
    if body is not None:
        path.write_bytes(body)
        path.chmod(mode)
    assert str(path) in refused(run, "services", language=language)


@LANGUAGES
def test_a_folder_with_nothing_in_it_says_to_run_init(run: Run, home: Path, language: str) -> None:
    for name in ("services", "doctor"):
        shutil.rmtree(home, ignore_errors=True)
        code, said = run(name, language=language)
        assert code in (1, 2), said
        assert "huijia init" in said
        assert "Traceback" not in said
        assert bool(CHINESE.search(said)) == (language == "zh")
