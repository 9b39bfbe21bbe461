"""To staff of one centre, whatever they may do there, another one is as if it were not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest
from huijia.cli.serving import application
from huijia.people.models import PersonNumber
from huijia.storage.base import KernelBase
from sqlalchemy import inspect, select, text

ABSENT = "no-such-centre"
EVERYTHING = {"*"}
# What a request leaves behind about itself: its id, when it came, how long it took.
OWN_TRACES = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
WORDS = {"centre": "", "day": "2026-11-23", "name": "rooms", "plugin": "rooms"}


@pytest.fixture
def home_records(
    installation: Any,
    client: Callable[..., Any],
    centre: Any,
    enable: Callable[..., None],
    staff: Callable[..., Any],
) -> list[UUID]:
    """One of everything at the first centre; their ids."""
    enable("rooms")
    keeper = client(permissions=EVERYTHING).api
    room = keeper.post(
        "rooms/rooms", json={"name": "书法室", "floor": 2, "capacity": 12, "booked_as": "either"}
    )
    assert room.status_code == 201, room.text
    when = {"starts_at": "2026-11-23T10:00:00+08:00", "ends_at": "2026-11-23T11:00:00+08:00"}
    booking = keeper.post("rooms/bookings", json={"room_id": room.json["id"], "name": "合唱团", **when})
    assert booking.status_code == 201, booking.text
    shut = {
        "starts_at": "2026-11-24T10:00:00+08:00",
        "ends_at": "2026-11-24T11:00:00+08:00",
        "reason": "检修",
    }
    closure = keeper.post("rooms/closures", json={"room_id": room.json["id"], **shut})
    assert closure.status_code == 201, closure.text
    made = [UUID(answer.json["id"]) for answer in (room, booking, closure)]
    person = keeper.post("people/people", json={"name": "陈秀英", "number": "E12345678"})
    assert person.status_code == 201, person.text
    card = keeper.post(f"people/people/{person.json['id']}/cards")
    assert card.status_code == 201, card.text
    with installation.reading() as session:
        number = session.scalars(select(PersonNumber.id)).one()
    resident = [UUID(person.json["id"]), UUID(card.json["id"]), number]
    return [*made, staff("li", permissions={"rooms.see"}).id, centre.id, centre.area_id, *resident]


@pytest.fixture
def stranger(factories: Any, second_centre: Any) -> Any:
    """A browser of somebody who may do everything at the second centre, where rooms is enabled too."""
    factories.enable("rooms", second_centre)
    return factories.client(factories.staff("zhao", at=second_centre, permissions=EVERYTHING), second_centre)


def routes(installation: Any) -> Iterator[tuple[str, Any]]:
    """Every method and rule that names a centre."""
    app = application(installation, watch=False).app
    for rule in app.url_map.iter_rules():
        if "centre" in rule.arguments:
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                yield method, rule


def wants_record(rule: Any) -> set[str]:
    """The rule's arguments that are ids."""
    return {name for name, one in rule._converters.items() if type(one).__name__ == "UUIDConverter"}


def address(rule: Any, centre: str, record: UUID) -> str:
    """The rule's address at this centre, with the record wherever an id is wanted."""
    ids, fixed = wants_record(rule), rule.defaults or {}
    values = {name: record if name in ids else WORDS.get(name) for name in rule.arguments - fixed.keys()}
    assert None not in values.values(), f"{rule} takes an argument that this test does not know: {values}"
    built = rule.build({**values, **fixed, "centre": centre})
    assert built is not None, f"{rule} cannot be built from {values}"
    return built[1]


def seen(
    client: Any, method: str, path: str, slug: str, **sent: Any
) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """What a stranger can tell from an answer: status, body and headers, less the request's own traces."""
    if method not in ("GET", "HEAD") and not sent:
        sent = {"json": {}}
    answer = client.open(path, method=method, **sent)
    body = OWN_TRACES.sub("·", answer.get_data(as_text=True)).replace(slug, "SLUG")
    kept = {
        name: value
        for name, value in answer.headers.items()
        if name not in ("X-Request-Id", "Date", "Content-Length")
    }
    headers = tuple(
        sorted((name, OWN_TRACES.sub("·", value).replace(slug, "SLUG")) for name, value in kept.items())
    )
    return answer.status_code, body, headers


def rows_of(installation: Any, centre_id: UUID) -> dict[str, list[Any]]:
    """Everything in the database that bears this centre's id."""
    found = {}
    with installation.storage.engine.connect() as connection:
        inspector = inspect(connection)
        for table in inspector.get_table_names():
            if "centre_id" in {column["name"] for column in inspector.get_columns(table)}:
                key = centre_id.hex if connection.dialect.name == "sqlite" else centre_id
                query = text(f"SELECT * FROM {table} WHERE centre_id = :centre ORDER BY 1, 2")
                found[table] = [tuple(row) for row in connection.execute(query, {"centre": key})]
    return found


def test_a_centre_is_not_told_apart_from_one_that_is_not_there(
    installation: Any, centre: Any, home_records: list[UUID], stranger: Any
) -> None:
    before = rows_of(installation, centre.id)
    asked = 0
    for (method, rule), record in product(list(routes(installation)), home_records[:3]):
        there = seen(stranger, method, address(rule, centre.slug, record), centre.slug)
        absent = seen(stranger, method, address(rule, ABSENT, record), ABSENT)
        assert there == absent, f"{method} {rule} tells {centre.slug} from a centre that is not there"
        asked += 1
    assert asked > 60
    assert rows_of(installation, centre.id) == before


def test_records_of_a_centre_are_not_there_for_another(
    installation: Any, centre: Any, second_centre: Any, home_records: list[UUID], stranger: Any
) -> None:
    before = rows_of(installation, centre.id)
    asked = 0
    for method, rule in routes(installation):
        if not wants_record(rule):
            continue
        for record in home_records:
            own = second_centre.slug
            theirs = seen(stranger, method, address(rule, own, record), str(record))
            absent = seen(stranger, method, address(rule, own, uuid4()), str(record))
            assert theirs == absent, (
                f"{method} {rule} tells a record of {centre.slug} from one that is not there"
            )
            asked += 1
    assert asked > 20
    assert rows_of(installation, centre.id) == before


HOURS = {"starts_at": "2026-11-23T10:00:00+08:00", "ends_at": "2026-11-23T11:00:00+08:00"}
FIELDS = {"day": "2026-11-23", "start": "10:00", "end": "11:00", "name": "舞蹈队"}
CONFIRMED = {"evidence": "passport", "until": "2027-01-01"}
SHUT = {
    "first_day": "2026-11-24",
    "start": "10:00",
    "last_day": "2026-11-24",
    "end": "11:00",
    "reason": "检修",
}


@pytest.mark.parametrize(
    ("which", "method", "path", "sent"),
    [
        (0, "POST", "api rooms/bookings", {"json": {"room_id": "ID", "name": "舞蹈队", **HOURS}}),
        (0, "POST", "api rooms/closures", {"json": {"room_id": "ID", "reason": "检修", **HOURS}}),
        (0, "PATCH", "api rooms/rooms/ID", {"json": {"name": "舞蹈室"}}),
        (0, "GET", "api rooms/bookings?room_id=ID", {}),
        (1, "POST", "api rooms/bookings/ID/cancel", {"json": {"reason": "不来了"}}),
        (2, "DELETE", "api rooms/closures/ID", {}),
        (0, "POST", "rooms/book", {"data": {"room_id": "ID", **FIELDS}}),
        (0, "GET", "rooms/book?room=ID&day=2026-11-23", {}),
        (0, "POST", "rooms/closures", {"data": {"room_id": "ID", **SHUT}}),
        (0, "POST", "rooms/rooms/ID/edit", {"data": {"name": "舞蹈室", "floor": "2", "capacity": "5"}}),
        (1, "POST", "rooms/bookings/ID/cancel", {"data": {"reason": "不来了"}}),
        (2, "POST", "rooms/closures/ID/lift", {"data": {"why": ""}}),
        (6, "GET", "api people/people/ID", {}),
        (6, "PATCH", "api people/people/ID", {"json": {"name": "陈秀兰"}}),
        (6, "POST", "api people/people/ID/confirmations", {"json": CONFIRMED}),
        (6, "POST", "api people/people/ID/cards", {}),
        (7, "POST", "api people/cards/ID/block", {"json": {"why": "丢失"}}),
        (6, "POST", "people/ID/change", {"data": {"name": "陈秀兰"}}),
        (6, "POST", "people/ID/confirm", {"data": CONFIRMED}),
        (6, "POST", "people/ID/card", {"data": {}}),
        (6, "POST", "people/ID/here", {"data": {"q": "陈秀英"}}),
        (7, "POST", "people/cards/ID/end", {"data": {"why": "丢失", "what": "replace"}}),
        (8, "POST", "people/numbers/ID", {"data": {}}),
    ],
)
def test_a_sound_request_about_another_centres_record_finds_nothing(
    installation: Any,
    centre: Any,
    home_records: list[UUID],
    stranger: Any,
    which: int,
    method: str,
    path: str,
    sent: dict[str, Any],
) -> None:
    """What is sent would do something if the record were here, so nothing but its absence answers."""
    before = rows_of(installation, centre.id)
    browser = stranger.api if path.startswith("api ") else stranger
    heard = []
    for record in (str(home_records[which]), str(uuid4())):
        named = {
            how: {name: value.replace("ID", record) for name, value in body.items()}
            for how, body in sent.items()
        }
        place = path.removeprefix("api ").replace("ID", record)
        heard.append(seen(browser, method, place, record, **named))
    assert heard[0] == heard[1]
    assert method == "GET" or heard[0][0] in (404, 422), heard[0]
    assert rows_of(installation, centre.id) == before


def test_every_centre_owned_table_is_compared(
    installation: Any, centre: Any, home_records: list[UUID]
) -> None:
    kept = rows_of(installation, centre.id)
    assert {"rooms_room", "rooms_booking", "rooms_closure", "rooms_occupancy"} <= kept.keys()
    assert kept["rooms_booking"], "the comparison would see a change"
    assert any(table.startswith("huijia_") for table in kept.keys() & set(KernelBase.metadata.tables))
