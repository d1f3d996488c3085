from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .. import sweep

# Bundles of scripts and styles: made from the code, the same in every database.
_BUNDLES = Domain("res_model", "=", "ir.ui.view") & Domain("url", "=like", "/web/assets/%")


class PrivacyErasureFinding(models.Model):
    """A place in which the search found something of an erased person, and why it may be there."""

    _name = "privacy.erasure.finding"
    _description = "What is left after an erasure"
    _order = "is_explained, table_name, column_name"
    _rec_name = "table_name"

    _privacy_free = "Names of tables and columns, numbers of rows, and what the data map says."

    erasure_id = fields.Many2one(
        "privacy.erasure", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="erasure_id.company_id", store=True, index=True)
    table_name = fields.Char("Table", required=True, readonly=True)
    column_name = fields.Char("Column", readonly=True)
    row_count = fields.Integer("Rows", readonly=True, help="0: the table could not be read.")
    rows = fields.Char("First rows", readonly=True)
    is_explained = fields.Boolean("Explained", readonly=True)
    reason = fields.Char(readonly=True)
    keep_until = fields.Date("Kept until", readonly=True)

    # === BUSINESS METHODS === #

    @api.model
    def _search_for(self, run):
        """Search the database and the files for the person of an erasure; replaces what was found."""
        run.finding_ids.unlink()
        patterns = run._get_patterns()
        if not patterns:
            return
        self.env.flush_all()
        found = sweep.search_database(self.env.cr, patterns)
        found += self._search_files(patterns)
        self.create([self._prepare_vals(run, finding) for finding in found])

    def _search_files(self, patterns):
        attachments = self.env["ir.attachment"].sudo().with_context(skip_res_field_check=True)
        files = dict(
            attachments._read_group(
                Domain("store_fname", "!=", False) & ~_BUNDLES, ["store_fname"], ["id:array_agg"]
            )
        )
        left = sweep.search_files(attachments._filestore(), sorted(files), patterns)
        ids = sorted(row for name in left for row in files[name])
        if not ids:
            return []
        return [
            sweep.Finding(
                "", "ir_attachment", "store_fname", len(ids), tuple(ids[: sweep.MAX_ROWS])
            )
        ]

    def _prepare_vals(self, run, finding):
        table = finding.table
        if finding.schema not in ("", self._get_schema()):
            table = f"{finding.schema}.{table}"
        reason, until = self._explain(run, table, finding.column)
        return {
            "erasure_id": run.id,
            "table_name": table,
            "column_name": finding.column,
            "row_count": finding.count,
            "rows": ", ".join(map(str, finding.rows)),
            "is_explained": bool(reason),
            "reason": reason,
            "keep_until": until,
        }

    def _get_schema(self):
        """Return the schema of the ORM's own tables."""
        return self.env.execute_query(SQL("SELECT current_schema"))[0][0]

    def _explain(self, run, table, column):
        """Return why something may be left in a column, and until when; nothing if it may not."""
        datamap = self.env["privacy.map.entry"]._get_map()
        for name, model_map in datamap.models.items():
            if model_map.cls._abstract or table not in {model_map.cls._table, *model_map.tables}:
                continue
            if kept := run.kept_ids.filtered(lambda kept, name=name: kept.model_name == name)[:1]:
                return kept.reason, kept.keep_until
            entry = datamap.entry(name, column)
            if entry and entry.status == "mapped" and entry.erasure == "keep":
                return entry.reason, False
        return "", False
