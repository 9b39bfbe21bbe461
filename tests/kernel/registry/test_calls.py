"""Asking, requesting and telling: who answers, in which order, under whose name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huijia.contributions import Answer
from huijia.errors import Fault, NobodyAnswers
from huijia.i18n import Text
from huijia.installation import Installation
from huijia.registry.contributing import expected_type
from huijia.registry.loading import KERNEL_HOOKS
from huijia.registry.troubles import Trouble
from huijia.storage.outbox import Delivery, Event
from huijia.testing.broken import make_good, make_plugin
from sqlalchemy import select

pytestmark = pytest.mark.usefixtures("english")

Enabled = Callable[..., Installation]


@pytest.fixture
def good(plugins: Path) -> Path:
    return make_good(plugins)


def answering(plugins: Path, name: str, value: str, *, mark: str = "hookimpl", needs: str = "good") -> None:
    source = (
        f"@{mark}\ndef good_opinion(about): return {value}\n@{mark}\ndef good_favour(about): return {value}"
    )
    make_plugin(plugins, name, {"plugin.py": source}, requires=[f"huijia-{needs}"])


def test_every_answer_carries_its_plugins_name_in_the_order_of_needs(
    good: Path, plugins: Path, enabled: Enabled, centre: Any
) -> None:
    answering(plugins, "after", "'b'", needs="before")
    answering(plugins, "before", "'a'")
    answering(plugins, "silent", "None")
    opened = enabled("good", "before", "after", "silent")
    with opened.reading(centre) as session:
        answers = session.hooks.ask("good_opinion", about="x")
    assert answers == [Answer("good", "good x"), Answer("before", "a"), Answer("after", "b")]


def test_a_request_goes_to_the_first_in_order(
    good: Path, plugins: Path, enabled: Enabled, centre: Any
) -> None:
    answering(plugins, "aa", "'second'", needs="zz")
    answering(plugins, "zz", "'first'")
    opened = enabled("good", "zz", "aa")
    with opened.writing(centre) as session:
        assert session.hooks.request("good_favour", about="x") == "first"  # good itself said trylast


def test_nobody_answers_where_nobody_is_switched_on(
    good: Path, enabled: Enabled, centre: Any, second_centre: Any
) -> None:
    opened = enabled("good")
    with opened.writing(second_centre) as session:
        assert session.hooks.ask("good_opinion", about="x") == []
        session.hooks.emit("good_news", subject="x:1", about="x")
        with pytest.raises(NobodyAnswers, match="good_favour"):
            session.hooks.request("good_favour", about="x")
    with opened.reading(centre) as session:
        assert [a.plugin for a in session.hooks.ask("good_opinion", about="x")] == ["good"]


MISCALLS = [
    ("ask", "good_opinon", {"about": "x"}, "Meant: good_opinion", "misspelt"),
    ("ask", "huijia_tody", {}, "Meant: huijia_today", "misspelt, the kernel's"),
    ("ask", "good_favour", {"about": "x"}, "called as a request", "of another kind"),
    ("request", "good_favour", {}, "wants about", "an argument is missing"),
    ("emit", "good_news", {"subject": "x:1", "abut": "x"}, "wants about", "an argument is misspelt"),
]


@pytest.mark.parametrize(("verb", "hook", "given", "words", "_remark"), MISCALLS)
def test_a_wrong_call_is_the_callers_fault(
    good: Path, enabled: Enabled, centre: Any, verb: str, hook: str, given: Any, words: str, _remark: str
) -> None:
    opened = enabled("good")
    with pytest.raises(Fault, match=words), opened.writing(centre) as session:
        getattr(session.hooks, verb)(hook, **given)


def test_listeners_at_once_hear_at_once_and_the_others_through_the_outbox(
    good: Path, plugins: Path, enabled: Enabled, centre: Any
) -> None:
    later = "HEARD = []\n@hookimpl\ndef good_news(session, about): HEARD.append((about, session.now))"
    make_plugin(plugins, "later", {"plugin.py": later})
    opened = enabled("good", "later")
    with opened.writing(centre) as session:
        session.hooks.emit("good_news", subject="x:1", about="x")
        assert opened.registry.loaded["good"].module.HEARD == ["x"]
    with opened.writing(centre) as session:
        found = session.execute(select(Delivery.listener, Event.name, Event.payload).join(Event)).all()
        assert found == [("later", "good_news", {"about": "x"})]
        session.hooks.deliver("later", "good_news", about="x")
        assert [("x", session.now)] == opened.registry.loaded["later"].module.HEARD


def test_what_was_contributed_is_kept_from_the_wiring(good: Path, enabled: Enabled, centre: Any) -> None:
    opened = enabled("good")
    with opened.reading(centre) as session:
        [answer] = session.hooks.collect("huijia_permissions")
    assert (answer.plugin, [p.key for p in answer.value]) == ("good", ["good.see"])
    assert answer.value is opened.registry.loaded["good"].contributions["huijia_permissions"]


def test_a_hook_of_an_absent_plugin_may_be_answered(plugins: Path, enabled: Enabled, centre: Any) -> None:
    make_plugin(plugins, "early", {"plugin.py": "@hookimpl\ndef good_opinion(anything): return 1"})
    opened = enabled("early")
    with opened.reading(centre) as session:
        assert session.hooks.ask("good_opinion", about="x") == []
    assert opened.registry.troubles == {}


def test_hooks_are_described_with_who_answers(good: Path, enabled: Enabled, centre: Any) -> None:
    opened = enabled("good")
    with opened.reading(centre) as session:
        described = {one["hook"]: one for one in session.hooks.all.describe()}
    opinion = described["good_opinion"]
    assert (opinion["kind"], opinion["owner"], opinion["doc"]) == (
        "question",
        "good",
        "What do you think of it?",
    )
    assert opinion["answers"] == ["good"]
    assert described.keys() >= KERNEL_HOOKS


def test_each_contribution_of_the_kernel_says_what_it_gives() -> None:
    from huijia import hookspecs

    specs = [getattr(hookspecs, name) for name in KERNEL_HOOKS]
    given = [expected_type(spec) for spec in specs if spec.huijia_kind == "contribution"]
    assert given
    assert all(kind is not object for kind, _many in given)


def test_centres_with_the_same_services_share_their_hooks(
    good: Path, enabled: Enabled, centre: Any, second_centre: Any
) -> None:
    from huijia.registry.lifecycle import enable

    opened = enabled("good")
    enable(opened, second_centre.id, "good", None)
    registry = opened.registry
    assert registry.hooks_for(centre.id) is registry.hooks_for(second_centre.id)


def test_who_goes_while_the_hooks_are_made_is_not_kept_in_them(
    good: Path, enabled: Enabled, centre: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = enabled("good").registry
    real, trouble = registry.plugins, Trouble("good", "broken", Text("Gone."), Text("Mend it."))

    def overtaken(names: Any) -> Any:
        found = real(names)
        registry.quarantine(trouble)
        return found

    monkeypatch.setattr(registry, "plugins", overtaken)
    registry.hooks_for(centre.id)
    monkeypatch.undo()
    assert registry.hooks_for(centre.id).plugins == {}
