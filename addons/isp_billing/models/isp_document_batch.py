import io
import zipfile

from pypdf import PdfWriter

from odoo import api, fields, models
from odoo.exceptions import UserError

# Bills in one file, so that neither memory nor a printer's queue overflows.
PART = 1000
# Up to so many the file is made while the user waits: a second.
AT_ONCE = 50


class IspDocumentBatch(models.Model):
    """Many bills as one PDF file or one ZIP archive.

    Made in the background, a part for each job, so a batch that was interrupted goes on with the
    part it was at. Stored files are used as they are.
    """

    _name = "isp.document.batch"
    _description = "Batch of printed bills"
    _order = "id desc"
    _check_company_auto = True

    _privacy_subject = None
    _privacy_defaults = {"category": "trace", "purpose": "billing", "retention": "tax_doc"}
    _privacy_fields = {"user_id": "staff"}
    _privacy_free = {"Number of the batch; the bills in it are attachments.": "name"}

    name = fields.Char(required=True, default=lambda self: self.env._("Bills"))
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    user_id = fields.Many2one(
        "res.users", "Asked for by", default=lambda self: self.env.user, readonly=True
    )
    run_id = fields.Many2one("isp.billing.run", "Billing run", readonly=True, ondelete="cascade")
    kind = fields.Selection(
        [("bill", "Bills, A4"), ("receipt", "Receipts, 80 mm"), ("vat", "VAT challans")],
        "Documents",
        required=True,
        default="bill",
    )
    output = fields.Selection(
        [("pdf", "One PDF file"), ("zip", "ZIP archive, a file for each")],
        "File",
        required=True,
        default="pdf",
    )
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("done", "Done")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
    )
    move_ids = fields.Many2many("account.move", string="Invoices", check_company=True)
    move_count = fields.Integer("Invoice count", compute="_compute_move_count")
    done_count = fields.Integer("Printed", readonly=True, copy=False)
    progress = fields.Float(compute="_compute_progress")
    attachment_ids = fields.One2many(
        "ir.attachment",
        "res_id",
        "Files",
        domain=[("res_model", "=", "isp.document.batch")],
        readonly=True,
    )

    # === COMPUTE METHODS === #

    @api.depends("move_ids")
    def _compute_move_count(self):
        for batch in self:
            batch.move_count = len(batch.move_ids)

    @api.depends("done_count", "move_count", "state")
    def _compute_progress(self):
        for batch in self:
            done = batch.move_count if batch.state == "done" else batch.done_count
            batch.progress = 100.0 * done / (batch.move_count or 1)

    # === ACTION METHODS === #

    def action_start(self):
        """Make the files, in the background when they are many; the form then offers them."""
        self.ensure_one()
        if not self.move_ids:
            raise UserError(self.env._("Choose the invoices to print."))
        if self.state == "draft":
            self.state = "running"
        if len(self.move_ids) <= AT_ONCE:
            self._job_work()
        else:
            self._enqueue()
        return False

    def action_download(self):
        """Download the file, where it is a single one."""
        self.ensure_one()
        if len(self.attachment_ids) != 1:
            return False
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self.attachment_ids.id}?download=true",
            "target": "download",
        }

    # === BUSINESS METHODS === #

    def _enqueue(self):
        self.ensure_one()
        self.with_delay(
            description=self.env._("Print %(count)s of %(name)s", count=PART, name=self.name)
        )._job_work()

    def _job_work(self):
        """Make one part and queue the next one."""
        self.ensure_one()
        batch = self.try_lock_for_update()
        batch.invalidate_recordset(["state", "done_count"])
        if not batch or batch.state != "running":
            return
        moves = self.move_ids.sorted(lambda move: (move.name or "", move.id))
        part = moves[self.done_count : self.done_count + PART]
        if part:
            self._add_part(part, -(-len(moves) // PART))
            self.done_count += len(part)
        if self.done_count < len(moves):
            self._enqueue()
        else:
            self.state = "done"

    def _add_part(self, moves, parts):
        """Attach the file of some invoices."""
        files = self._get_files(moves)
        name = self.name.replace("/", "_")
        if parts > 1:
            name += f" {self.done_count // PART + 1}-{parts}"
        content = _zip(files) if self.output == "zip" else _merge(files)
        self.env["ir.attachment"].create(
            {
                "name": f"{name}.{self.output}",
                "raw": content,
                "mimetype": "application/zip" if self.output == "zip" else "application/pdf",
                "res_model": self._name,
                "res_id": self.id,
                "company_id": self.company_id.id,
            }
        )

    def _get_files(self, moves):
        """``[(file name, content)]`` of the invoices, from the stored files where there are."""
        stored = {}
        if self.kind == "bill":
            moves.filtered(lambda move: move._is_printed_by_template())._store_documents()
            # sudo: the file field of an invoice is not an attachment that users may list.
            attachments = (
                self.env["ir.attachment"]
                .sudo()
                .search(
                    [
                        ("res_model", "=", "account.move"),
                        ("res_field", "=", "invoice_pdf_report_file"),
                        ("res_id", "in", moves.ids),
                    ]
                )
            )
            stored = {attachment.res_id: attachment.raw for attachment in attachments}
        rest = moves.filtered(lambda move: move.id not in stored)
        made = rest._render_documents(self.kind) if rest else {}
        names = {}
        for move in moves:
            name = (move.name or "").strip("/").replace("/", "_") or f"draft_{move.id}"
            names.setdefault(name, []).append(move)
        return [
            (
                f"{name}.pdf" if len(same) == 1 else f"{name}_{move.id}.pdf",
                stored.get(move.id) or made[move],
            )
            for name, same in names.items()
            for move in same
        ]


def _merge(files):
    writer = PdfWriter()
    for _name, content in files:
        writer.append(io.BytesIO(content), import_outline=False)
    result = io.BytesIO()
    writer.write(result)
    return result.getvalue()


def _zip(files):
    result = io.BytesIO()
    # Stored: the pages are compressed already.
    with zipfile.ZipFile(result, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return result.getvalue()
