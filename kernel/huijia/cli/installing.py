"""`huijia init`: from nothing to the first sign-in. Each step leaves alone what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from huijia.cli import home_of, say
from huijia.cli.opening import opened
from huijia.config import PORT, Config

if TYPE_CHECKING:
    from huijia.identity.models import Centre, Staff
    from huijia.storage.work import WorkSession

KINDS = ("city", "district", "subdistrict")


@click.command()
@click.option("--url", prompt="Address that people will type", default=f"http://127.0.0.1:{PORT}")
@click.option("--city", prompt="City", default="郑州市")
@click.option("--district", prompt="District", default="金水区")
@click.option("--subdistrict", prompt="Subdistrict")
@click.option("--centre", prompt="Name of the centre")
@click.option("--slug", prompt="Its address, in small letters")
@click.option("--admin", prompt="Username of the first administrator", default="admin")
@click.option("--password", prompt="Password", hide_input=True, confirmation_prompt=True)
@click.option("--database", default="", help="postgresql://… instead of a file of SQLite.")
@click.pass_context
def init(ctx: click.Context, url: str, centre: str, slug: str, database: str, **given: str) -> None:
    """Set up an installation. What is there already is left as it is."""
    home = home_of(ctx)
    Config.load(home)  # what cannot be read is not written over
    if not (home / "huijia.toml").exists():
        Config(home, {"web": {"external_url": url}, "database": {"url": database} if database else {}}).save()
    config = Config.load(home)
    prepare(config)
    with opened(config) as installation, installation.doing("huijia init") as session:
        place(session, [given[kind] for kind in KINDS], slug, centre)
        person(session, given["admin"], given["password"], {"installation.admin": [None]})
    message = "{home} is ready. Keep a copy of {keys} apart from the database. Now run huijia serve."
    click.echo(say(message, home=home, keys=config.keys.path))


def prepare(config: Config) -> None:
    """Keys, tables and the kernel's roles."""
    from huijia.identity.permissions import KERNEL_ROLES
    from huijia.identity.roles import provide_roles
    from huijia.storage.vault import generate_keys

    if not config.keys.path.exists():
        config.write_keys(generate_keys())
    with opened(config, installed=False) as installation:
        installation.migrate()
        with installation.doing("huijia init") as session:
            provide_roles(session, KERNEL_ROLES)


def place(session: WorkSession, areas: list[str], slug: str, name: str, name_en: str = "") -> Centre:
    """The centre, in its city, district and subdistrict."""
    from sqlalchemy import select

    from huijia.identity import service
    from huijia.identity.actor import SYSTEM
    from huijia.identity.models import Area, Centre

    how: Any = {"actor": SYSTEM, "now": session.now}
    above: Any = None
    for kind, area in zip(KINDS, areas, strict=True):
        known = session.scalars(select(Area).where(Area.name == area, Area.kind == kind)).first()
        above = (known or service.add_area(session, **how, kind=kind, name=area, parent_id=above)).id
    known = session.scalars(select(Centre).where(Centre.slug == slug)).first()
    return known or service.add_centre(session, **how, area_id=above, slug=slug, name=name, name_en=name_en)


def person(session: WorkSession, username: str, password: str, held: dict[str, list[Centre | None]]) -> Staff:
    """An account that holds these roles, each at those centres; None stands for everywhere."""
    from sqlalchemy import select

    from huijia.identity import roles, service
    from huijia.identity.actor import SYSTEM
    from huijia.identity.models import Role, Staff
    from huijia.storage.settings import Scope

    how: Any = {"actor": SYSTEM, "now": session.now}
    names: Any = {"username": username, "display_name": username, "password": password}
    known = session.scalars(select(Staff).where(Staff.username == username)).first()
    staff = known or service.add_staff(session, **how, **names)
    for role in session.scalars(select(Role).where(Role.key.in_(held))).all():
        for centre in held[role.key]:
            scope = Scope(centre_id=centre and centre.id)
            roles.grant_role(session, **how, staff_id=staff.id, role_id=role.id, scope=scope)
    return staff
