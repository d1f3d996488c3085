from odoo import fields, models


class PrivacyPurgeError(models.Model):
    """A record that a purge could not delete or empty, and why."""

    _name = "privacy.purge.error"
    _description = "Record that a purge could not deal with"
    _order = "purge_id, id"
    _rec_name = "record_key"

    _privacy_subject = None
    _privacy_defaults = {"category": "trace", "purpose": "rights", "retention": "audit"}
    _privacy_fields = {
        # The message of another addon may name somebody.
        "message": {"category": "free_text", "erasure": "null", "export": False},
    }
    _privacy_free = {"The number of a record.": "record_key"}
    _privacy_retention = {"anchor": "create_date"}

    line_id = fields.Many2one(
        "privacy.purge.line", required=True, readonly=True, index=True, ondelete="cascade"
    )
    purge_id = fields.Many2one(
        related="line_id.purge_id", store=True, index=True, precompute=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="line_id.company_id", store=True, index=True)
    model = fields.Char(related="line_id.model")
    model_label = fields.Char(related="line_id.model_label")
    record_key = fields.Char("Number of the record", required=True, readonly=True)
    message = fields.Char("What is wrong", readonly=True)
