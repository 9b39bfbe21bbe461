"""Staff, roles and one's own account."""

from __future__ import annotations

import re

import pytest
from huijia.identity.models import Grant, Role, Staff
from huijia.testing.factories import PASSWORD
from sqlalchemy import select


@pytest.fixture
def desk(client, administrator):
    return client(administrator)


@pytest.fixture
def new_staff(installation, administrator, centre):
    """A filled-in form for a new member of staff."""
    with installation.reading(centre) as session:
        role_id = session.scalars(select(Role.id).where(Role.key == "centre.desk")).one()
    words = {"display_name": "李强", "username": "li.qiang", "password": PASSWORD, "locale": "zh_Hans"}
    return {**words, "role": str(role_id), "place": f"centre {centre.id}"}


def test_whoever_is_added_stands_in_the_list_with_their_role(desk, new_staff):
    answer = desk.post("staff/new", data=new_staff, follow_redirects=True)
    assert "已添加。" in answer.text
    assert "李强" in answer.text
    assert "前台" in answer.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"display_name": ""}, "display_name"),  # left out
        ({"username": "Li Qiang!"}, "username"),  # of the wrong shape
        ({"username": "wang"}, "username"),  # taken
        ({"password": "short"}, "password"),  # too easy
        ({"ends_on": "2020-01-01"}, "ends_on"),  # over already
        ({"ends_on": "tomorrow"}, "ends_on"),  # no date
        ({"role": "x"}, "role"),  # not chosen from the list
    ],
)
def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(desk, new_staff, change, field):
    answer = desk.post("staff/new", data={**new_staff, **change})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'aria-describedby="{field}-error"' in answer.text or f'{field}-help {field}-error"' in answer.text
    kept = {**new_staff, **change}
    assert f'value="{kept["username"]}"' in answer.text
    assert PASSWORD not in answer.text  # never sent back


def test_nothing_is_kept_where_the_role_is_refused(desk, new_staff, installation, centre):
    desk.post("staff/new", data={**new_staff, "ends_on": "2020-01-01"})
    with installation.reading(centre) as session:
        assert session.scalar(select(Staff).where(Staff.username == "li.qiang")) is None


def test_a_role_is_given_until_a_day_and_ended(desk, new_staff, staff):
    li = staff("li", permissions={"today.see"})
    asked = {"what": "grant", "role": new_staff["role"], "place": new_staff["place"], "ends_on": "2026-12-31"}
    answer = desk.post(f"staff/{li.id}", data=asked, follow_redirects=True)
    assert "12月31日" in answer.text
    row = answer.text.partition("12月31日")[2]
    address = re.search(r"staff/[0-9a-f-]+/grants/[0-9a-f-]+/end", row)[0]
    answer = desk.post(address, follow_redirects=True)
    assert "已取消" in answer.text
    assert "12月31日" not in answer.text


def test_a_closed_account_is_signed_out_at_once(desk, client, staff):
    li = staff("li", permissions={"today.see"})
    theirs = client(li)
    assert theirs.get("").status_code == 200
    assert (
        "账号已停用" in desk.post(f"staff/{li.id}", data={"what": "deactivate"}, follow_redirects=True).text
    )
    assert theirs.get("").status_code == 303  # to the sign-in page


def test_staff_of_another_centre_are_not_there(client, staff, second_centre):
    theirs = staff("zhao", permissions={"today.see"}, at=second_centre)
    manager = client(staff("chen", permissions={"staff.see", "staff.manage"}))
    assert "zhao" not in manager.get("staff").text
    assert manager.get(f"staff/{theirs.id}").status_code == 404
    assert manager.post(f"staff/{theirs.id}", data={"what": "deactivate"}).status_code == 404


def test_a_role_of_ones_own_holds_the_ticked_rights(desk, enable):
    enable("garden")
    text = desk.get("staff/role").text
    assert "查看花园" in text  # grouped under the service
    asked = {"name": "花匠", "permissions": ["garden.see", "today.see"]}
    text = desk.post("staff/role", data=asked, follow_redirects=True).text
    assert "花匠" in text
    assert "查看花园" in text
    role_id = re.search(r"staff/role/([0-9a-f-]{36})", text)[1]
    assert desk.get(f"staff/role/{role_id}").text.count(" checked") == 2
    desk.post(f"staff/role/{role_id}", data={"permissions": ["today.see"]})
    assert desk.get(f"staff/role/{role_id}").text.count(" checked") == 1


def test_ones_own_password_asks_for_the_old_one(desk):
    given = {"old": "not this one", "new": "another short sentence"}
    answer = desk.post("/account/password", data=given)
    assert answer.status_code == 422
    assert 'id="old-error"' in answer.text
    answer = desk.post("/account/password", data={**given, "old": PASSWORD, "new": "short"})
    assert 'id="new-error"' in answer.text
    answer = desk.post("/account/password", data={**given, "old": PASSWORD}, follow_redirects=True)
    assert "新密码已生效" in answer.text
    assert desk.get("").status_code == 200  # this session goes on


def test_whoever_has_a_first_password_chooses_their_own_before_anything_else(desk, client, new_staff):
    desk.post("staff/new", data=new_staff)
    theirs = client(None)
    answer = theirs.post(
        "/signin", data={"username": "li.qiang", "password": PASSWORD}, follow_redirects=True
    )
    assert "请先设置自己的密码" in answer.text
    asked = {"old": PASSWORD, "new": "another short sentence"}
    assert "新密码已生效" in theirs.post("/account/password", data=asked, follow_redirects=True).text
    assert theirs.get("").status_code == 200


def test_a_token_is_shown_once_and_works_until_it_is_revoked(desk, centre):
    text = desk.post(
        "/account/tokens", data={"name": "排班表", "days": "30", "centre_id": str(centre.id)}
    ).text
    token = re.search(r"hj_[\w-]+", text)[0]
    assert token not in desk.get("/account").text
    bearer = {"Authorization": f"Bearer {token}"}
    assert desk.api.get("services", headers=bearer).status_code == 200
    desk.post(re.search(r"/account/tokens/[0-9a-f-]+/revoke", text)[0])
    assert desk.api.get("services", headers=bearer).status_code == 401


@pytest.fixture
def bearer(desk, client, centre):
    """The desk's token, as the headers of a program, and a browser without any cookie."""
    asked = {"name": "排班表", "days": "30", "centre_id": str(centre.id)}
    text = desk.post("/account/tokens", data=asked).text
    token = re.search(r"hj_[\w-]+", text)[0]
    return client(None), {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("get", "/account", {}),
        ("post", "/account/password", {"old": PASSWORD, "new": "another short sentence"}),
        ("post", "/account/password", {}),  # nothing filled in
        ("post", "/account/elsewhere", {}),
        ("post", "/account/tokens", {}),
    ],
)
def test_a_token_has_no_account_of_its_own(bearer, method, path, given):
    program, headers = bearer
    answer = getattr(program, method)(path, data=given, headers=headers)
    assert answer.status_code == 403
    assert "令牌没有账号" in answer.text


def test_a_role_given_by_a_token_has_an_author_and_the_audit_names_the_token(
    bearer, desk, installation, centre
):
    program, headers = bearer
    asked = {"display_name": "李强", "username": "li.qiang", "password": PASSWORD, "locale": "zh_Hans"}
    with installation.reading(centre) as session:
        role = session.scalars(select(Role.id).where(Role.key == "centre.desk")).one()
    desk.post("staff/new", data={**asked, "role": str(role), "place": f"centre {centre.id}"})
    with installation.reading(centre) as session:
        staff_id = session.scalars(select(Staff.id).where(Staff.username == "li.qiang")).one()
    given = {"what": "grant", "role": str(role), "place": f"centre {centre.id}", "ends_on": ""}
    answer = program.post(f"staff/{staff_id}", data=given, headers=headers)
    assert answer.status_code == 303
    with installation.reading(centre) as session:
        author = session.scalars(select(Grant.granted_by).where(Grant.staff_id == staff_id)).one()
        assert session.get_one(Staff, author).username == "wang"
    assert "<strong>排班表</strong>" in desk.get("audit").text
