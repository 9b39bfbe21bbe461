"""Journeys of the desk and of an official."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

import pytest
from huijia.figures.counting import count_visit
from huijia.identity import roles
from huijia.identity.actor import SYSTEM
from huijia.identity.models import Area
from huijia.people.service import register_person
from huijia.region.cn import CHECKS, WEIGHTS
from huijia.storage.settings import Scope
from huijia.testing.factories import PASSWORD
from playwright.sync_api import Page, expect

BODY = "41010519520303002"
NUMBER = BODY + CHECKS[sum(int(d) * w for d, w in zip(BODY, WEIGHTS, strict=True)) % 11]


@pytest.mark.browser
def test_the_desk_confirms_an_identity_and_hands_out_a_card_within_a_minute(
    page: Page, live_server: str, staff: Any
) -> None:
    staff("wang", role="centre.desk")
    page.goto(f"{live_server}/signin")
    page.fill("#username", "wang")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "signin" not in url)
    started = time.monotonic()
    page.goto(f"{live_server}/c/duling/people/")
    expect(page.locator("#q")).to_be_focused()  # a scanner can type at once
    page.keyboard.type("陈秀英")
    page.keyboard.press("Enter")
    page.locator("main a[href*='people/new']").first.click()
    assert page.input_value("#name") == "陈秀英"  # nobody of that name: it is not typed twice
    page.fill("#number", NUMBER)
    page.click("main form .primary")
    page.wait_for_url("**/people/*done=registered")
    assert NUMBER not in page.content()
    page.click("form[action$='/confirm'] button")
    page.wait_for_url("**done=confirmed")
    page.click("form[action$='/card'] button")
    page.wait_for_url("**/people/cards/*")
    assert page.locator("main svg").count() == 1
    assert time.monotonic() - started < 60


def test_an_official_reads_seventeen_centres_side_by_side(
    installation: Any, factories: Any, client: Any, staff: Any, centre: Any
) -> None:
    centres = [centre, *(factories.centre(f"centre-{n}", f"第{n}街道中心") for n in range(2, 18))]
    for number, one in enumerate(centres, 1):
        with installation.doing("test", one) as session:
            who = register_person(session, actor=SYSTEM, name="陈秀英", now=session.now)
            for visit in range(number):
                about = {"kind": "rooms.use", "subject": f"booking:{visit}", "person_id": who.id}
                count_visit(session, on=date(2026, 11, 1), now=session.now, **about)
    official = staff("official", permissions={"today.see"})
    with installation.doing("test") as session:
        district = session.get_one(Area, session.get_one(Area, centre.area_id).parent_id).id
        made = {"key": "reader", "name": "官员", "permissions": {"figures.see"}, "now": session.now}
        role = roles.add_role(session, actor=SYSTEM, **made)
        given = {"staff_id": official.id, "role_id": role.id, "scope": Scope(area_id=district)}
        roles.grant_role(session, actor=SYSTEM, now=session.now, **given)
    shown = client(official).get(f"/areas/{district}/figures?month=2026-11").text
    assert all(one.name in shown for one in centres)
    assert str(sum(range(1, 18))) in shown  # all visits together
    assert client(official).get("figures?month=2026-11").text.count("陈秀英") == 0
