import hashlib

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import request


class IspAddressLog(models.Model):
    """Who looked an address up, when, what was asked, what was found and what was handed over.

    Rows are added and never changed: the ORM refuses it, and so does a trigger of the table. Each
    document handed over is kept in its row, with its SHA-256.
    """

    _name = "isp.address.log"
    _description = "Record of a lawful request"
    _order = "id desc"
    _rec_name = "question"

    _privacy_subject = None
    _privacy_defaults = {
        "category": "trace",
        "purpose": "licence",
        "retention": "audit",
        "erasure": "keep",
        "reason": "Who asked for whose data, and what was handed over; it may not be altered.",
        "export": False,
    }
    _privacy_fields = {"remote_address question content": {}, "user_id": "staff"}
    _privacy_free = {"Of the authority's letter.": "reference file_name sha256"}

    date = fields.Datetime(required=True, readonly=True, default=lambda self: fields.Datetime.now())
    user_id = fields.Many2one("res.users", "By", required=True, readonly=True, ondelete="restrict")
    remote_address = fields.Char("From computer", readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    request_id = fields.Many2one(
        "isp.address.request", required=True, readonly=True, index=True, ondelete="restrict"
    )
    reference = fields.Char(readonly=True, help="Authority and its number, as they were then.")
    action = fields.Selection(
        [
            ("search", "Looked up"),
            ("csv", "Handed over as table"),
            ("pdf", "Handed over as document"),
        ],
        required=True,
        readonly=True,
    )
    question = fields.Char(required=True, readonly=True)
    row_count = fields.Integer("Answers", readonly=True)
    seconds = fields.Float("Took (s)", digits=(10, 3), readonly=True, aggregator=None)
    file_name = fields.Char("File", readonly=True)
    content = fields.Binary("Document", attachment=False, readonly=True)
    sha256 = fields.Char("SHA-256 of the document", readonly=True)

    def init(self):
        """Let the database itself refuse changes."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE TRIGGER isp_keep_rows BEFORE UPDATE OR DELETE ON isp_address_log
                FOR EACH ROW EXECUTE FUNCTION radius.keep_rows();
            CREATE OR REPLACE TRIGGER isp_keep_table BEFORE TRUNCATE ON isp_address_log
                FOR EACH STATEMENT EXECUTE FUNCTION radius.keep_rows()
            """
        )

    def write(self, vals):
        if self:
            raise UserError(self._refusal())
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self._refusal())

    def _refusal(self):
        return self.env._("The record of look-ups is evidence: it is never changed or deleted.")

    @api.model
    def _record(self, address_request, action, row_count, **vals):
        """Add a row about ``address_request``, in the name of the current user.

        :param vals: ``content`` as bytes in Base64 with its ``file_name``, ``seconds``
        """
        address_request.ensure_one()
        if vals.get("content"):
            vals["sha256"] = hashlib.sha256(vals.pop("raw")).hexdigest()
        # sudo: rows are added by this method only, or the record could be forged.
        return self.sudo().create(
            {
                "user_id": self.env.uid,
                "remote_address": request.httprequest.remote_addr if request else False,
                "company_id": address_request.company_id.id,
                "request_id": address_request.id,
                "reference": f"{address_request.authority}, {address_request.reference}",
                "action": action,
                "question": address_request._describe_question(),
                "row_count": row_count,
                **vals,
            }
        )
