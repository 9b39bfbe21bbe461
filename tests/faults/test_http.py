"""A broken service beside a working one, in a real installation behind the real web: rooms never notices.

What is broken is named under Repairs and Services, with what to do, in the reader's language.
"""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from huijia import cli
from huijia.identity.actor import SYSTEM
from huijia.installation import Installation
from huijia.registry.breaker import FAILURES_MAX
from huijia.registry.deliver import deliver_due
from huijia.registry.jobs import run_due_jobs
from huijia.registry.models import Enabling
from huijia.registry.troubles import standing_troubles
from huijia.registry.version import bump
from huijia.testing.broken import make_plugin
from huijia.testing.factories import Factories

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]+(?:[ ,;]+[a-z]+){3,}")  # four words in a row are a sentence, not a name
BOOKING = {"starts_at": "2026-11-23T{}:00:00+08:00", "ends_at": "2026-11-23T{}:45:00+08:00"}


class Shop:
    """A process that serves rooms and the broken service, and its administrators' browsers."""

    def __init__(self, opened: Installation, centre: Any) -> None:
        self.opened, self.centre = opened, centre
        self.factories = factories = Factories(opened)
        self.admins = {}
        factories.enable("rooms", centre)
        for locale in ("zh_Hans", "en"):
            admin = factories.staff(f"admin-{locale[:2]}", at=None, permissions={"*"})
            with opened.writing() as session:
                session.merge(admin).locale = locale
            self.admins[locale] = admin
        self.sign_in()
        room = self.api.post("rooms/rooms", json={"name": "书法室", "floor": 2, "capacity": 12})
        assert room.status_code == 201, room.text
        self.room_id, self._hour = room.json["id"], 8

    def sign_in(self) -> None:
        """Sessions end after a day."""
        self.readers = {one: self.factories.client(admin, self.centre) for one, admin in self.admins.items()}
        self.client, self.api = self.readers["zh_Hans"], self.readers["zh_Hans"].api

    def book(self) -> Any:
        """Book the room, each time an hour later."""
        self._hour += 1
        times = {name: text.format(f"{self._hour:02d}") for name, text in BOOKING.items()}
        answer = self.api.post("rooms/bookings", json={"room_id": self.room_id, "name": "合唱团", **times})
        assert answer.status_code == 201, answer.text
        return answer

    def works(self) -> None:
        """Rooms answers, at its page and its interface."""
        self.book()
        page = self.client.get("rooms/?day=2026-11-23")
        assert page.status_code == 200
        assert "书法室" in page.text
        assert "合唱团" in page.text
        assert self.client.get("").status_code == 200
        assert self.client.get("counts").status_code == 200

    def section(self, path: str, locale: str, mark: str) -> str:
        """The card on a page that is about the broken service, without what is for programmers."""
        answer = self.readers[locale].get(path)
        assert answer.status_code == 200, " ".join(answer.text.split())[-300:]
        cards = re.findall(r"(?s)<section class=\"card.*?</section>", answer.text)
        [card] = [card for card in cards if mark in card] or [""]
        assert card, f"{path} says nothing of it"
        return re.sub(r"(?s)<details>.*?</details>|<[^>]+>", " ", card)

    def is_said(self, path: str, mark: str) -> dict[str, str]:
        """It is told in either language, and only in that one."""
        told = {locale: " ".join(self.section(path, locale, mark).split()) for locale in self.readers}
        assert not ENGLISH.search(told["zh_Hans"]), f"English on the Chinese page: {told['zh_Hans']}"
        assert CHINESE.search(told["zh_Hans"])
        assert not CHINESE.search(told["en"]), f"Chinese on the English page: {told['en']}"
        return told


def enabled_anyhow(installation: Installation, centre: Any, *names: str) -> None:
    """As if it had worked when it was switched on, and broke with a later version."""
    with installation.writing(centre) as session:
        session.add_all(Enabling(centre_id=centre.id, plugin=name, enabled_at=session.now) for name in names)
        bump(session)


def command(installation: Installation, *words: str, language: str = "zh") -> tuple[int, str]:
    """What `huijia` ends with and says."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), redirect_stderr(said):
        patch.setenv("HUIJIA_LANG", language)
        with pytest.raises(SystemExit) as ended:
            cli.main(["--home", str(installation.config.home), *words])
    return int(ended.value.code or 0), said.getvalue()


# --- broken before it is used ----------------------------------------------------------------------


def test_rooms_goes_on_beside_it_and_the_operator_is_told(
    fault: Any, folder: Path, worker: Any, centre: Any
) -> None:
    fault.make(folder)
    enabled_anyhow(worker(only=[]), centre, "good", "bad")
    shop = Shop(worker(), centre)
    shop.works()
    shop.is_said("repairs", ">Bad<")
    if "bad" in shop.opened.registry.catalogue:
        shop.is_said("services", 'id="service-bad"')
    assert shop.client.get("bad/").status_code == 404
    code, said = command(shop.opened, "services", "--json")
    assert code == 0, said
    rows = {row["name"]: row for row in json.loads(said)}
    assert rows["rooms"]["state"] == "ready"
    assert "bad" not in rows or rows["bad"]["state"] in ("broken", "incompatible")
    code, said = command(shop.opened, "doctor")
    assert code == 1
    assert "bad" in said.lower()
    assert "Traceback" not in said


def test_tables_that_cannot_be_made_are_told_where_it_was_switched_on(
    unmigratable: Path, worker: Any, centre: Any
) -> None:
    shop = Shop(worker(), centre)
    for locale, reader in shop.readers.items():
        answer = reader.post("services/bad/switch", data={"to": "on"})
        assert answer.status_code == 409
        refused = re.findall(r'(?s)role="alert">(.*?)</p>', answer.text)
        assert refused
        assert bool(CHINESE.search(refused[0])) == (locale == "zh_Hans")
    shop.works()
    shop.is_said("repairs", ">Bad<")
    shop.is_said("services", 'id="service-bad"')
    assert command(shop.opened, "services")[0] == 0
    assert command(shop.opened, "doctor")[0] == 1


# --- broken when it is asked -----------------------------------------------------------------------

RAISE = {"an exception": "raise RuntimeError('a secret')", "an exit": "raise SystemExit(1)"}
QUESTIONS = {"huijia_today": "", "huijia_counts": "counts"}


def bad(folder: Path, source: str) -> None:
    make_plugin(folder, "bad", {"plugin.py": source})


@pytest.fixture(params=RAISE, ids=str)
def raising(request: pytest.FixtureRequest) -> str:
    return RAISE[request.param]


def test_a_failing_answer_is_left_out_of_its_page_and_paused_after_three(
    raising: str, folder: Path, worker: Any, centre: Any
) -> None:
    hooks = "\n".join(f"@hookimpl\ndef {hook}(session): {raising}" for hook in QUESTIONS)
    bad(folder, hooks)
    opened = worker()
    shop = Shop(opened, centre)
    shop.factories.enable("bad", centre)
    second = worker()
    for path in QUESTIONS.values():
        for _time in range(FAILURES_MAX + 1):
            page = shop.client.get(path)
            assert page.status_code == 200
            assert "rooms" in page.text, "the answer of rooms is there"
    shop.works()
    page = shop.client.get("")
    assert "今天" in page.text
    answer = re.sub(r"<[^>]+>", " ", shop.client.get("repairs").text)
    for hook in QUESTIONS:
        assert hook in answer
    assert "a secret" not in answer
    second.refresh()
    assert second.registry.snapshot.paused.keys() == {("bad", hook) for hook in QUESTIONS}
    with second.reading(centre) as session:
        assert [one.topic for one in standing_troubles(session, "breaker")] == sorted(QUESTIONS)
        asked = session.hooks.ask("huijia_counts", centre=centre, actor=SYSTEM)
        assert [answer.plugin for answer in asked] == ["rooms"]
    told = shop.is_said("services", 'id="service-bad"')
    assert "暂停" in told["zh_Hans"]


LISTENERS = """
    @hookimpl
    def rooms_booked(session): {raising}
    @hookimpl_at_once
    def rooms_cancelled(session): {raising}
    """


def test_a_failing_listener_holds_up_nobody_and_ends_under_repairs(
    raising: str, folder: Path, worker: Any, centre: Any, clock: Any
) -> None:
    bad(folder, LISTENERS.format(raising=raising))
    opened = worker()
    shop = Shop(opened, centre)
    shop.factories.enable("bad", centre)
    bookings = [shop.book().json["id"] for _time in range(FAILURES_MAX)]
    for booking in bookings:
        answer = shop.api.post(f"rooms/bookings/{booking}/cancel", json={"reason": "停电"})
        assert answer.status_code == 200, " ".join(answer.text.split())[-300:]
    for _time in range(12):
        clock.move(hours=24)
        deliver_due(opened, limit=100)
    shop.sign_in()
    answer = re.sub(r"<[^>]+>", " ", shop.client.get("repairs").text)
    assert "rooms_booked" in answer
    assert "rooms_cancelled" in answer
    second = worker()
    assert ("bad", "rooms_cancelled") in second.registry.snapshot.paused
    code, said = command(opened, "doctor")
    assert code == 1
    assert "rooms_booked" in said


def test_a_failing_page_command_or_job_is_its_own(
    raising: str, folder: Path, worker: Any, centre: Any, clock: Any
) -> None:
    bad(
        folder,
        f"""
        import click
        from datetime import timedelta
        from huijia import Job, NavigationItem
        pages = Pages("bad", __name__)

        @pages.get("/", permission="bad.see")
        def index(): {raising}

        @pages.post("/", permission="bad.see")
        def change(): {raising}

        @click.command()
        def go(): {raising}

        def work(session, now): {raising}

        @hookimpl
        def huijia_permissions(): return [Permission("bad.see", messages("bad")("See it"))]
        @hookimpl
        def huijia_blueprints(): return [pages]
        @hookimpl
        def huijia_navigation(): return [NavigationItem(messages("bad")("It"), "bad.index", "bad.see")]
        @hookimpl
        def huijia_commands(): return [go]
        @hookimpl
        def huijia_jobs(): return [Job("work", timedelta(minutes=1), work)]
        """,
    )
    opened = worker()
    shop = Shop(opened, centre)
    shop.factories.enable("bad", centre)
    for answer in (shop.client.get("bad/"), shop.client.post("bad/")):
        assert answer.status_code == 500
        assert "没有保存任何内容" in answer.text
        assert "Traceback" not in answer.text
    shop.works()
    code, said = command(opened, "bad", "--centre", centre.slug, "go")
    assert code in (1, 2)
    assert "Traceback" not in said
    for _time in range(FAILURES_MAX):
        clock.move(hours=1)
        run_due_jobs(opened, clock())
    shop.sign_in()
    for number, failed in enumerate(("bad.change", "bad.index", "work"), 1):
        assert failed in shop.is_said("repairs", f'id="repair-{number}"')["zh_Hans"]
