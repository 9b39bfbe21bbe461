"""What belongs to a centre stays there.

ORM statements are narrowed to the session's centre. A Core statement names the centre itself, by
`here(table)`; one that leaves any FROM open is refused. What a statement reads is taken from
SQLAlchemy's own compiler, once per statement object, so a prebuilt one pays only a look-up. Crossing
centres needs `session.across_centres(reason)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, ColumnElement, TextClause, Uuid, bindparam, inspect
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, Grouping

from huijia.errors import Fault
from huijia.storage.base import OWNED, CentreOwned

if TYPE_CHECKING:
    from huijia.storage.work import WorkSession

CENTRE = "_centre"
READ_ONLY = "A safe request reads only; move the change to a POST, PUT, PATCH or DELETE."
_OPEN = "does not name its centre; add .where(here(table)), or open session.across_centres(reason)"
_BOUND = bindparam(CENTRE, type_=Uuid())
_OF_THE_CENTRE = with_loader_criteria(
    CentreOwned,
    lambda cls: cls.centre_id == _BOUND,
    include_aliases=True,
)
_COMPARED = re.compile(rf"\bcentre_id\"?\s*=\s*:{CENTRE}\b", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)


class Seen(NamedTuple):
    """What was found out about one statement object."""

    instead: Any  # to run in its place
    owned: bool  # touches what belongs to a centre
    plain: bool  # Core, and to be run as it is


_seen: WeakKeyDictionary[Any, Seen] = WeakKeyDictionary()
_alike: dict[Any, bool] = {}  # the same by structure, for statements that are built for each call
_ALIKE_MAX = 4096


def here(owned: Any) -> ColumnElement[bool]:
    """The condition that a Core statement must carry for each centre-owned table, alias or model it reads."""
    column = inspect(owned).selectable.c.centre_id
    return cast("ColumnElement[bool]", column == _BOUND)


def narrow(state: ORMExecuteState) -> None:
    """Listener of `do_orm_execute`: narrow what the ORM reads, refuse what Core leaves open."""
    session, statement = cast("WorkSession", state.session), cast("Any", state.statement)
    if statement.is_dml and not session.writable:
        raise Fault(READ_ONLY)
    if session.crossing:
        if session.centre_id and not statement.is_insert:
            state.parameters = _with_centre(state.parameters, session.centre_id)
        return
    instead, owned, _plain = _seen.get(statement) or _look_at(state, statement)
    state.parameters = _bound(session, statement, owned, state.parameters, orm=state.is_orm_statement)
    if statement.is_insert:
        return
    if instead is not None:
        state.statement = instead
        if statement.is_dml:  # evaluated in Python, our condition has no value
            state.update_execution_options(synchronize_session="fetch")


def straight(session: WorkSession, statement: Any, parameters: Any) -> Any:
    """The parameters of a Core statement that was looked at before and can go to the connection at once.

    None where it takes the long way: it is new, of the ORM, across centres, or to be refused.
    """
    seen = _seen.get(statement)
    if seen is None or not seen.plain or session.crossing or (statement.is_dml and not session.writable):
        return None
    return _bound(session, statement, seen.owned, parameters)


def _bound(session: WorkSession, statement: Any, owned: bool, parameters: Any, *, orm: bool = False) -> Any:
    """The parameters with the centre that they are for."""
    if owned and session.centre_id is None:
        raise Fault("This unit has no centre; open it with centre_id=…, or cross with a reason.")
    if statement.is_insert:
        return _stamped(statement, parameters, session.centre_id) if owned else parameters
    if owned and statement.is_update:
        _refuse_moving(statement, parameters, by_keys=orm)
    return _with_centre(parameters, session.centre_id)


def _with_centre(parameters: Any, centre_id: UUID | None) -> Any:
    if isinstance(parameters, list):
        return [{**row, CENTRE: centre_id} for row in parameters]
    return {**parameters, CENTRE: centre_id} if parameters else {CENTRE: centre_id}


def _look_at(state: ORMExecuteState, statement: Any) -> Seen:
    if isinstance(statement, ExecutableDDLElement):
        raise Fault("Tables are made by migrations, not inside a unit of work.")
    instead = None
    if isinstance(statement, TextClause):
        if CENTRE in statement._bindparams:  # SQLite cannot bind a UUID without its type
            instead = statement.bindparams(_BOUND)
    elif state.is_orm_statement and not statement.is_insert:
        instead = _narrowed(state, statement)
    looked_at = statement if instead is None else instead
    if state.is_orm_statement and statement.is_insert:  # compiles by itself only as one of single rows
        looked_at = statement._annotate({"dml_strategy": "orm"})
    plain = instead is None and not state.is_orm_statement
    known = _seen[statement] = Seen(instead, _is_checked(looked_at, state.session), plain)
    return known


def _narrowed(state: ORMExecuteState, statement: Any) -> Any:
    cls = state.bind_mapper.class_ if state.bind_mapper else object
    if state.is_column_load and issubclass(cls, CentreOwned):  # a refresh takes no criteria by option
        return statement.where(cls.centre_id == _BOUND)
    # None where a lazy load inherited the option: a value that is its own key would never be forgotten.
    return None if _OF_THE_CENTRE in statement._with_options else statement.options(_OF_THE_CENTRE)


def _is_checked(statement: Any, session: Any) -> bool:
    """True where the statement touches what is owned. Raises Fault where it leaves a table open."""
    key = statement._generate_cache_key()
    if key is None or (touches := _alike.get(key.key)) is None:
        dialect = session.get_bind().dialect
        touches = _reader(dialect.statement_compiler)(dialect, statement).touches()
        if key is not None:
            if len(_alike) >= _ALIKE_MAX:
                _alike.clear()
            _alike[key.key] = touches
    return touches


def _is_owned(table: Any) -> bool:
    column = table.c.get("centre_id")
    return table.name in OWNED or (column is not None and bool(getattr(column, "info", {}).get("centre")))


def _conjuncts(clause: Any) -> Iterator[Any]:
    if isinstance(clause, Grouping):
        yield from _conjuncts(clause.element)
    elif isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for part in clause.clauses:
            yield from _conjuncts(part)
    elif isinstance(clause, BinaryExpression) and clause.operator is operators.eq:
        yield clause


@cache
def _reader(compiler: Any) -> Any:
    return type("Reader", (_Reader, compiler), {})


class _Reader:
    """Mixin over a dialect's compiler: notes which owned tables each SELECT, UPDATE or DELETE really reads.

    Conditions and tables meet as rendered names, which are unique within one FROM and tell aliases apart.
    """

    def __init__(self, dialect: Any, statement: Any) -> None:
        self.touched = False
        self.read: list[tuple[Any, str, str]] = []  # part of the statement, table, its column as rendered
        self.held: list[tuple[Any, str]] = []  # part of the statement, a column that a join holds
        self.faults: list[str] = []
        super().__init__(dialect, statement)  # type: ignore[call-arg]  # compiles

    def touches(self) -> bool:
        for part, table, column in self.read:
            where = {name for clause in getattr(part, "_where_criteria", ()) for name in self._holds(clause)}
            if column not in where and (part, column) not in self.held:
                self.faults.append(f"{table} {_OPEN}")
        if self.faults:
            raise Fault("; ".join(dict.fromkeys(self.faults)) + ".")
        return self.touched

    def _part(self) -> Any:
        return self.stack[-1]["selectable"] if self.stack else None  # type: ignore[attr-defined]

    def _column(self, source: Any) -> str:
        column = source.c.get("centre_id") if hasattr(source, "c") else None
        return "" if column is None else self.process(column)  # type: ignore[attr-defined]

    def _holds(self, condition: Any) -> Iterator[str]:
        for clause in _conjuncts(condition):
            for side, other in ((clause.left, clause.right), (clause.right, clause.left)):
                if isinstance(other, BindParameter) and other.key == CENTRE:
                    yield self.process(side)  # type: ignore[attr-defined]

    def visit_table(self, table: Any, asfrom: bool = False, enclosing_alias: Any = None, **how: Any) -> str:
        if (asfrom or how.get("within_tstring")) and _is_owned(table):
            aliased = enclosing_alias is not None and enclosing_alias.element is table
            self.touched = True
            self.read.append((self._part(), table.name, self._column(enclosing_alias if aliased else table)))
        return super().visit_table(table, asfrom=asfrom, enclosing_alias=enclosing_alias, **how)  # type: ignore[misc]

    def visit_join(self, join: Any, **how: Any) -> str:
        # An outer join's condition holds what it joins, not what it joins to.
        held = () if join.full else join.right._from_objects if join.isouter else join._from_objects
        columns = {self._column(source) for source in held if not hasattr(source, "onclause")}
        self.held += [(self._part(), name) for name in self._holds(join.onclause) if name in columns]
        return super().visit_join(join, **how)  # type: ignore[misc]

    def visit_textclause(self, textclause: Any, **how: Any) -> str:
        self._check_text(textclause.text)
        return super().visit_textclause(textclause, **how)  # type: ignore[misc]

    def visit_column(self, column: Any, *rest: Any, **how: Any) -> str:
        if column.is_literal:
            self._check_text(column.name)
        return super().visit_column(column, *rest, **how)  # type: ignore[misc]

    def _check_text(self, text: str) -> None:
        text = _COMMENT.sub(" ", text)
        named = {name for name in OWNED if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)}
        self.touched = self.touched or bool(named)
        if len(_COMPARED.findall(text)) < len(named):
            tables = ", ".join(sorted(named))
            self.faults.append(f"Text on {tables} must compare centre_id = :{CENTRE} for each table")

    def visit_update(self, update: Any, *rest: Any, **how: Any) -> str:
        if _is_owned(update.table) and _names_centre(update._values):
            self.faults.append(f"{update.table.name} does not move between centres; make a new record there")
        return super().visit_update(update, *rest, **how)  # type: ignore[misc]

    def visit_insert(self, insert: Any, *rest: Any, **how: Any) -> str:
        if _is_owned(insert.table):
            self.touched = True
            nested = self.stack or insert.select is not None or insert._multi_values or insert._prefixes  # type: ignore[attr-defined]
            if nested:
                words = "takes its rows as parameters of a plain insert, so that their centre can be checked"
                self.faults.append(f"{insert.table.name} {words}")
            self.faults += [
                f"{insert.table.name}: an upsert must name centre_id among its index_elements, and not set it"
                for clause in _upserts(insert)
                if not any(getattr(e, "key", e) == "centre_id" for e in clause.inferred_target_elements or ())
                or _names_centre(clause.update_values_to_set)
            ]
        return super().visit_insert(insert, *rest, **how)  # type: ignore[misc]


def _upserts(insert: Any) -> Iterator[Any]:
    found = insert._post_values_clause
    for clause in getattr(found, "clauses", None) or ([] if found is None else [found]):
        if hasattr(clause, "update_values_to_set"):
            yield clause


def _names_centre(values: Any) -> bool:
    return any(getattr(name, "key", name) == "centre_id" for name in dict(values or {}))


def _refuse_moving(statement: Any, given: Any, *, by_keys: bool) -> None:
    table = statement.table
    if not _is_owned(table):
        return
    if any("centre_id" in row for row in _rows(given)):
        raise Fault(f"{table.name} does not move between centres; make a new record there.")
    if by_keys and isinstance(given, list):
        raise Fault(f"Update {table.name} by .where(), or row by row: a list of keys names no centre.")


def _stamped(statement: Any, parameters: Any, centre_id: UUID | None) -> Any:
    """Rows of an insert with their centre. Raises Fault for another centre's."""
    table = statement.table
    if not _is_owned(table):
        return parameters
    inline = {getattr(key, "key", key): value for key, value in dict(statement._values or {}).items()}
    if "centre_id" in inline:
        _check_centre(getattr(inline["centre_id"], "value", None), centre_id, table.name)
        return parameters
    rows = [{**row, "centre_id": row.get("centre_id") or centre_id} for row in _rows(parameters)]
    for row in rows:
        _check_centre(row["centre_id"], centre_id, table.name)
    return rows if isinstance(parameters, list) else rows[0]


def _rows(parameters: Any) -> list[Any]:
    return parameters if isinstance(parameters, list) else [parameters or {}]


def stamp(new: Iterable[Any], kept: Iterable[Any], centre_id: UUID | None) -> None:
    """Give new records their centre. Raises Fault for another centre's, and for one that would move."""
    for record in new:
        if isinstance(record, CentreOwned):
            record.centre_id = record.centre_id or centre_id
            _check_centre(record.centre_id, centre_id, type(record).__name__)
    for record in kept:
        if isinstance(record, CentreOwned):
            _check_centre(record.centre_id, centre_id, type(record).__name__)
            if inspect(record).attrs.centre_id.history.has_changes():
                raise Fault(
                    f"{type(record).__name__} does not move between centres; make a new record there."
                )


def _check_centre(found: UUID | None, expected: UUID | None, what: str) -> None:
    if found is None or found != expected:
        raise Fault(f"{what} was to be written for centre {found}, but this is a unit of {expected}.")
