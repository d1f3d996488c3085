"""Which fields could hold personal data, and the few rules that answer for many of them at once.

A rule is narrow and says why. What no rule answers for must be declared, field by field.
"""

import re

# Records that are a person, so that a link to one is personal data.
PEOPLE = {"res.partner", "res.users", "mail.guest"}

# Types whose values cannot name anybody: numbers, dates, choices from our own lists, and links to
# records that are looked at themselves. Every other type, also one that an addon invents, can.
HARMLESS_TYPES = {
    *("boolean", "integer", "float", "monetary", "date", "datetime", "selection"),
    *("one2many", "many2one_reference"),
}
LINKS = {"many2one", "many2many"}

# Unless the name says that the number, date or choice is about a person.
OF_A_PERSON = re.compile(
    r"(^|_)(birth\w*|dob|gender|sex|religion|nationality|blood\w*|latitude|longitude|salary)(_|$)"
)
# In texts the name tells more. Such a field is looked at even where the model is declared free.
SPEAKS_OF_PEOPLE = re.compile(
    OF_A_PERSON.pattern + r"|(^|_)(phone|mobile|e?mail|street2?|zip|city|nid|passport|vat|ssn|login"
    r"|username|user|password|passwd|secret|token|pin|ip|mac|signature|customer|subscriber|payer"
    r"|msisdn|iban|acc_number|person\w*)(_|$)"
)


def may_hold_personal_data(field):
    """Whether somebody has to say something about a field."""
    if not field.store:
        return False
    if field.type in LINKS:
        return field.comodel_name in PEOPLE
    if field.type in HARMLESS_TYPES:
        return field.type != "one2many" and bool(OF_A_PERSON.search(field.name))
    return True


def speaks_of_people(field):
    """Whether a field needs a declaration of its own on a model that is free of personal data."""
    return field.type in LINKS or bool(SPEAKS_OF_PEOPLE.search(field.name))


# === RULES === #


def written_by(_cls, field, _mapped):
    """Who created or changed a record is a user, whose partner loses its name at erasure."""
    return field.name in ("create_uid", "write_uid") and field.comodel_name == "res.users"


def gone_in_hours(cls, _field, _mapped):
    """A form's scratch record, which Odoo deletes after some hours."""
    return cls._transient and bool(cls._transient_max_hours)


def copy_of_a_field(_cls, field, _mapped):
    """A stored copy of another field, which Odoo writes whenever that one is written."""
    return bool(field.related) and field.related_field is not None and field.related_field.store


def path_of_ids(_cls, field, _mapped):
    """The ids of the records above, separated by slashes."""
    return field.name == "parent_path" and field.type == "char"


def of_an_encrypted_field(cls, field, mapped):
    """Ciphertext or blind index of an encrypted field that is mapped, and emptied with it."""
    return any(
        field.name in (clear.enc_field, clear.bidx_field)
        for clear in cls._fields.values()
        if getattr(clear, "enc_field", None) and clear.name in mapped
    )


RULES = [written_by, gone_in_hours, copy_of_a_field, path_of_ids, of_an_encrypted_field]


def reason_for(cls, field, mapped):
    """Return what the first rule that answers for a field says, None when none does.

    :param mapped: names of the fields of the model that are mapped
    """
    for rule in RULES:
        if rule(cls, field, mapped):
            return rule.__doc__
    return None
