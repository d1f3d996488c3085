from odoo import fields, models


class IspImportRow(models.Model):
    """What happens, or happened, to one row of a file; rejected rows with the reason."""

    _name = "isp.import.row"
    _description = "Import row"
    _order = "import_id desc, number, id"
    _rec_name = "label"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {
        "category": "account",
        "purpose": "service",
        "retention": "transient",
        "erasure": "delete",
    }
    _privacy_fields = {"label details cells": {"export": False}}

    import_id = fields.Many2one("isp.import", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="import_id.company_id", store=True, index=True)
    number = fields.Integer("Line", required=True, aggregator=None)
    label = fields.Char("Customer")
    kind = fields.Selection(
        [
            ("new", "New"),
            ("changed", "Changed"),
            ("unchanged", "Unchanged"),
            ("rejected", "Rejected"),
        ],
        "Result",
        required=True,
    )
    details = fields.Char(help="What is created or changed, or why the row was rejected.")
    subscription_id = fields.Many2one("isp.subscription", ondelete="set null")
    cells = fields.Json(groups="base.group_system", help="A rejected row as it was in the file.")
