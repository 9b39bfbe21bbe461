"""Booking and cancelling, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from huijia import Period, Refusal
from huijia.i18n import speaking
from huijia_rooms import errors, service
from huijia_rooms.models import Booking, Occupancy
from huijia_rooms.rules import Policy
from huijia_rooms.service.bookings import ADD_OCCUPANCY
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from .conftest import DESK, at, period

Make = Book = Callable[..., Any]
ALL_NIGHT = {str(day): [[0, 1440]] for day in range(1, 8)}
pytestmark = pytest.mark.usefixtures("both_engines")


@pytest.mark.parametrize(
    ("capacity", "standing", "wanted", "accepted"),
    [
        (12, [], (9, 11, None), True),
        (12, [(9, 11, None)], (11, 12, None), True),  # begins as the other ends
        (12, [(9, 11, None)], (10.75, 12, None), False),
        (12, [(9, 11, None)], (9.5, 10, None), False),  # inside the other
        (12, [(9, 11, None)], (8, 12, None), False),  # around the other
        (12, [(9, 11, 1)], (9, 11, None), False),  # one seat taken is not a whole room
        (12, [(9, 11, None)], (9, 11, 1), False),
        (12, [(9, 11, 7)], (9, 11, 5), True),
        (12, [(9, 11, 7)], (9, 11, 6), False),
        (2, [(9, 11, 1), (10.5, 13, 1)], (11, 14, 1), True),  # overlap two by two, never three at once
        (2, [(9, 11, 1), (10.5, 13, 1)], (10.75, 14, 1), False),
    ],
)
def test_what_fits_is_booked_and_what_does_not_is_refused(
    make_room: Make, book: Book, capacity: int, standing: list, wanted: tuple, accepted: bool
) -> None:
    room = make_room(capacity=capacity)
    for start, end, seats in standing:
        book(room, start, end, seats=seats)
    with nullcontext() if accepted else pytest.raises(errors.RoomTaken):
        book(room, *wanted[:2], seats=wanted[2])


@pytest.mark.parametrize(
    ("standing", "wanted", "chinese", "english", "until"),
    [
        (
            [(14, 16, None)],
            (14, 15, None),
            "书法室 14:00–16:00 已被预约，最早 16:00 有空。",
            "Calligraphy room is booked 14:00–16:00; it is free from 16:00.",
            at(16),
        ),
        (  # two that touch are told as one stretch
            [(14, 16, None), (16, 17, None)],
            (15, 16, None),
            "书法室 14:00–17:00 已被预约，最早 17:00 有空。",
            "Calligraphy room is booked 14:00–17:00; it is free from 17:00.",
            at(17),
        ),
        (  # nothing as long is left today
            [(14, 21, None)],
            (20, 21, None),
            "书法室 14:00–21:00 已被预约，最早 11月23日 08:00 有空。",
            "Calligraphy room is booked 14:00–21:00; it is free from 23 November 08:00.",
            at(8, 23),
        ),
        (
            [(14, 16, 7)],
            (14, 16, 6),
            "书法室 14:00–16:00 只剩 5 座，最早 16:00 座位够用。",
            "Calligraphy room has 5 seats left 14:00–16:00; enough are free from 16:00.",
            at(16),
        ),
    ],
)
def test_a_refusal_says_when_the_room_is_taken_and_next_free(
    make_room: Make, book: Book, standing: list, wanted: tuple, chinese: str, english: str, until: Any
) -> None:
    room = make_room()
    for start, end, seats in standing:
        book(room, start, end, seats=seats)
    with pytest.raises(errors.RoomTaken) as refused:
        book(room, *wanted[:2], seats=wanted[2])
    assert str(refused.value) == chinese
    assert refused.value.until == until
    with speaking("en"):
        assert str(refused.value) == english


@pytest.mark.parametrize(
    ("room", "how", "error"),
    [
        ({}, {"end": 9}, errors.BadPeriod),  # see below: an hour that is over
        ({}, {"start": 9.1, "end": 10}, errors.BadPeriod),  # off the quarter hour
        (
            {"hours": {str(d): [[0, 1440]] for d in range(1, 8)}},
            {"end": 8 + 24.25},
            errors.BadPeriod,
        ),  # too long
        ({}, {"day": 25, "now": at(0) - timedelta(days=400)}, errors.BadPeriod),  # too far ahead
        ({}, {"start": 7, "end": 9}, errors.RoomClosed),  # before opening
        ({}, {"start": 20, "end": 22}, errors.RoomClosed),  # past closing
        ({"active": False}, {}, errors.RoomRetired),
        ({"booked_as": "whole"}, {"seats": 1}, errors.WrongWay),
        ({"booked_as": "shared"}, {}, errors.WrongWay),
        ({}, {"seats": 13}, errors.TooManyPeople),
        ({}, {"head_count": 13}, errors.TooManyPeople),
        ({}, {"room_id": uuid4()}, errors.NoSuchRoom),
    ],
)
def test_every_rule_has_its_refusal(
    make_room: Make, book: Book, room: dict, how: dict, error: type[Refusal]
) -> None:
    values = {"start": 8, "end": 10, **({"now": at(12)} if how == {"end": 9} else {}), **how}
    with pytest.raises(error) as refused:
        book(make_room(**room), **values)
    assert str(refused.value)


def test_a_booking_under_way_can_still_be_written_down(make_room: Make, book: Book) -> None:
    assert book(make_room(), 9, 11, now=at(10))


def test_a_room_open_all_night_is_booked_across_midnight(make_room: Make, book: Book, work: Any) -> None:
    room = make_room(hours=ALL_NIGHT)
    book(room, 23, 25)
    with pytest.raises(errors.RoomTaken):
        book(room, 0, 1, day=23)
    assert book(room, 1, 2, day=23)


def test_cancelling_frees_the_room_and_keeps_the_booking(make_room: Make, book: Book, work: Any) -> None:
    room = make_room()
    first = book(room, 9, 11)
    cancelled = service.cancel_booking(work, actor=DESK, booking_id=first, reason="下雨", now=at(8))
    assert (cancelled.status, cancelled.cancel_reason, cancelled.cancelled_by) == (
        "cancelled",
        "下雨",
        "王老师",
    )
    assert book(room, 9, 11)
    assert work.scalar(select(func.count()).select_from(Booking)) == 2
    assert work.scalar(select(func.count()).select_from(Occupancy)) == 1


def test_what_was_is_not_rewritten(make_room: Make, book: Book, work: Any) -> None:
    booking_id = book(make_room(), 9, 11)
    with pytest.raises(errors.AlreadyOver):
        service.cancel_booking(work, actor=DESK, booking_id=booking_id, reason="下雨", now=at(11))
    service.cancel_booking(work, actor=DESK, booking_id=booking_id, reason="下雨", now=at(10))
    with pytest.raises(errors.AlreadyCancelled):
        service.cancel_booking(work, actor=DESK, booking_id=booking_id, reason="下雨", now=at(10))
    with pytest.raises(errors.NoSuchBooking):
        service.cancel_booking(work, actor=DESK, booking_id=uuid4(), reason="下雨", now=at(10))


@pytest.mark.parametrize(
    ("standing", "wanted", "refused"),
    [
        (None, None, True),  # two whole bookings
        (3, None, True),  # whole over shared
        (None, 3, True),  # shared over whole
        (3, 3, False),  # shared over shared: how many is counted, not excluded
    ],
)
def test_the_database_itself_refuses_what_excludes_each_other(
    make_room: Make, book: Book, work: Any, standing: int | None, wanted: int | None, refused: bool
) -> None:
    room, other = make_room(), make_room(name="棋牌室")
    book(room, 9, 11, seats=standing)
    loose = book(other, 15, 16, seats=wanted)  # a booking to hang the row on
    row = {
        "room_id": room.id,
        "booking_id": loose,
        "starts_at": at(10),
        "ends_at": at(12),
        "seats": wanted,
        "token": room.id if wanted else loose,
    }

    def insert() -> None:
        with work.savepoint():
            work.execute(ADD_OCCUPANCY, row)

    with pytest.raises(IntegrityError) if refused else nullcontext():
        insert()
    if refused:
        work.execute(ADD_OCCUPANCY, {**row, "starts_at": at(11)})  # touching is fine


def test_the_database_refuses_moving_a_booking_onto_another(make_room: Make, book: Book, work: Any) -> None:
    room = make_room()
    book(room, 9, 11)
    moved = work.scalar(select(Occupancy).where(Occupancy.booking_id == book(room, 14, 16)))

    def move(hour: float) -> None:
        with work.savepoint():
            moved.starts_at = at(hour)
            work.flush()

    with pytest.raises(IntegrityError):
        move(10)
    move(15)  # its own row is not in its own way


# --- hours, closures, holidays ---


@pytest.mark.parametrize(
    ("day", "on_holidays", "policy", "accepted"),
    [
        ("2026-10-01", "centre", {}, False),  # National Day
        ("2026-10-01", "open", {}, True),
        ("2026-10-01", "centre", {"closed_on_holidays": False}, True),
        ("2026-10-01", "closed", {"closed_on_holidays": False}, False),
        ("2026-10-10", "centre", {}, True),  # a worked Saturday keeps Monday's hours
        ("2026-10-10", "centre", {"moved_working_day_follows": 0}, False),  # … its own: shut on Saturdays
        ("2026-10-17", "centre", {}, False),  # an ordinary Saturday
        ("2027-01-01", "centre", {}, True),  # not published yet: an ordinary Friday
    ],
)
def test_holidays_and_worked_weekends_follow_the_settings(
    make_room: Make, book: Book, day: str, on_holidays: str, policy: dict, accepted: bool
) -> None:
    room = make_room(hours={str(d): [[480, 1260]] for d in range(1, 6)}, on_holidays=on_holidays)
    start = at(9).fromisoformat(f"{day}T09:00:00+08:00")
    settings = Policy(
        **{
            "moved_working_day_follows": 1,
            "closed_on_holidays": True,
            "horizon_days": 365,
            "time_zone": "Asia/Shanghai",
            **policy,
        }
    )
    how = {
        "policy": settings,
        "period": Period(start, start + timedelta(hours=1)),
        "now": start - timedelta(days=1),
    }
    with nullcontext() if accepted else pytest.raises(errors.RoomClosed):
        book(room, 0, 1, **how)


def test_a_closure_says_why_and_until_when(make_room: Make, book: Book, work: Any) -> None:
    room = make_room()
    service.close_rooms(work, room_id=room.id, period=period(12, 15), reason="更换灯具")
    with pytest.raises(errors.RoomClosed) as refused:
        book(room, 14, 16)
    assert str(refused.value) == "书法室 14:00–16:00 不开放：更换灯具。最早 15:00 有空。"
    assert refused.value.until == at(15)


def test_closing_the_centre_lists_the_bookings_that_stand(make_room: Make, book: Book, work: Any) -> None:
    room, other = make_room(), make_room(name="棋牌室")
    booked = [book(room, 9, 11), book(other, 10, 12)]
    book(other, 14, 15)
    closure, standing = service.close_rooms(work, period=period(8, 12), reason="停电")
    assert [booking.id for booking in standing] == booked
    with pytest.raises(errors.RoomClosed):
        book(make_room(name="绘画室"), 9, 10)
    service.lift_closure(work, closure_id=closure.id)
    assert book(make_room(name="音乐室"), 9, 10)
    with pytest.raises(errors.NoSuchClosure):
        service.lift_closure(work, closure_id=closure.id)


def test_two_rooms_of_a_centre_do_not_share_a_name(make_room: Make, work: Any) -> None:
    make_room()
    with pytest.raises(errors.NameInUse):
        make_room()
    assert len(service.list_rooms(work)) == 1


# --- hooks for other services ---


def test_another_service_holds_a_room_and_gives_it_back(make_room: Make, book: Book, work: Any) -> None:
    room = make_room()
    asked = {
        "room_id": room.id,
        "starts_at": at(14),
        "ends_at": at(16),
        "title": "书法入门",
        "subject": "section:7",
    }
    hold = work.hooks.request("rooms_hold", **asked, now=at(8))
    found = service.find_booking(work, hold)
    assert (found.kind, found.subject, found.name) == ("service", "section:7", "书法入门")
    with pytest.raises(errors.RoomTaken):
        work.hooks.request("rooms_hold", **asked, now=at(8))
    work.hooks.request("rooms_release", hold_id=hold, reason="停课", now=at(9))
    work.hooks.request("rooms_release", hold_id=hold, reason="停课", now=at(9))  # twice is once
    assert book(room, 14, 16)
