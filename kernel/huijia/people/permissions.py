"""The rights over people, by name; their words are with the kernel's other rights."""

from __future__ import annotations

SEE, MANAGE, CONFIRM, CARDS = "people.see", "people.manage", "people.confirm", "people.cards"
NUMBERS, MERGE, PRIVACY, IMPORT = "people.numbers", "people.merge", "people.privacy", "people.import"
EXPORT, FIGURES = "people.export", "figures.see"
HEALTH, DIET, COUNSELLING, MINORS = "people.health", "people.diet", "people.counselling", "people.minors"
ORGANISATIONS = "organisations.manage"

DESK = frozenset({SEE, MANAGE, CONFIRM, CARDS})
MANAGER = DESK | {NUMBERS, MERGE, PRIVACY, IMPORT, EXPORT, ORGANISATIONS, FIGURES}
READER = frozenset({FIGURES})
