"""What the fixtures give."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from huijia.identity.access import rights_at
from huijia.storage.settings import Scope
from sqlalchemy import select


@pytest.mark.usefixtures("both_engines")
def test_an_installation_is_migrated_and_on_the_test_s_clock(installation, clock) -> None:
    clock.set("2027-02-28T08:00:00+08:00")
    with installation.reading() as session:
        assert session.now == datetime(2027, 2, 28, tzinfo=UTC)
    assert installation.registry.is_installed()


def test_the_clock_stands_still_until_it_is_moved(clock) -> None:
    assert clock() == datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert clock.move(minutes=15) == clock() == datetime(2026, 11, 22, 1, 15, tzinfo=UTC)
    with pytest.raises(AssertionError, match="no offset"):
        clock.set("2026-11-22T09:00:00")


def test_two_centres_lie_in_one_district(centre, second_centre) -> None:
    assert (centre.slug, second_centre.slug) == ("duling", "huayuan")
    assert centre.area_id != second_centre.area_id


def test_staff_hold_what_they_were_given_and_only_there(installation, staff, centre, second_centre) -> None:
    wang = staff("wang", permissions={"rooms.book"})
    with installation.reading() as session:
        assert rights_at(session, wang.id, Scope(centre_id=centre.id)) == {"rooms.book"}
        assert rights_at(session, wang.id, Scope(centre_id=second_centre.id)) == frozenset()


def test_a_unit_of_work_is_undone_and_factories_use_it_while_it_is_open(
    factories, installation, centre, staff
) -> None:
    from huijia.identity.models import Staff

    with factories.work(centre) as session:
        staff("wang")
        assert session.scalar(select(Staff.username)) == "wang"
    with installation.reading() as session:
        assert session.scalar(select(Staff.username)) is None


def test_a_client_is_signed_in_and_sends_what_browsers_send(client) -> None:
    everything = client(permissions={"*"})
    assert everything.get("").status_code == 200
    assert client(None).get("").status_code == 303


def test_a_token_opens_the_api(client, token) -> None:
    api = client(None).api
    headers = {"Authorization": f"Bearer {token({'today.see'})}"}
    assert api.get("openapi.json").status_code in (401, 403, 404)
    assert api.get("openapi.json", headers=headers).status_code == 200


def test_the_plugin_of_pytest_imports_nothing_before_it_is_asked() -> None:
    code = "import sys, huijia.testing.pytest_plugin; print({'flask', 'sqlalchemy'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
