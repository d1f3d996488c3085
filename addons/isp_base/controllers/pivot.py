import json
import re

from werkzeug.datastructures import FileStorage

from odoo import http

from odoo.addons.web.controllers.pivot import TableExporter

from .. import safe_csv

# What the library behind the export takes for a link or a formula, beside what a spreadsheet does.
_NOT_TEXT = re.compile(r"\{=|(ftp|http)s?://|mailto:|(in|ex)ternal:|file://")


class SafeTableExporter(TableExporter):
    """Pivot tables as workbooks, in which a spreadsheet calculates nothing."""

    @http.route()
    def export_xlsx(self, data, **kw):
        """Disarm the texts before the core writes them: it offers no place to say how."""
        table = json.load(data) if isinstance(data, FileStorage) else json.loads(data)
        if table:
            for part in ("col_group_headers", "measure_headers", "rows"):
                table[part] = _disarm(table[part])
        return super().export_xlsx(json.dumps(table), **kw)


def _disarm(value):
    """Return a JSON value whose strings are all plain text for a spreadsheet."""
    if isinstance(value, str):
        return f"'{value}" if _NOT_TEXT.match(value) else safe_csv.guard(value)
    if isinstance(value, list):
        return [_disarm(item) for item in value]
    if isinstance(value, dict):
        return {key: _disarm(item) for key, item in value.items()}
    return value
