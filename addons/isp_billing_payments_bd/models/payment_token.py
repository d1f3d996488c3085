from odoo import fields, models


class PaymentToken(models.Model):
    _inherit = "payment.token"

    isp_pays_bills = fields.Boolean("Pays bills", readonly=True, copy=False)
    isp_pays_bills_since = fields.Datetime(
        "Pays bills since", readonly=True, copy=False, help="Bills made before are left alone."
    )

    _isp_pays_bills_idx = models.Index("(partner_id) WHERE isp_pays_bills")

    def _isp_set_pays_bills(self, on):
        """Let this wallet pay the new bills of its owner, or not any more.

        One wallet of a customer pays in each company.
        """
        self.ensure_one()
        self._isp_siblings().isp_pays_bills = False
        if on:
            # The database's clock, by which bills are stamped too.
            since = self.env.cr.now().replace(microsecond=0)
            self.write({"isp_pays_bills": True, "isp_pays_bills_since": since})
        text = (
            self.env._("The saved wallet %s pays new bills from now on.", self.display_name)
            if on
            else self.env._("The saved wallet %s pays no bills any more.", self.display_name)
        )
        self.partner_id.commercial_partner_id._message_log(body=text)

    def _isp_siblings(self):
        """Every wallet of the customer in the company of this one."""
        return self.search(
            [
                ("partner_id", "child_of", self.partner_id.commercial_partner_id.id),
                ("company_id", "=", self.company_id.id),
            ]
        )

    def _handle_archiving(self):
        """A wallet that comes back does not pay by itself."""
        self.isp_pays_bills = False
        return super()._handle_archiving()
