import io
from collections import OrderedDict

from odoo import fields, models

INVOICE_REPORTS = ("account.report_invoice_with_payments",)


class IrActionsReport(models.Model):
    """Invoices of subscriptions are set by Typst wherever Odoo prints an invoice.

    The report stays one of type ``qweb-pdf``, so printing, mailing, downloading and merging are
    Odoo's own; only the file of each record comes from elsewhere.
    """

    _inherit = "ir.actions.report"

    isp_document = fields.Selection(
        [("bill", "Bill"), ("receipt", "Receipt"), ("vat", "VAT challan")],
        "Bill template",
        help="Printed by the template of this kind instead of QWeb.",
    )

    def _get_readable_fields(self):
        return super()._get_readable_fields() | {"isp_document"}

    def report_action(self, docids, data=None, config=True):
        """Tell the web client which reports need no wkhtmltopdf."""
        action = super().report_action(docids, data=data, config=config)
        if self.isp_document and action.get("type") == "ir.actions.report":
            action["isp_document"] = self.isp_document
        return action

    def _get_isp_documents(self, report, res_ids):
        """The records that ``report`` prints by a template, as a recordset."""
        records = self.env[report.model or "account.move"].browse(res_ids)
        if report.model != "account.move" or not res_ids or len(set(res_ids)) != len(res_ids):
            return records.browse()
        if report.isp_document:
            return records
        if report.report_name not in INVOICE_REPORTS:
            return records.browse()
        return records.filtered(lambda move: move._is_printed_by_template())

    def _pre_render_qweb_pdf(self, report_ref, res_ids=None, data=None):
        ids = [res_ids] if isinstance(res_ids, int) else res_ids
        if ids and len(self._get_isp_documents(self._get_report(report_ref), ids)) == len(ids):
            # Odoo's tests print HTML, to spare wkhtmltopdf; nothing here needs it.
            self = self.with_context(force_report_rendering=True)
        return super()._pre_render_qweb_pdf(report_ref, res_ids=res_ids, data=data)

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        report = self._get_report(report_ref)
        ours = self._get_isp_documents(report, res_ids)
        if not ours:
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        ours.check_access("read")
        files = ours._render_documents(report.isp_document or "bill")
        rest = [res_id for res_id in res_ids if res_id not in set(ours.ids)]
        others = {}
        if rest:
            others = super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=rest)
        streams = OrderedDict()
        for res_id in res_ids:
            content = files.get(ours.browse(res_id))
            if content:
                streams[res_id] = {"stream": io.BytesIO(content), "attachment": None}
            elif res_id in others:
                streams[res_id] = others.pop(res_id)
        streams.update(others)
        return streams
