"""The app is swapped when what is enabled anywhere changes; requests in flight keep theirs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from huijia.i18n import Text
from huijia.installation import Installation
from huijia.registry.holder import Holder, service_of
from huijia.registry.lifecycle import enable
from huijia.registry.troubles import Trouble, standing_troubles
from huijia.testing.broken import make_good, make_plugin
from sqlalchemy.event import listen

pytestmark = pytest.mark.usefixtures("english")

Worker = Callable[..., Installation]


class Builder:
    """Builds apps that answer with the names of their plugins; may be told to break, or to leave one out."""

    def __init__(self) -> None:
        self.built: list[list[str]] = []
        self.breaks: Exception | None = None
        self.leaves_out: set[str] = set()

    def __call__(self, installation: Installation, plugins: list[Any]) -> tuple[Any, list[Trouble]]:
        names = [one.name for one in plugins if one.name not in self.leaves_out]
        self.built.append(names)
        if self.breaks:
            raise self.breaks
        left_out = [
            Trouble(n, "routes", Text("No."), Text("Mend."))
            for n in self.leaves_out & {p.name for p in plugins}
        ]
        return (lambda environ, start: environ.get("wait", lambda: names)()), left_out


@pytest.fixture
def builder() -> Builder:
    return Builder()


@pytest.fixture
def opened(plugins: Path, worker: Worker) -> Installation:
    make_good(plugins)
    make_plugin(plugins, "more")
    return worker()


@pytest.fixture
def hold(builder: Builder) -> Iterator[Callable[..., Holder]]:
    made: list[Holder] = []

    def make(installation: Installation, **options: Any) -> Holder:
        made.append(Holder(installation, builder, **{"watch": False, **options}))
        return made[-1]

    yield make
    for holder in made:
        holder.close()


def get(holder: Holder, path: str = "/", **environ: Any) -> Any:
    return holder({"PATH_INFO": path, **environ}, None)


def test_it_swaps_at_once_where_the_change_was_made(
    opened: Installation, hold: Any, builder: Builder, centre: Any
) -> None:
    holder = hold(opened)
    assert get(holder) == []
    enable(opened, centre.id, "good", None)
    assert get(holder) == ["good"]
    assert builder.built == [[], ["good"]]


def test_the_same_set_at_another_centre_builds_nothing(
    opened: Installation, hold: Any, builder: Builder, centre: Any, second_centre: Any
) -> None:
    enable(opened, centre.id, "good", None)
    hold(opened)
    enable(opened, second_centre.id, "good", None)
    assert builder.built == [["good"]]


@pytest.mark.parametrize("path", ["/c/one/good/", "/api/v1/centres/one/good/things"])
def test_a_request_for_a_service_just_switched_on_elsewhere_waits_for_it(
    opened: Installation, worker: Worker, hold: Any, centre: Any, path: str
) -> None:
    holder = hold(worker())
    enable(opened, centre.id, "good", None)
    assert get(holder, "/c/one/") == []
    assert get(holder, path) == ["good"]


def test_asking_for_what_is_off_reads_the_database_once_in_a_while(
    opened: Installation, hold: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, said = hold(opened), list[str]()
    listen(opened.storage.engine, "before_cursor_execute", lambda *given: said.append(given[2]))
    get(holder, "/c/one/good/")
    once = len(said)
    for _time in range(20):
        get(holder, "/c/one/good/")
        get(holder, "/c/one/more/")
    assert len(said) == once
    monkeypatch.setattr("huijia.registry.holder.POLL_SECONDS", 0.0)
    get(holder, "/c/one/good/")
    assert len(said) > once


def test_other_workers_swap_within_a_moment(
    opened: Installation, worker: Worker, hold: Any, centre: Any
) -> None:
    holder = hold(worker(), watch=True)
    enable(opened, centre.id, "good", None)
    until = time.monotonic() + 10
    while get(holder) != ["good"] and time.monotonic() < until:
        time.sleep(0.02)
    assert get(holder) == ["good"]


def test_a_request_in_flight_ends_in_the_old_app(opened: Installation, hold: Any, centre: Any) -> None:
    holder, entered, leave = hold(opened), Event(), Event()
    old = holder.app
    answers: list[Any] = []

    def slow() -> str:
        entered.set()
        leave.wait(10)
        return "served"

    thread = Thread(target=lambda: answers.append(get(holder, wait=slow)))
    thread.start()
    entered.wait(10)
    enable(opened, centre.id, "good", None)
    assert holder.app is not old
    leave.set()
    thread.join()
    assert answers == ["served"]


def test_a_build_that_fails_keeps_the_old_app_and_says_so(
    opened: Installation, hold: Any, builder: Builder, centre: Any
) -> None:
    holder = hold(opened)
    builder.breaks = RuntimeError("no")
    enable(opened, centre.id, "good", None)
    holder.refresh()
    assert get(holder) == []
    assert len(builder.built) == 2, "the same set is not tried again and again"
    with opened.reading() as session:
        assert [t.code for t in standing_troubles(session)] == ["swap-failed"]
    builder.breaks = None
    enable(opened, centre.id, "more", None)
    assert sorted(get(holder)) == ["good", "more"]
    with opened.reading() as session:
        assert standing_troubles(session) == []


def test_a_plugin_that_the_build_leaves_out_is_quarantined(
    opened: Installation, hold: Any, builder: Builder, centre: Any
) -> None:
    builder.leaves_out = {"good"}
    holder = hold(opened)
    for name in ("good", "more"):
        enable(opened, centre.id, name, None)
    assert get(holder) == ["more"]
    assert opened.registry.serving(centre.id) == {"more"}
    with opened.reading() as session:
        assert [(t.plugin, t.code) for t in standing_troubles(session)] == [("good", "routes")]


def test_the_first_build_raises_what_it_raises(opened: Installation, hold: Any, builder: Builder) -> None:
    builder.breaks = RuntimeError("the kernel's own fault")
    with pytest.raises(RuntimeError, match="own fault"):
        hold(opened)


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/c/one/good/", "good"),
        ("/c/one/good", "good"),
        ("/api/v1/centres/one/good/a/b/c", "good"),
        ("/c/one/", ""),
        ("/c/one", ""),
        ("/", ""),
        ("", ""),
        ("/static/good/x.css", ""),
        ("/api/v1/centres", ""),
    ],
)
def test_the_service_of_an_address(path: str, service: str) -> None:
    assert service_of(path) == service
