from odoo import models
from odoo.tools import SQL


class IspBillingRun(models.Model):
    """Printing what a run billed: files made in the background, and batches to print."""

    _inherit = "isp.billing.run"

    # === CRUD METHODS === #

    def write(self, vals):
        """Make the PDF files when a run is done, if the company wants it."""
        ending = self.browse()
        if vals.get("state") == "done":
            ending = self.filtered(lambda run: run.state != "done")
        res = super().write(vals)
        for run in ending.filtered("company_id.isp_print_after_run"):
            if run.company_id.isp_bill_layout == "isp":
                run._enqueue_documents()
        return res

    # === ACTION METHODS === #

    def action_print(self):
        """Prepare a file of all bills of the run."""
        self.ensure_one()
        return self._get_document_bills()._open_document_batch(run_id=self.id)

    # === BUSINESS METHODS - DOCUMENTS === #

    def _enqueue_documents(self):
        """Queue the making of the next PDF files."""
        self.ensure_one()
        self.with_delay(
            description=self.env._("PDF files of %s", self.name),
            identity_key=f"isp-documents-{self.id}",
        )._job_store_documents()

    def _job_store_documents(self):
        """Store the next PDF files, and queue the rest.

        What is left is found, never remembered: a job that was killed is simply run again, and no
        file is made twice.
        """
        self.ensure_one()
        size = self.env["account.move"]._get_document_batch_size()
        moves = self._get_document_bills(missing_limit=size + 1)
        moves[:size].with_company(self.company_id)._store_documents()
        if len(moves) > size:
            self.with_delay(
                description=self.env._("PDF files of %s", self.name)
            )._job_store_documents()

    def _get_document_bills(self, missing_limit=None):
        """Posted bills of the run; with ``missing_limit`` so many of those without a PDF file."""
        self.ensure_one()
        self.env.flush_all()
        missing = SQL()
        limit = SQL()
        if missing_limit:
            missing = SQL(
                "AND NOT EXISTS (SELECT FROM ir_attachment AS file"
                " WHERE file.res_model = 'account.move' AND file.res_id = move.id"
                " AND file.res_field = 'invoice_pdf_report_file')"
            )
            limit = SQL("LIMIT %s", missing_limit)
        self.env.cr.execute(
            SQL(
                "SELECT move.id FROM account_move AS move WHERE move.state = 'posted' AND EXISTS ("
                "SELECT FROM isp_charge WHERE move_id = move.id AND run_id = %s) %s"
                " ORDER BY move.id %s",
                self.id,
                missing,
                limit,
            )
        )
        return self.env["account.move"].browse(row[0] for row in self.env.cr.fetchall())
