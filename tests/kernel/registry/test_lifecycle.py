"""A service is switched on and off at a centre, live, for every worker, after a plan."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import UUID

import pytest
from huijia.errors import NotFound
from huijia.identity.models import Role
from huijia.identity.permissions import KERNEL_ROLES
from huijia.installation import Installation
from huijia.registry.deliver import SOURCE, deliver_due, skip
from huijia.registry.lifecycle import NeedsAnother, PlanChanged, disable, enable, plan
from huijia.registry.states import INSTALLED, PENDING, READY, standing
from huijia.registry.troubles import standing_troubles
from huijia.storage.outbox import Delivery
from huijia.testing.broken import make_good, make_plugin
from sqlalchemy import select

pytestmark = pytest.mark.usefixtures("english")

Worker = Callable[..., Installation]


@pytest.fixture
def opened(plugins: Path, worker: Worker) -> Installation:
    make_good(plugins)
    watch = """
        HEARD = []
        @hookimpl_at_once
        def huijia_service_enabled(centre_id, plugin): HEARD.append(("on", plugin))
        @hookimpl_at_once
        def huijia_service_disabled(centre_id, plugin): HEARD.append(("off", plugin))
        """
    make_plugin(plugins, "upon", {"plugin.py": watch}, requires=["huijia-good"])
    return worker()


def test_it_is_on_at_one_centre_and_seen_by_every_worker(
    opened: Installation, worker: Worker, centre: Any, second_centre: Any
) -> None:
    other = worker()
    assert enable(opened, centre.id, "good", None)
    assert not enable(opened, centre.id, "good", None), "twice changes nothing"
    for installation in (opened, other):
        with installation.reading() as session:
            state = installation.registry.current(session)
        assert state.centres == {centre.id: {"good"}}
        assert installation.registry.serving(centre.id) == {"good"}
        assert installation.registry.serving(second_centre.id) == frozenset()
    assert disable(other, centre.id, "good", None)
    assert not disable(other, centre.id, "good", None)
    opened.refresh()
    assert opened.registry.serving(centre.id) == frozenset()


def test_needs_come_first_and_leave_last(opened: Installation, centre: Any) -> None:
    with pytest.raises(NeedsAnother, match="enable Good first"):
        enable(opened, centre.id, "upon", None)
    enable(opened, centre.id, "good", None)
    enable(opened, centre.id, "upon", None)
    with pytest.raises(NeedsAnother, match="disable Upon first") as refused:
        disable(opened, centre.id, "good", None)
    assert refused.value.details == {"dependents": ["upon"]}
    disable(opened, centre.id, "upon", None)
    disable(opened, centre.id, "good", None)
    assert opened.registry.loaded["upon"].module.HEARD == [("on", "upon"), ("off", "upon")]


def test_a_listener_hears_after_the_commit_what_was_switched_on(
    plugins: Path, opened: Installation, centre: Any
) -> None:
    listens = """
        HEARD = []
        @hookimpl
        def huijia_service_enabled(session, centre_id, plugin): HEARD.append((centre_id, plugin))
        """
    make_plugin(plugins, "later", {"plugin.py": listens})
    started_now = Installation.open(opened.config, clock=opened.clock)
    for name in ("later", "good"):
        enable(started_now, centre.id, name, None)
    assert deliver_due(started_now) == 2
    heard = started_now.registry.loaded["later"].module.HEARD
    assert heard == [(centre.id, "later"), (centre.id, "good")]
    with started_now.reading() as session:
        assert set(session.scalars(select(Delivery.state))) == {"done"}
    started_now.close()


ROLES = """
    from huijia import RoleBundle
    _ = messages("keys")
    @hookimpl
    def huijia_permissions(): return [Permission(f"keys.{{what}}", _("Keys")) for what in ("see", "lend")]
    @hookimpl
    def huijia_roles(): return [RoleBundle("keys.desk", _("{label}"), frozenset({{{rights}}}))]
    """


def test_a_later_version_brings_its_ready_made_roles_up_to_date_by_migrating(
    plugins: Path, worker: Worker, centre: Any
) -> None:
    def started(label: str, rights: str) -> Installation:
        shutil.rmtree(plugins / "huijia_keys", ignore_errors=True)
        for left in [
            *plugins.glob("huijia_keys-*"),
            *(m for m in sys.modules if m.startswith("huijia_keys")),
        ]:
            shutil.rmtree(left) if isinstance(left, Path) else sys.modules.pop(left)
        make_plugin(plugins, "keys", {"plugin.py": ROLES.format(label=label, rights=rights)})
        importlib.invalidate_caches()
        return worker()

    def role(installation: Installation) -> tuple[str, list[str]]:
        with installation.reading() as session:
            found = session.scalars(select(Role).where(Role.key == "keys.desk")).one()
            return found.name_en, found.permissions

    enable(started("Key desk", "'keys.see'"), centre.id, "keys", None)
    newer = started("Desk of keys", "'keys.see', 'keys.lend'")
    assert role(newer) == ("Key desk", ["keys.see"])
    assert newer.migrate() == []
    assert role(newer) == ("Desk of keys", ["keys.lend", "keys.see"])

    spoilt = started("x" * 500, "'keys.see'")
    [trouble] = spoilt.migrate()
    assert (trouble.plugin, trouble.code) == ("keys", "contribution-failed")
    assert role(spoilt) == ("Desk of keys", ["keys.lend", "keys.see"]), "as before"


def test_who_is_not_there_cannot_be_switched_on(opened: Installation, centre: Any) -> None:
    with pytest.raises(NotFound, match="install huijia-absent"):
        enable(opened, centre.id, "absent", None)


def test_nothing_is_imported_before_it_is_switched_on(opened: Installation, centre: Any) -> None:
    assert opened.registry.loaded == {}
    with opened.reading() as session:
        assert standing(opened.registry, "good", session).state == INSTALLED
    enable(opened, centre.id, "good", None)
    with opened.reading() as session:
        assert standing(opened.registry, "good", session).state == READY
    assert set(opened.registry.loaded) == {"good"}


def test_a_plan_says_what_it_means_and_changes_nothing(opened: Installation, centre: Any) -> None:
    enable(opened, centre.id, "good", None)
    shown = plan(opened, "upon", centre.id)
    assert json.loads(json.dumps(shown)) == shown
    assert (shown["enabled"], shown["needs"], shown["dependents"]) == (False, {"good": True}, [])
    assert plan(opened, "good", centre.id) | {"fingerprint": ""} == {
        "plugin": "good",
        "version": "0.1.0",
        "enabled": True,
        "trouble": None,
        "needs": {},
        "partners": {},
        "dependents": [],
        "permissions": ["good.see"],
        "routes": {"good.index": "good.see"},
        "settings": [],
        "migrations": [],
        "tables": {},
        "fingerprint": "",
    }
    assert opened.registry.serving(centre.id) == {"good"}


def test_exactly_the_plan_that_was_shown_is_done(opened: Installation, centre: Any) -> None:
    shown = plan(opened, "good", centre.id)["fingerprint"]
    enable(opened, centre.id, "good", None, expected=shown)
    with pytest.raises(PlanChanged, match="look again"):
        disable(opened, centre.id, "good", None, expected=shown)
    disable(opened, centre.id, "good", None, expected=plan(opened, "good", centre.id)["fingerprint"])


def test_a_change_that_is_undone_was_never_seen(opened: Installation, centre: Any, monkeypatch: Any) -> None:
    from huijia.registry import lifecycle

    real = lifecycle._announce

    def announce_and_break(registry: Any, session: Any, *what: Any) -> None:
        real(registry, session, *what)
        assert session.hooks.all.plugins.keys() == {"good"}, "inside the unit it is on"
        raise RuntimeError("power cut")

    monkeypatch.setattr(lifecycle, "_announce", announce_and_break)
    with pytest.raises(RuntimeError):
        enable(opened, centre.id, "good", None)
    opened.refresh()
    assert opened.registry.serving(centre.id) == frozenset()


ROLE = """
    _ = messages("keeper")
    @hookimpl
    def huijia_permissions(): return [Permission("keeper.see", _("See it"))]
    @hookimpl
    def huijia_roles():
        from huijia import RoleBundle
        return [RoleBundle("keeper.desk", _("Keeper"), frozenset({"keeper.see"}))]
    """


def test_its_ready_made_roles_come_with_it(plugins: Path, worker: Worker, centre: Any) -> None:
    make_plugin(plugins, "keeper", {"plugin.py": ROLE})
    opened = worker()
    enable(opened, centre.id, "keeper", None)
    with opened.reading() as session:
        [role] = session.scalars(select(Role).where(Role.plugin == "keeper"))
        assert (role.key, role.name_en, role.permissions) == ("keeper.desk", "Keeper", ["keeper.see"])


STEP = """
    import sqlalchemy as sa
    from alembic import op
    revision, down_revision = "{revision}", {before}
    def upgrade(): op.create_table("grows_{revision}", sa.Column("id", sa.Integer, primary_key=True))
    """


def test_one_with_steps_to_go_rests_until_it_is_migrated(plugins: Path, worker: Worker, centre: Any) -> None:
    first = {"migrations/first.py": STEP.format(revision="one", before=None)}
    package = make_plugin(plugins, "grows", first)
    opened = worker()
    enable(opened, centre.id, "grows", None)
    assert opened.registry.serving(centre.id) == {"grows"}
    (package / "migrations" / "second.py").write_text(dedent(STEP.format(revision="two", before="'one'")))
    updated = worker()
    assert updated.registry.serving(centre.id) == frozenset()
    assert updated.registry.pending == {"grows": ["two"]}
    with updated.reading() as session:
        stands = standing(updated.registry, "grows", session)
        assert [t.code for t in standing_troubles(session)] == ["schema-pending"]
    assert (stands.state, str(stands.remedy)) == (PENDING, "Run huijia migrate, or switch it on anywhere.")
    assert updated.migrate() == []
    assert updated.registry.serving(centre.id) == {"grows"}
    with updated.reading() as session:
        assert standing_troubles(session) == []


def test_another_worker_sees_that_the_steps_have_run(plugins: Path, worker: Worker, centre: Any) -> None:
    steps = {"migrations/first.py": STEP.format(revision="one", before=None)}
    package = make_plugin(plugins, "grows", steps)
    opened, planning = worker(), worker()
    assert plan(planning, "grows", centre.id)["migrations"] == ["one"]
    enable(opened, centre.id, "grows", None)
    planning.refresh()
    assert planning.registry.serving(centre.id) == {"grows"}, "switched on by another, after a plan was shown"

    (package / "migrations" / "second.py").write_text(dedent(STEP.format(revision="two", before="'one'")))
    opened, waiting = worker(), worker()
    assert waiting.registry.pending == {"grows": ["two"]}
    assert opened.migrate() == []
    waiting.refresh()
    assert waiting.registry.serving(centre.id) == {"grows"}, "migrated by another"


def test_a_later_kernel_brings_its_own_roles_up_to_date_by_migrating(installation: Installation) -> None:
    ours = select(Role).where(Role.key == KERNEL_ROLES[0].key)
    installation.migrate()
    with installation.writing() as session:
        session.scalars(ours).one().permissions = ["of.yesterday"]
    assert installation.migrate() == []
    with installation.reading() as session:
        assert session.scalars(ours).one().permissions == sorted(KERNEL_ROLES[0].permissions)


SLOW = """
    import threading, time
    BEGAN = threading.Event()
    @hookimpl_at_once
    def huijia_service_enabled(plugin): linger(plugin)
    @hookimpl_at_once
    def huijia_service_disabled(plugin): linger(plugin)
    def linger(plugin):
        if plugin == "slow":
            BEGAN.set()
            time.sleep(0.5)
    """


def test_one_service_is_switched_on_once_by_two_at_once(
    both_engines: str, plugins: Path, worker: Worker, centre: Any
) -> None:
    make_plugin(plugins, "slow", {"plugin.py": SLOW})
    with ThreadPoolExecutor(2) as two:
        done = two.map(lambda opened: enable(opened, centre.id, "slow", None), [worker(), worker()])
        assert sorted(done) == [False, True]


def test_nothing_is_switched_on_while_what_it_needs_is_switched_off(
    both_engines: str, plugins: Path, worker: Worker, centre: Any
) -> None:
    make_plugin(plugins, "slow", {"plugin.py": SLOW})
    make_plugin(plugins, "upon", requires=["huijia-slow"])
    opened, other = worker(), worker()
    enable(opened, centre.id, "slow", None)
    began = opened.registry.loaded["slow"].module.BEGAN
    began.clear()
    with ThreadPoolExecutor(1) as one:
        gone = one.submit(disable, opened, centre.id, "slow", None)
        assert began.wait(10)
        with pytest.raises(NeedsAnother, match="enable Slow first"):
            enable(other, centre.id, "upon", None)
        assert gone.result()


def test_one_that_was_removed_while_on_is_missed(plugins: Path, worker: Worker, centre: Any) -> None:
    make_plugin(plugins, "gone")
    opened = worker()
    enable(opened, centre.id, "gone", None)
    shutil.rmtree(plugins / "huijia_gone-0.1.0.dist-info")
    later = worker()
    with later.reading() as session:
        assert [(t.plugin, t.code) for t in standing_troubles(session)] == [("gone", "not-installed")]
    disable(later, centre.id, "gone", None)
    with later.reading() as session:
        assert standing_troubles(session) == []


def test_what_a_removed_one_was_to_hear_is_parked_and_can_be_skipped(
    plugins: Path, worker: Worker, centre: Any, clock: Any
) -> None:
    listens = "@hookimpl\ndef huijia_service_enabled(plugin): pass"
    make_plugin(plugins, "gone", {"plugin.py": listens})
    enable(worker(), centre.id, "gone", None)
    shutil.rmtree(plugins / "huijia_gone-0.1.0.dist-info")
    later = worker()
    for _time in range(10):
        deliver_due(later)
        clock.move(hours=1)
    with later.writing(centre) as session:
        [trouble] = standing_troubles(session, SOURCE)
        assert str(trouble.message).startswith(
            "Gone is not installed, and was to hear huijia_service_enabled"
        )
        skip(session, UUID(trouble.topic), "It was removed for good.")
    with later.reading() as session:
        assert session.scalars(select(Delivery.state)).all() == ["skipped"]
        assert standing_troubles(session, SOURCE) == []


def test_one_service_can_be_seen_alone(opened: Installation, worker: Worker, centre: Any) -> None:
    enable(opened, centre.id, "good", None)
    alone = worker(only=["upon", "good"])
    assert set(alone.registry.catalogue) == {"upon", "good"}
    assert worker(only=[]).registry.serving(centre.id) == frozenset()
