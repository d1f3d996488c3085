from odoo import api, fields, models

from ..engine import chain

REASONS = [
    (chain.MISSING, "the row is gone"),
    (chain.EDITED, "the row is not what was sealed"),
    (chain.REWRITTEN, "the rows up to here were replaced: they do not fit the noted hash"),
    (chain.UNKNOWN, "this number was never given"),
]
_FROM_THE_START = {"walk_seq": chain.START.seq, "walk_hash": chain.START.hash}


class PrivacyAuditChain(models.Model):
    """The state of the audit chain: one record, made with the addon."""

    _name = "privacy.audit.chain"
    _description = "Audit chain"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    # Officers note what they found out, and finish the activity of an alarm.
    _mail_post_access = "read"

    _privacy_free = "How the chain as a whole is."

    name = fields.Char(required=True, readonly=True, translate=True)
    state = fields.Selection(
        [("unchecked", "Not checked yet"), ("intact", "Intact"), ("broken", "Broken")],
        default="unchecked",
        required=True,
        readonly=True,
        tracking=True,
    )
    checked_at = fields.Datetime("Last check", readonly=True)
    checked_seq = fields.Integer("Holds up to number", readonly=True, aggregator=None)
    broken_seq = fields.Integer("Broken at number", readonly=True, aggregator=None, tracking=True)
    broken_reason = fields.Selection(REASONS, "What is wrong", readonly=True, tracking=True)

    sealed_seq = fields.Integer("Sealed up to number", compute="_compute_head")
    sealed_hash = fields.Char("Hash of this number", compute="_compute_head")
    sealed_at = fields.Datetime("Last sealed", compute="_compute_head")
    waiting_count = fields.Integer("Rows not sealed yet", compute="_compute_head")

    mailed_at = fields.Datetime("Last mailed to the officers", readonly=True)
    mailed_seq = fields.Integer("Number in this mail", readonly=True, aggregator=None)
    database = fields.Char(compute="_compute_database")

    # How far a check has come: it may take several runs of its job.
    walk_seq = fields.Integer(readonly=True)
    walk_hash = fields.Char(readonly=True, default=chain.GENESIS)

    # === COMPUTE METHODS === #

    def _compute_head(self):
        # sudo: the rows themselves are of several companies, their number is not.
        last = self.env["privacy.audit.seal"].sudo().search([], limit=1)
        waiting = self.env["privacy.audit"].sudo().search_count([("seal_seq", "=", False)])
        for record in self:
            record.sealed_seq = last.last_seq
            record.sealed_hash = last.hash
            record.sealed_at = last.at
            record.waiting_count = waiting

    def _compute_database(self):
        self.database = self.env.cr.dbname

    # === ACTIONS === #

    def action_check(self):
        """Check the whole chain now."""
        self.check_access("read")
        # sudo: whoever may read the chain may have it checked; what is found is written down.
        intact = self.sudo()._verify()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if intact else "danger",
                "message": self._describe_check(),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_open_rows(self):
        """Open the rows around the place where the chain is broken, or the newest ones."""
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_privacy.privacy_audit_action")
        if self.state == "broken":
            around = (self.broken_seq - 10, self.broken_seq + 10)
            action["domain"] = [("seal_seq", ">=", around[0]), ("seal_seq", "<=", around[1])]
        return action

    def _describe_check(self):
        if self.state == "broken":
            reasons = dict(self._fields["broken_reason"]._description_selection(self.env))
            return self.env._(
                "The audit chain is broken at number %(number)s: %(reason)s.",
                number=self.broken_seq,
                reason=reasons[self.broken_reason],
            )
        return self.env._("The audit chain is intact up to number %s.", self.checked_seq)

    # === BUSINESS METHODS === #

    def _verify(self, batch_size=5000):
        """Walk the whole chain, a batch at a time, and write down what was found.

        :return: True when the chain is intact; else ``broken_seq`` names the first wrong link
        """
        self.write(_FROM_THE_START)
        while self._walk(batch_size):
            pass
        return self.state == "intact"

    def _walk(self, batch_size):
        """Check the next rows of the chain; return True when more are to come."""
        self.ensure_one()
        seals = self.env["privacy.audit.seal"]
        after = chain.Link(self.walk_seq, self.walk_hash)
        rows = self.env["privacy.audit"]._fetch_sealed(after.seq, batch_size)
        noted = seals._noted_hashes(after.seq, after.seq + len(rows))
        last, broken = chain.walk(rows, after, noted)
        if not broken and len(rows) == batch_size:
            self.write({"walk_seq": last.seq, "walk_hash": last.hash})
            return True
        self._conclude(last, broken or chain.check_end(last, seals._head()))
        return False

    def _conclude(self, last, broken):
        self.write(
            {
                **_FROM_THE_START,
                "state": "broken" if broken else "intact",
                "checked_at": fields.Datetime.now(),
                "checked_seq": last.seq,
                "broken_seq": broken.seq if broken else False,
                "broken_reason": broken.reason if broken else False,
            }
        )
        if broken:
            self._alarm()

    def _alarm(self):
        """Give each officer an activity, unless they still have the one of an earlier check."""
        for officer in self.env["res.users"]._privacy_officers() - self.activity_ids.user_id:
            self.activity_schedule(
                "mail.mail_activity_data_warning",
                user_id=officer.id,
                summary=self.env._("The audit chain is broken"),
                note=self._describe_check(),
            )

    def _mail_head(self):
        """Mail number and hash of the head to the officers: a copy that no database holds."""
        self.ensure_one()
        officers = self.env["res.users"]._privacy_officers().filtered("email")
        if not officers:
            return
        template = self.env.ref("isp_privacy.mail_template_audit_head")
        for officer in officers:
            template.with_context(lang=officer.lang).send_mail(
                self.id, email_values={"email_to": officer.email_formatted}
            )
        self.write({"mailed_at": fields.Datetime.now(), "mailed_seq": self.sealed_seq})

    # === CRON === #

    @api.model
    def _cron_check(self, batch_size=20000):
        """Check the chain and mail its head; a long check goes on in the next run of the job."""
        audit_chain = self.env.ref("isp_privacy.audit_chain")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=audit_chain.sealed_seq - audit_chain.walk_seq + 1)
        while audit_chain._walk(batch_size):
            if not cron._commit_progress(batch_size):
                return
        audit_chain._mail_head()
        cron._commit_progress(remaining=0)
