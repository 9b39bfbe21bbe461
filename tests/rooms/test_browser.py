"""The day grid in a real browser: keys, the quarter that was clicked, a phone's width, the strict CSP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

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
    yield page
    assert complaints == []


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
