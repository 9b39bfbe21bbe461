"""Small files, that is photos, kept in the database: in every backup, and as shielded as its rows."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from huijia.errors import Forbidden, NotFound, Refusal
from huijia.i18n import messages
from huijia.storage.base import KernelBase, new_id, pk
from huijia.storage.work import WorkSession

_ = messages("huijia")
MEGABYTES_MAX = 5
_MAGIC = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


class File(KernelBase):
    """A photo and who may see it: holders of `permission`, or where that is empty whoever sees the centre."""

    __tablename__ = "huijia_file"
    id: Mapped[UUID] = pk()
    centre_id: Mapped[UUID | None] = mapped_column(index=True)
    media_type: Mapped[str]
    name: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    body: Mapped[bytes] = mapped_column(sa.LargeBinary)
    permission: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[str | None]


class FileTooLarge(Refusal):
    status, code = 413, "file-too-large"


class FileUnsuitable(Refusal):
    status, code = 415, "file-unsuitable"


def keep_file(
    session: WorkSession, *, body: bytes, name: str, media_type: str = "", permission: str, now: datetime
) -> UUID:
    """Keep a JPEG, PNG or WebP for the session's centre as it is, with whatever the camera wrote into it.

    `media_type` is what the sender says it is. Raises FileTooLarge and FileUnsuitable.
    """
    if len(body) > MEGABYTES_MAX * 1024 * 1024:
        raise FileTooLarge(
            _("The file is larger than {size} MB; send a smaller picture.", size=MEGABYTES_MAX)
        )
    found = next((kind for kind, magic in _MAGIC.items() if magic.match(body)), None)
    if found is None:
        raise FileUnsuitable(
            _("This is no JPEG, PNG or WebP picture; save it as one of these, then send it again.")
        )
    if media_type and media_type.partition(";")[0].strip().lower().replace("/jpg", "/jpeg") != found:
        raise FileUnsuitable(
            _(
                "The file says {said} and is {found}; save it anew under the right ending.",
                said=media_type,
                found=found,
            )
        )
    file = File(id=new_id(), centre_id=session.centre_id, media_type=found, name=_name(name), body=body)
    file.size, file.sha256, file.permission = len(body), hashlib.sha256(body).hexdigest(), permission
    file.created_at, file.created_by = now, str(session.actor.id) if session.actor else None
    session.add(file)
    return file.id


def drop_file(session: WorkSession, file_id: UUID) -> None:
    """Erase a file of the session's centre; one that is not there stays so."""
    session.execute(sa.delete(File).where(File.id == file_id, File.centre_id == session.centre_id))


def _name(name: str) -> str:
    # It ends up in a header and on somebody's disk.
    return re.sub(r'[\x00-\x1f\x7f"/\\]+', " ", name).strip()[-200:] or "photo"


def read_file(session: WorkSession, file_id: UUID) -> File:
    """A file of the session's centre or of none. Raises NotFound, and Forbidden without its permission."""
    file = session.get(File, file_id)
    if file is None or file.centre_id not in (None, session.centre_id):
        raise NotFound(_("There is no such file here; it may belong to another centre."))
    if file.permission and session.actor is None:
        raise Forbidden(_("You need the permission {permission}; ask a manager.", permission=file.permission))
    if file.permission and session.actor:
        session.actor.need(file.permission)
    return file
