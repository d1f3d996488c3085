from odoo import fields, models


class PrivacyProfile(models.Model):
    _inherit = "privacy.profile"

    kyc_required = fields.Boolean(
        "Identity before a service begins",
        tracking=True,
        help="Whatever the plan says: no service begins before an identity document of the customer "
        "is approved. Services that run already go on.",
    )
