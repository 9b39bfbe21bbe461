"""`huijia token`: keys for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from huijia.cli import say
from huijia.cli.opening import as_json, centre_called, opened, show


@click.group()
def token() -> None:
    """Issue, list and revoke tokens for programs."""


@token.command()
@click.argument("username")
@click.option("--centre", metavar="SLUG", required=True, help="The only centre where it counts.")
@click.option("--name", required=True, help="What it is for.")
@click.option("--permission", "permissions", multiple=True, required=True, help="May be given several times.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, help="How long it counts [365].")
def issue(username: str, centre: str, days: int, **what: Any) -> None:
    """Issue a token for somebody of the staff, who must hold its permissions; it is printed this once."""
    from sqlalchemy import select

    from huijia.errors import NotFound
    from huijia.identity.actor import Actor
    from huijia.identity.models import Staff
    from huijia.identity.tokens import issue_token

    with (
        opened() as installation,
        installation.doing("huijia token issue", at := centre_called(installation, centre)) as session,
    ):
        staff = session.scalars(select(Staff).where(Staff.username == username, Staff.active)).first()
        if staff is None:
            raise NotFound(say("There is nobody called {name}.", name=username))
        what |= {
            "actor": Actor("staff", staff.id, staff.display_name),
            "centre_id": at.id,
            "now": session.now,
        }
        click.echo(issue_token(session, **what, expires_at=session.now + timedelta(days=days))[1])


@token.command("list")
@as_json
def list_tokens(as_json: bool) -> None:
    """List tokens, newest first."""
    from sqlalchemy import select

    from huijia.identity.models import ApiToken, Staff

    columns = ("id", "username", "name", "created_at", "expires_at", "last_used_at", "revoked_at")
    query = select(*(getattr(Staff if c == "username" else ApiToken, c) for c in columns))
    with opened() as installation, installation.reading() as session:
        found = session.execute(query.join_from(ApiToken, Staff).order_by(ApiToken.created_at.desc()))
        rows = [row._asdict() for row in found]
    show(rows, as_json, "id", "username", "name", "expires_at", "revoked_at")


@token.command()
@click.argument("token_id", type=click.UUID)
def revoke(token_id: UUID) -> None:
    """End a token at once."""
    from huijia.identity.actor import SYSTEM
    from huijia.identity.tokens import revoke_token

    with opened() as installation, installation.doing("huijia token revoke") as session:
        revoke_token(session, actor=SYSTEM, token_id=token_id, now=session.now)
    click.echo(say("It is revoked."))
