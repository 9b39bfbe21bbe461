"""Shapes of people, for programs and for forms."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf

from huijia.i18n import messages
from huijia.people.models import CONTACT_KINDS, EVIDENCE, NAME_KINDS, SEXES

_ = messages("huijia")

SEX_WORDS = {"": _("not said"), "female": _("female"), "male": _("male")}
EVIDENCE_WORDS = {
    "identity-card": _("Identity card"),
    "household-register": _("Household register"),
    "permit": _("Residence permit"),
    "passport": _("Passport"),
    "known-to-staff": _("Known to staff in person"),
}
CARD_WORDS = {"active": _("in use"), "blocked": _("blocked"), "replaced": _("replaced")}


class NameShape(Schema):
    """Another name."""

    kind = fields.String(required=True, validate=OneOf(NAME_KINDS))
    text = fields.String(required=True, validate=Length(1, 120))


class ContactShape(Schema):
    """A way to reach somebody; `whose` says so where it is another's."""

    kind = fields.String(load_default="phone", validate=OneOf(CONTACT_KINDS))
    value = fields.String(required=True, validate=Length(1, 120))
    whose = fields.String(load_default="", validate=Length(max=80))
    emergency = fields.Boolean(load_default=False)


class AddressShape(Schema):
    """Where somebody lives: a community or compound, the building, the door."""

    area_id = fields.UUID(load_default=None, allow_none=True)
    building = fields.String(load_default="", validate=Length(max=40))
    detail = fields.String(load_default="", validate=Length(max=160))


class PersonBody(Schema):
    """A person to register, or what is to be changed."""

    name = fields.String(required=True, validate=Length(1, 80))
    sex = fields.String(validate=OneOf(SEXES))
    born_on = fields.Date(allow_none=True)
    languages = fields.List(fields.String(validate=Length(1, 40)), validate=Length(max=10))
    note = fields.String(validate=Length(max=500))
    names = fields.List(fields.Nested(NameShape), validate=Length(max=10))
    contacts = fields.List(fields.Nested(ContactShape), validate=Length(max=10))
    address = fields.Nested(AddressShape)


class NewPersonBody(PersonBody):
    """A person to register; a document's number fills in birth date and sex."""

    number = fields.String(load_default="", validate=Length(max=40))


class HitShape(Schema):
    """Somebody that was found; of people of other centres there is the name alone."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    sex = fields.String(required=True)
    born_on = fields.Date(required=True, allow_none=True)
    died_on = fields.Date(required=True, allow_none=True)
    confirmed_until = fields.Date(required=True, allow_none=True)
    by = fields.String(required=True)
    here = fields.Boolean(required=True)


class PersonShape(Schema):
    """A person as this centre sees them."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    sex = fields.String(required=True)
    born_on = fields.Date(required=True, allow_none=True)
    died_on = fields.Date(required=True, allow_none=True)
    languages = fields.List(fields.String(), required=True)
    note = fields.String(required=True)
    confirmed_until = fields.Date(required=True, allow_none=True)


class PersonPage(Schema):
    """A page of people, by name."""

    items = fields.List(fields.Nested(PersonShape), required=True)
    next = fields.String(required=True, allow_none=True)


class ConfirmationBody(Schema):
    """Who somebody is, on what evidence, until when."""

    evidence = fields.String(required=True, validate=OneOf(EVIDENCE))
    until = fields.Date(required=True)


class ConfirmationShape(Schema):
    """A confirmed identity."""

    id = fields.UUID(required=True)
    evidence = fields.String(required=True)
    until = fields.Date(required=True)
    confirmed_at = fields.DateTime(required=True)


class CardShape(Schema):
    """A card. Whoever holds its code may use it."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    state = fields.String(required=True)
    issued_at = fields.DateTime(required=True)


class WhyBody(Schema):
    """A reason, for the record."""

    why = fields.String(required=True, validate=Length(1, 200))
