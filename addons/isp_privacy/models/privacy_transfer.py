from odoo import fields, models


class PrivacyTransfer(models.Model):
    """Personal data that goes to another country, and what allows it."""

    _name = "privacy.transfer"
    _description = "Transfer abroad"
    _inherit = ["privacy.register"]
    _order = "date_from desc, id desc"
    _rec_name = "reference"

    _privacy_free = "Firms, countries and kinds of data."

    reference = fields.Char(required=True, help="The document which allows it.", tracking=True)
    active = fields.Boolean(default=True)
    processor_id = fields.Many2one(
        "privacy.processor", "To", check_company=True, index="btree_not_null", ondelete="restrict"
    )
    recipient = fields.Char(help="Who receives the data, where it is not one of the processors.")
    country_id = fields.Many2one("res.country", required=True, tracking=True)
    instrument = fields.Selection(
        [
            ("adequacy", "Adequacy decision, or a country that is not restricted"),
            ("clauses", "Standard contractual clauses"),
            ("rules", "Binding corporate rules"),
            ("approval", "Approval of the authority"),
            ("consent", "Explicit consent of the person"),
            ("contract", "Needed for the person's contract"),
            ("claims", "Needed for legal claims"),
        ],
        required=True,
        tracking=True,
    )
    data_categories = fields.Char()
    date_from = fields.Date("From", required=True, default=fields.Date.context_today)
    date_to = fields.Date("Until", tracking=True)

    _date_order = models.Constraint(
        "CHECK (date_to >= date_from)", "The transfer ends before it begins: correct the dates."
    )
    _recipient_set = models.Constraint(
        "CHECK (processor_id IS NOT NULL OR COALESCE(recipient, '') <> '')",
        "Enter who receives the data: a processor, or the name of the recipient.",
    )
