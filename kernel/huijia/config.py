"""Configuration: `HOME/huijia.toml`, then the environment. A misspelt name is an error that says so.

A variable is `HUIJIA_SECTION_KEY`, e.g. `HUIJIA_WEB_PORT`; `HUIJIA_PLUGINS` lists the only plugins to see.
Encryption keys lie in a file of their own, outside the database.
"""

from __future__ import annotations

import base64
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from marshmallow import Schema, ValidationError, fields, validate

from huijia.i18n import Text, messages, translated
from huijia.spelling import nearest

_ = messages("huijia")
FILE = "huijia.toml"
KEY_BYTES = 32
PORT = 8000
OTHERS = "HUIJIA_HOME HUIJIA_CLOCK HUIJIA_PLUGINS HUIJIA_CHROMIUM HUIJIA_LANG HUIJIA_LONG".split()  # noqa: SIM905
OTHER_PREFIXES = ("HUIJIA_TEST_", "HUIJIA_REQUIRE_")
_URL = fields.Url(load_default="", schemes={"http", "https"}, require_tld=False)


def _text(default: str = "", *choices: str) -> fields.String:
    return fields.String(load_default=default, validate=validate.OneOf(choices) if choices else None)


class _Whole(fields.Integer):
    """Plain digits: no 1.9, no yes for 1, no full-width digits."""

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        if not re.fullmatch("[0-9]{1,9}", str(value)):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, *arguments, **options)


def _count(default: int, most: int) -> fields.Integer:
    return _Whole(load_default=default, validate=validate.Range(1, most))


def _list(default: Any = list) -> fields.List:
    return fields.List(fields.String(), load_default=default, allow_none=True)


_WEB = {"address": _text("127.0.0.1"), "port": _count(PORT, 65535), "external_url": _URL}
_WEB |= {"workers": _count(1, 256), "threads": _count(4, 256), "tls_cert": _text(), "tls_key": _text()}
_LEVEL = _text("INFO", "DEBUG", "INFO", "WARNING", "ERROR")
_FIELDS: dict[str, dict[str, Any]] = {
    "database": {"url": _text()},
    "web": {**_WEB, "trusted_proxies": _list(), "allowed_hosts": _list()},
    "keys": {"path": _text()},
    "log": {"level": _LEVEL, "format": _text("json", "json", "text")},
    "plugins": {"only": _list(None)},
}
SECTIONS = {name: Schema.from_dict(some)() for name, some in _FIELDS.items()}


class ConfigError(Exception):
    """The configuration cannot be used; the message names the key or variable and what to write instead."""


class Config:
    """Where the installation lives, and its sections: `config.web.port`, `config.log.level`, …"""

    database: SimpleNamespace
    web: SimpleNamespace
    keys: SimpleNamespace
    log: SimpleNamespace
    plugins: SimpleNamespace

    def __init__(self, home: Path | str, given: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self.home, self._given = Path(home), dict(given or {})
        for name in self._given:
            _check_known(name, SECTIONS, _("{name} is no section", name=name))
        for name, schema in SECTIONS.items():
            setattr(self, name, _section(name, schema, self._given.get(name, {})))
        self.database.url = self.database.url or f"sqlite:///{self.home.absolute() / 'huijia.db'}"
        self.keys.path = Path(self.keys.path or self.home / "keys.json")
        self.external_url: str = self.web.external_url
        self.allowed_hosts: list[str] = self.web.allowed_hosts

    def __repr__(self) -> str:
        return f"Config({str(self.home)!r})"  # the address of the database may hold a password

    @classmethod
    def load(cls, home: Path | str | None = None, environ: Mapping[str, str] = os.environ) -> Config:
        """Read `HOME/huijia.toml`, where there is one, and the environment. Raises ConfigError."""
        home = Path(home or environ.get("HUIJIA_HOME") or "var")
        try:
            # Editors on Windows begin a file with a byte order mark.
            given = tomllib.loads((home / FILE).read_text("utf-8-sig"))
        except FileNotFoundError:
            given = {}
        except OSError as error:
            raise _unread(home / FILE, error) from None
        except (ValueError, RecursionError) as error:
            words = _(
                "{path} is not TOML in UTF-8 ({error}); correct it there.", path=home / FILE, error=error
            )
            raise ConfigError(words) from None
        for section, key, value in _from_environment(environ):
            values = given.get(section, {})
            given[section] = {**values, key: value} if isinstance(values, dict) else values
        return cls(home, given)

    def save(self) -> None:
        """Write what was given, not the defaults, to `HOME/huijia.toml`, readable by its owner only."""
        lines = []
        for section, values in self._given.items():
            lines += [
                f"[{section}]",
                *(f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in values.items()),
            ]
        write_whole(self.home / FILE, "\n".join([*lines, ""]))

    def read_keys(self) -> dict[int, bytes]:
        """The encryption keys by version. Raises ConfigError where the file is missing or open to others."""
        path = self.keys.path
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigError(_("Others may read {path}; run chmod 600 on it.", path=path))
            kept = json.loads(path.read_bytes())
            keys = {int(version): base64.b64decode(key, validate=True) for version, key in kept.items()}
            if {len(key) for key in keys.values()} != {KEY_BYTES}:
                raise ValueError
        except FileNotFoundError:
            words = _("There is no key file at {path}; run huijia init, or put it back there.", path=path)
            raise ConfigError(words) from None
        except OSError as error:
            raise _unread(path, error) from None
        except (ValueError, AttributeError, TypeError):
            words = _("{path} is not a key file; put it back from where it was kept.", path=path)
            raise ConfigError(words) from None
        return keys

    def write_keys(self, keys: Mapping[int, bytes]) -> None:
        """Keep the keys, readable by their owner only."""
        text = {str(version): base64.b64encode(key).decode() for version, key in keys.items()}
        write_whole(self.keys.path, json.dumps(text))


def _section(name: str, schema: Schema, values: Any) -> SimpleNamespace:
    if not isinstance(values, Mapping):
        raise ConfigError(_("{name} is a section; write [{name}] and its keys below.", name=name))
    for key in values:
        _check_known(key, schema.fields, _("{key} is no key of [{name}]", key=key, name=name))
    try:
        return SimpleNamespace(**cast("dict[str, Any]", schema.load(values)))
    except ValidationError as error:
        key, said = next(iter(translated(error.normalized_messages()).items()))
        why = said[0] if isinstance(said, list) else said
        words = _("{key} of [{name}] cannot be used: {why}", key=key, name=name, why=why)
        raise ConfigError(words) from None


def _check_known(name: str, known: Collection[str], wrong: Text) -> None:
    if name not in known:
        raise ConfigError(_("{wrong}; did you mean {near}?", wrong=wrong, near=nearest(name, known)))


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    known = {f"HUIJIA_{s}_{k}".upper(): (s, k) for s, schema in SECTIONS.items() for k in schema.fields}
    known["HUIJIA_PLUGINS"] = ("plugins", "only")
    found = []
    for name in sorted(n for n in environ if n.startswith("HUIJIA_") and not n.startswith(OTHER_PREFIXES)):
        _check_known(name, [*known, *OTHERS], _("{name} is no variable", name=name))
        if name in known:
            section, key = known[name]
            parts = [part.strip() for part in environ[name].split(",") if part.strip()]
            is_list = isinstance(SECTIONS[section].fields[key], fields.List)
            found.append((section, key, parts if is_list else environ[name]))
    return found


def _unread(path: Path, error: OSError) -> ConfigError:
    words = _("{path} cannot be read ({error}); mend that, and try again.", path=path, error=error.strerror)
    return ConfigError(words)


def write_whole(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file, readable by its owner only unless `mode` says otherwise. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and renamed: a crash in between leaves the old file whole.
    handle, fresh = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, mode)
            file.write(text)
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink()
        raise
