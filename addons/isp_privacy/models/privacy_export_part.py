import secrets

from odoo import fields, models


class PrivacyExportPart(models.Model):
    """A piece of a package that is made in one go, so that a crash costs no more than one of them."""

    _name = "privacy.export.part"
    _description = "Part of a data package"
    _order = "export_id, sequence, id"
    _rec_name = "path"

    _privacy_free = "Which tables and months a package has; nothing of what is in them."

    export_id = fields.Many2one(
        "privacy.export", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="export_id.company_id", store=True, index=True)
    sequence = fields.Integer(required=True, readonly=True)
    kind = fields.Selection(
        [
            ("json", "Table as JSON"),
            ("csv", "Table as CSV"),
            ("usage", "Long table, one span of time"),
            ("files", "Files"),
            ("documents", "Documents"),
        ],
        required=True,
        readonly=True,
    )
    model_name = fields.Char("Table", required=True, readonly=True)
    path = fields.Char("In the package", required=True, readonly=True)
    date_field = fields.Char(readonly=True, help="By which a long table is divided.")
    date_from = fields.Datetime("From", readonly=True)
    date_to = fields.Datetime(
        "Before", readonly=True, help="Without dates: the rows that have no date."
    )
    row_count = fields.Integer("Rows", readonly=True)
    state = fields.Selection(
        [("todo", "To do"), ("done", "Done")], required=True, readonly=True, default="todo"
    )
    store_name = fields.Char(
        "File",
        readonly=True,
        default=lambda self: secrets.token_hex(16),
        help="A random name. The file is deleted when the package is put together.",
    )
