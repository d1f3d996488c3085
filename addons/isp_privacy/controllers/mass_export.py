import json

from odoo import http
from odoo.http import request

from odoo.addons.web.controllers import export

from ..errors import ExportReasonNeeded

UNPROCESSABLE = 422


class AskForReason:
    """Answers a missing reason as the web client understands it; the core would log a crash."""

    def base(self, data):
        try:
            return super().base(data)
        except ExportReasonNeeded as error:
            details = {**http.serialize_exception(error), "debug": ""}
            answer = {"code": 0, "message": str(error), "data": details}
            return request.make_response(
                json.dumps(answer), [("Content-Type", "text/plain")], status=UNPROCESSABLE
            )


class CSVExport(AskForReason, export.CSVExport):
    pass


class ExcelExport(AskForReason, export.ExcelExport):
    pass
