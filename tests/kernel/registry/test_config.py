"""Configuration: a file, the environment over it, and an error that names what is misspelt."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from huijia.config import FILE, Config, ConfigError
from huijia.i18n import speaking
from huijia.storage.vault import generate_keys

pytestmark = pytest.mark.usefixtures("english")


def test_defaults_need_no_file(tmp_path: Path) -> None:
    config = Config.load(tmp_path, {})
    assert config.database.url == f"sqlite:///{tmp_path}/huijia.db"
    assert (config.web.address, config.web.port, config.external_url) == ("127.0.0.1", 8000, "")
    assert config.keys.path == tmp_path / "keys.json"
    assert config.plugins.only is None


def test_the_environment_stands_above_the_file(tmp_path: Path) -> None:
    (tmp_path / "huijia.toml").write_text('[web]\nport = 9000\naddress = "0.0.0.0"\n')
    environ = {
        "HUIJIA_HOME": str(tmp_path),
        "HUIJIA_WEB_PORT": "9001",
        "HUIJIA_WEB_TRUSTED_PROXIES": "10.0.0.1, 10.0.0.2",
        "HUIJIA_PLUGINS": "one,two",
        "HUIJIA_TEST_POSTGRES": "anything",
        "HOME": "/",
    }
    config = Config.load(environ=environ)
    assert (config.web.port, config.web.address) == (9001, "0.0.0.0")
    assert config.web.trusted_proxies == ["10.0.0.1", "10.0.0.2"]
    assert config.plugins.only == ["one", "two"]


WRONG = [
    ("[wbe]\n", {}, r"wbe is no section; did you mean web\?"),
    ("[web]\nprot = 1\n", {}, r"prot is no key of \[web\]; did you mean port\?"),
    ("[web]\nport = 70000\n", {}, r"port of \[web\]"),
    ("[web]\nport = 'many'\n", {}, r"port of \[web\]"),
    ("[web]\nexternal_url = 'centre'\n", {}, r"external_url of \[web\]"),
    ("[log]\nlevel = 'LOUD'\n", {}, r"level of \[log\].*WARNING"),
    ("web\n", {}, "huijia.toml is not TOML"),
    ("web = 1\n", {}, r"\[web\]"),
    ("", {"HUIJIA_WEB_PROT": "1"}, r"HUIJIA_WEB_PROT is no variable; did you mean HUIJIA_WEB_PORT\?"),
    ("", {"HUIJIA_DATABASEURL": "x"}, r"did you mean HUIJIA_DATABASE_URL\?"),
]


@pytest.mark.parametrize(("file", "environ", "words"), WRONG)
def test_what_is_misspelt_is_named_with_what_was_meant(
    tmp_path: Path, file: str, environ: dict[str, str], words: str
) -> None:
    (tmp_path / "huijia.toml").write_text(file)
    with pytest.raises(ConfigError, match=words):
        Config.load(tmp_path, environ)


@pytest.mark.parametrize("file", ["huijia.toml", "keys.json"])
def test_what_cannot_be_read_is_named(tmp_path: Path, file: str) -> None:
    (tmp_path / file).mkdir(0o700)
    with pytest.raises(ConfigError, match=rf"{file} cannot be read \(Is a directory\)"):
        Config.load(tmp_path, {}).read_keys()


SPOILT = [b"\xff\xfe[web]", b"[web", b"a = " + b"[" * 5000]  # another encoding; half a line; no end


@pytest.mark.parametrize("content", SPOILT)
def test_a_spoilt_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ConfigError, match=r"huijia\.toml is not TOML"):
        Config.load(tmp_path, {})


def test_a_section_that_is_none_is_named_under_a_variable_too(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("web = 1\n")
    with pytest.raises(ConfigError, match=r"write \[web\]"):
        Config.load(tmp_path, {"HUIJIA_WEB_PORT": "81"})


def test_why_a_value_cannot_be_used_is_said_in_the_readers_language(tmp_path: Path) -> None:
    with speaking("zh_Hans"), pytest.raises(ConfigError) as caught:
        Config(tmp_path, {"web": {"port": 70000}})
    with speaking("zh_Hans"):
        assert "65535" in str(caught.value)
        assert "Must be" not in str(caught.value)


def test_what_is_saved_is_loaded_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    given: dict[str, dict[str, Any]] = {
        "database": {"url": "postgresql+psycopg://me:s3cret@db/huijia"},
        "web": {"port": 81, "external_url": "https://中心.example", "trusted_proxies": ["10.0.0.1"]},
    }
    config = Config(tmp_path / "new", given)
    config.save()
    path = config.home / FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = Config.load(tmp_path / "new", {})
    assert (loaded.database.url, loaded.web) == (given["database"]["url"], config.web)
    assert "s3cret" not in repr(config)


def test_keys_come_back_and_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    config, keys = Config(tmp_path), generate_keys(generate_keys())
    with pytest.raises(ConfigError, match="huijia init"):
        config.read_keys()
    config.write_keys(keys)
    assert config.read_keys() == keys
    assert stat.S_IMODE(config.keys.path.stat().st_mode) == 0o600
    config.keys.path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        config.read_keys()
    config.keys.path.chmod(0o600)
    config.keys.path.write_text('{"1": "not base64!"}')
    with pytest.raises(ConfigError, match="not a key file"):
        config.read_keys()
