"""The type of a problem leads to a page that says what it means and what to do, in both languages."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import pytest
from huijia.i18n import speaking
from huijia.web.door import Door
from huijia.web.meanings import Meaning, meanings

CHINESE = re.compile(r"[\u4e00-\u9fff]")
OURS = ("huijia", "rooms")


def test_the_type_of_a_problem_leads_to_its_page(app: Door, client: Any) -> None:
    answer = client("tiny.add").post("/api/v1/centres/duling/tiny/full").json
    assert (answer["type"], answer["code"]) == ("http://localhost/problems/tiny-full", "tiny-full")
    page = app.test_client().get(answer["type"])
    assert (page.status_code, "tiny-full" in page.text) == (200, True)


def codes() -> dict[str, Meaning]:
    import_module("huijia_rooms.errors")
    return meanings()


@pytest.mark.parametrize(("locale", "word"), [("zh-CN", "处理办法"), ("en", "What to do")])
def test_every_code_has_a_page_in_both_languages(app: Door, locale: str, word: str) -> None:
    nobody = app.test_client()
    for code in codes():
        page = nobody.get(f"/problems/{code}", headers={"Accept-Language": locale})
        assert (page.status_code, code in page.text, word in page.text) == (200, True, True)


def test_every_code_says_what_happened_and_what_to_do() -> None:
    assert {"refused", "not-found", "forbidden", "busy", "fault", "too-large", "room-taken"} <= codes().keys()
    with speaking("zh_Hans"):
        for code, one in codes().items():
            assert str(one.advice).endswith("。"), code
            assert one.meaning.domain not in OURS or CHINESE.search(str(one.meaning)), one.meaning


def test_a_code_that_nobody_uses_is_nowhere(app: Door) -> None:
    assert app.test_client().get("/problems/absent").status_code == 404


def test_programs_are_told_where_the_type_leads(client: Any) -> None:
    document = client("tiny.see").get("/api/v1/centres/duling/openapi.json").json
    kinds = document["components"]["schemas"]["huijia.Problem"]["properties"]
    assert "/problems/CODE" in kinds["type"]["description"]
