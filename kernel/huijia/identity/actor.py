"""Who acts: what a use case is told about the one behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from huijia.errors import Forbidden, NotSignedIn
from huijia.i18n import messages
from huijia.identity.permissions import ALL, label_of

if TYPE_CHECKING:
    from huijia.storage.settings import Scope
    from huijia.storage.work import WorkSession

_ = messages("huijia")
Kind = Literal["staff", "token", "system", "nobody"]


def covers(held: frozenset[str], wanted: frozenset[str]) -> bool:
    """True where whoever holds `held` holds all of `wanted`."""
    return ALL in held or wanted <= held


def meet(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """What both hold; `*` holds everything."""
    if ALL in one:
        return other
    return one if ALL in other else one & other


@dataclass(frozen=True)
class Actor:
    """Somebody, with the permissions that count at the centre in hand. `id`: of the staff member or token."""

    kind: Kind
    id: UUID | None
    name: str
    permissions: frozenset[str] = frozenset()
    locale: str = ""  # none: as the request asks
    large_type: bool = False
    owner_id: UUID | None = None  # of a token

    @property
    def staff_id(self) -> UUID | None:
        """For the record: the staff member who answers for it, in person or by a token of theirs."""
        return self.id if self.kind == "staff" else self.owner_id

    def may(self, permission: str) -> bool:
        """True where the actor holds the permission here."""
        return ALL in self.permissions or permission in self.permissions

    def need(self, permission: str) -> None:
        """Raises NotSignedIn or Forbidden, which names the permission, unless the actor holds it here."""
        if not self.may(permission):
            self.refuse(permission)

    def need_at(self, session: WorkSession, permission: str, scope: Scope) -> None:
        """As `need`, for another place than the centre in hand: an area, the installation, a centre."""
        from huijia.identity.access import permissions_at

        if not covers(permissions_at(session, self, scope), frozenset({permission})):
            self.refuse(permission)

    def refuse(self, permission: str) -> None:
        """Raise what `need` raises."""
        right = label_of(permission)
        if self.kind == "nobody":
            raise NotSignedIn(_("Sign in first: this needs the right “{right}”.", right=right))
        text = _("This needs the right “{right}” ({key}); ask whoever manages staff here to grant it.",
                 right=right, key=permission)  # fmt: skip
        raise Forbidden(text, permission=permission)


@dataclass(frozen=True)
class Caller:
    """Who calls, before the centre is known. A token's `limit` and `centre_id` narrow its owner's rights."""

    kind: Literal["staff", "token"]
    id: UUID
    staff_id: UUID
    name: str
    locale: str
    large_type: bool = False
    must_change_password: bool = False
    limit: frozenset[str] = frozenset({ALL})
    centre_id: UUID | None = None


SYSTEM = Actor("system", None, "Huijia", frozenset({ALL}))
NOBODY = Actor("nobody", None, "")
