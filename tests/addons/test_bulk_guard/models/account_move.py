from odoo import api, fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    customer_city = fields.Char(compute="_compute_customer_city", store=True)

    @api.depends("partner_id.city")
    def _compute_customer_city(self):
        for move in self:
            move.customer_city = move.partner_id.city
