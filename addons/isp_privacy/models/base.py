from odoo import models


class Base(models.AbstractModel):
    """An export of many rows, by the web client or by another program, needs a reason."""

    _inherit = "base"

    def export_data(self, fields_to_export):
        exports = self.env["privacy.mass.export"]
        # Before the work, and again when it is known how many rows the lines of the records make.
        exports._check(self, len(self), fields_to_export)
        result = super().export_data(fields_to_export)
        row_count = len(result["datas"])
        if exports._check(self, row_count, fields_to_export):
            exports._record(self, row_count, fields_to_export)
        return result
