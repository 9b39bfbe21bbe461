"""What people's rules refuse, and what to do instead."""

from __future__ import annotations

from huijia.errors import NotFound, Refusal
from huijia.i18n import Text, messages

_ = messages("huijia")


class NoSuchPerson(NotFound):
    """Nobody by that key whom this centre may see."""

    code = "no-such-person"

    def __init__(self) -> None:
        super().__init__(_("There is no such person here; search again, or register them."))


class NumberTaken(Refusal):
    """The number is on somebody's record already."""

    code = "number-taken"

    def __init__(self, name: str, *, seen: bool) -> None:
        known = _("This number is {name}'s already; open that record instead.", name=name)
        elsewhere = _(
            "Somebody registered at another centre has this number; register them here by the number instead."
        )
        super().__init__(known if seen else elsewhere)


class CardUnusable(Refusal):
    """The card is blocked or was replaced."""

    code = "card-unusable"


class AlreadyHasCard(Refusal):
    """One active card each."""

    code = "has-card"

    def __init__(self, name: str) -> None:
        super().__init__(_("{name} has a card; block or replace that one.", name=name))


class PersonGone(Refusal):
    """Nothing new is granted to somebody who died, or whose record was erased."""

    code = "person-gone"

    def __init__(self, name: str, why: Text) -> None:
        super().__init__(_("Nothing is changed for {name}: {why}", name=name, why=why))


class ConsentMissing(Refusal):
    """A purpose that needs agreement has none."""

    code = "consent-missing"


class CannotMerge(Refusal):
    """These two records are not to become one as they stand."""

    code = "cannot-merge"


class CannotSeparate(Refusal):
    """A merge cannot be undone as things stand."""

    code = "cannot-separate"


class MattersOpen(Refusal):
    """Nobody is erased while something of value is open with them, or while nobody can tell."""

    code = "matters-open"


class NoSuchOrganisation(NotFound):
    """No organisation by that key that this centre works with."""

    code = "no-such-organisation"

    def __init__(self) -> None:
        super().__init__(_("There is no such organisation here; search again, or add it."))


class ImportInUse(Refusal):
    """Somebody of this import is known elsewhere by now, so it is not undone."""

    code = "import-in-use"

    def __init__(self, table: str) -> None:
        super().__init__(
            _("These people are in use by now ({table}); change or erase them one by one.", table=table)
        )
