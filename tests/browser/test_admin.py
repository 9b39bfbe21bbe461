"""The administration's pages in Chromium: for all readers, widths and languages, by keyboard alone."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from huijia.figures.counting import count_visit
from huijia.identity.actor import SYSTEM
from huijia.people.service import confirm_identity, issue_card, register_person
from huijia.testing.factories import PASSWORD
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
PAGES = """
    . services services/garden services/install staff staff/new staff/roles staff/role
    centres settings repairs audit find?q=a garden/ nowhere /account /centres
    people/ people/?q=zzz people/new people/ID people/ID/change people/cards/CARD
    figures figures?by=band figures/visits
    """.split()  # noqa: SIM905
KEYS: dict[str, str] = {}  # of the resident and their card, by what stands for them in PAGES
# What is not the interface's own: names, codes, and the other language's own name.
TEXTS = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
    const other = document.documentElement.lang === "en" ? "[lang=zh-Hans]" : "[lang=en]";
    while (walker.nextNode()) {
        const node = walker.currentNode;
        const aside = `[translate=no], code, kbd, option:is([value=en], [value=zh_Hans]), ${other}`;
        if (!node.parentElement.closest(aside)) found.push(node.textContent);
    }
    return found.map((text) => text.trim()).filter(Boolean);
}"""
NAMES = {
    "zh_Hans": re.compile(r"duling|wang|li\b|[0-9a-f]{32}|huijia-|B-7|zzz"),
    "en": re.compile("[一-鿿]*(街道|区|市|陈秀英)"),
}
FOREIGN = {"zh_Hans": re.compile("[A-Za-z]{2,}"), "en": re.compile("[一-鿿]")}


@pytest.fixture
def address(
    live_server: str, administrator: Any, enable: Any, staff: Any, installation: Any, centre: Any
) -> str:
    """A server with `garden` switched on and one resident; `wang` may do everything."""
    enable("garden")
    staff("li", role="centre.desk")
    with installation.doing("huijia demo", centre) as session:
        number = {"number": "E12345678", "born_on": date(1952, 3, 3), "sex": "female"}
        chen = register_person(session, actor=SYSTEM, name="陈秀英", now=session.now, **number)
        card = issue_card(session, actor=SYSTEM, person_id=chen.id, now=session.now)
        until = {"evidence": "passport", "until": date(2027, 1, 1)}
        confirm_identity(session, actor=SYSTEM, person_id=chen.id, now=session.now, **until)
        about = {"kind": "garden.visit", "subject": "bed:1", "person_id": chen.id, "now": session.now}
        count_visit(session, on=date(2026, 11, 22), **about)
        KEYS.update(ID=str(chen.id), CARD=str(card.id))
    return live_server


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/signin")
    page.fill("#username", "wang")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "signin" not in url)


def choose(page: Page, name: str, value: str) -> None:
    """Press the switch of the header, where it offers this value."""
    button = page.locator(f'button[name={name}][value="{value}"]')
    if button.count():
        with page.expect_navigation():
            button.click()


def visit(page: Page, address: str, path: str) -> None:
    for name, key in KEYS.items():
        path = re.sub(rf"\b{name}\b", key, path)
    page.goto(address + (path if path.startswith("/") else f"/c/duling/{path.removeprefix('.')}"))
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize(
    ("locale", "scheme", "width"),
    [
        ("zh_Hans", "light", 360),  # words do not depend on width, nor contrast on words
        ("zh_Hans", "dark", 1366),
        ("en", "dark", 360),
        ("en", "light", 1366),
    ],
)
def test_every_page_is_accessible_fits_and_speaks_one_language(
    page: Page, address: str, locale, scheme, width
):
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    sign_in(page, address)
    choose(page, "locale", locale)
    found = []
    for path in PAGES:
        visit(page, address, path)
        violations = Axe().run(page).response["violations"]
        found += [(path, one["id"], [node["target"] for node in one["nodes"]]) for one in violations]
        found += [(path, "wider than the window")] if is_too_wide(page) else []
        texts = [NAMES[locale].sub("", text) for text in page.evaluate(TEXTS)]
        found += [(path, text) for text in texts if FOREIGN[locale].search(text)]
    assert found == []


def is_too_wide(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


@pytest.mark.parametrize(("width", "type_px"), [(360, 22), (1366, 22), (1366, 40), (1920, 40)])
def test_large_type_enlarges_without_loss(page: Page, address: str, width, type_px):
    page.set_viewport_size({"width": width, "height": 800})
    sign_in(page, address)
    choose(page, "large_type", "yes")
    small = []
    for path in PAGES:
        visit(page, address, path)
        page.evaluate(f"document.documentElement.style.fontSize = '{type_px}px'")
        assert not is_too_wide(page), path
        targets = page.evaluate(
            "[...document.querySelectorAll('button:not(.switch), .btn, select, .rail li a')]"
            ".filter((e) => e.offsetParent)"
            ".map((e) => [e.outerHTML.slice(0, 60), e.getBoundingClientRect().height])"
        )
        small += [(path, *target) for target in targets if target[1] < 60]
    assert small == []


def test_no_text_is_smaller_than_sixteen_pixels(page: Page, address: str):
    sign_in(page, address)
    for path in PAGES:
        visit(page, address, path)
        smallest = page.evaluate(
            "Math.min(...[...document.body.querySelectorAll('*')]"
            ".filter((e) => e.innerText && e.offsetParent)"
            ".map((e) => parseFloat(getComputedStyle(e).fontSize)))"
        )
        assert smallest >= 16, path


def press_until(page: Page, selector: str) -> None:
    """Tab until the element has the focus; a person gives up after a hundred."""
    for _number in range(100):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches({selector!r})"):
            return
    pytest.fail(f"{selector} was never reached by Tab.")


def test_the_keyboard_alone_signs_in_switches_a_service_and_adds_staff(page: Page, address: str):
    page.goto(f"{address}/signin")
    page.keyboard.type("wang")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/duling/")

    press_until(page, "a[href='/c/duling/services']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/services")
    press_until(page, "#service-garden [role=switch]")
    page.keyboard.press("Space")
    page.wait_for_selector(".toast")
    assert "屋顶花园已停用" in page.inner_text(".toast")
    assert page.get_attribute("#service-garden [role=switch]", "aria-checked") == "false"
    assert page.evaluate("document.activeElement.matches('#service-garden [role=switch]')")  # the focus stays
    expect(page.locator(".rail")).not_to_contain_text("屋顶花园")  # the rail hears of it

    press_until(page, "a[href='/c/duling/staff']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff")
    press_until(page, "a[href='/c/duling/staff/new']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff/new")
    press_until(page, "#display_name")
    for words in ("陈老师", "chen", PASSWORD):
        page.keyboard.type(words)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter") if page.evaluate("document.activeElement.tagName === 'BUTTON'") else None
    press_until(page, "main form button.primary")
    page.keyboard.press("Enter")
    page.wait_for_url("**/staff?**")
    assert "陈老师" in page.inner_text("main")


def test_slash_finds_question_mark_helps_and_escape_closes(page: Page, address: str):
    sign_in(page, address)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("?")  # typed, not a command
    assert page.input_value("[name=q]") == "?"
    page.locator("h1").click()
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()


def test_what_cannot_be_undone_asks_first(page: Page, address: str):
    sign_in(page, address)
    visit(page, address, "staff?name=li")
    page.click("main tbody a")
    page.click("button.danger")
    assert "停用li的账号" in page.inner_text("#confirm")
    page.click("#confirm button[value=no]")
    assert "已停用，无法登录" not in page.inner_text("main")
    page.click("button.danger")
    page.click("#confirm button[value=yes]")
    page.wait_for_selector("text=已停用，无法登录")


def test_everything_works_without_scripts(browser: Any, address: str):
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, address)
    page.goto(f"{address}/c/duling/services")
    page.click("#service-garden [role=switch]")
    assert "已停用，数据全部保留" in page.inner_text("main")


def test_the_rail_opens_as_a_menu_on_a_phone(page: Page, address: str):
    page.set_viewport_size({"width": 360, "height": 740})
    sign_in(page, address)
    assert not page.locator(".rail").is_visible()
    page.click("text=菜单")
    page.click(".rail >> text=工作人员")
    page.wait_for_url("**/staff")


def test_a_page_prints_without_its_frame(page: Page, address: str):
    sign_in(page, address)
    page.emulate_media(media="print")
    assert not page.locator(".rail").is_visible()
    assert not page.locator(".top").is_visible()
    assert page.locator("h1").is_visible()
