import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import email_normalize

from odoo.addons.isp_base.encryption import encrypted_char

_logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 10


class PrivacyErasureNotice(models.Model):
    """That a processor was told of an erasure, and that it answered.

    A processor that cannot be reached holds nobody up: it is written down and told again.
    """

    _name = "privacy.erasure.notice"
    _description = "Notice of an erasure to a processor"
    _inherit = ["isp.encrypted.mixin"]
    _order = "erasure_id, id"
    _rec_name = "processor_id"

    _privacy_subject = None
    _privacy_defaults = {"category": "proof", "purpose": "rights", "retention": "audit"}
    _privacy_retention = {"never": "Who it was is emptied when the processor is told."}
    _privacy_fields = {
        "words": "secret",
        "acknowledged_by_id": "staff",
        "note": {
            "category": "proof",
            "erasure": "keep",
            "reason": "What the processor answered; staff writes no names into it.",
            "export": False,
        },
    }
    _privacy_free = {"Why a mail could not be sent.": "problem"}

    erasure_id = fields.Many2one(
        "privacy.erasure", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="erasure_id.company_id", store=True, index=True)
    processor_id = fields.Many2one(
        "privacy.processor", required=True, readonly=True, ondelete="restrict"
    )
    state = fields.Selection(
        [
            ("waiting", "To be told"),
            ("unreachable", "Not reachable"),
            ("told", "Told"),
            ("acknowledged", "Acknowledged"),
        ],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
    )
    words, words_enc, words_bidx, words_last4 = encrypted_char(
        "words",
        "Words of the notice",
        groups="isp_privacy.group_privacy_officer",
        indexed=False,
        help="Whom it is about. Encrypted, and emptied as soon as the processor was told.",
    )
    attempts = fields.Integer(readonly=True)
    problem = fields.Char(readonly=True)
    told_at = fields.Datetime("Told", readonly=True)
    acknowledged_at = fields.Datetime("Acknowledged on", readonly=True)
    acknowledged_by_id = fields.Many2one("res.users", "Noted by", readonly=True)
    note = fields.Char("Answer", help="Such as the number of the processor's own ticket.")

    _processor_uniq = models.UniqueIndex("(erasure_id, processor_id)")

    # === CRUD METHODS === #

    def write(self, vals):
        """All but the answer of the processor is written by the methods below."""
        if not self.env.su and set(vals) - {"note"}:
            raise AccessError(self.env._("Use the buttons of the notice."))
        return super().write(vals)

    # === ACTIONS === #

    def action_tell(self):
        """Try once more to tell the processor."""
        self.check_access("write")
        self.sudo()._tell()

    def action_show_words(self):
        """Show what the processor is to be told, so that it can be told by telephone."""
        return self.action_reveal("words")

    def action_acknowledge(self):
        """Note that the processor has answered."""
        self.check_access("write")
        # sudo: the fields are written by this method only.
        self.sudo().write(
            {
                "state": "acknowledged",
                "acknowledged_at": fields.Datetime.now(),
                "acknowledged_by_id": self.env.uid,
                "words": False,
                "problem": False,
            }
        )
        self.env["privacy.audit"]._log("acknowledge", self)

    # === BUSINESS METHODS === #

    @api.model
    def _create_for(self, run):
        """Add a notice for each processor of the company that has none yet."""
        processors = (
            self.env["privacy.processor"]
            .sudo()
            .search([("company_id", "=", run.company_id.id), ("role", "!=", "controller")])
        )
        words = "\n".join(
            value for kind, value in run._get_identifiers() if kind in ("email", "phone", "name")
        )
        self.create(
            [
                {"erasure_id": run.id, "processor_id": processor.id, "words": words}
                for processor in processors - run.notice_ids.processor_id
            ]
        )

    def _tell(self):
        """Write to the processors that were not told yet."""
        for notice in self.filtered(lambda notice: notice.state in ("waiting", "unreachable")):
            problem = notice._send()
            vals = {"attempts": notice.attempts + 1, "problem": problem}
            if problem:
                vals["state"] = "unreachable"
            else:
                vals.update(state="told", told_at=fields.Datetime.now(), words=False)
            notice.write(vals)

    def _send(self):
        """Write to the processor, and leave no copy of it behind.

        :return: why it could not be told
        """
        self.ensure_one()
        address = email_normalize(self.processor_id.partner_id.email)
        if not address:
            return self.env._("The processor has no contact with an e-mail address.")
        template = self.env.ref("isp_privacy.mail_template_erasure_notice").sudo()
        try:
            with self.env.cr.savepoint():
                mail = self.env["mail.mail"].browse(
                    template.send_mail(self.id, email_values={"email_to": address})
                )
                mail.auto_delete = False
                mail.send(raise_exception=False)
                problem = mail.state not in ("sent", "received") and (
                    mail.failure_reason or self.env._("The mail could not be sent.")
                )
                message = mail.mail_message_id
                mail.unlink()
                message.exists().unlink()
                return problem and problem[:200]
        except UserError as error:
            return str(error)

    @api.model
    def _cron_tell(self):
        """Tell the processors again that could not be reached."""
        cron = self.env["ir.cron"]
        todo = self.search(
            [("state", "in", ("waiting", "unreachable")), ("attempts", "<", MAX_ATTEMPTS)]
        ).filtered("attempts")
        cron._commit_progress(remaining=len(todo))
        for notice in todo:
            notice._tell()
            if not cron._commit_progress(1):
                return
