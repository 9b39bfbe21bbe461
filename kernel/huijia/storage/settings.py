"""Settings: what operators decide, for the installation, an area or one centre, from a date on.

The value locked highest up wins; else the nearest one; else the schema's default. At each place the
latest value whose date has come counts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from marshmallow import EXCLUDE, Schema, ValidationError
from sqlalchemy.orm import Mapped, mapped_column

from huijia.errors import Invalid, Refusal
from huijia.i18n import Text, current_locale, messages, translated
from huijia.storage.base import KernelBase, pk

if TYPE_CHECKING:
    from huijia.identity.actor import Actor
    from huijia.storage.work import WorkSession

_ = messages("huijia")
logger = logging.getLogger(__name__)
TOP = 1_000  # distance of the installation: above every area


@dataclass(frozen=True)
class Scope:
    """A place: an area with all below it, one centre, or (neither) the whole installation."""

    area_id: UUID | None = None
    centre_id: UUID | None = None

    def __post_init__(self) -> None:
        assert self.area_id is None or self.centre_id is None, "a scope is an area or a centre, not both"


class Scoped:
    """Mixin for rows that hold at a `Scope`."""

    area_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("huijia_area.id"), index=True)
    centre_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("huijia_centre.id"), index=True)

    @property
    def scope(self) -> Scope:
        """Where the row holds."""
        return Scope(self.area_id, self.centre_id)


def one_per_scope(table: str, *columns: str) -> tuple[Any, ...]:
    """Constraints of a `Scoped` table: one place per row, and `columns` once per place."""
    nowhere = "area_id IS NULL AND centre_id IS NULL"
    places = {"area_id": "area_id IS NOT NULL", "centre_id": "centre_id IS NOT NULL", "": nowhere}

    def index(place: str, rule: Any) -> sa.Index:
        # Partial, because NULLs count as different in a plain one.
        name, keys = f"uq_{table}_{place or 'installation'}", filter(None, (*columns, place))
        return sa.Index(name, *keys, unique=True, sqlite_where=rule, postgresql_where=rule)

    one = sa.CheckConstraint("area_id IS NULL OR centre_id IS NULL", name="one_place")
    return (one, *(index(place, sa.text(rule)) for place, rule in places.items()))


def bound_lengths(model: Any) -> None:
    """Have the database hold every text to its length: SQLite keeps 500 characters in a String(5)."""
    for col in model.__table__.c:
        if isinstance(col.type, sa.String) and col.type.length:
            least = 0 if col.nullable or col.server_default is not None else 1
            rule = f"length({col.name}) BETWEEN {least} AND {col.type.length}"
            model.__table__.append_constraint(sa.CheckConstraint(rule, name=f"{col.name}_length"))


class Setting(Scoped, KernelBase):
    """One decision: what `key` of `plugin` is from `effective_on` on, here and below."""

    __tablename__ = "huijia_setting"
    __table_args__ = one_per_scope("huijia_setting", "plugin", "key", "effective_on")
    id: Mapped[UUID] = pk()
    plugin: Mapped[str] = mapped_column(sa.String(80))
    key: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[Any] = mapped_column(sa.JSON)
    locked: Mapped[bool] = mapped_column(default=False)
    effective_on: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("huijia_staff.id"))


bound_lengths(Setting)


def _lent(table: str, /, *uuids: str, **types: Any) -> Any:
    # Identity stands above storage: its tables are met here by name, never imported.
    columns = {**dict.fromkeys(uuids, sa.Uuid), **types}
    return sa.table(table, *(sa.column(k, t) for k, t in columns.items())).c


_names = {"name": sa.String, "name_en": sa.String}
_area = _lent("huijia_area", "id", "parent_id", **_names)
_centre = _lent(
    "huijia_centre", "id", "area_id", slug=sa.String, time_zone=sa.String, created_at=sa.DateTime, **_names
)
_staff = _lent("huijia_staff", "id", display_name=sa.String)


def places_above() -> sa.CTE:
    """`id` and `depth` of the area `:area`, or that of the centre `:centre` or `:slug`, and all above it."""
    the_centre = sa.or_(
        _centre.id == sa.bindparam("centre", None), _centre.slug == sa.bindparam("slug", None)
    )
    home = sa.select(_centre.area_id).where(the_centre).scalar_subquery()
    first = sa.or_(_area.id == sa.bindparam("area", None), _area.id == home)
    start = sa.select(_area.id, _area.parent_id, sa.literal(1).label("depth")).where(first)
    up = start.cte("above", recursive=True)
    return up.union(sa.select(_area.id, _area.parent_id, up.c.depth + 1).where(_area.id == up.c.parent_id))


def today_at(session: WorkSession, scope: Scope) -> date:
    """The date at a centre; elsewhere that of the first centre, or UTC's while there is none."""
    wanted = sa.select(_centre.time_zone).order_by(_centre.created_at, _centre.id).limit(1)
    if scope.centre_id:
        wanted = wanted.where(_centre.id == scope.centre_id)
    name = session.scalar(wanted)
    return session.now.astimezone(ZoneInfo(name) if name else UTC).date()


_up = places_above()
_everywhere = sa.and_(Setting.area_id.is_(None), Setting.centre_id.is_(None))
_reaches = sa.or_(_up.c.id.is_not(None), _everywhere, Setting.centre_id == sa.bindparam("centre"))
_DECISIONS = (
    sa.select(
        *(Setting.__table__.c[k] for k in ("key", "value", "locked", "effective_on")),
        sa.func.coalesce(_up.c.depth, sa.case((_everywhere, TOP), else_=0)).label("depth"),
        *(sa.func.coalesce(_area[k], _centre[k]).label(k) for k in _names),
        _staff.display_name.label("decided_by"),
    )
    .outerjoin(_up, _up.c.id == Setting.area_id)
    .outerjoin(_area.id.table, _area.id == Setting.area_id)
    .outerjoin(_centre.id.table, _centre.id == Setting.centre_id)
    .outerjoin(_staff.id.table, _staff.id == Setting.recorded_by)
    .where(Setting.plugin == sa.bindparam("plugin"), _reaches)
    .order_by(sa.desc("depth"), Setting.effective_on)
)


def _decisions(session: WorkSession, plugin: str, scope: Scope) -> list[Any]:
    values = {"plugin": plugin, "area": scope.area_id, "centre": scope.centre_id}
    return list(session.execute(_DECISIONS, values))


def in_force(decisions: Iterable[Any], on: date) -> dict[str, Any]:
    """Per key the decision that counts on a day, of decisions ordered from the top down, then by date."""
    chosen: dict[str, Any] = {}
    for decision in decisions:
        above = chosen.get(decision.key)
        free = above is None or not above.locked or above.depth == decision.depth
        if free and decision.effective_on <= on:
            chosen[decision.key] = decision
    return chosen


def settings_of(session: WorkSession, plugin: str, schema: Schema, *, on: date) -> dict[str, Any]:
    """Every setting of the schema as it stands on a day at the session's centre, loaded by the schema."""
    rows = in_force(_decisions(session, plugin, Scope(centre_id=session.centre_id)), on)
    raw = {key: row.value for key, row in rows.items()}
    try:
        return cast("dict[str, Any]", schema.load(raw, unknown=EXCLUDE))
    except ValidationError as problem:
        # A newer version may refuse what an older one allowed: a default is better than no service.
        logger.warning("Settings of %s fall back to their defaults: %s", plugin, problem.messages)
        bad = raw if "_schema" in problem.messages else problem.messages_dict
        kept = {key: value for key, value in raw.items() if key not in bad}
        return cast("dict[str, Any]", schema.load(kept, unknown=EXCLUDE))


@dataclass(frozen=True)
class Explained:
    """One line of the Settings page. `source` None: the default; `coming` are (from, value, place)."""

    key: str
    label: Text | str
    help: Text | str
    value: Any
    source: str | None
    locked_by: str | None
    coming: tuple[tuple[date, Any, str], ...]


def explain(
    session: WorkSession, plugin: str, schema: Schema, *, on: date, scope: Scope | None = None
) -> list[Explained]:
    """For each setting: its value on a day, where that comes from, who locked it, what is to come."""
    rows = _decisions(session, plugin, scope or Scope(centre_id=session.centre_id))
    chosen = in_force(rows, on)

    def line(key: str, field: Any) -> Explained:
        row, words = chosen.get(key), field.metadata
        value = row.value if row else _dumped(schema, {key: field.load_default})[key]
        place = _place(row) if row else None
        later = (r for r in rows if r.key == key and r.effective_on > on)
        coming = tuple((r.effective_on, r.value, _place(r)) for r in later)
        locked_by = f"{_who(row)} ({place})" if row and row.locked else None
        return Explained(key, words.get("label", key), words.get("help", ""), value, place, locked_by, coming)

    return [line(key, field) for key, field in schema.fields.items()]


def _place(row: Any) -> str:
    if row.depth == TOP:
        return str(_("the whole installation"))
    return str(row.name_en if row.name_en and current_locale() == "en" else row.name)


def _who(row: Any) -> str:
    return row.decided_by or "Huijia"


class SettingLocked(Refusal):
    """Somebody above has locked the setting."""

    code = "setting-locked"


def set_setting(
    session: WorkSession, *, actor: Actor, plugin: str, schema: Schema, key: str, value: Any, scope: Scope,
    now: datetime, locked: bool = False, effective_on: date | None = None,
) -> Setting:  # fmt: skip
    """Decide a setting at a place from a day on (today, unless given), instead of that day's decision.

    Raises Forbidden, Invalid, or SettingLocked where a place above has locked it on that day.
    """
    actor.need_at(session, "settings.manage", scope)
    today = today_at(session, scope)
    day = effective_on or today
    if day < today:
        raise invalid("effective_on", _("The past is settled; choose {today} or later.", today=today))
    clean = _checked(schema, key, value)
    _refuse_locked(session, plugin, key, scope, day)
    what = {"plugin": plugin, "key": key, "effective_on": day, **vars(scope)}
    setting = session.scalars(sa.select(Setting).filter_by(**what)).one_or_none() or Setting(**what)
    setting.value, setting.locked, setting.recorded_at = clean, locked, now
    setting.recorded_by = actor.staff_id
    session.add(setting)
    session.flush()
    return setting


def _refuse_locked(session: WorkSession, plugin: str, key: str, scope: Scope, day: date) -> None:
    own = 0 if scope.centre_id else 1 if scope.area_id else TOP
    above = in_force((row for row in _decisions(session, plugin, scope) if row.depth > own), day).get(key)
    if above and above.locked:
        text = "{who} has locked this setting for {place}; ask for it to be changed there."
        raise SettingLocked(_(text, who=_who(above), place=_place(above)))


def _checked(schema: Schema, key: str, value: Any) -> Any:
    if key not in schema.fields:
        raise invalid("key", _("There is no setting {key} here; choose another.", key=key))
    try:
        return _dumped(schema, schema.load({key: value}, partial=True))[key]
    except ValidationError as problem:
        text = _("This value does not fit the setting; correct it.")
        raise Invalid(text, translated(problem.messages_dict)) from None


def _dumped(schema: Schema, values: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", schema.dump(values))


def invalid(field: str, message: Text) -> Invalid:
    """One field is wrong, for the reason given."""
    return Invalid(message, {field: [message]})
