from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import SQL

BATCH = 250


class AccountMove(models.Model):
    """The stored PDF file of a bill, in the field where Odoo keeps that of a sent invoice."""

    _inherit = "account.move"

    # === ACTION METHODS === #

    def action_print_pdf(self):
        """Print a bill at once: Odoo's layout of documents, which it asks for, is not the bill's."""
        self.ensure_one()
        report = self.env["account.move.send"]._get_default_pdf_report_id(self)
        if report.isp_document:
            return report.report_action(self.id, config=False)
        return super().action_print_pdf()

    def action_print_documents(self):
        """Prepare a file of the selected customer invoices."""
        moves = self.filtered(lambda move: move.move_type in ("out_invoice", "out_refund"))
        if not moves:
            raise UserError(self.env._("Only customer invoices and credit notes are printed."))
        if len(moves.company_id) > 1:
            raise UserError(self.env._("Select invoices of one company."))
        return moves._open_document_batch()

    def _open_document_batch(self, **vals):
        """A new batch of the invoices, on the screen."""
        batch = self.env["isp.document.batch"].create(
            {
                "company_id": (self.company_id or self.env.company).id,
                "move_ids": [Command.set(self.ids)],
                **vals,
            }
        )
        if batch.run_id:
            batch.name = batch.run_id.name
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Print bills"),
            "res_model": "isp.document.batch",
            "res_id": batch.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    def _is_printed_by_template(self):
        """Whether Odoo's invoice report prints this invoice by a bill template."""
        self.ensure_one()
        return (
            self.move_type in ("out_invoice", "out_refund")
            and self.company_id.isp_bill_layout == "isp"
            and self.isp_is_bill
        )

    def _store_documents(self):
        """Make and store the PDF files of posted bills that have none.

        A bill that another worker is storing is left to it.

        :return: the invoices whose file was stored now
        """
        missing = self._filter_without_document()
        locked = missing.try_lock_for_update(allow_referencing=True)
        # Stored by somebody else between the look and the lock.
        moves = locked._filter_without_document()
        if not moves:
            return moves
        files = moves._render_documents()
        report = self.env.ref("isp_billing.action_report_bill")
        # sudo: as Odoo does for the files of sent invoices, whoever prints them.
        attachments = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": move._get_invoice_report_filename(report=report),
                        "raw": content,
                        "mimetype": "application/pdf",
                        "res_model": "account.move",
                        "res_id": move.id,
                        "res_field": "invoice_pdf_report_file",
                        "company_id": move.company_id.id,
                    }
                    for move, content in files.items()
                ]
            )
        )
        moves._link_documents(attachments)
        return moves

    def _link_documents(self, attachments):
        """Make each file the main attachment of its invoice.

        Odoo also marks the invoice as sent here, which it is not before it is mailed.
        """
        # In SQL: Odoo writes one invoice at a time, and each write of an invoice costs as much as
        # setting its page. Nothing that is stored is computed from this column.
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE account_move SET message_main_attachment_id = file.id"
                " FROM unnest(%s, %s) AS file (id, move_id) WHERE account_move.id = file.move_id",
                attachments.ids,
                attachments.mapped("res_id"),
            )
        )
        self.invalidate_recordset(
            [
                "message_main_attachment_id",
                "invoice_pdf_report_file",
                "invoice_pdf_report_id",
            ]
        )

    def _filter_without_document(self):
        """The posted invoices among these that have no stored PDF file, in their order."""
        if not self:
            return self
        self.env["ir.attachment"].flush_model(["res_model", "res_field", "res_id"])
        self.flush_recordset(["state"])
        self.env.cr.execute(
            SQL(
                "SELECT id FROM account_move AS move WHERE id = ANY(%s) AND state = 'posted'"
                " AND move_type IN ('out_invoice', 'out_refund') AND NOT EXISTS ("
                "SELECT FROM ir_attachment WHERE res_model = 'account.move'"
                " AND res_field = 'invoice_pdf_report_file' AND res_id = move.id)",
                self.ids,
            )
        )
        found = {row[0] for row in self.env.cr.fetchall()}
        return self.filtered(lambda move: move.id in found)

    def _privacy_documents(self):
        """The bills as PDF files, for a customer who asks for the own data: ``[(name, content)]``.

        The file as it was sent where there is one; else it is printed now, as it would be today.
        """
        bills = self.filtered(
            lambda move: move.state == "posted" and move.move_type in ("out_invoice", "out_refund")
        )
        stored = {bill: bill.invoice_pdf_report_id.raw for bill in bills}
        missing = bills.filtered(lambda bill: not stored[bill] and bill._is_printed_by_template())
        files = {**stored, **missing._render_documents()}
        return [(bill._get_invoice_report_filename(), files[bill]) for bill in bills if files[bill]]

    @api.model
    def _get_document_batch_size(self):
        """How many bills are rendered between two commits."""
        return BATCH
