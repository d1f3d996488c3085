from odoo import api, fields, models

TRIGGERS = [
    ("noticed", "Somebody noticed it, or told us"),
    ("aware", "We became aware that it is a breach"),
]


class PrivacyBreachRegime(models.Model):
    """One duty to report a breach: under which law, from when, in how many hours, to whom."""

    _name = "privacy.breach.regime"
    _description = "Duty to report a breach"
    _inherit = ["privacy.audited"]
    _order = "hours, name"

    _privacy_free = "What laws demand of everybody."

    name = fields.Char("Law", required=True)
    active = fields.Boolean(default=True)
    trigger = fields.Selection(TRIGGERS, "The clock starts when", required=True, default="aware")
    hours = fields.Integer("Hours to report", required=True)
    recipient = fields.Char("Report to", required=True, translate=True)
    legal_reference = fields.Char()
    country_ids = fields.Many2many(
        "res.country",
        string="Companies in",
        help="Each breach of a company there gets this duty by itself. Empty: it is added by hand.",
    )

    _hours_positive = models.Constraint("CHECK (hours > 0)", "Enter how many hours there are.")

    @api.model
    def _find_for(self, company):
        """Return the duties that each breach of ``company`` brings."""
        return self.search([("country_ids", "in", company.country_id.ids)])
