"""What is personal about a column: marks that export, erasure and retention go by.

A table that holds something about a person has one `subject` column, which says whose row it is, and marks
each column that tells of them as `personal`. The kernel exports and erases by these marks, in its own tables
and in every plugin's that `huijia_personal_data` names; nobody writes that twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SUBJECT, PERSONAL = "huijia_subject", "huijia_personal"
PLAIN, PRIVATE, SENSITIVE = "plain", "private", "sensitive"


@dataclass(frozen=True)
class Subject:
    """Whose row it is. `keep_months` after `since` (a date or time column) the row is erased by itself.

    `whole`: erasing removes the row; else it stays for figures and totals, its personal columns emptied.
    """

    keep_months: int | None = None
    since: str = ""
    whole: bool = False


@dataclass(frozen=True)
class Personal:
    """Why it is kept, how delicate it is, and what stands there once it is erased."""

    purpose: str
    sensitivity: str = PRIVATE
    erased: Any = None


def subject(*, keep_months: int | None = None, since: str = "", whole: bool = False) -> dict[str, Any]:
    """For `mapped_column(…, info=subject(…))` on the column that points to the person."""
    return {SUBJECT: Subject(keep_months, since, whole)}


def personal(purpose: str, *, sensitivity: str = PRIVATE, erased: Any = None) -> dict[str, Any]:
    """For `mapped_column(…, info=personal("to call them back"))` on a column that tells of the person."""
    return {PERSONAL: Personal(purpose, sensitivity, erased)}
