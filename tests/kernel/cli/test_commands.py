"""`huijia`, from the first word to the last, in processes of its own where that matters."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile
from pathlib import Path

import click
import pytest
from huijia import cli
from huijia.config import Config

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]
ANSWERS = {
    "--url": "https://duling.example.cn",
    "--city": "郑州市",
    "--district": "金水区",
    "--subdistrict": "杜岭街道",
    "--centre": "杜岭街道党群服务中心",
    "--slug": "duling",
    "--admin": "admin",
    "--password": "a short sentence does well",
}
INIT = ["init", *(part for pair in ANSWERS.items() for part in pair)]


def in_process(home: Path, *arguments: str, **environment: str) -> Done:
    """The command, run here: importing the whole house for each would take most of the time."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in {"HUIJIA_LANG": "en", **environment}.items():
            patch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            cli.main(["--home", str(home), *arguments])
    return Done([], int(ended.value.code or 0), out.getvalue(), err.getvalue())


def in_its_own(home: Path, *arguments: str, **environment: str) -> Done:
    """The command in a process of its own, as the terminal starts it."""
    command = [sys.executable, "-W", "error", "-m", "huijia.cli", "--home", str(home), *arguments]
    environment = {**os.environ, "HUIJIA_LANG": "en", **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def bare(home: Path) -> Run:
    """`bare("services", "--json")` runs the command where there is nothing yet."""
    return partial(in_process, home)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation, made once."""
    home = tmp_path_factory.mktemp("huijia") / "home"
    assert "ready" in said(in_its_own(home, *INIT))
    return home


@pytest.fixture
def huijia(made: Path, home: Path) -> Run:
    """As `bare`, in this process, on an installation of the test's own."""
    shutil.copytree(made, home)
    return partial(in_process, home)


def said(done: Done) -> str:
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


# --- help and mistakes ---------------------------------------------------------------------------


def test_help_imports_nothing_but_click() -> None:
    code = (
        "import sys; from huijia.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'flask', 'sqlalchemy', 'babel', 'marshmallow', 'pluggy', 'granian', 'alembic', 'argon2'}))"
    )
    environment = {**os.environ, "HUIJIA_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_lists_every_command_in_either_language(home: Path) -> None:
    english, chinese = (
        said(in_its_own(home, "--help")),
        said(in_its_own(home, "--help", HUIJIA_LANG="zh_CN.UTF-8")),
    )
    assert all(
        re.search(rf"^  {name} ", text, re.MULTILINE) for name in cli.COMMANDS for text in (english, chinese)
    )
    assert "Switch a service on" in english
    assert "Switch a service on" not in chinese


MISTAKES = [
    # what was typed, what is said
    (["servs"], "Did you mean serve?"),
    (["enabel", "rooms"], "Did you mean enable?"),
    (["xyzzy"], "There is no command xyzzy."),
    (["xyzzy"], "doctor, enable"),  # like none: all that there are
    (["services"], "run huijia init"),  # nothing is there yet
    (["token", "list"], "run huijia init"),
    (["serve"], "run huijia init"),
]


@pytest.mark.parametrize(("typed", "words"), MISTAKES)
def test_a_mistake_is_one_clear_sentence(bare: Run, typed: list[str], words: str) -> None:
    done = bare(*typed)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert words in done.stderr


def test_a_misspelt_key_names_itself(bare: Run, home: Path) -> None:
    home.mkdir()
    (home / "huijia.toml").write_text("[web]\nprot = 8000\n")
    done = bare("services")
    assert done.returncode == 2
    assert "prot" in done.stderr
    assert "port" in done.stderr


UNREADABLE = [
    # what lies there as huijia.toml, what is said
    (lambda path: path.mkdir(), "cannot be read (Is a directory)"),
    (lambda path: path.write_bytes("名 = 1".encode("gb18030")), "is not TOML in UTF-8"),
    (lambda path: path.write_text("[web\n"), "is not TOML in UTF-8"),
    (lambda path: path.write_text("web = 1\n"), "write [web]"),
    (lambda path: path.symlink_to(path), "cannot be read (Too many levels of symbolic links)"),
]


@pytest.mark.parametrize(("lay", "words"), UNREADABLE)
def test_a_configuration_that_cannot_be_read_is_named(
    bare: Run, home: Path, lay: Callable[[Path], object], words: str
) -> None:
    home.mkdir()
    lay(home / "huijia.toml")
    for typed in (["services"], ["serve"], ["doctor"], ["init", *INIT[1:]]):
        done = bare(*typed, HUIJIA_WEB_PORT="8001")
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), typed
        assert words in done.stderr


def test_init_and_serve_and_demo_mean_one_port() -> None:
    ports = {cli.commands.get_command(click.Context(cli.commands), name) for name in ("init", "demo")}
    said = {option.name: option.default for one in ports if one for option in one.params}
    assert (said["url"], said["port"]) == (f"http://127.0.0.1:{Config('var').web.port}", 8000)


# --- from nothing to a service -------------------------------------------------------------------


def test_init_makes_an_installation_and_leaves_alone_what_is_there(huijia: Run, home: Path) -> None:
    keys = home / "keys.json"
    before = keys.read_bytes()
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    assert "ready" in said(huijia(*INIT))
    assert keys.read_bytes() == before
    said(huijia("migrate", "--check"))
    assert "up to date" in said(huijia("migrate"))


def test_a_service_is_switched_on_and_off(huijia: Run) -> None:
    assert "now on" in said(huijia("enable", "rooms", "--centre", "duling"))
    assert "was on" in said(huijia("enable", "rooms", "--centre", "duling"))
    listed = {row["name"]: row for row in json.loads(said(huijia("services", "--json")))}
    assert listed["rooms"]["centres"] == ["duling"]
    assert listed["rooms"]["state"] == "ready"
    assert "rooms" in said(huijia("--help"))
    answered = {row["hook"]: row for row in json.loads(said(huijia("hooks", "--json")))}
    assert answered["huijia_today"]["kind"] == "question"
    assert all("rooms" in answered[hook]["by"] for hook in ("huijia_today", "huijia_commands", "huijia_demo"))
    said(huijia("rooms", "--centre", "duling", "list"))
    assert "now off" in said(huijia("disable", "rooms", "--centre", "duling"))
    assert "was off" in said(huijia("disable", "rooms", "--centre", "duling"))


def test_what_is_installed_is_written_down_when_it_changed(huijia: Run, home: Path) -> None:
    cache = home / cli.CACHE
    said(huijia("services"))
    before, whole = cache.stat().st_ino, cache.read_bytes()
    said(huijia("services"))
    assert cache.stat().st_ino == before  # left alone
    cache.write_bytes(whole[:5])
    said(huijia("--help"))
    said(huijia("services"))
    assert cache.read_bytes() == whole
    assert {path.name for path in home.iterdir()} == {
        "commands.json",
        "huijia.db",
        "huijia.toml",
        "keys.json",
    }


def test_a_home_that_cannot_be_written_breaks_no_command(
    huijia: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / cli.CACHE).unlink()
    (home / cli.CACHE).mkdir()  # no file can be put there, whoever we are
    said(huijia("services"))
    said(huijia("--help"))
    (home / cli.CACHE).rmdir()
    monkeypatch.setattr("tempfile.mkstemp", partial(refuse, errno.EROFS))
    said(huijia("services"))
    assert not (home / cli.CACHE).exists()


def refuse(number: int, **_how: object) -> None:
    raise OSError(number, os.strerror(number))


REFUSED = [
    # what was typed, what is said
    (["enable", "nothing", "--centre", "duling"], "huijia-nothing"),
    (["enable", "rooms", "--centre", "nowhere"], "there are: duling"),
    (
        ["token", "issue", "nobody", "--centre", "duling", "--name", "x", "--permission", "today.see"],
        "nobody",
    ),
    (["serve", "--workers", "2"], "SQLite is served by one process"),
    (["serve", "--certificate", __file__], "both a certificate and its key"),
]


def test_what_cannot_be_done_is_refused_in_words(huijia: Run) -> None:
    for typed, words in REFUSED:
        done = huijia(*typed)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), typed
        assert words in done.stderr


def test_a_token_is_issued_listed_and_revoked(huijia: Run) -> None:
    text = said(
        huijia("token", "issue", "admin", "--centre", "duling", "--name", "door", "--permission", "today.see")
    )
    assert text.startswith("hj_")
    [row] = json.loads(said(huijia("token", "list", "--json")))
    assert (row["username"], row["name"], row["revoked_at"]) == ("admin", "door", None)
    said(huijia("token", "revoke", row["id"]))
    assert json.loads(said(huijia("token", "list", "--json")))[0]["revoked_at"]


# --- doctor and audit ----------------------------------------------------------------------------


def states(huijia: Run) -> dict[str, str]:
    done = huijia("doctor", "--json")
    assert "Traceback" not in done.stderr
    return {row["what"]: row["state"] for row in json.loads(done.stdout)}


def test_doctor_finds_nothing_wrong_with_a_fresh_installation(huijia: Run) -> None:
    found = states(huijia)
    assert set(found) == {"keys", "address", "database", "migrations", "guards", "clock", "troubles"}
    assert set(found.values()) == {"ok"}
    said(huijia("doctor"))
    said(huijia("verify-audit"))


def test_doctor_sees_keys_that_others_may_read(huijia: Run, home: Path) -> None:
    (home / "keys.json").chmod(0o644)
    assert states(huijia)["keys"] == "fail"
    assert huijia("doctor").returncode == 1


def test_doctor_warns_of_an_address_without_https(huijia: Run) -> None:
    done = huijia("doctor", HUIJIA_WEB_EXTERNAL_URL="http://192.0.2.1")
    assert re.search(r"warn +address .*https", done.stdout)


def newest(text: str) -> tuple[int, str]:
    found = re.search(r"Newest seal: (\d+), ([0-9a-f]{64})", text)
    assert found, text
    return int(found[1]), found[2]


def test_the_audit_is_sealed_and_compared_with_an_earlier_seal(huijia: Run, home: Path) -> None:
    first = newest(said(huijia("verify-audit", "--seal")))
    assert first[0] == 1
    said(huijia("enable", "rooms", "--centre", "duling"))
    second = newest(said(huijia("verify-audit", "--seal", "--known", first[1])))
    assert second[0] == 2
    assert newest(said(huijia("verify-audit", "--known", f" {second[1].upper()}"))) == second
    assert json.loads(said(huijia("verify-audit", "--json"))) == []
    forged = huijia("verify-audit", "--known", "0" * 64)
    assert forged.returncode == 1
    assert "no seal has the hash" in forged.stdout
    assert "whole" not in forged.stdout


def test_what_waited_too_long_to_be_sealed_is_sealed_as_the_remedy_says(huijia: Run) -> None:
    later = {"HUIJIA_CLOCK": (datetime.now(UTC) + timedelta(days=3)).isoformat()}
    done = huijia("verify-audit", **later)
    assert done.returncode == 1
    assert "huijia verify-audit --seal" in done.stdout
    assert "whole" in said(huijia("verify-audit", "--seal", **later))


# --- serve and demo ------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(address: str, seconds: float = 60) -> int:
    """The status of a GET, asked again until something answers."""
    until = time.monotonic() + seconds
    while True:
        try:
            return urllib.request.urlopen(address, timeout=10).status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@pytest.mark.races
def test_serve_answers_sees_a_switch_and_stops_gracefully(huijia: Run, home: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "huijia.cli", "--home", str(home), "serve", "--port", str(port)]
    environment = {**os.environ, "HUIJIA_LANG": "en"}
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    address = f"Huijia is at http://127.0.0.1:{port} "
    try:
        assert server.stdout is not None
        before = list(takewhile(lambda line: address not in line, server.stdout))
        assert any('"/readyz"' in line for line in before), "it said so before it could be used"
        assert fetch(f"http://127.0.0.1:{port}/readyz", seconds=0) == 200
        assert fetch(f"http://127.0.0.1:{port}/api/v1/centres/duling/rooms/rooms") == 404
        taken = huijia("serve", "--port", str(port))
        assert taken.returncode == 2
        assert "cannot be used" in taken.stderr
        said(huijia("enable", "rooms", "--centre", "duling"))
        until = time.monotonic() + 10
        while (status := fetch(f"http://127.0.0.1:{port}/api/v1/centres/duling/rooms/rooms")) != 401:
            assert time.monotonic() < until, status
            time.sleep(0.1)
    finally:
        server.terminate()
        out, _nothing = server.communicate(timeout=40)
    assert server.returncode == 0, out
    assert address not in out, "it is said once"
    assert "Traceback" not in out


def test_demo_makes_two_centres_once(bare: Run, home: Path) -> None:
    first = said(bare("demo"))
    assert all(name in first for name in ("admin", "desk", "reader"))
    assert not home.with_name("home.new").exists()
    assert "already" in said(bare("demo"))
    listed = {row["name"]: row for row in json.loads(said(bare("services", "--json")))}
    assert listed["rooms"]["centres"] == ["duling", "nanyang"]
    assert set(states(bare).values()) <= {"ok", "warn"}
