from odoo import fields, models


class PrivacyRequest(models.Model):
    """Correction: what was approved is written everywhere the account of the person holds it."""

    _inherit = "privacy.request"

    correction_ids = fields.One2many(
        "privacy.request.correction",
        "request_id",
        "Corrections",
        groups="isp_privacy.group_privacy_auditor",
        help="Each value that is wrong. Approving writes them; without any it is done by hand.",
    )

    def _execute_rectification(self):
        """Write the corrections; what could not be put into values is done by hand."""
        if not self.correction_ids:
            return self._execute_by_hand()
        self._get_restricted_person()
        self.correction_ids._apply()
        self.env["privacy.audit"]._log(
            "write",
            self.partner_id,
            subject=self.partner_id,
            fields=self.correction_ids.mapped("field_name"),
        )
        reader = self.with_context(lang=self._get_letter_lang())
        labels = dict(
            reader.correction_ids._fields["field_name"]._description_selection(reader.env)
        )
        names = ", ".join(labels[name] for name in self.correction_ids.mapped("field_name"))
        return reader.env._("We corrected this everywhere in your account: %s.", names)
