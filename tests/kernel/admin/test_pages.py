"""Today, finding, settings, centres, repairs, audit, and coming in."""

from __future__ import annotations

import pytest
from huijia.i18n import Text
from huijia.registry import deliver, troubles
from huijia.storage.outbox import Delivery, enqueue
from huijia.testing.factories import PASSWORD
from sqlalchemy import select


@pytest.fixture
def desk(client, administrator):
    return client(administrator)


def test_today_gathers_what_services_say(desk, enable):
    assert "还没有启用服务" in desk.get("").text
    enable("garden")
    text = desk.get("").text
    for words in ("11月22日 星期日", "农历十月十四", "使用中的花床", "3 块花床要浇水", "10:00", "已就绪"):
        assert words in text


def test_today_shows_nothing_to_whoever_may_not_see_it(client, enable):
    enable("garden")
    assert "使用中的花床" not in client(permissions={"garden.see"}).get("").text


def test_the_rail_brings_counts_and_knows_where_one_is(desk, enable):
    enable("garden")
    text = desk.get("counts?at=/c/duling/staff/new").text
    assert ">3<" in text
    assert 'href="/c/duling/staff" aria-current="page"' in text


@pytest.mark.parametrize(
    ("words", "found"), [("花园", "/c/duling/garden/"), ("周末", "row-weekends"), ("审计", "audit")]
)
def test_pages_services_and_settings_are_found_by_name(desk, enable, words, found):
    enable("garden")
    assert found in desk.get(f"find?q={words}").text.partition("<main")[2]


def test_what_is_not_found_says_what_next(desk):
    assert "没有找到" in desk.get("find?q=nosuch").text


SETTINGS = {"beds": "2", "weekends": "yes", "season": "spring"}


def test_a_setting_shows_where_its_value_comes_from(desk, enable, centre):
    enable("garden")
    assert desk.get("settings").text.count("<small>默认值") == 3
    asked = {**SETTINGS, "beds": "5", "at": f"centre {centre.id}"}
    text = desk.post("settings?plugin=garden", data=asked, follow_redirects=True).text
    assert "已保存。" in text
    assert 'value="5"' in text
    assert text.count("<small>默认值") == 2  # only what was changed was decided here
    assert f"在{centre.name}设定" in text


def test_a_setting_may_count_from_a_later_day(desk, enable, centre):
    enable("garden")
    asked = {**SETTINGS, "beds": "7", "at": f"centre {centre.id}", "effective_from": "2027-01-01"}
    text = desk.post("settings?plugin=garden", data=asked, follow_redirects=True).text
    assert "1月1日 星期五起为 7" in text
    assert 'value="2"' in text


def test_what_is_locked_above_cannot_be_set_here(desk, enable, centre, client, staff):
    enable("garden")
    desk.post(
        "settings?plugin=garden", data={**SETTINGS, "beds": "3", "at": "installation", "locked-beds": "yes"}
    )
    theirs = client(staff("chen", permissions={"settings.see", "settings.manage"}))
    text = theirs.get("settings").text
    assert "（整个系统）已锁定" in text or "(整个系统) 已锁定" in text
    asked = {**SETTINGS, "beds": "9", "at": f"centre {centre.id}"}
    assert 'value="3"' in theirs.post("settings?plugin=garden", data=asked, follow_redirects=True).text


def test_a_setting_out_of_range_says_so_at_its_field(desk, enable, centre):
    enable("garden")
    answer = desk.post("settings?plugin=garden", data={**SETTINGS, "beds": "99", "at": f"centre {centre.id}"})
    assert answer.status_code == 422
    assert 'id="beds-error"' in answer.text
    assert 'value="99"' in answer.text


def test_areas_centres_and_sites_are_added_to_the_tree(desk, factories):
    desk.post("centres", data={"what": "area", "area-name": "开封市", "area-kind": "city"})
    desk.post("centres", data={"what": "site", "site-name": "一号楼", "site-address": "杜岭街 1 号"})
    text = desk.get("centres").text
    for words in ("开封市", "一号楼", "杜岭街 1 号"):
        assert words in text
    answer = desk.post("centres", data={"what": "centre", "centre-name": "新中心", "centre-slug": "Not good"})
    assert answer.status_code == 422
    assert 'id="centre-area_id-error"' in answer.text
    assert 'value="新中心"' in answer.text


def test_all_is_well_where_nothing_is_broken(desk):
    assert "一切正常" in desk.get("repairs").text


@pytest.fixture
def stuck(installation, centre):
    """A delivery that was tried too often."""
    with installation.writing(centre) as session:
        enqueue(session, name="garden_watered", subject="bed:7", payload={}, listeners=["garden"])
        delivery = session.scalars(select(Delivery)).one()
        delivery.state, delivery.error = "parked", "KeyError"
        words = Text("{service} failed."), Text("Mend the cause.")
        troubles.keep(
            session,
            troubles.Trouble("garden", "parked", *words, "KeyError", deliver.SOURCE, str(delivery.id)),
        )
        return delivery.id


@pytest.mark.parametrize(("what", "state"), [("retry", "waiting"), ("skip", "skipped")])
def test_a_stuck_delivery_is_tried_again_or_skipped(desk, stuck, installation, centre, what, state):
    assert "未送达" in desk.get("repairs").text
    asked = {"delivery_id": str(stuck), "what": what, "reason": "已当面告知"}
    assert "一切正常" in desk.post("repairs", data=asked, follow_redirects=True).text
    with installation.reading(centre) as session:
        assert session.get_one(Delivery, stuck).state == state


def test_skipping_asks_why(desk, stuck):
    assert desk.post("repairs", data={"delivery_id": str(stuck), "what": "skip"}).status_code == 422


def test_the_stuck_delivery_of_another_centre_is_not_mended_here(client, staff, stuck, second_centre):
    theirs = client(
        staff("zhao", permissions={"repairs.see", "repairs.mend"}, at=second_centre), at=second_centre
    )
    assert "一切正常" in theirs.get("repairs").text
    assert theirs.post("repairs", data={"delivery_id": str(stuck), "what": "retry"}).status_code == 422


def test_the_audit_tells_who_did_what_and_is_filtered(desk, client, staff, enable):
    enable("garden")
    desk.post("garden/water")
    text = desk.get("audit").text
    assert "wang" in text
    assert "打理花园" in text
    assert "屋顶花园" in text
    li = staff("li", permissions={"today.see"})
    assert "没有记录" in desk.get(f"audit?who={li.id}").text
    assert "没有记录" in desk.get("audit?since=2026-11-23").text
    assert "打理花园" in desk.get("audit?until=2026-11-22").text
    assert 'id="since-error"' in desk.get("audit?since=yesterday").text


def test_the_audit_goes_on_where_the_page_before_ended(desk, enable, clock):
    enable("garden")
    for _number in range(3):
        clock.move(minutes=1)
        desk.post("garden/water")
    first = desk.get("audit?limit=2").text
    assert "更早" in first
    assert first.count("打理花园") == 2


def test_signing_in_leads_to_the_page_that_was_asked_for(client, staff):
    staff("li", permissions={"today.see"})
    desk = client(None)
    asked = desk.get("audit")
    assert asked.location.startswith("/signin?next=")
    given = {"username": "li", "password": PASSWORD, "next": "/c/duling/"}
    assert desk.post("/signin", data=given).location == "/c/duling/"
    assert desk.get("/").location == "/c/duling/"  # the only centre
    assert "您已退出登录" in desk.post("/signout", follow_redirects=True).text


@pytest.mark.parametrize(
    "goal", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "x"]
)
def test_signing_in_never_leads_elsewhere(client, staff, goal):
    staff("li", permissions={"today.see"})
    assert (
        client(None).post("/signin", data={"username": "li", "password": PASSWORD, "next": goal}).location
        == "/"
    )


def test_a_wrong_password_keeps_the_name_and_says_what_next(client, staff):
    staff("li", permissions={"today.see"})
    answer = client(None).post("/signin", data={"username": "li", "password": "wrong"})
    assert answer.status_code == 401
    assert 'value="li"' in answer.text
    assert 'role="alert"' in answer.text


def test_too_many_tries_are_told_when_to_come_back(client, staff):
    staff("li", permissions={"today.see"})
    desk = client(None)
    for _number in range(6):
        answer = desk.post("/signin", data={"username": "li", "password": "wrong"})
    assert answer.status_code == 429
    assert "分钟" in answer.text


def test_language_and_type_size_are_kept_with_the_account_or_in_the_browser(desk, client):
    assert (
        desk.post("/prefer", data={"locale": "en", "back": "/c/duling/staff"}).location == "/c/duling/staff"
    )
    desk.post("/prefer", data={"large_type": "yes"})
    assert '<html lang="en" class="large">' in desk.get("").text
    stranger = client(None)
    stranger.post("/prefer", data={"locale": "en"})
    stranger.post("/prefer", data={"large_type": "yes"})
    assert '<html lang="en" class="large">' in stranger.get("/signin").text


def test_several_centres_are_offered_to_choose_from(desk, second_centre):
    text = desk.get("/").text
    assert "/c/duling/" in text
    assert "/c/huayuan/" in text


def test_who_has_no_centre_is_told_what_to_do(client, staff, second_centre):
    nobody = client(staff("nobody", permissions=set()))
    assert "您还没有可进入的中心" in nobody.get("/").text
