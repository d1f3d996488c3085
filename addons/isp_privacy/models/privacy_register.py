from odoo import fields, models


class PrivacyRegister(models.AbstractModel):
    """Base of the registers: audited, with a company and a chatter."""

    _name = "privacy.register"
    _description = "Register"
    _inherit = ["mail.thread", "mail.activity.mixin", "privacy.audited"]
    _check_company_auto = True

    # Registers are kept for the law and the company, whoever is named in them: no path leads from a
    # person to an entry, or an export would tell of a hold, and erasure would reach a court's order.
    _privacy_subject = None
    _privacy_defaults = {
        "category": "proof",
        "purpose": "rights",
        "retention": "audit",
        "export": False,
    }

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="restrict",
    )

    def _today(self):
        """Return today's date on the company's calendar."""
        return self._local_date(fields.Datetime.now())

    def _local_date(self, moment):
        """Return the company's date at a moment in UTC."""
        return (self.company_id or self.env.company)._get_privacy_day(moment)
