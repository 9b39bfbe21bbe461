"""Tables of people. A person belongs to the installation; a registration lets a centre see them.

Nothing here is scoped by the session: every way to a person goes through `huijia.people.sight`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, Uuid, false, text
from sqlalchemy.orm import Mapped, mapped_column

from huijia.identity.models import Area, Centre, Staff
from huijia.marks import PLAIN, SENSITIVE, personal, subject
from huijia.storage.base import KernelBase, pk
from huijia.storage.files import File
from huijia.storage.settings import bound_lengths

SEXES = ("", "female", "male")
NAME_KINDS = ("other", "former")
NUMBER_KINDS = ("resident", "permit", "foreign", "passport")
CONTACT_KINDS = ("phone", "email", "other")
EVIDENCE = ("identity-card", "household-register", "permit", "passport", "known-to-staff")
CARD_STATES = ("active", "blocked", "replaced")
ORGANISATION_KINDS = ("social", "partner", "donor", "team", "group")
SENSITIVE_KINDS = ("health", "diet", "counselling")

IDENTIFY, CALL = "to know who they are", "to reach them"
DELIVER, CARE = "to find their home", "to care for them"


def _among(column: str, values: tuple[str, ...]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(map(repr, values))})", name=column)


def _whose(**how: Any) -> Mapped[UUID]:
    return mapped_column(Uuid, ForeignKey("huijia_person.id"), index=True, info=subject(**how))


def _blank(length: int, purpose: str = "") -> Mapped[str]:
    about = personal(purpose, erased="") if purpose else {}
    return mapped_column(String(length), default="", server_default="", info=about)


class Person(KernelBase):
    """Somebody. `merged_into` leads to the record that counts; `sort_key` is the name in pinyin."""

    __tablename__ = "huijia_person"
    __table_args__ = (
        _among("sex", SEXES),
        CheckConstraint("merged_into <> id", name="not_into_itself"),
        CheckConstraint("died_on IS NULL OR born_on IS NULL OR died_on >= born_on", name="life"),
    )
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, info=subject())
    name: Mapped[str] = mapped_column(String(80), info=personal(IDENTIFY, erased="—"))
    sort_key: Mapped[str] = mapped_column(String(200), info=personal(IDENTIFY, erased="—"))
    sex: Mapped[str] = _blank(8, IDENTIFY)
    born_on: Mapped[date | None] = mapped_column(info=personal(IDENTIFY))
    died_on: Mapped[date | None] = mapped_column(info=personal(IDENTIFY, sensitivity=PLAIN))
    languages: Mapped[list[str]] = mapped_column(JSON, default=list, info=personal(CALL, erased=[]))
    photo_id: Mapped[UUID | None] = mapped_column(ForeignKey(File.id), info=personal(IDENTIFY))
    note: Mapped[str] = _blank(500, CARE)
    confirmed_until: Mapped[date | None]
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("huijia_person.id"), index=True)
    import_id: Mapped[UUID | None] = mapped_column(index=True)
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class PersonName(KernelBase):
    """Another name: in another script, or one that was borne before."""

    __tablename__ = "huijia_person_name"
    __table_args__ = (_among("kind", NAME_KINDS),)
    id: Mapped[UUID] = pk()
    person_id: Mapped[UUID] = _whose(whole=True)
    kind: Mapped[str] = mapped_column(String(8))
    text: Mapped[str] = mapped_column(String(120), info=personal(IDENTIFY))


class PersonNumber(KernelBase):
    """A number on a document: sealed, found by its keyed hash, shown as `masked`."""

    __tablename__ = "huijia_person_number"
    __table_args__ = (_among("kind", NUMBER_KINDS),)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    person_id: Mapped[UUID] = _whose(whole=True)
    kind: Mapped[str] = mapped_column(String(12))
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=personal(IDENTIFY, sensitivity=SENSITIVE))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    key_version: Mapped[int] = mapped_column(index=True)
    masked: Mapped[str] = mapped_column(String(40), info=personal(IDENTIFY))
    added_at: Mapped[datetime]


class PersonContact(KernelBase):
    """A way to reach somebody, the first one first; `whose` says so where it is another's (a daughter)."""

    __tablename__ = "huijia_person_contact"
    __table_args__ = (_among("kind", CONTACT_KINDS),)
    id: Mapped[UUID] = pk()
    person_id: Mapped[UUID] = _whose(whole=True)
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[str] = mapped_column(String(120), info=personal(CALL))
    whose: Mapped[str] = _blank(80, CALL)
    emergency: Mapped[bool] = mapped_column(default=False, server_default=false())
    position: Mapped[int]


class PersonAddress(KernelBase):
    """Where somebody lives or lived: a community or compound of the area tree, the building, the door."""

    __tablename__ = "huijia_person_address"
    id: Mapped[UUID] = pk()
    person_id: Mapped[UUID] = _whose(whole=True)
    area_id: Mapped[UUID | None] = mapped_column(ForeignKey(Area.id), index=True)
    building: Mapped[str] = _blank(40, DELIVER)
    detail: Mapped[str] = _blank(160, DELIVER)
    since: Mapped[date | None]
    until: Mapped[date | None]


class Household(KernelBase):
    """People who live and reckon together."""

    __tablename__ = "huijia_household"
    id: Mapped[UUID] = pk()
    created_at: Mapped[datetime]


class HouseholdMember(KernelBase):
    """Somebody's place in a household, through `until`."""

    __tablename__ = "huijia_household_member"
    id: Mapped[UUID] = pk()
    household_id: Mapped[UUID] = mapped_column(ForeignKey(Household.id), index=True)
    person_id: Mapped[UUID] = _whose(whole=True)
    relation: Mapped[str] = _blank(40, CARE)
    since: Mapped[date]
    until: Mapped[date | None]


class Registration(KernelBase):
    """A centre may see a person, until `ended_on`. `sort_key` is the person's, for the centre's list."""

    __tablename__ = "huijia_registration"
    __table_args__ = (Index(None, "centre_id", "sort_key", "person_id"),)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), primary_key=True, info=subject())
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id), primary_key=True)
    sort_key: Mapped[str] = _blank(200, IDENTIFY)
    registered_at: Mapped[datetime]
    registered_by: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    ended_on: Mapped[date | None]
    ended_why: Mapped[str] = _blank(200, CARE)


class PersonToken(KernelBase):
    """What a person is found by at a centre; looked up by ranges, so it compares byte by byte."""

    __tablename__ = "huijia_person_token"
    __table_args__ = (
        Index("ix_huijia_person_token_person_id", "person_id"),
        {"sqlite_with_rowid": False},
    )
    centre_id: Mapped[UUID] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(
        String(80).with_variant(String(80, collation="C"), "postgresql"), primary_key=True,
        info=personal(IDENTIFY),
    )  # fmt: skip
    person_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), primary_key=True, info=subject(whole=True))


class Confirmation(KernelBase):
    """Who confirmed an identity, on what evidence, until when; append-only but for its withdrawal."""

    __tablename__ = "huijia_person_confirmation"
    __table_args__ = (_among("evidence", EVIDENCE),)
    id: Mapped[UUID] = pk()
    person_id: Mapped[UUID] = _whose()
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id))
    evidence: Mapped[str] = mapped_column(String(24))
    until: Mapped[date]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    confirmed_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str] = _blank(200, IDENTIFY)


class ResidentCard(KernelBase):
    """A card in somebody's hand. `code` is random and tells nothing; a blocked card is never active again."""

    __tablename__ = "huijia_card"
    __table_args__ = (
        _among("state", CARD_STATES),
        Index("uq_huijia_card_active", "person_id", unique=True,
              sqlite_where=text("state = 'active'"), postgresql_where=text("state = 'active'")),
    )  # fmt: skip
    id: Mapped[UUID] = pk()
    person_id: Mapped[UUID] = _whose()
    code: Mapped[str] = mapped_column(String(16), unique=True)
    state: Mapped[str] = mapped_column(String(8))
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id))
    issued_at: Mapped[datetime]
    issued_by: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str] = _blank(200, CARE)


class Merge(KernelBase):
    """Two records were found to be one person's, perhaps two persons' after all. `moved` is for undoing."""

    __tablename__ = "huijia_person_merge"
    __table_args__ = (CheckConstraint("kept_id <> merged_id", name="two"),)
    id: Mapped[UUID] = pk()
    kept_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), index=True)
    merged_id: Mapped[UUID] = _whose()
    why: Mapped[str] = _blank(200, IDENTIFY)
    moved: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    merged_at: Mapped[datetime]
    merged_by: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    undone_at: Mapped[datetime | None]


class Different(KernelBase):
    """Two records that look alike and were judged to be two persons'; the lower id first."""

    __tablename__ = "huijia_person_different"
    person_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), primary_key=True, info=subject(whole=True))
    other_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), primary_key=True, index=True)
    decided_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))


class Consent(KernelBase):
    """What somebody agreed to: the purpose, the very text, when, and for a minor by which guardian."""

    __tablename__ = "huijia_consent"
    id: Mapped[UUID] = pk()
    person_id: Mapped[UUID] = _whose()
    purpose: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(String(4000), info=personal(CARE, erased="—"))
    given_on: Mapped[date]
    given_by: Mapped[UUID | None] = mapped_column(ForeignKey(Person.id))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    withdrawn_on: Mapped[date | None]


class Guardian(KernelBase):
    """Who answers for a minor or a person under guardianship, and on what evidence."""

    __tablename__ = "huijia_guardian"
    __table_args__ = (CheckConstraint("person_id <> guardian_id", name="not_oneself"),)
    id: Mapped[UUID] = pk()
    person_id: Mapped[UUID] = _whose(whole=True)
    guardian_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), index=True)
    relation: Mapped[str] = mapped_column(String(40), info=personal(CARE))
    evidence: Mapped[str] = _blank(120, CARE)
    since: Mapped[date]
    until: Mapped[date | None]


class SensitiveNote(KernelBase):
    """Health, diet of faith, counselling: sealed, and each kind with a right of its own."""

    __tablename__ = "huijia_person_sensitive"
    __table_args__ = (_among("kind", SENSITIVE_KINDS),)
    person_id: Mapped[UUID] = mapped_column(ForeignKey(Person.id), primary_key=True, info=subject(whole=True))
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=personal(CARE, sensitivity=SENSITIVE))
    key_version: Mapped[int]
    changed_at: Mapped[datetime]


class Organisation(KernelBase):
    """A social organisation, partner, donor, team or group. `code` is its official number, if any."""

    __tablename__ = "huijia_organisation"
    __table_args__ = (_among("kind", ORGANISATION_KINDS),)
    id: Mapped[UUID] = pk()
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(120))
    name_en: Mapped[str] = _blank(120)
    code: Mapped[str | None] = mapped_column(String(40), unique=True)
    phone: Mapped[str] = _blank(40)
    address: Mapped[str] = _blank(200)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class OrganisationPresence(KernelBase):
    """A centre works with an organisation, and so sees it."""

    __tablename__ = "huijia_organisation_presence"
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey(Organisation.id), primary_key=True)
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id), primary_key=True, index=True)


class OrganisationMember(KernelBase):
    """Somebody's role in an organisation, through `until`."""

    __tablename__ = "huijia_organisation_member"
    id: Mapped[UUID] = pk()
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey(Organisation.id), index=True)
    person_id: Mapped[UUID] = _whose(whole=True)
    role: Mapped[str] = _blank(60, CALL)
    since: Mapped[date]
    until: Mapped[date | None]


class ImportRun(KernelBase):
    """One spreadsheet that was taken in; what it made can be taken out again while nobody used it."""

    __tablename__ = "huijia_import"
    id: Mapped[UUID] = pk()
    centre_id: Mapped[UUID] = mapped_column(ForeignKey(Centre.id), index=True)
    what: Mapped[str] = mapped_column(String(60))
    file_name: Mapped[str] = mapped_column(String(200))
    rows: Mapped[int]
    imported_at: Mapped[datetime]
    imported_by: Mapped[UUID | None] = mapped_column(ForeignKey(Staff.id))
    undone_at: Mapped[datetime | None]


MODELS = (
    Person, PersonName, PersonNumber, PersonContact, PersonAddress, Household, HouseholdMember, Registration,
    PersonToken, Confirmation, ResidentCard, Merge, Different, Consent, Guardian, SensitiveNote, Organisation,
    OrganisationPresence, OrganisationMember, ImportRun,
)  # fmt: skip
for _model in MODELS:
    bound_lengths(_model)
