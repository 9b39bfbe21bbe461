"""A house with one of everything, whose every answer to rubbish is looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

from huijia.identity.actor import SYSTEM
from huijia.identity.models import Role
from huijia.people.models import PersonNumber
from huijia.people.service import merge_people, record_death
from huijia.web.recognise import SESSION_COOKIE
from sqlalchemy import func, inspect, select, table

ALL = {"*"}
UNCOUNTED = ("huijia_audit", "huijia_throttle", "huijia_staff_session")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SOME_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_ALERT = re.compile(r'(?s)<(\w+)[^>]*(?:role="alert"|class="(?:error|wrong)[^"]*")[^>]*>(.*?)</\1>')
# Fields whose valid value cannot be guessed from their type.
KNOWN: dict[str, Any] = {
    "starts_at": "2026-11-23T10:00:00+08:00",
    "ends_at": "2026-11-23T11:00:00+08:00",
    "floor": 2,
    "capacity": 12,
    "booked_as": "either",
    "hours": {"1": [["08:00", "12:00"]]},
}
# Arguments that pages take from their address and that no form or link on them shows.
ASKED = {
    "rooms.book_form": ("day", "at", "room"),
    "rooms.bookings": ("cursor", "limit", "since", "room_id", "status"),
    "admin.audit": ("cursor", "limit", "who", "since", "until", "record"),
    "admin.staff": ("cursor", "limit", "name"),
    "admin.settings": ("plugin", "at", "done"),
    "admin.sign_in": ("next",),
    "rooms.day": ("day",),
    "people.find_people": ("q", "cursor", "done"),
    "people.new_person": ("name",),
    "figures.of_centre": ("month", "by"),
    "figures.visits": ("month", "service", "place", "band", "community_id", "cursor"),
}


@dataclass
class Form:
    """A form on a page: where it goes, and what it would send as it stands."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, frozenset[str], str]:
        return (
            re.sub(r"[0-9a-f-]{36}", "ID", self.action),
            frozenset(self.fields),
            self.fields.get("what", ""),
        )


class Page(HTMLParser):
    """The forms and links of a page."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._open: Form | None = None
        self._select = ""
        self.feed(words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").upper())
            self.forms.append(self._open)
        elif self._open and tag in ("input", "textarea", "button") and given.get("name"):
            skipped = given.get("type") in ("checkbox", "radio") and "checked" not in given
            self._open.fields.setdefault(given["name"], "" if skipped else given.get("value", ""))
        elif self._open and tag == "select":
            self._select = given.get("name", "")
            self._open.fields.setdefault(self._select, "")
        elif self._open and tag == "option" and self._select:
            kept = self._open.fields[self._select]
            self._open.fields[self._select] = kept if kept and "selected" not in given else given["value"]

    def handle_endtag(self, tag: str) -> None:
        self._open = None if tag == "form" else self._open
        self._select = "" if tag == "select" else self._select


class House:
    """A centre with one of everything, and its administrator at a browser."""

    def __init__(self, installation: Any, factories: Any, centre: Any, locale: str) -> None:
        self.installation, self.factories, self.centre, self.locale = installation, factories, centre, locale
        factories.enable("rooms", centre)
        self.admin = factories.staff("zhao", at=None, permissions=ALL)
        with installation.writing() as session:
            session.merge(self.admin).locale = locale
        self.other = factories.staff("li", at=centre, permissions={"rooms.see"})
        self.client = factories.client(self.admin, centre)
        self.app = self.client.application.app
        self.ids = self._records()
        words = {"day": "2026-11-23", "plugin": "rooms", "name": "rooms", "owner": "huijia", "digest": "x"}
        self.values = {"centre": centre.slug, **words, **self.ids}
        self.asked = 0
        self._tables: list[str] = []
        self._kept: dict[str, int] = {}
        self.faults: dict[tuple[str, str], str] = {}

    def _records(self) -> dict[str, str]:
        with self.installation.reading() as session:
            role = session.scalar(select(Role.id).where(Role.key.like("test.%")).order_by(Role.id.desc()))
        api = self.client.api
        room = api.post(
            "rooms/rooms",
            json={"name": "书法室", **{k: KNOWN[k] for k in ("floor", "capacity", "booked_as")}},
        )
        times = {name: KNOWN[name] for name in ("starts_at", "ends_at")}
        booking = api.post("rooms/bookings", json={"room_id": room.json["id"], "name": "合唱团", **times})
        late = {name: value.replace("-23T", "-24T") for name, value in times.items()}
        closure = api.post("rooms/closures", json={"room_id": room.json["id"], "reason": "检修", **late})
        made = {"room_id": room, "booking_id": booking, "closure_id": closure}
        person = api.post("people/people", json={"name": "陈秀英", "number": "E12345678"})
        made |= {"person_id": person, "card_id": api.post(f"people/people/{person.json['id']}/cards")}
        second = api.post("people/people", json={"name": "陈秀兰"})
        made["other_id"] = second
        with self.installation.reading() as session:
            number = session.scalars(select(PersonNumber.id)).one()
        return {name: one.json["id"] for name, one in made.items()} | {
            "number_id": str(number),
            "staff_id": str(self.other.id),
            "role_id": str(role),
        }

    def busy(self) -> None:
        """What pages show forms for only while it is there: another session, a token, a stuck delivery."""
        from huijia.identity import signin
        from huijia.registry.troubles import Trouble, keep, label
        from huijia.storage.outbox import Delivery, enqueue
        from huijia.testing.factories import PASSWORD

        self.factories.token(self.admin, ALL, self.centre)
        signin.sign_in(self.installation.storage, username="zhao", password=PASSWORD)
        with self.installation.writing(self.centre) as session:
            enqueue(session, name="rooms_booked", subject="booking:1", payload={}, listeners=["rooms"])
            stuck = session.scalars(select(Delivery)).one()
            stuck.state = "parked"
            words = label("rooms"), label("rooms")
            keep(session, Trouble("rooms", "parked", *words, source="delivery", topic=str(stuck.id)))

    def states(self) -> list[str]:
        """Pages that ask for more in another state: one without a card, found elsewhere, dead, merged."""
        elsewhere = self.factories.centre("huayuan", "花园路街道党群服务中心")
        theirs = self.factories.client(self.admin, elsewhere).api
        other = theirs.post("people/people", json={"name": "王建国"}).json["id"]
        code = theirs.post(f"people/people/{other}/cards").json["code"]
        plain, dead, kept, merged = (
            self.client.api.post("people/people", json={"name": name}).json["id"]
            for name in ("李明", "赵强", "周红", "周虹")
        )
        by: Any = {"actor": SYSTEM}
        with self.installation.doing("test", self.centre) as session:
            by |= {"now": session.now}
            record_death(session, person_id=UUID(dead), died_on=date(2026, 11, 1), **by)
            merge_people(session, kept_id=UUID(kept), merged_id=UUID(merged), why="同一人", **by)
        return [f"people/?q={code}", *(f"people/{one}" for one in (plain, dead, kept))]

    def rules(self, *methods: str, api: bool | None = None) -> Iterator[tuple[str, Any]]:
        """Method and rule of every route, of the REST ones or the others only where that is said."""
        for rule in sorted(self.app.url_map.iter_rules(), key=lambda one: (one.rule, one.endpoint)):
            if api in (None, rule.rule.startswith("/api/")):
                yield from ((method, rule) for method in methods if method in rule.methods)

    def path(self, rule: Any, **other: str) -> str:
        """The address of a rule with real ids; `other` replaces arguments, as it is."""
        values = {**self.values, **other}
        return re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda found: values.get(found[1], str(UUID(int=7))), rule.rule)

    def fill(self, path: str) -> str:
        """The address of a path of the interface's description, with real ids."""
        return re.sub(r"{(\w+)}", lambda found: self.values.get(found[1], str(UUID(int=7))), path)

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Method, address and description of every operation that the interface describes here."""
        for path, item in self.client.api.get("openapi.json").json["paths"].items():
            for verb, operation in item.items():
                if isinstance(operation, dict):
                    yield verb.upper(), self.fill(path), operation

    def counts(self) -> dict[str, int]:
        """How many rows each table has, but those that keep refusals and sign-ins."""
        with self.installation.storage.engine.connect() as connection:
            if not self._tables:
                names = inspect(connection).get_table_names()
                self._tables = [name for name in names if not name.startswith(UNCOUNTED)]
            counted = (select(func.count()).select_from(table(n)).scalar_subquery() for n in self._tables)
            return dict(zip(self._tables, connection.execute(select(*counted)).one(), strict=True))

    def send(self, method: str, path: str, why: str, **how: Any) -> Any:
        """The answer. Where it is a fault, or its message cannot be read, that is kept in `faults`."""
        answer = self.client.open(path, method=method, **how)
        self.asked += 1
        said = answer.get_data().decode(errors="replace")  # a spreadsheet is no text
        wrong = "a fault" if answer.status_code >= 500 else "a traceback" if "Traceback" in said else ""
        if answer.status_code >= 400 and method != "HEAD" and not wrong:
            wrong = next(self._unreadable(answer, said), "")
        if wrong:
            self.blame(f"{method} {path}", f"{why}: {answer.status_code}, {wrong}")
        return answer

    @property
    def faults_in_lines(self) -> str:
        return "\n".join(self.faults.values())

    def blame(self, where: str, what: str) -> None:
        """Keep what is wrong there; one line for each place and kind is enough."""
        self.faults.setdefault((_SOME_ID.sub("ID", where)[:120], what[-60:]), f"{where[:200]}, {what[:300]}")

    def _unreadable(self, answer: Any, said: str) -> Iterator[str]:
        """What is amiss with an error's words."""
        if answer.mimetype == "application/problem+json":
            problem = json.loads(said)
            sentences = [problem["title"], problem["detail"], *_leaves(problem.get("errors", {}))]
        else:
            sentences = [re.sub(r"<[^>]+>", "", one).strip() for _tag, one in _ALERT.findall(said)]
        if not any(sentences):
            yield "nothing says what is wrong"
        for sentence in sentences:
            if self.locale == "zh_Hans" and sentence and not CHINESE.search(sentence):
                yield f"not in Chinese: {sentence[:100]}"

    def send_refused(self, method: str, path: str, why: str, **how: Any) -> Any:
        """As `send`; where it is refused, nothing was saved."""
        before, answer = self._kept or self.counts(), self.send(method, path, why, **how)
        self._kept = self.counts()
        if answer.status_code >= 400 and self._kept != before:
            self.blame(f"{method} {path}", f"{why}: {answer.status_code}, and something was kept")
        return answer

    def settle(self) -> None:
        """Be signed in and speak as before: a form may have ended sessions, or changed the language."""
        from huijia.identity import signin
        from huijia.testing.factories import PASSWORD

        page = self.client.get("/centres")
        if page.status_code != 200:
            cookie, _id = signin.sign_in(self.installation.storage, username="zhao", password=PASSWORD)
            for one in (self.client, self.client.api):
                one.set_cookie(SESSION_COOKIE, cookie)
        elif self.locale == "zh_Hans" and '<html lang="zh' not in page.text:
            self.client.post("/prefer", data={"locale": self.locale})


def _leaves(nest: Any) -> Iterator[str]:
    if isinstance(nest, dict):
        nest = list(nest.values())
    if isinstance(nest, list):
        for one in nest:
            yield from _leaves(one)
    else:
        yield str(nest)
