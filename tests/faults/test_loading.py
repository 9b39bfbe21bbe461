"""A plugin that is broken before it is used: its trouble is its own, and the good one beside it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from huijia.errors import PluginFault, Refusal
from huijia.installation import Installation
from huijia.registry.lifecycle import enable
from huijia.registry.models import Enabling
from huijia.registry.states import BROKEN, INCOMPATIBLE, standing
from huijia.registry.troubles import standing_troubles
from huijia.registry.version import bump
from huijia.testing.broken import make_plugin

pytestmark = pytest.mark.usefixtures("english")

Worker = Callable[..., Installation]


def enabled_anyhow(installation: Installation, centre: Any, *names: str) -> None:
    """As if it had worked when it was switched on, and broke with a later version."""
    with installation.writing(centre) as session:
        session.add_all(Enabling(centre_id=centre.id, plugin=name, enabled_at=session.now) for name in names)
        bump(session)


def test_the_good_one_works_and_the_trouble_says_what_to_do(
    fault: Any, folder: Any, worker: Worker, centre: Any
) -> None:
    fault.make(folder)
    enabled_anyhow(worker(only=[]), centre, "good", "bad")
    opened = worker()
    with opened.writing(centre) as session:
        assert session.hooks.request("good_favour", about="x") == "done x"
        assert [answer.plugin for answer in session.hooks.ask("good_opinion", about="x")] == ["good"]
    trouble = opened.registry.troubles["bad"]
    assert trouble.code == fault.code
    assert set(opened.registry.troubles) - {"bad"} <= {name.removeprefix("huijia-") for name in fault.also}
    assert str(trouble.message)
    assert str(trouble.remedy).startswith(("Install", "Remove", "Mend"))
    with opened.reading() as session:
        assert [t.code for t in standing_troubles(session, "start") if t.plugin == "bad"] == [fault.code]
        assert standing(opened.registry, "bad", session).state in (BROKEN, INCOMPATIBLE)


def test_it_cannot_be_switched_on_and_the_refusal_says_why(
    fault: Any, folder: Any, worker: Worker, centre: Any
) -> None:
    fault.make(folder)
    opened = worker()
    enable(opened, centre.id, "good", None)
    with pytest.raises(Refusal, match=r"huijia-|Remove") as refused:
        enable(opened, centre.id, "bad", None)
    assert refused.value.details == {"cause": fault.code}
    assert opened.registry.serving(centre.id) == {"good"}


def test_strict_stops_the_start(folder: Any, worker: Worker, centre: Any, fault: Any) -> None:
    fault.make(folder)
    enabled_anyhow(worker(only=[]), centre, "good", "bad")
    with pytest.raises(PluginFault, match="bad"):
        worker(strict=True)


def test_one_that_fits_no_longer_rests_when_the_other_is_switched_on(
    folder: Any, worker: Worker, centre: Any
) -> None:
    make_plugin(folder, "bad", {"plugin.py": "@hookimpl\ndef good_opinions(): return 1"})
    opened = worker()
    enable(opened, centre.id, "bad", None)
    assert opened.registry.serving(centre.id) == {"bad"}, "nobody knows the hook, so it may stand"
    enable(opened, centre.id, "good", None)
    assert opened.registry.serving(centre.id) == {"good"}
    assert opened.registry.troubles["bad"].code == "unknown-hook"
    assert "Meant: good_opinion?" in str(opened.registry.troubles["bad"].message)


def test_what_is_mended_leaves_repairs(folder: Any, worker: Worker, centre: Any) -> None:
    package = make_plugin(folder, "bad", {"plugin.py": "raise SystemExit"})
    enabled_anyhow(worker(only=[]), centre, "bad")
    broken = worker()
    with broken.reading() as session:
        assert [t.plugin for t in standing_troubles(session)] == ["bad"]
    (package / "plugin.py").write_text("")
    mended = worker()
    with mended.reading() as session:
        assert standing_troubles(session) == []
    assert mended.registry.serving() == {"bad"}


def test_who_needs_a_broken_one_rests_with_it(folder: Any, worker: Worker, centre: Any) -> None:
    make_plugin(folder, "bad", {"plugin.py": "1 / 0"})
    make_plugin(folder, "upon", requires=("huijia-bad",))
    enabled_anyhow(worker(only=[]), centre, "bad", "upon", "good")
    registry = worker().registry
    assert {name: t.code for name, t in registry.troubles.items()} == {
        "bad": "import-failed",
        "upon": "need-broken",
    }
    assert registry.serving() == {"good"}
    assert str(registry.troubles["upon"].remedy) == "Mend Bad first; its own entry says how."
