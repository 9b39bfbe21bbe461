"""Services: cards, the switch, the plan."""

from __future__ import annotations

import pytest


@pytest.fixture
def desk(client, administrator):
    return client(administrator)


def test_a_service_is_shown_with_its_state_in_words(desk, enable):
    assert "可启用" in desk.get("services").text
    enable("garden")
    assert "已启用" in desk.get("services").text


def test_the_switch_takes_effect_at_once_and_says_so(desk):
    answer = desk.post("services/garden/switch", data={"to": "on"}, follow_redirects=True)
    assert "已启用，页面现在可以使用。" in answer.text
    assert desk.get("garden/").status_code == 200
    answer = desk.post("services/garden/switch", data={"to": "off"}, follow_redirects=True)
    assert "数据全部保留" in answer.text
    assert desk.get("garden/").status_code == 404


def test_a_live_switch_answers_with_the_card_alone(desk):
    answer = desk.post("services/garden/switch", data={"to": "on"}, headers={"HX-Request": "true"})
    assert answer.text.startswith("<section")
    assert 'data-said="屋顶花园已启用' in answer.text
    assert answer.headers["HX-Trigger"] == "services-changed"  # the rail fetches itself again


def test_the_plan_says_what_would_change_and_changes_nothing(desk):
    text = desk.get("services/garden").text
    assert "启用屋顶花园？" in text
    assert "开放 2 个" in text  # pages and interfaces
    assert "查看花园" in text
    assert "可启用" in desk.get("services").text


def test_a_plan_that_is_no_longer_true_is_shown_again(desk):
    answer = desk.post("services/garden/switch", data={"to": "on", "expected": "an older plan"})
    assert answer.status_code == 409
    assert "启用屋顶花园？" in answer.text


def test_switching_leaves_a_line_in_the_audit(desk):
    desk.post("services/garden/switch", data={"to": "on"})
    assert "service:garden" in desk.get("audit").text


def test_an_unknown_service_is_not_found(desk):
    assert desk.get("services/nosuch").status_code == 404
    assert desk.post("services/nosuch/switch", data={"to": "on"}).status_code == 404


def test_who_may_not_switch_sees_neither_the_page_nor_its_entry(client):
    desk = client(permissions={"today.see"})
    assert desk.get("services").status_code == 403
    assert 'href="/c/duling/services"' not in desk.get("").text
