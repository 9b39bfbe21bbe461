"""Statements in every shape: which leave the centre open, and which do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from huijia.errors import Fault
from huijia.storage.base import new_id
from huijia.storage.scope import here
from huijia.storage.work import Storage
from owned import CENTRE, OURS, THEIR_ITEM, THEIRS, Item, ItemAlias, Part, c, filled, i, i2, p, w
from sqlalchemy import (
    Column,
    Integer,
    MetaData,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    delete,
    exists,
    func,
    insert,
    lateral,
    literal_column,
    not_,
    null,
    or_,
    select,
    table,
    text,
    true,
    tuple_,
    union_all,
    update,
    values,
)
from sqlalchemy.schema import CreateTable

CTE = select(i.c.id).where(here(i)).cte("mine")
OPEN_CTE = select(i.c.id).cte("open")


@pytest.fixture
def storage(engine_url: str, clock: Any) -> Iterator[Storage]:
    with filled(engine_url, clock) as storage:
        yield storage


# Each of these must be refused, with a word on the table it leaves open.
REFUSED: dict[str, Any] = {
    "a table": select(i),
    "one column names its table too": select(i.c.id),
    "a function over a column": select(func.count(i.c.id)),
    "count of all": select(func.count()).select_from(i),
    "a condition on something else": select(i).where(i.c.name == "ours"),
    "a centre given by value is not the session's": select(i).where(i.c.centre_id == THEIRS),
    "an alias, scoped by its table": select(i2.c.id).where(here(i)),
    "a table, scoped by its alias": select(i.c.id).where(here(i2)),
    "one of two tables": select(i.c.id, p.c.id).where(here(i), i.c.id == p.c.item_id),
    "one of a table and its alias": select(i.c.id, i2.c.id).where(here(i)),
    "an inner join, one side": select(i.c.id).join_from(i, p, p.c.item_id == i.c.id).where(here(i)),
    "a self join, one side": select(i.c.id).join_from(i, i2, i.c.id == i2.c.id).where(here(i2)),
    "an outer join, held on the left by its condition": select(i.c.id).join_from(
        i, p, and_(p.c.item_id == i.c.id, here(i), here(p)), isouter=True
    ),
    "an outer join, right side open": select(i.c.id)
    .outerjoin_from(i, p, p.c.item_id == i.c.id)
    .where(here(i)),
    "a full join is held by nothing but WHERE": select(i.c.id).join_from(
        i, p, and_(p.c.item_id == i.c.id, here(i), here(p)), full=True
    ),
    "here() under OR": select(i).where(or_(here(i), true())),
    "here() under OR, deeper": select(i).where(and_(i.c.size > 0, or_(here(i), i.c.size > 0))),
    "here() under NOT": select(i).where(not_(here(i))),
    "here() in CASE": select(i).where(case((here(i), 1), else_=1) == 1),
    "here() in HAVING": select(i.c.name).group_by(i.c.name, i.c.centre_id).having(here(i)),
    "here() in the columns": select(i.c.id, here(i)),
    "here() in ORDER BY": select(i.c.id).order_by(here(i)),
    "unequal instead of equal": select(i).where(i.c.centre_id != CENTRE),
    "IS NOT DISTINCT FROM is not looked for": select(i).where(i.c.centre_id.is_not_distinct_from(CENTRE)),
    "another column with the centre": select(i).where(i.c.id == CENTRE),
    "the centre with itself": select(i).where(bindparam("_centre") == CENTRE),
    "a FROM subquery": select(select(i).subquery().c.id),
    "a FROM subquery, scoped outside by the table": select(select(i.c.id).subquery().c.id).where(here(i)),
    "a subquery beside a scoped table": select(i.c.id, select(p.c.id).subquery().c.id).where(here(i)),
    "a subquery in WHERE": select(i.c.id).where(here(i), i.c.id.in_(select(p.c.item_id))),
    "a subquery on the same table": select(i.c.id).where(here(i), i.c.id.in_(select(i.c.id))),
    "a scalar subquery on the same table": select(i.c.id, select(func.sum(i.c.size)).scalar_subquery()).where(
        here(i)
    ),
    "a subquery in ORDER BY": select(i.c.id)
    .where(here(i))
    .order_by(select(func.max(p.c.name)).scalar_subquery()),
    "a subquery in a join's condition": select(w.c.id).join_from(w, i, and_(here(i), exists(select(p.c.id)))),
    "a subquery in LIMIT": select(w.c.id).limit(select(func.count(i.c.id)).scalar_subquery()),
    "EXISTS on an open table": select(w.c.id).where(exists().where(i.c.name == w.c.name)),
    "EXISTS that does not correlate": select(i.c.id).where(
        here(i), exists(select(i.c.id).where(i.c.name == "x").correlate(None))
    ),
    "a correlated table beside an open one": select(i.c.id).where(
        here(i), exists().where(p.c.item_id == i.c.id)
    ),
    "a CTE": select(OPEN_CTE.c.id),
    "a CTE beside a scoped table": select(i.c.id).where(here(i), i.c.id == OPEN_CTE.c.id),
    "a CTE on the statement only": select(w.c.id).add_cte(OPEN_CTE),
    "a recursive CTE": (lambda r: select(r.union_all(select(p.c.id).where(p.c.item_id == r.c.id)).c.id))(
        select(i.c.id).where(here(i)).cte("r", recursive=True)
    ),
    "UNION, one side": union_all(select(i.c.id).where(here(i)), select(p.c.id)),
    "UNION in a subquery": select(union_all(select(i.c.id).where(here(i)), select(i.c.id)).subquery().c.id),
    "LATERAL": select(i.c.id, lateral(select(p.c.id).where(p.c.item_id == i.c.id)).c.id).where(here(i)),
    "a table sample": select(i.tablesample(50).c.id),
    "another Table of the same name": select(
        Table("trial_item", MetaData(), Column("id", Uuid), Column("centre_id", Uuid)).c.id
    ),
    "a light table of the same name": select(table("trial_item", column("id")).c.id),
    "a light table with its centre column": select(table("trial_item", column("id"), column("centre_id"))),
    "text as FROM": select(text("*")).select_from(text("trial_item")),
    "text as a column": select(text("(SELECT name FROM trial_item)")),
    "a literal column": select(literal_column("(SELECT max(name) FROM trial_item)")),
    "text as WHERE": select(w.c.id).where(text("EXISTS (SELECT 1 FROM TRIAL_ITEM)")),
    "a prefix": select(w.c.id).prefix_with("(SELECT name FROM trial_item),"),
    "a suffix": select(w.c.id).suffix_with("UNION SELECT id FROM trial_item"),
    "update": update(i).values(size=2),
    "update by key": update(i).where(i.c.id == THEIR_ITEM).values(size=2),
    "update from another table": update(w).values(name=i.c.name).where(i.c.name == w.c.name),
    "update by a subquery": update(w).values(name=select(func.max(i.c.name)).scalar_subquery()),
    "update where a subquery": update(i).where(here(i), i.c.id.in_(select(p.c.item_id))).values(size=2),
    "update moves to another centre": update(i).where(here(i)).values(centre_id=THEIRS),
    "update moves to the own centre": update(i).where(here(i)).values({i.c.centre_id: OURS}),
    "update moves in order": update(i).where(here(i)).ordered_values((i.c.centre_id, THEIRS)),
    "delete": delete(i),
    "delete by key": delete(p).where(p.c.id == UUID(int=200)),
    "delete where a subquery": delete(p).where(here(p), p.c.item_id.in_(select(i.c.id))),
    "delete using another table": delete(w).where(w.c.name == i.c.name),
    "insert from select": insert(i).from_select(["id", "name", "size", "centre_id"], select(i)),
    "insert into a plain table from select": insert(w).from_select(["id", "name"], select(i.c.id, i.c.name)),
    "insert with a subquery": insert(w).values(
        id=new_id(), name=select(func.max(i.c.name)).scalar_subquery()
    ),
    "insert with several rows of values": insert(i).values([{"id": new_id(), "name": "a"}]),
    "insert for another centre": insert(i).values(id=new_id(), name="a", size=1, centre_id=THEIRS),
    "insert for no centre": insert(i).values(id=new_id(), name="a", size=1, centre_id=null()),
    "insert for a computed centre": insert(i).values(
        id=new_id(), name="a", size=1, centre_id=select(func.max(c.c.id)).scalar_subquery()
    ),
    "insert or replace": insert(i).prefix_with("OR REPLACE"),
    "insert returning a subquery": insert(w).returning(select(func.max(i.c.name)).scalar_subquery()),
    "insert inside a CTE": select(insert(i).values(id=new_id(), name="a").returning(i.c.id).cte().c.id),
    "update inside a CTE": select(update(i).values(size=3).returning(i.c.id).cte().c.id),
    "text": text("SELECT * FROM trial_item"),
    "text in capitals": text("SELECT * FROM TRIAL_ITEM"),
    "text, quoted": text('SELECT * FROM "trial_item"'),
    "text, the comparison in a comment": text("SELECT * FROM trial_item /* centre_id = :_centre */"),
    "text, the comparison in a line comment": text("SELECT * FROM trial_item -- centre_id = :_centre"),
    "text, one of two tables": text(
        "SELECT 1 FROM trial_item i, trial_part p WHERE i.centre_id = :_centre AND p.item_id = i.id"
    ),
    "text, the centre as a value only": text("SELECT :_centre, name FROM trial_item"),
    "text with columns": text("SELECT id FROM trial_item").columns(i.c.id),
    "text that updates": text("UPDATE trial_item SET size = 5"),
    "text that inserts": text("INSERT INTO trial_item (id, name) VALUES ('1', 'a')"),
    "an entity from text": select(Item).from_statement(text("SELECT * FROM trial_item")),
    "an entity from a Core statement": select(Item).from_statement(select(i)),
    "an ORM statement with a Core table": select(Item, p.c.name).where(p.c.item_id == Item.id),
    "an ORM statement with a Core subquery": select(Item).where(Item.id.in_(select(p.c.item_id))),
    "an ORM update by a Core subquery": update(Item).where(Item.id.in_(select(p.c.item_id))).values(size=2),
    "an ORM update that moves": update(Item).values(centre_id=THEIRS),
    "an ORM insert for another centre": insert(Item).values(name="a", centre_id=THEIRS),
    "an ORM insert with several rows of values": insert(Item).values([{"name": "a"}]),
    "an ORM insert with a subquery": insert(Item).values(name=select(func.max(p.c.name)).scalar_subquery()),
    "VALUES beside an open table": select(
        values(column("n", Integer), name="v").data([(1,)]).c.n, i.c.id
    ).where(i.c.size == 1),
    "a tuple of columns": select(w.c.id).where(tuple_(w.c.id, w.c.name).in_(select(i.c.id, i.c.name))),
    "a table valued function over a column": select(func.coalesce(select(i.c.name).scalar_subquery(), "x")),
    "tables are made elsewhere": CreateTable(Table("trial_new", MetaData(), Column("id", Uuid))),
}


def attempt(storage: Storage, statement: Any) -> Any:
    """What comes back, or the exception; each in a unit of its own that is undone."""
    with storage.writing(centre_id=OURS) as session:
        session.give_up()
        try:
            return session.execute(statement).scalars().unique().all()
        except Exception as error:
            return error


def test_a_statement_that_leaves_the_centre_open_is_refused(storage: Storage, both_engines: str) -> None:
    cannot = {"delete using another table": NotImplementedError} if both_engines == "sqlite" else {}
    for remark, statement in REFUSED.items():
        for _ in range(2):  # nothing is remembered of what was refused
            assert isinstance(attempt(storage, statement), cannot.get(remark, Fault)), remark


# Each of these may run, and sees our centre only.
ALLOWED: dict[str, tuple[Any, list[Any]]] = {
    "a scoped table": (select(i.c.name).where(here(i)), ["ours"]),
    "scoped by the model": (select(i.c.name).where(here(Item)), ["ours"]),
    "scoped the other way round": (
        select(i.c.name).where(i.c.centre_id == CENTRE),
        ["ours"],
    ),
    "scoped among others": (
        select(i.c.name).where(and_(i.c.size > 0, and_(here(i), i.c.name > ""))),
        ["ours"],
    ),
    "an alias": (select(i2.c.name).where(here(i2)), ["ours"]),
    "a table and its alias": (select(i2.c.name).where(here(i2), here(i), i.c.id == i2.c.id), ["ours"]),
    "an inner join, held by its condition": (
        select(p.c.name).join_from(i, p, and_(p.c.item_id == i.c.id, here(i), here(p))),
        ["ours"],
    ),
    "an outer join, the right side held by its condition": (
        select(p.c.name).outerjoin_from(i, p, and_(p.c.item_id == i.c.id, here(p))).where(here(i)),
        ["ours"],
    ),
    "a full join, held by WHERE": (
        select(i.c.name).join_from(i, p, p.c.item_id == i.c.id, full=True).where(here(i), here(p)),
        ["ours"],
    ),
    "a FROM subquery": (select(select(i.c.name).where(here(i)).subquery().c.name), ["ours"]),
    "a subquery in WHERE": (
        select(i.c.name).where(here(i), i.c.id.in_(select(p.c.item_id).where(here(p)))),
        ["ours"],
    ),
    "a correlated EXISTS": (
        select(i.c.name).where(here(i), exists().where(p.c.item_id == i.c.id, here(p))),
        ["ours"],
    ),
    "a correlated scalar subquery": (
        select(select(func.count(p.c.id)).where(p.c.item_id == i.c.id, here(p)).scalar_subquery()).where(
            here(i)
        ),
        [1],
    ),
    "explicitly correlated": (
        select(i.c.name).where(
            here(i), exists(select(p.c.id).where(p.c.item_id == i.c.id, here(p)).correlate(i))
        ),
        ["ours"],
    ),
    "a CTE": (select(i.c.name).where(here(i), i.c.id == CTE.c.id), ["ours"]),
    "a UNION": (union_all(select(i.c.name).where(here(i)), select(p.c.name).where(here(p))), ["ours"]),
    "no owned table": (select(func.count(w.c.id)), [0]),
    "a table with a centre that is not owned": (select(func.count(c.c.id)), [2]),
    "text that compares": (text("SELECT name FROM trial_item WHERE centre_id = :_centre"), ["ours"]),
    "text on nothing owned": (text("SELECT 1"), [1]),
    "a function": (func.coalesce(None, 3), [3]),
    "an update": (update(i).where(here(i)).values(size=7).returning(i.c.name), ["ours"]),
    "an update from another table": (
        update(i).where(here(i), here(p), p.c.item_id == i.c.id).values(name=p.c.name).returning(i.c.name),
        ["ours"],
    ),
    "a delete": (delete(p).where(here(p)).returning(p.c.name), ["ours"]),
    "ORM: an entity's column": (select(Item.name), ["ours"]),
    "ORM: count": (select(func.count()).select_from(Item), [1]),
    "ORM: an alias": (select(ItemAlias.name), ["ours"]),
    "ORM: an entity beside its alias": (select(ItemAlias.name).where(ItemAlias.size == Item.size), ["ours"]),
    "ORM: join": (select(Part.name).join(Part.item), ["ours"]),
    "ORM: outer join": (select(Part.name).select_from(Item).outerjoin(Item.parts), ["ours"]),
    "ORM: join to an alias": (
        select(ItemAlias.name).select_from(Part).join(Part.item.of_type(ItemAlias)),
        ["ours"],
    ),
    "ORM: a subquery": (select(select(Item.name).subquery().c.name), ["ours"]),
    "ORM: a subquery in WHERE": (select(Item.name).where(Item.id.in_(select(Part.item_id))), ["ours"]),
    "ORM: EXISTS by any()": (select(Item.name).where(Item.parts.any()), ["ours"]),
    "ORM: EXISTS by has()": (select(Part.name).where(Part.item.has(Item.size > 0)), ["ours"]),
    "ORM: a CTE": ((lambda t: select(t.c.name))(select(Item.name).cte("t")), ["ours"]),
    "ORM: a Core table scoped beside": (
        select(p.c.name).select_from(Item).join(p, p.c.item_id == Item.id).where(here(p)),
        ["ours"],
    ),
    "ORM: update": (update(Item).values(size=5).returning(Item.name), ["ours"]),
    "ORM: update by key finds only ours": (
        update(Item).where(Item.id == THEIR_ITEM).values(size=5).returning(Item.name),
        [],
    ),
    "ORM: delete": (delete(Part).returning(Part.name), ["ours"]),
    "ORM: an OR cannot widen": (select(Item.name).where(or_(Item.size == 1, true())), ["ours"]),
}


def test_a_scoped_statement_sees_its_own_centre(storage: Storage, both_engines: str) -> None:
    for remark, (statement, expected) in ALLOWED.items():
        for _ in range(2):  # fresh, and remembered
            assert attempt(storage, statement) == expected, remark


def test_what_was_allowed_does_not_open_the_way_for_what_looks_alike(storage: Storage) -> None:
    assert attempt(storage, select(i.c.name).where(here(i))) == ["ours"]
    for value in (THEIRS, OURS, bindparam("other", THEIRS), bindparam("_centre", THEIRS, unique=True)):
        assert isinstance(attempt(storage, select(i.c.name).where(i.c.centre_id == value)), Fault)
