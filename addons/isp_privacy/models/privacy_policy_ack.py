from odoo import fields, models


class PrivacyPolicyAck(models.Model):
    """Who has seen which version of the privacy policy. It is never a consent."""

    _name = "privacy.policy.ack"
    _description = "Acknowledgement of a privacy policy"
    _inherit = ["privacy.ledger"]
    _rec_name = "version_id"
    _log_access = False

    _privacy_facts = "version_id"

    version_id = fields.Many2one("privacy.policy.version", required=True, ondelete="restrict")

    _once = models.UniqueIndex("(partner_id, version_id)")
