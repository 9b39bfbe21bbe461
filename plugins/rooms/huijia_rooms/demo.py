"""Demonstration data: the rooms of a real kind of centre and a month of invented bookings, by use cases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from huijia import Actor, Period, Person, Refusal, WorkSession, find_person
from sqlalchemy import select

from huijia_rooms import service
from huijia_rooms.jobs import count_visits
from huijia_rooms.models import Room
from huijia_rooms.rules import Policy, instant
from huijia_rooms.schemas import policy_of

# name, English, floor, m², capacity, booked as, use, equipment; a star: the small centre has it too
ROOMS = """
*舞蹈室|Dance room|3|120|60|whole|舞蹈|镜墙 把杆 音响
*音乐室|Music room|3|60|20|whole|音乐|钢琴 音响
*棋牌室|Chess and cards|2|70|24|shared|棋牌|棋盘 牌桌
*书法室|Calligraphy room|2|50|12|either|书画|毛毡 笔架
绘画室|Painting room|2|55|16|whole|绘画|画架
*健康室|Health room|1|30|6|shared|健康|血压计 身高体重秤
*多功能厅|Hall|1|200|120|whole|演出|舞台 投影 音响
会议室一|Meeting room one|3|40|20|whole|会议|智慧屏
会议室二|Meeting room two|3|30|14|whole|会议|智慧屏 远程会议
党建先锋行|Party Vanguard|2|60|30|whole|党建|投影
基层领头雁|Leading Geese of the Grassroots|2|40|20|whole|党建|投影
非公面对面|Face to Face with Enterprises|2|35|16|whole|党建|茶台
党建心连心|Heart to Heart|2|35|16|whole|党建|茶台
商圈会客厅|Business Quarter Parlour|1|80|30|either|党建|茶台 投影
志愿空间|Volunteers' space|1|45|24|shared|志愿|储物柜
心灵空间|Quiet room|3|18|4|whole|咨询|沙发
法务空间|Legal aid room|3|20|6|whole|咨询|桌椅
创客空间|Maker space|4|90|20|shared|创客|3D打印机 工具墙
杜岭书香|Reading room|2|110|40|shared|阅读|阅览桌
阳光课堂|Sunshine Classroom|1|60|24|whole|儿童|矮桌椅 白板
手工室|Handicraft room|4|45|18|either|手工|缝纫机
排练厅|Rehearsal hall|4|130|50|whole|舞蹈|镜墙 音响
影音室|Film room|4|70|40|whole|影音|投影 环绕声
培训教室|Training room|4|65|36|whole|培训|投影 白板
议事厅|Council room|1|50|24|whole|议事|圆桌 智慧屏
"""
# what happens in rooms of a use: who, for what, how many people or seats
USES: dict[str, list[tuple[str, str, int]]] = {
    "舞蹈": [
        ("夕阳红舞队", "排练", 40),
        ("广场舞联队", "排练", 36),
        ("旗袍队", "走台", 18),
        ("太极拳队", "晨练", 25),
    ],
    "音乐": [("合唱团", "练声", 18), ("葫芦丝班", "练习", 12), ("豫剧戏迷角", "清唱", 15)],
    "棋牌": [
        ("象棋友会", "对弈", 6),
        ("围棋小组", "对弈", 4),
        ("桥牌小组", "练牌", 4),
        ("刘师傅", "会棋友", 2),
    ],
    "书画": [
        ("墨香书社", "临帖", 5),
        ("春联小组", "写春联", 6),
        ("马老师", "习字", 1),
        ("硬笔小组", "习字", 4),
    ],
    "绘画": [("工笔小组", "写生", 12), ("少儿水彩", "上课", 14)],
    "健康": [("血压测量", "便民服务", 3), ("中医咨询", "义诊", 2), ("视力检查", "义诊", 2)],
    "演出": [("社区文艺汇演", "彩排", 100), ("健康讲座", "讲座", 80), ("居民大会", "会议", 90)],
    "会议": [("街道例会", "会议", 12), ("物业联席会", "会议", 10), ("社工督导", "会议", 8)],
    "党建": [("第三支部", "主题党日", 15), ("退休支部", "学习", 14), ("商圈支部", "学习", 10)],
    "志愿": [("楼院志愿队", "碰头会", 8), ("助老小组", "分工", 6), ("文明劝导队", "集合", 10)],
    "咨询": [("倾听时间", "约谈", 2), ("调解小组", "调解", 4)],
    "创客": [("创客小组", "做模型", 6), ("维修义工", "修小家电", 4), ("少年航模队", "练习", 8)],
    "阅读": [("晨读会", "读书", 10), ("银龄读书角", "读报", 12), ("学生自习", "自习", 8)],
    "儿童": [("四点半课堂", "托管", 20), ("亲子绘本", "读绘本", 16)],
    "手工": [("剪纸小组", "剪纸", 8), ("编织小组", "编织", 6)],
    "影音": [("周末影院", "放映", 35), ("老电影专场", "放映", 30)],
    "培训": [("智能手机课", "上课", 24), ("普法课堂", "上课", 30), ("急救培训", "培训", 20)],
    "议事": [("楼院议事会", "议事", 16), ("红白理事会", "议事", 10)],
}
STARTS = (510, 540, 600, 840, 870, 960, 1140)  # minutes after midnight
DAYS_AROUND = 15


def make(
    session: WorkSession,
    *,
    centre_key: str,
    seed: int,
    today: date,
    now: datetime,
    progress: Callable[[int, int], None],
) -> None:
    """25 rooms for the main centre, 6 for the small one, and their bookings two weeks back and ahead."""
    chance, policy = Random(f"{seed}:{centre_key}"), policy_of(session)
    rooms = [_room(session, line, order) for order, line in enumerate(_lines(centre_key), 1)]
    zone, people = policy.zone, _people(session)
    days = [today + timedelta(days=n) for n in range(-DAYS_AROUND, DAYS_AROUND + 1)]
    for done, day in enumerate(days, 1):
        for room in rooms:
            for start, minutes, wish in _wishes(chance, room):
                period = Period(instant(day, start, zone), instant(day, start + minutes, zone))
                _book(session, chance, policy, room, period, wish, people, now)
        progress(done, len(days))
    # Closed last, so that some bookings stand in that time and somebody has calls to make.
    weekend = service.day_window(today + timedelta(days=2), zone, days=3)
    service.close_rooms(session, room_id=rooms[-1].id, period=weekend, reason="更换灯具")
    while count_visits(session, now):
        pass


def _people(session: WorkSession) -> list[Any]:
    """Residents who book for themselves: a row of id and name each."""
    registered = session.execute(select(Person.id, Person.name).order_by(Person.id).limit(300)).all()
    return [one for one in registered if _is_here(session, one.id)]


def _is_here(session: WorkSession, person_id: UUID) -> bool:
    try:
        return find_person(session, person_id).died_on is None
    except Refusal:
        return False


def _lines(centre_key: str) -> Iterator[str]:
    return (
        line.lstrip("*") for line in ROOMS.split("\n") if line and (centre_key == "main" or line[0] == "*")
    )


def _room(session: WorkSession, line: str, order: int) -> Room:
    name, name_en, floor, area, capacity, booked_as, use, equipment = line.split("|")
    facts = {
        "name": name,
        "name_en": name_en,
        "booked_as": booked_as,
        "use": use,
        "equipment": equipment.split(),
    }
    numbers = {"floor": int(floor), "area_m2": int(area), "capacity": int(capacity), "position": order * 10}
    return service.create_room(session, **facts, **numbers)


def _wishes(chance: Random, room: Room) -> Iterator[tuple[int, int, tuple[str, str, int]]]:
    for start in STARTS:
        parties = chance.choice((0, 1, 2, 3)) if room.booked_as == "shared" else chance.choice((0, 1))
        for _party in range(parties):
            yield start, chance.choice((60, 90, 90, 120)), chance.choice(USES[room.use])


def _book(
    session: WorkSession,
    chance: Random,
    policy: Policy,
    room: Room,
    period: Period,
    wish: tuple[str, str, int],
    residents: list[Any],
    now: datetime,
) -> None:
    name, purpose, people = wish
    shared = room.booked_as == "shared" or (room.booked_as == "either" and chance.random() < 0.7)
    how: dict[str, Any] = {
        "seats" if shared else "head_count": people,
        "name": name,
        "purpose": purpose,
        "kind": "group",
    }
    if residents and chance.random() < 0.3:
        resident = chance.choice(residents)
        how |= {"name": resident.name, "kind": "person", "person_id": resident.id}
    actor, booked_at = (
        Actor("staff", None, chance.choice(("王老师", "赵社工", "孙姐"))),
        min(now, period.start) - timedelta(days=3),
    )
    try:
        booking = service.book_room(
            session, actor=actor, policy=policy, room_id=room.id, period=period, now=booked_at, **how
        )
    except Refusal:
        return  # as at a real desk: the room is taken, the group comes another time
    if chance.random() < 0.04:
        reason = chance.choice(("下雨，改期", "人数不够", "老师生病"))
        service.cancel_booking(session, actor=actor, booking_id=booking["id"], reason=reason, now=booked_at)
