from odoo import api, models
from odoo.fields import Domain


class IspGatewayReceipt(models.Model):
    _inherit = "isp.gateway.receipt"

    @api.model
    def _find_partner_by_code(self, code):
        """Take the login and the number of a subscription as a payment code too.

        A login may have belonged to somebody who left: who has a service now comes first.
        """
        partners = super()._find_partner_by_code(code)
        code = (code or "").strip()
        if not code:
            return partners
        # sudo: an accountant asks the gateway, who need not see subscriptions.
        found = self.env["isp.subscription"].sudo()
        named = Domain("username", "=", code.lower())
        named |= Domain("name", "in", (code, code.upper()))
        subscriptions = found.search(named & Domain("company_id", "=", self.company_id.id))
        current = subscriptions.filtered(lambda one: one.state != "terminated")
        payers = (current or subscriptions).partner_id.sudo(False)
        return (partners | payers).commercial_partner_id

    def _book(self, partner):
        """Let the money settle the oldest open bills of the customer."""
        res = super()._book(partner)
        self.payment_id._isp_settle_oldest_bills()
        return res
