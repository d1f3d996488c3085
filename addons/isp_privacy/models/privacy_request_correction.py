from odoo import api, fields, models
from odoo.exceptions import UserError

# What is decided on is fixed: after the approval nobody changes what is going to be written.
_OPEN_STATES = frozenset({"received", "identity_pending", "verified", "in_review"})
_CATEGORIES = frozenset({"identity", "contact", "address"})
# Who signs in with the own address goes on with the right one. The login of a connection stays: it is
# stored in the customer's device as well.
_LOGIN = ("res.users", "login")


class PrivacyRequestCorrection(models.Model):
    """A value of a contact that a request puts right: which field, and what it has to say."""

    _name = "privacy.request.correction"
    _description = "Correction of a contact"
    _order = "id"
    _rec_name = "field_name"

    _privacy_subject = "request_id.*"
    _privacy_defaults = {"category": "contact", "purpose": "rights", "retention": "audit"}
    _privacy_fields = {"old_value new_value": {"erasure": "null"}}
    _privacy_facts = "field_name copy_count"
    _privacy_retention = {"anchor": "request_id.closed_on", "company": "request_id.company_id"}

    request_id = fields.Many2one(
        "privacy.request", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="request_id.company_id", store=True, index=True)
    field_name = fields.Selection("_get_field_names", "What", required=True)
    current_value = fields.Char("Now", compute="_compute_current_value")
    old_value = fields.Char("Before", readonly=True, copy=False)
    new_value = fields.Char("Correct is", help="Empty: we hold nothing of the kind.")
    copy_count = fields.Integer(
        "Copies",
        readonly=True,
        copy=False,
        help="So many other records of the person held the wrong value, and hold the right one now.",
    )

    _field_uniq = models.UniqueIndex(
        "(request_id, field_name)", "Enter each field once: it can have one value only."
    )

    # === COMPUTE AND CRUD METHODS === #

    @api.model
    def _get_field_names(self):
        """Return the texts of a contact that say who and where a person is, as the map knows them."""
        partner = self.env["res.partner"]
        labels = partner.fields_get(attributes=["string"])
        return sorted(
            (
                (entry.field, labels[entry.field]["string"])
                for entry in self.env["privacy.map.entry"]._get_map().entries("res.partner")
                if entry.status == "mapped"
                and entry.category in _CATEGORIES
                and entry.field in labels
                and self._is_written(partner._fields[entry.field])
            ),
            key=lambda pair: pair[1],
        )

    @api.model
    def _is_written(self, field):
        """Return whether people enter the field themselves, so that it can be wrong."""
        return field.type in ("char", "text") and not field.readonly

    @api.depends("field_name", "request_id.partner_id")
    def _compute_current_value(self):
        for correction in self:
            partner = correction.request_id.partner_id
            name = correction.field_name
            correction.current_value = partner[name] if partner and name else False

    @api.model_create_multi
    def create(self, vals_list):
        corrections = super().create(vals_list)
        corrections._check_open()
        return corrections

    def write(self, vals):
        if not self.env.su:  # the request itself notes what it did
            self._check_open()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _check_open(self):
        """Refuse a change of what was decided on."""
        for request in self.request_id:
            if request.request_type != "rectification":
                raise UserError(
                    self.env._("Only a request of the kind “Correction” has values to correct.")
                )
            if request.state not in _OPEN_STATES:
                raise UserError(
                    self.env._("What was approved stays as it is. Open a new request for a change.")
                )

    # === BUSINESS METHODS === #

    def _apply(self):
        """Write the right values to the contact, and to what holds a copy of the wrong one."""
        for correction in self:
            name = correction.field_name
            # sudo: an officer corrects what was approved without being a clerk of contacts.
            partner = correction.request_id.partner_id.sudo()
            old, new = partner[name], (correction.new_value or "").strip() or False
            copies = correction._find_copies(old) if old else []
            partner[name] = new
            for records, field_name in copies:
                # What must not be empty, such as a login, stays where nothing is right.
                is_required = records._fields[field_name].required
                records.write({field_name: new or (old if is_required else False)})
            # sudo: approved corrections are written by this method alone.
            correction.sudo().write(
                {"old_value": old, "copy_count": sum(len(records) for records, _name in copies)}
            )

    def _find_copies(self, value):
        """Return where else the living account of the person holds the same value.

        Not in what has happened, such as messages and payments: that is how it was.

        :return: pairs of records and the name of their field
        """
        entries = self.env["privacy.map.entry"]
        datamap = entries._get_map()
        family = self.request_id.partner_id._privacy_family()
        found = []
        for model in sorted(datamap.subject_models()):
            if model == "res.partner" or not self.env[model]._auto:
                continue
            for entry in datamap.entries(model):
                field = self.env[model]._fields.get(entry.field)
                if (
                    entry.status == "mapped"
                    and entry.retention == "account"
                    and (entry.category in _CATEGORIES or (model, entry.field) == _LOGIN)
                    and field is not None
                    and field.store
                    and self._is_written(field)
                ):
                    records = entries._get_records(family, model)
                    records = records.filtered(
                        lambda record, name=entry.field: record[name] == value
                    )
                    found += [(records, entry.field)] if records else []
        return found
