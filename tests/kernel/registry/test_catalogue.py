"""What is installed is known from metadata alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from huijia.i18n import speaking
from huijia.registry.catalogue import RESERVED, discover
from huijia.registry.order import in_order
from huijia.testing.broken import make_plugin

pytestmark = pytest.mark.usefixtures("english")


def test_a_plugin_is_described_without_being_imported(plugins: Path) -> None:
    requires = ("huijia>=0.1", "huijia-base", "requests", 'huijia-friend>=1; extra == "partners"')
    make_plugin(plugins, "shiny", {"plugin.py": "raise SystemExit"}, requires=requires, version="2.3")
    shiny = discover()["shiny"]
    assert (shiny.version, shiny.needs, shiny.partners) == ("2.3", ("base",), ("friend",))
    assert str(shiny.summary) == "The shiny service."
    assert shiny.problem is None
    assert not [name for name in sys.modules if name.startswith("huijia_shiny")]


def test_a_summary_has_the_words_of_the_plugins_own_catalogue(plugins: Path) -> None:
    po = 'msgid "The shiny service."\nmsgstr "闪亮"\n\nmsgid "Shiny"\nmsgstr "亮"\n'
    make_plugin(plugins, "shiny", {"__init__.py": "1/0", "translations/zh_Hans/LC_MESSAGES/shiny.po": po})
    shiny = discover()["shiny"]
    with speaking("zh"):
        assert (str(shiny.summary), str(shiny.label)) == ("闪亮", "亮")


def test_only_those_named_are_seen(plugins: Path) -> None:
    make_plugin(plugins, "one")
    make_plugin(plugins, "two")
    assert set(discover(only=["two"])) == {"two"}


@pytest.mark.parametrize("name", ["admin", "huijia", "api", "static", "with_underscore", "Upper", "x"])
def test_a_name_of_the_kernel_or_of_a_wrong_shape_is_refused(plugins: Path, name: str) -> None:
    make_plugin(plugins, name)
    problem = discover(only=[name])[name].problem
    assert problem is not None
    assert problem.code == "reserved-name"


def test_the_kernels_own_words_are_reserved() -> None:
    assert {
        "huijia",
        "admin",
        "api",
        "static",
        "services",
        "staff",
        "settings",
        "repairs",
        "audit",
    } <= RESERVED


def test_each_comes_after_what_it_needs(plugins: Path) -> None:
    for name, needs in {"aa": ("cc", "bb"), "bb": ("cc",), "cc": (), "dd": ("aa",)}.items():
        make_plugin(plugins, name, requires=[f"huijia-{need}" for need in needs])
    order, troubles = in_order(discover(only=["aa", "bb", "cc", "dd"]))
    assert order == ["cc", "bb", "aa", "dd"]
    assert troubles == {}


NEEDS = [
    # needs by plugin, codes of their troubles, what is left, remark
    ("aa:zz", "aa:unknown-need", [], "not installed"),
    ("aa:zz bb:aa cc:bb", "aa:unknown-need bb:need-broken cc:need-broken", [], "a chain"),
    ("aa:bb bb:aa cc:", "aa:need-cycle bb:need-cycle", ["cc"], "a circle of two"),
    ("aa:aa", "aa:need-cycle", [], "a circle of one"),
    ("aa:bb bb:aa cc:aa", "aa:need-cycle bb:need-cycle cc:need-broken", [], "hangs on a circle"),
    ("aa:bb bb:aa cc:dd dd:cc", "aa:need-cycle bb:need-cycle cc:need-cycle dd:need-cycle", [], "two circles"),
]


@pytest.mark.parametrize(("needs", "codes", "left", "_remark"), NEEDS)
def test_needs_that_cannot_be_met_are_troubles_in_words(
    plugins: Path, needs: str, codes: str, left: list[str], _remark: str
) -> None:
    wanted = dict(one.split(":") for one in needs.split())
    for name, need in wanted.items():
        make_plugin(plugins, name, requires=[f"huijia-{need}"] if need else [])
    order, troubles = in_order(discover(only=list(wanted)))
    assert {name: trouble.code for name, trouble in troubles.items()} == dict(
        c.split(":") for c in codes.split()
    )
    assert order == left
    assert all(str(trouble.message) and str(trouble.remedy) for trouble in troubles.values())
