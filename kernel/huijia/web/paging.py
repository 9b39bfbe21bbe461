"""Lists in pages by key: the next page begins after the last row seen, however long the list grows."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date, datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields
from marshmallow.validate import Range, Regexp
from sqlalchemy import ColumnElement, Select, and_, or_, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import desc_op

from huijia.errors import Invalid
from huijia.i18n import messages

_ = messages("huijia")
LIMIT_DEFAULT, LIMIT_MAX = 50, 200


class WholeNumber(fields.Integer):
    """An integer from an address: plain digits, as `strict` is for JSON."""

    def _deserialize(self, value: Any, *arguments: Any, **options: Any) -> Any:
        Regexp(r"\A-?[0-9]{1,18}\Z", error=str(self.error_messages["invalid"]))(str(value))
        return super()._deserialize(value, *arguments, **options)


class Cursor(Schema):
    """The arguments of a list, to derive from: `@api.arguments(Cursor, location="query")`."""

    cursor = fields.String(load_default=None, metadata={"description": "`next` of the page before"})
    limit = WholeNumber(load_default=LIMIT_DEFAULT, validate=Range(1, LIMIT_MAX))


def paged(
    session: Session,
    statement: Select[Any],
    *keys: Any,
    cursor: str | None = None,
    limit: int = LIMIT_DEFAULT,
) -> tuple[list[Any], str | None]:
    """One page of `statement` in the order of `keys`, and the cursor of the next page or None.

    `keys` are selected columns, never null, unique together; `column.desc()` turns one round. Rows are
    entities where one is selected. Raises Invalid for a cursor that is not one of this list.
    """
    assert 1 <= limit <= LIMIT_MAX, "a page has 1 to 200 rows"
    down = [getattr(key, "modifier", None) is desc_op for key in keys]
    columns = [key.element if isinstance(key, UnaryExpression) else key for key in keys]
    if cursor:
        statement = statement.where(_after(columns, down, _read(cursor, columns)))
    rows = list(session.execute(statement.order_by(*keys).limit(limit + 1)))
    more, rows = len(rows) > limit, rows[:limit]
    following = _write([_value(rows[-1], column) for column in columns]) if more else None
    return [row[0] if len(row) == 1 else row for row in rows], following


def _after(columns: list[Any], down: list[bool], values: list[Any]) -> ColumnElement[bool]:
    if len(set(down)) == 1:
        # Both engines walk one index for a row value; each value keeps its column's type.
        left, right = tuple_(*columns), tuple_(*values, types=[column.type for column in columns])
        return left < right if down[0] else left > right
    steps = []
    for place, (column, value) in enumerate(zip(columns, values, strict=True)):
        same = [columns[i] == values[i] for i in range(place)]
        steps.append(and_(*same, column < value if down[place] else column > value))
    return or_(*steps)


def _value(row: Any, column: Any) -> Any:
    return row._mapping[column] if column in row._mapping else getattr(row[0], column.key)


def _write(values: list[Any]) -> str:
    text = json.dumps([v.isoformat() if isinstance(v, date) else v for v in values], default=str)
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, columns: list[Any]) -> list[Any]:
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        # Asked of the type below: a TypeDecorator does not know its own.
        kinds = [getattr(column.type, "impl_instance", column.type).python_type for column in columns]
        return [_typed(kind, value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, AttributeError, RecursionError) as e:
        message = _("This cursor is not one of this list; start again at the first page.")
        raise Invalid(message, {"cursor": [message]}) from e


def _typed(kind: type, value: Any) -> Any:
    """The value as its column takes it. Raises ValueError for one that the database would choke on."""
    if kind in (datetime, date):
        value = kind.fromisoformat(value)
    elif kind is UUID:
        value = UUID(value)
    fits = {
        int: lambda v: abs(v) < 2**63,
        str: lambda v: v.encode().find(0) < 0,
        datetime: lambda v: v.tzinfo,
    }
    if type(value) is not kind or not fits.get(kind, bool)(value):
        raise ValueError(value)
    return value
