"""What belongs to a centre stays there, whatever way a plugin asks."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from huijia.errors import Fault
from huijia.storage.base import new_id
from huijia.storage.scope import here
from huijia.storage.work import Storage, WorkSession
from owned import ITEM, OURS, THEIR_ITEM, THEIRS, Item, Part, filled, i, w
from sqlalchemy import (
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import (
    joinedload,
    selectinload,
    subqueryload,
    with_loader_criteria,
)


@pytest.fixture
def storage(engine_url: str, clock: Any) -> Iterator[Storage]:
    with filled(engine_url, clock) as storage:
        yield storage


def names(statement: Any, *rows: Any) -> Callable[[WorkSession], Any]:
    return lambda session: session.execute(statement, *rows).scalars().unique().all()


@pytest.mark.parametrize("option", [joinedload, selectinload, subqueryload, None])
def test_relationships_load_only_what_is_ours(storage: Storage, option: Any) -> None:
    with storage.writing(centre_id=THEIRS) as session, session.across_centres("a part strays"):
        session.add(Part(item_id=ITEM, name="stray", centre_id=THEIRS))
    with storage.reading(centre_id=OURS) as session:
        loaded = select(Item).options(option(Item.parts)) if option else select(Item)
        assert [part.name for part in session.scalars(loaded).unique().one().parts] == ["ours"]


def test_lazy_loads_of_new_records_are_narrowed_too(storage: Storage) -> None:
    with storage.writing(centre_id=OURS) as session:
        part = Part(item_id=THEIR_ITEM, name="x")
        session.add(part)
        session.flush()
        assert part.item is None
        session.give_up()


def test_get_and_refresh_find_only_ours(storage: Storage) -> None:
    with storage.writing(centre_id=OURS) as session:
        assert session.get(Item, ITEM) is not None
        assert session.get(Item, THEIR_ITEM) is None
        with session.across_centres("to see it once"):
            theirs = session.get(Item, THEIR_ITEM)
            assert theirs is not None
        assert session.get(Item, THEIR_ITEM) is None  # although it is in the identity map now
        theirs.name = "mine"
        with pytest.raises(Fault, match="centre"):
            session.flush()
        with session.no_autoflush, pytest.raises(Exception, match="refresh"):
            session.refresh(theirs)
        session.expunge_all()
        session.refresh(session.get(Item, ITEM))


def test_what_is_remembered_is_forgotten_with_the_statement(storage: Storage) -> None:
    from huijia.storage import scope

    gc.collect()
    before = len(scope._seen)
    with storage.reading(centre_id=OURS) as session:
        for n in range(20):
            session.execute(select(i.c.id).where(here(i), i.c.size == n))
            for item in session.scalars(select(Item).where(Item.size == n)):
                assert item.parts
    del session
    gc.collect()
    assert len(scope._seen) <= before + 2


def test_merge_does_not_reach_over(storage: Storage) -> None:
    with storage.writing(centre_id=OURS) as session:
        session.merge(Item(id=THEIR_ITEM, name="grabbed", size=1))
        with pytest.raises(Exception, match=r"UNIQUE|unique"):
            session.flush()
        session.give_up()


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (insert(i), {"id": new_id(), "name": "new", "size": 1}),  # one row
        (insert(i), {"id": new_id(), "name": "new", "size": 1, "centre_id": OURS}),  # its centre given
        (insert(i), {"id": new_id(), "name": "new", "size": 1, "centre_id": None}),  # None is not given
        (insert(i), [{"id": new_id(), "name": "new", "size": 1}]),  # a list
        (insert(i).values(id=new_id(), name="new", size=1), None),  # inline
        (insert(i).values(id=new_id(), name="new", size=1, centre_id=OURS), None),  # inline with the centre
        (insert(i).values(size=1), {"id": new_id(), "name": "new"}),  # half inline
        (insert(i).returning(i.c.id), {"id": new_id(), "name": "new", "size": 1}),
        (insert(Item), {"name": "new"}),  # ORM
        (insert(Item), [{"name": "new"}]),  # ORM in bulk
        (insert(Item).values(name="new"), None),  # ORM inline
        (insert(Item).returning(Item), [{"name": "new"}]),
    ],
)
def test_inserts_are_stamped(storage: Storage, both_engines: str, statement: Any, rows: Any) -> None:
    with storage.writing(centre_id=OURS) as session:
        session.execute(statement, rows)
        assert sorted(session.scalars(select(Item.name))) == ["new", "ours"]
        session.give_up()


def test_a_batch_of_rows_is_stamped_and_the_caller_keeps_his(storage: Storage) -> None:
    rows: list[dict[str, Any]] = [{"id": new_id(), "name": str(n), "size": 1} for n in range(3)]
    with storage.writing(centre_id=OURS) as session:
        session.execute(insert(i), rows)
        assert session.scalar(select(func.count(i.c.id)).where(here(i))) == 4
    assert all("centre_id" not in row for row in rows)


@pytest.mark.parametrize("model", [i, Item])
def test_one_foreign_row_spoils_the_batch(storage: Storage, model: Any) -> None:
    rows = [
        {"id": new_id(), "name": "a", "size": 1},
        {"id": new_id(), "name": "b", "size": 1, "centre_id": THEIRS},
    ]
    with storage.writing(centre_id=OURS) as session, pytest.raises(Fault, match="trial_item"):
        session.execute(insert(model), rows)


def test_orm_records_are_stamped_checked_and_do_not_move(storage: Storage) -> None:
    with storage.writing(centre_id=OURS) as session:
        session.add(Item(name="new"))
        session.flush()
        assert sorted(session.scalars(select(Item.name))) == ["new", "ours"]
    with pytest.raises(Fault, match="centre"), storage.writing(centre_id=OURS) as session:
        session.add(Item(name="new", centre_id=THEIRS))
    with pytest.raises(Fault, match="centre"), storage.writing(centre_id=OURS) as session:
        session.scalars(select(Item).limit(1)).one().centre_id = THEIRS
    with storage.writing(centre_id=OURS) as session:
        with session.across_centres("to fetch"):
            theirs = session.get(Item, THEIR_ITEM)
        theirs.centre_id = OURS
        with pytest.raises(Fault, match="does not move"):
            session.flush()
        session.expunge_all()


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        (update(i).where(here(i)), {"centre_id": THEIRS}),  # as a parameter
        (update(i).where(here(i), i.c.id == bindparam("key")), [{"key": ITEM, "centre_id": THEIRS}]),
        (update(Item), [{"id": THEIR_ITEM, "size": 9}]),  # by keys, where no condition can be added
    ],
)
def test_parameters_do_not_move_or_reach_over(storage: Storage, statement: Any, rows: Any) -> None:
    with storage.writing(centre_id=OURS) as session, pytest.raises(Fault, match="trial_item"):
        session.execute(statement, rows)


def test_many_updates_in_one_statement_stay_at_home(storage: Storage, both_engines: str) -> None:
    grow = update(i).where(here(i), i.c.id == bindparam("key")).values(size=bindparam("to"))
    with storage.writing(centre_id=OURS) as session:
        session.execute(grow, [{"key": ITEM, "to": 5}, {"key": THEIR_ITEM, "to": 5}])
        with session.across_centres("to compare"):
            assert dict(session.execute(select(i.c.name, i.c.size)).all()) == {"ours": 5, "theirs": 1}


def test_orm_updates_reach_records_in_hand(storage: Storage, both_engines: str) -> None:
    grow = update(Item).where(Item.name == "ours").values(size=8)  # prebuilt
    for size in (8, 8):
        with storage.writing(centre_id=OURS) as session:
            item = session.get(Item, ITEM)
            item.size = 2
            session.flush()
            session.execute(grow)
            assert item.size == size


@pytest.mark.parametrize("bulk", ["bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"])
def test_old_bulk_methods_are_refused(storage: Storage, bulk: str) -> None:
    with storage.writing(centre_id=OURS) as session, pytest.raises(Fault, match="insert"):
        getattr(session, bulk)(Item, [])


def upsert(engine: str, **options: Any) -> Any:
    made = (sqlite if engine == "sqlite" else postgresql).insert(i)
    return made.on_conflict_do_update(**options)


def test_an_upsert_must_not_change_another_centres_row(storage: Storage, both_engines: str) -> None:
    row = {"id": THEIR_ITEM, "name": "grabbed", "size": 1}
    for options in (
        {"index_elements": ["id"], "set_": {"name": "grabbed"}},
        {"index_elements": ["id", "centre_id"], "set_": {"centre_id": OURS}},
    ):
        with storage.writing(centre_id=OURS) as session, pytest.raises(Fault, match="upsert"):
            session.execute(upsert(both_engines, **options), row)


def test_doing_nothing_on_conflict_is_allowed(storage: Storage, both_engines: str) -> None:
    statement = (sqlite if both_engines == "sqlite" else postgresql).insert(i).on_conflict_do_nothing()
    with storage.writing(centre_id=OURS) as session:
        session.execute(statement, {"id": THEIR_ITEM, "name": "x", "size": 1})
        assert session.scalars(select(Item.name)).all() == ["ours"]


@pytest.mark.parametrize(
    "ask",
    [
        names(select(i.c.id).where(here(i))),
        names(select(Item)),
        names(update(Item).values(size=1)),
        names(text("SELECT 1 FROM trial_item WHERE centre_id = :_centre")),
        lambda session: session.get(Item, ITEM),
        lambda session: session.execute(insert(i), {"id": new_id(), "name": "x", "size": 1}),
        lambda session: (session.add(Item(name="x")), session.flush()),
    ],
)
def test_a_unit_without_a_centre_touches_nothing_owned(storage: Storage, ask: Any) -> None:
    with storage.writing() as session:
        session.give_up()
        with pytest.raises(Fault, match="centre"):
            ask(session)
        session.expunge_all()
        assert session.scalar(select(func.count(w.c.id))) == 0


def test_crossing_opens_all_and_leaves_a_reason(storage: Storage, both_engines: str) -> None:
    with storage.writing() as session:
        with session.across_centres("a district report"):
            assert sorted(session.scalars(select(Item.name))) == ["ours", "theirs"]
            assert len(session.execute(select(i.c.id)).all()) == 2
            assert session.scalar(text("SELECT count(*) FROM trial_item")) == 2
            assert session.execute(update(i).values(size=3)).rowcount == 2
            session.add(Item(name="new", centre_id=THEIRS))
        with pytest.raises(Fault):
            session.execute(select(i.c.id))
        assert session.crossed == ["a district report"]
    with storage.writing(centre_id=OURS) as session, session.across_centres("here() still means the unit's"):
        assert session.scalars(select(i.c.name).where(here(i))).all() == ["ours"]


def test_what_was_seen_while_crossing_is_checked_again_outside(storage: Storage) -> None:
    everything, entities = select(i.c.id), select(Item)
    with storage.reading(centre_id=OURS) as session:
        with session.across_centres("first"):
            assert len(session.execute(everything).all()) == 2
            assert len(session.scalars(entities).all()) == 2
        with pytest.raises(Fault):
            session.execute(everything)
        assert [item.name for item in session.scalars(entities)] == ["ours"]


def test_a_prebuilt_statement_serves_every_centre(storage: Storage, both_engines: str) -> None:
    core, entity = select(i.c.name).where(here(i)), select(Item.name)
    for centre_id, name in ((OURS, "ours"), (THEIRS, "theirs"), (OURS, "ours")):
        with storage.reading(centre_id=centre_id) as session:
            assert session.scalars(core).all() == session.scalars(entity).all() == [name]


def test_a_plugin_cannot_switch_the_narrowing_off(storage: Storage) -> None:
    wide = with_loader_criteria(Item, Item.size > 0)
    with storage.reading(centre_id=OURS) as session:
        assert session.scalars(select(Item.name).options(wide)).all() == ["ours"]
        assert session.scalars(select(Item.name), {"_centre": THEIRS}).all() == ["ours"]
        assert session.scalars(select(i.c.name).where(here(i)), {"_centre": THEIRS}).all() == ["ours"]
        assert session.query(Item.name).all() == [("ours",)]
        with pytest.raises(Fault):
            session.execute(select(i.c.name).where(here(Part)))
