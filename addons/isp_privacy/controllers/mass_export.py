import json

from markupsafe import escape

from odoo import http
from odoo.http import request

from odoo.addons.web.controllers import export

from ..errors import ExportReasonNeeded


class AskForReason:
    """Answers a missing reason as the web client understands it.

    The core would answer and log a crash, and a browser takes another status than 200 for an error of
    the page. HTML without a file name is what the client reads errors from.
    """

    def base(self, data):
        try:
            return super().base(data)
        except ExportReasonNeeded as error:
            details = {**http.serialize_exception(error), "debug": ""}
            answer = {"code": 0, "message": str(error), "data": details}
            return request.make_response(
                escape(json.dumps(answer)), [("Content-Type", "text/html; charset=utf-8")]
            )


class CSVExport(AskForReason, export.CSVExport):
    pass


class ExcelExport(AskForReason, export.ExcelExport):
    pass
