import base64
import io

from odoo import models
from odoo.exceptions import UserError

from odoo.addons.isp_base import safe_csv

ROWS_PER_PAGE = 8
# Passed in the context by the button: a document is made only together with its record.
HAND_OVER = object()


class IspAddressRequest(models.Model):
    """Handing the answer over: each document is recorded with its hash."""

    _inherit = "isp.address.request"

    def action_export_csv(self):
        """Hand the answer over as a table."""
        self._check_exportable()
        file = io.StringIO()
        write = safe_csv.writer(file)
        for line in self._prepare_head():
            write(line)
        write([])
        columns = self._prepare_columns()
        write([label for label, _value in columns])
        for answer in self.answer_ids:
            write([value(answer) or "" for _label, value in columns])
        # Spreadsheet programs read Bengali names only behind this mark.
        return self._hand_over("csv", b"\xef\xbb\xbf" + file.getvalue().encode())

    def action_export_pdf(self):
        """Hand the answer over as a document."""
        self._check_exportable()
        report = self.env["ir.actions.report"].with_context(isp_hand_over=HAND_OVER)
        content, _kind = report._render_qweb_pdf(
            "isp_network.report_address_request_action", self.ids
        )
        return self._hand_over("pdf", content)

    def _check_exportable(self):
        self.ensure_one()
        self._check_lawful()
        if self.state == "draft":
            raise UserError(self.env._("Answer the request first."))

    def _hand_over(self, kind, content):
        name = f"{self.name.replace('/', '-')}.{kind}"
        log = self.env["isp.address.log"]._record(
            self,
            kind,
            self.answer_count,
            file_name=name,
            raw=content,
            content=base64.b64encode(content),
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/isp.address.log/{log.id}/content/{name}?download=true",
            "target": "self",
        }

    def _prepare_head(self):
        """``[(label, text), …]`` above the answers."""
        self.ensure_one()
        return [
            (self.env._("Provider"), self.company_id.name),
            (self.env._("Number"), self.name),
            (self.env._("Authority"), self.authority),
            (self.env._("Number of the authority"), self.reference),
            (self.env._("Date of the letter"), str(self.date_received)),
            (self.env._("Signed by"), self.requested_by),
            (self.env._("Question"), self._describe_question()),
            (self.env._("Answered on"), self._format_moment(self.answered_on)),
            (self.env._("Answered by"), self.answered_by_id.name),
            (self.env._("Result"), (self.result or "").replace("\n", " ")),
        ]

    def _prepare_columns(self):
        """``[(label, function of the answer), …]`` of the table."""
        moment = self._format_moment
        names = [
            (self.env._("Subscription number"), "subscription_number"),
            (self.env._("Username"), "username"),
            (self.env._("Customer"), "customer_name"),
            (self.env._("Phone"), "customer_phone"),
            (self.env._("E-mail"), "customer_email"),
            (self.env._("Address of the line"), "customer_address"),
            (self.env._("IP address"), "ip_address"),
            (self.env._("IPv6 prefix"), "ipv6_prefix"),
            (self.env._("Translation"), "mapping"),
            (self.env._("Device"), "mac_address"),
            (self.env._("Router"), "nas_name"),
            (self.env._("Session number"), "session_ref"),
        ]
        times = [
            (self.env._("Since"), "date_start"),
            (self.env._("Last report"), "date_update"),
            (self.env._("Until"), "date_stop"),
        ]
        return [(label, lambda a, name=name: a[name]) for label, name in names] + [
            (label, lambda a, name=name: moment(a[name])) for label, name in times
        ]

    def _get_pages(self):
        """The answers in parts that fit a page, one empty part when nobody was found."""
        self.ensure_one()
        parts = [
            self.answer_ids[start : start + ROWS_PER_PAGE]
            for start in range(0, len(self.answer_ids), ROWS_PER_PAGE)
        ]
        return parts or [self.answer_ids]


class ReportAddressRequest(models.AbstractModel):
    """The document of an answered request; it comes from the button only."""

    _name = "report.isp_network.report_address_request"
    _description = "Answer to a lawful request as a document"

    def _get_report_values(self, docids, data=None):
        if self.env.context.get("isp_hand_over") is not HAND_OVER:
            raise UserError(
                self.env._(
                    "Use the button “PDF” of the request: each document handed over is recorded."
                )
            )
        return {"docs": self.env["isp.address.request"].browse(docids)}
