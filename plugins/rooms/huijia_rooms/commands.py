"""`huijia rooms --centre SLUG …`; the object of each command is a session at that centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from huijia import WorkSession


@click.command("list")
@click.pass_obj
def list_rooms(session: WorkSession) -> None:
    """List rooms: floor, capacity, how they are booked, name."""
    from huijia_rooms import service

    for room in service.list_rooms(session, retired=True):
        retired = "" if room.active else " (retired)"
        click.echo(
            f"{room.floor:>3} {room.capacity:>5}  {room.booked_as:<7} {room.name} {room.name_en}{retired}"
        )


COMMANDS = [list_rooms]
