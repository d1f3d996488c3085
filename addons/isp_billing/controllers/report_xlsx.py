import tempfile

from werkzeug.exceptions import BadRequest
from werkzeug.wsgi import wrap_file

from odoo import fields, http
from odoo.http import request

from ..report.workbook import Workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ReportXlsx(http.Controller):
    @http.route("/isp_billing/reports.xlsx", type="http", auth="user", readonly=True)
    def reports(self, date_from, date_to, company_ids):
        """The management reports of some months and companies as a workbook."""
        request.env["isp.report.refresh"]._check_reader()
        try:
            first, last = fields.Date.to_date(date_from), fields.Date.to_date(date_to)
            wanted = {int(number) for number in company_ids.split(",")}
        except ValueError as error:
            raise BadRequest() from error
        allowed = [id_ for id_ in request.env.user.company_ids.ids if id_ in wanted]
        if not (first and last and allowed):
            raise BadRequest()
        # The response closes it when it has been sent.
        file = tempfile.TemporaryFile()  # noqa: SIM115
        env = request.env(context=dict(request.env.context, allowed_company_ids=allowed))
        Workbook(env, file, first, last).build()
        size = file.seek(0, 2)
        file.seek(0)
        name = f"isp-reports-{first:%Y-%m}-{last:%Y-%m}.xlsx"
        return http.Response(
            wrap_file(request.httprequest.environ, file),
            direct_passthrough=True,
            headers={
                "Content-Type": XLSX,
                "Content-Length": str(size),
                "Content-Disposition": http.content_disposition(name),
            },
        )
