from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    isp_address_quarantine_days = fields.Integer(
        "Quarantine of static addresses",
        default=30,
        help="Days for which nobody else gets an address that a subscription gave back.",
    )

    _isp_address_quarantine_days_valid = models.Constraint(
        "CHECK (isp_address_quarantine_days BETWEEN 0 AND 3650)",
        "The quarantine of an address lasts from 0 to 3650 days.",
    )
