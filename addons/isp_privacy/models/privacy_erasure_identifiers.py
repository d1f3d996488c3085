import json

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..engine import identifiers

BATCH = 500
# How the values of a category are read. Of what is not here nobody is recognised.
_READ_AS = {
    "identity": "name",
    "contact": "contact",
    "address": "address",
    "identity_document": "number",
    "payment_means": "number",
    "network": "mac",
    "credential": "login",
}
# Such as the number of a bank, or a login that many use; who else has a name or an address is a
# matter of the contacts alone, for copies of it stand in other records.
_LIKE_OTHERS = {"number", "login", "mac"}
# Towns and post codes are everybody's, secrets are nobody's name.
_ADDRESS_FIELDS = {"street", "street2"}
_LOGIN_FIELDS = {"login", "username"}


class PrivacyErasure(models.Model):
    """What a person is recognised by, written down before it is gone."""

    _inherit = "privacy.erasure"

    def _collect(self):
        """Write down, encrypted, what the person is recognised by and nobody else.

        :raises UserError: when the address of an unknown person is the one of a contact
        """
        self.ensure_one()
        found = self._collect_of_records() if self.partner_id else self._collect_of_request()
        own = [
            identifier
            for identifier, places in found.items()
            if not self._is_of_others(identifier)
            and not (identifier.kind in _LIKE_OTHERS and self._is_elsewhere(places))
        ]
        if found and not own and not self.partner_id:
            raise UserError(
                self.env._("The address belongs to a contact. Choose the person on the request.")
            )
        self.write(
            {
                "identifiers": json.dumps(sorted(own)),
                "shared_count": len(found) - len(own),
            }
        )

    def _collect_of_request(self):
        request = self.request_id
        found = {*identifiers.read("contact", request.email_from)}
        name = (request.email_from or "").partition("<")[0].strip(' "')
        if "@" not in name:
            found |= {*identifiers.read("name", name)}
        return {identifier: set() for identifier in found}

    def _collect_of_records(self):
        """Return ``{identifier: places}``, a place being model, field and value."""
        eraser = self._get_eraser()
        region = self.company_id.country_id.code
        found = {}
        for name in eraser.list_models():
            fields = self._get_telling_fields(eraser, name)
            if not fields or not self.env[name]._auto or not _is_plain(eraser, name):
                continue
            after = 0
            while records := eraser.search(name, after, BATCH):
                after = records[-1].id
                for record in records - eraser.shared(records):
                    for field, kind in fields:
                        if self.pseudonym in str(record[field]):
                            continue  # erased before
                        for identifier in _read(record, field, kind, region):
                            place = (name, field, record[field])
                            found.setdefault(identifier, set()).add(place)
                records.invalidate_recordset()
        return found

    def _get_telling_fields(self, eraser, model):
        """Return ``(field name, kind of value)`` of what somebody can be recognised by."""
        found = []
        for entry in eraser.datamap.entries(model):
            kind = _READ_AS.get(entry.category)
            if entry.status != "mapped" or not kind or entry.erasure == "keep":
                continue
            field = self.env[model]._fields[entry.field]
            if field.type not in ("char", "text"):
                continue
            if kind == "login" and entry.field not in _LOGIN_FIELDS:
                continue
            if kind == "address" and entry.field not in _ADDRESS_FIELDS:
                continue
            found.append((entry.field, kind))
        return found

    def _is_of_others(self, identifier):
        """Tell if another contact is known by the same name, number or address."""
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        kind, value = identifier
        if kind in ("name", "address"):
            field = "name" if kind == "name" else "street"
            domain = Domain(field, "=ilike", value.replace("%", r"\%").replace("_", r"\_"))
        elif kind == "email":
            domain = Domain("email_normalized", "=", value)
        elif kind == "phone":
            domain = Domain("phone_sanitized", "=like", f"%{value}")
        else:
            return False
        own = self._get_partners().ids
        return bool(partners.search_count(domain & Domain("id", "not in", own), limit=1))

    def _is_elsewhere(self, places):
        """Tell if records of others hold the same value, such as the number of a bank."""
        eraser = self._get_eraser()
        for model, field, value in places:
            records = eraser.entries._get_whole_model(model)
            if records._fields[field].store:  # an encrypted one cannot be searched
                domain = Domain(field, "=", value)
                own = domain & eraser.entries._get_domain(eraser.partners, model)
                if records.search_count(domain) > records.search_count(own):
                    return True
        return False


def _is_plain(eraser, model):
    """Tell if the records of a model belong to a partner by a link, not by an address or a text."""
    return not any(
        "/" in path or "=" in path or path.endswith(".*")
        for path in eraser.datamap.models[model].subject
    )


def _read(record, field, kind, region):
    value = record[field]
    if kind == "number" and value and not any(char.isdigit() for char in value):
        kind = "name"  # whose account it is
    return identifiers.read(kind, value, region)
