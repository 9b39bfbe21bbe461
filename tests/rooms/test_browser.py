"""The day grid in a real browser: keys, the quarter that was clicked, a phone's width, the strict CSP."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from .conftest import ALL, at

HOSTILE = '"><img src=x onerror=alert(1)>'
pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """A browser that speaks Chinese."""
    return {**browser_context_args, "locale": "zh-CN"}


@pytest.fixture
def grid(page: Any, live_server: str, client: Callable, staff: Callable) -> Any:
    """The day grid of two rooms and a booking; whatever the console complains of fails the test."""
    who = staff(permissions=ALL)
    desk = client(who)
    for name in ("书法室", "棋牌室"):
        room = {"name": name, "floor": 2, "capacity": 12, "booked_as": "either"}
        made = desk.api.post("rooms/rooms", json=room).json
    body = {
        "starts_at": at(14).isoformat(),
        "ends_at": at(16).isoformat(),
        "name": '"><img src=x onerror=alert(1)>',
    }
    desk.api.post("rooms/bookings", json={**body, "room_id": made["id"]})
    name = "huijia_session"
    page.context.add_cookies([{"name": name, "value": desk.get_cookie(name).value, "url": live_server}])
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{live_server}/c/duling/rooms/")
    page.origin = live_server
    yield page
    assert complaints == []


def _first_room(page: Any) -> str:
    """The id of 书法室."""
    rooms = page.request.get(f"{page.origin}/api/v1/centres/duling/rooms/rooms").json()
    return next(room["id"] for room in rooms if room["name"] == "书法室")


def _post(page: Any, path: str, form: dict[str, str]) -> None:
    answer = page.request.post(page.origin + path, form=form, headers={"Origin": page.origin})
    assert answer.ok, answer.text()


def axe_finds(page: Any) -> list[str]:
    return [found["id"] for found in Axe().run(page).response["violations"]]


def test_arrow_keys_move_from_cell_to_cell(grid: Any) -> None:
    def focused() -> str:
        return grid.evaluate("document.activeElement.textContent.trim()")

    grid.focus(".daygrid")
    for key, expected in (("ArrowRight", "09:00"), ("ArrowRight", "10:00"), ("ArrowDown", "10:00")):
        grid.keyboard.press(key)
        assert focused() == expected
    grid.keyboard.press("ArrowLeft")
    grid.keyboard.press("ArrowUp")
    assert focused() == "09:00"
    grid.keyboard.press("Enter")
    grid.wait_for_url("**/rooms/book**")
    assert grid.input_value("#start") == "09:00"


def test_a_click_begins_at_the_quarter_that_was_clicked(grid: Any) -> None:
    cell = grid.locator("tbody tr").first.get_by_text("10:00")
    box = cell.bounding_box()
    cell.click(position={"x": box["width"] * 0.6, "y": 10})
    grid.wait_for_url("**/rooms/book**")
    assert (grid.input_value("#start"), grid.input_value("#end")) == ("10:30", "11:30")


@pytest.mark.parametrize("width", [360, 768, 1366, 1920])
def test_the_page_never_scrolls_sideways(grid: Any, width: int) -> None:
    grid.set_viewport_size({"width": width, "height": 800})
    assert grid.evaluate("document.documentElement.scrollWidth") <= width
    assert grid.locator("tbody .held b").inner_text() == HOSTILE


def test_the_line_of_now_stands_at_nine(grid: Any) -> None:
    grid.set_viewport_size({"width": 1366, "height": 800})
    nine = grid.get_by_role("columnheader", name="9:00", exact=True).bounding_box()
    assert abs(grid.locator(".now").bounding_box()["x"] - nine["x"]) < 3


@pytest.mark.parametrize("path", ["", "rooms", "book", "bookings", "closures", "rooms/new", "room", "edit"])
def test_every_page_fits_a_phone_in_large_type(grid: Any, live_server: str, path: str) -> None:
    names = "、".join(["楼院志愿队与文明劝导队"] * 6)
    here = grid.url
    for end in ("09:30", "10:00"):  # two parties of long names, together for half an hour
        asked = {"room_id": _first_room(grid), "day": "2026-11-23", "name": names, "seats": "2"}
        _post(grid, "/c/duling/rooms/book", {**asked, "start": "09:00", "end": end})
    closed = {"first_day": "2026-11-23", "last_day": "2026-11-24", "reason": "更换灯具并检修空调"}
    _post(grid, "/c/duling/rooms/closures", closed)
    where = {"room": f"rooms/{_first_room(grid)}", "edit": f"rooms/{_first_room(grid)}/edit"}
    grid.set_viewport_size({"width": 360, "height": 740})
    grid.goto(f"{here}{where.get(path, path)}" if path else f"{here}?day=2026-11-23")
    for large in (False, True):
        grid.evaluate("on => document.documentElement.classList.toggle('large', on)", large)
        assert grid.evaluate("document.documentElement.scrollWidth") <= 360
        narrowest = "() => Math.min(...[...document.querySelectorAll('main td, main button')]"
        widths = grid.evaluate(
            f"{narrowest}.filter(e => e.offsetWidth && e.innerText).map(e => e.offsetWidth))"
        )
        assert widths > 40, "something is squeezed to a letter's width"
        heights = (
            "() => Math.max(0, ...[...document.querySelectorAll('main button')].map(e => e.offsetHeight))"
        )
        assert grid.evaluate(heights) < 100, "a button's words stand one below the other"
    assert axe_finds(grid) == []


def test_a_photo_of_a_camera_is_sent_smaller_shown_and_removed(grid: Any, tmp_path: Path) -> None:
    room_id = _first_room(grid)
    camera, picture = grid.context.new_page(), tmp_path / "room.png"
    camera.set_content("<body style='background:linear-gradient(45deg,#e9dcc8,#46688a)'>")
    camera.set_viewport_size({"width": 2400, "height": 1800})
    camera.screenshot(path=picture)
    grid.goto(f"{grid.origin}/c/duling/rooms/rooms/{room_id}/edit")
    grid.set_input_files("#photo", picture)
    expect(grid.locator("#photo")).to_have_value(re.compile("room.jpg$"))
    grid.click("main button.primary")
    grid.wait_for_url(f"**/rooms/{room_id}")
    shown = grid.get_by_role("img", name="书法室的照片")
    expect(shown).to_have_js_property("naturalWidth", 1600)
    assert shown.bounding_box()["height"] > 100
    grid.goto(f"{grid.origin}/c/duling/rooms/rooms")
    assert grid.get_by_role("img", name="书法室的照片").bounding_box()["width"] < 120
    grid.goto(f"{grid.origin}/c/duling/rooms/book?room={room_id}")
    assert shown.is_visible()
    grid.goto(f"{grid.origin}/c/duling/rooms/rooms/{room_id}/edit")
    grid.check("#remove_photo")
    grid.click("main button.primary")
    grid.wait_for_url(f"**/rooms/{room_id}")
    assert shown.count() == 0


def test_another_room_is_shown_beside_the_form_which_keeps_what_was_typed(grid: Any) -> None:
    grid.goto(f"{grid.origin}/c/duling/rooms/book?room={_first_room(grid)}")
    grid.fill("#name", "马老师")
    grid.select_option("#room_id", label="棋牌室 · 12 人 · 整间或按座")
    grid.get_by_role("heading", name="棋牌室").wait_for()
    assert HOSTILE in grid.inner_text("#beside")
    assert grid.input_value("#name") == "马老师"
