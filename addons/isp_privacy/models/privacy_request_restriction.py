from odoo import models
from odoo.exceptions import UserError


class PrivacyRequest(models.Model):
    """Requests to store data and use it for nothing, and to use it again."""

    _inherit = "privacy.request"

    def _execute_restriction_set(self):
        """Restrict the data; the service and its bills go on."""
        self._get_restricted_person()._privacy_set_restricted(True)
        self.env["privacy.audit"]._log("restrict", self, subject=self.partner_id)
        reader = self.with_context(lang=self._get_letter_lang())
        return reader.env._(
            "Your data is stored and used for nothing but your contract: not for offers, not for "
            "figures. We tell you before that ends."
        )

    def _execute_restriction_lift(self):
        """End the restriction."""
        self._get_restricted_person()._privacy_set_restricted(False)
        self.env["privacy.audit"]._log("unrestrict", self, subject=self.partner_id)
        reader = self.with_context(lang=self._get_letter_lang())
        return reader.env._("The restriction of your data has ended.")

    def _get_restricted_person(self):
        self.ensure_one()
        if not self.partner_id:
            raise UserError(self.env._("Enter whose data it is about first."))
        return self.partner_id

    def _wants_restriction(self):
        """Tell whether a restriction of this person was carried out and not lifted."""
        # sudo: asked when a customer calls an erasure off.
        last = self.sudo().search(
            [
                ("partner_id", "=", self.partner_id.id),
                ("request_type", "in", ("restriction_set", "restriction_lift")),
                ("state", "=", "done"),
            ],
            order="closed_on DESC, id DESC",
            limit=1,
        )
        return last.request_type == "restriction_set"
