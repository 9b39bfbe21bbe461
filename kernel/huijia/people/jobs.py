"""Background work: seal anew under the newest key, and forget what was kept long enough."""

from __future__ import annotations

from datetime import datetime

from huijia.people.privacy import erase_what_is_old
from huijia.people.privacy.tables import registry_of, tables_kept
from huijia.people.service.notes import reseal_notes
from huijia.people.service.numbers import reseal
from huijia.storage.work import WorkSession

BATCH = 500


def reseal_people(session: WorkSession, now: datetime) -> bool:
    """A batch of numbers and of notes; True where there may be more, for a unit of its own."""
    return reseal(session, limit=BATCH) + reseal_notes(session, limit=BATCH) > 0


def forget_people(session: WorkSession, now: datetime) -> bool:
    """Erase a batch of what every service has kept as long as its tables say; True for more to do."""
    return erase_what_is_old(session, tables_kept(registry_of(session)), now, limit=BATCH) > 0
