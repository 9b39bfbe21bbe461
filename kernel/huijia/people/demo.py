"""Invented residents for the demonstration, registered, confirmed and given cards by use cases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from huijia.identity.actor import SYSTEM
from huijia.identity.models import Area, Centre
from huijia.people import service
from huijia.region.cn import CHECKS, WEIGHTS
from huijia.storage.base import new_id
from huijia.storage.work import WorkSession

COMMUNITIES: dict[str, list[str]] = {
    "main": ["河畔社区", "桃园社区", "文化里社区", "大同社区", "西里社区", "东苑社区", "工人新村社区"],
    "small": ["花园里社区", "南苑社区"],
}
COMPOUNDS = ("一号院", "二号院")
COUNT = {"main": 240, "small": 60}
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
GIVEN = {
    "female": "秀英 桂兰 玉梅 淑珍 春花 丽华 红霞 雪琴 凤仙 美玲 素云 小敏".split(),  # noqa: SIM905
    "male": "建国 志强 国庆 德明 永福 文斌 卫东 长海 振华 金生 大勇 小军".split(),  # noqa: SIM905
}
DAUGHTERS = ("女儿", "儿子", "老伴", "邻居")


def make(
    session: WorkSession,
    *,
    centre_key: str,
    seed: int,
    today: date,
    now: datetime,
    progress: Callable[[int, int], None],
) -> None:
    """Residents of its communities: two in three over 60, most of those confirmed and with a card."""
    random = Random(f"{seed}:people:{centre_key}")
    homes = _communities(session, COMMUNITIES[centre_key])
    count = COUNT[centre_key]
    for number in range(count):
        _resident(session, random, homes, serial=number + (0 if centre_key == "main" else 500), today=today)
        if number % 20 == 0:
            progress(number, count)
    session.flush()


def _communities(session: WorkSession, names: list[str]) -> list[UUID]:
    """The communities below the centre's subdistrict, with two compounds each; the ids of the compounds."""
    centre = session.get_one(Centre, session.centre_id)
    homes = []
    for name in names:
        community = Area(id=new_id(), kind="community", name=name, parent_id=centre.area_id)
        session.add(community)
        session.flush()
        for compound in COMPOUNDS:
            home = Area(id=new_id(), kind="compound", name=compound, parent_id=community.id)
            session.add(home)
            homes.append(home.id)
    session.flush()
    return homes


def _resident(session: WorkSession, random: Random, homes: list[UUID], *, serial: int, today: date) -> None:
    sex = random.choice(("female", "female", "male"))
    name = random.choice(SURNAMES) + random.choice(GIVEN[sex])
    old = random.random() < 2 / 3
    born_on = today - timedelta(
        days=random.randrange(60 * 365, 95 * 365) if old else random.randrange(6_000, 21_000)
    )
    person = service.register_person(
        session,
        actor=SYSTEM,
        name=name,
        number=_number(born_on, serial, sex) if random.random() < 0.9 else "",
        born_on=born_on,
        sex=sex,
        contacts=_contacts(random, serial, alone=old and random.random() < 0.5),
        address=_address(random, homes),
        now=session.now,
    )
    if old and random.random() < 0.8:
        until = today + timedelta(days=random.randrange(30, 700))
        said: Any = {"evidence": "identity-card", "until": until, "now": session.now}
        service.confirm_identity(session, actor=SYSTEM, person_id=person.id, **said)
        service.issue_card(session, actor=SYSTEM, person_id=person.id, now=session.now)


def _number(born_on: date, serial: int, sex: str) -> str:
    # A division that never was given out, so that no number can be anybody's.
    first = f"410199{born_on:%Y%m%d}{serial % 100:02}{serial % 5 * 2 + (sex == 'male')}"
    return first + CHECKS[sum(int(digit) * weight for digit, weight in zip(first, WEIGHTS, strict=True)) % 11]


def _contacts(random: Random, serial: int, *, alone: bool) -> list[dict[str, Any]]:
    own = {"value": f"190 0000 {serial:04}"}
    if not alone:
        return [own]
    return [own, {"value": f"190 1111 {serial:04}", "whose": random.choice(DAUGHTERS), "emergency": True}]


def _address(random: Random, homes: list[UUID]) -> dict[str, Any]:
    door = f"{random.randrange(1, 5)}单元{random.randrange(1, 7)}0{random.randrange(1, 5)}"
    return {"area_id": random.choice(homes), "building": f"{random.randrange(1, 13)}号楼", "detail": door}
