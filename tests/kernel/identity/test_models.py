from __future__ import annotations

from typing import Any

import pytest
from huijia.errors import Invalid
from huijia.i18n import speaking
from huijia.identity.models import Area, Centre, Grant, Role, Staff
from huijia.storage.base import new_id
from huijia.storage.work import Storage
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from .conftest import District

BASE: dict[str, dict[str, Any]] = {
    "huijia_area": {"kind": "city", "name": "郑州市", "name_en": ""},
    "huijia_centre": {"slug": "a", "name": "A", "time_zone": "UTC", "currency": "CNY", "languages": ["en"]},
    "huijia_staff": {"username": "li", "display_name": "Li", "password_hash": "x", "locale": "en"},
    "huijia_role": {"key": "k", "name": "K", "permissions": []},
}


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (Area, {"kind": "village"}),  # no such kind
        (Area, {"name": ""}),  # nameless
        (Area, {"name": "长" * 121}),  # SQLite alone would keep it
        (Centre, {"slug": "Du_Ling"}),
        (Centre, {"slug": "杜岭"}),
        (Centre, {"currency": "cny"}),
        (Staff, {"username": "Li"}),  # not folded
        (Staff, {"username": ""}),
        (Role, {"key": "k" * 81}),
    ],
)
def test_the_database_itself_refuses(
    both_engines: str, storage: Storage, town: District, model: Any, values: dict[str, Any]
) -> None:
    row = {"id": new_id(), **BASE[model.__tablename__], **values}
    if model is Centre:
        with storage.reading() as session:
            row |= {"area_id": town.city.id, "created_at": session.now}
    with pytest.raises(DBAPIError), storage.engine.begin() as connection:
        connection.execute(insert(model.__table__), row)


def test_a_grant_holds_at_one_place_and_once(both_engines: str, storage: Storage, town: District) -> None:
    grant = town.grant(town.staff(), "today.see")
    whose = {
        "staff_id": grant.staff_id,
        "role_id": grant.role_id,
        "granted_at": grant.granted_at,
    }
    both = {"area_id": town.city.id, "centre_id": town.duling.id}
    for places in ({}, both):  # a second grant for the installation; an area and a centre at once
        with pytest.raises(DBAPIError), storage.engine.begin() as connection:
            connection.execute(insert(Grant.__table__), {"id": new_id(), **whose, **places})


def test_a_name_is_shown_in_the_language_of_the_reader() -> None:
    centre = Centre(name="杜岭", name_en="Duling")
    with speaking("en"):
        assert centre.title == "Duling"
        assert Centre(name="杜岭", name_en="").title == "杜岭"  # nobody has translated it
    with speaking("zh-CN"):
        assert centre.title == "杜岭"


@pytest.mark.parametrize("zone", ["Asia/Zhengzhou", "", "../etc/passwd", "UTC+8"])
def test_a_time_zone_is_one_that_exists(zone: str) -> None:
    with speaking("en"), pytest.raises(Invalid, match="Asia/Shanghai"):
        Centre(time_zone=zone)
