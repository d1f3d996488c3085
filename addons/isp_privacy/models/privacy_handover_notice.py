from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import split_every

BATCH_SIZE = 200
# What the job does by itself; letters are written down by an officer.
CHANNELS = ("mail", "portal")
_SENT = ["sent", "received"]


class PrivacyHandoverNotice(models.Model):
    """That a person was told of a hand-over: once by each way."""

    _name = "privacy.handover.notice"
    _description = "Notice of a hand-over"
    _inherit = ["privacy.addressed"]
    _order = "id desc"
    _rec_name = "handover_id"

    _privacy_subject = "partner_id"
    _privacy_defaults = {"category": "proof", "purpose": "rights", "retention": "audit"}
    _privacy_fields = {"partner_id": "subject"}
    _privacy_facts = "handover_id channel told_at seen_at is_reached"

    handover_id = fields.Many2one(
        "privacy.handover", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="handover_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(
        "res.partner", required=True, readonly=True, index=True, ondelete="cascade"
    )
    channel = fields.Selection(
        [("mail", "E-mail"), ("portal", "Portal"), ("letter", "Letter")],
        required=True,
        readonly=True,
    )
    told_at = fields.Datetime("Told", required=True, readonly=True, default=fields.Datetime.now)
    seen_at = fields.Datetime("Seen in the portal", readonly=True)
    is_reached = fields.Boolean(
        "Reached them",
        readonly=True,
        help="The letter or the mail went out, or the notice was seen in the portal.",
    )
    mail_id = fields.Many2one("mail.mail", readonly=True, ondelete="set null")
    mail_state = fields.Selection(related="mail_id.state", string="State of the mail")

    _once = models.UniqueIndex(
        "(handover_id, partner_id, channel)", "The person was told of this hand-over already."
    )

    # === CRON === #

    @api.model
    def _cron_notify(self):
        """Tell people of announced hand-overs, also who came later; a crash is made up for."""
        cron = self.env["ir.cron"]
        self._note_sent()
        for handover in self.env["privacy.handover"].search([("state", "=", "announced")]):
            for channel in CHANNELS:
                todo = self._get_todo(handover, channel)
                cron._commit_progress(remaining=len(todo))
                for ids in split_every(BATCH_SIZE, todo.ids):
                    # A notice and its mail are of one transaction: both are there, or none.
                    self._tell(handover, channel, todo.browse(ids))
                    if not cron._commit_progress(len(ids)):
                        return

    @api.model
    def _get_todo(self, handover, channel):
        """Return who can be told by this way and was not."""
        people = handover._get_subjects()
        told = self.search([("handover_id", "=", handover.id), ("channel", "=", channel)])
        todo = people - told.partner_id
        if channel == "mail":
            return todo.filtered("email_normalized")
        portal = self.env.ref("base.group_portal")
        return todo.filtered(
            lambda partner: any(
                user.active and portal in user.all_group_ids for user in partner.user_ids
            )
        )

    @api.model
    def _tell(self, handover, channel, partners, **vals):
        notices = self.create(
            [
                {
                    "handover_id": handover.id,
                    "partner_id": partner.id,
                    "channel": channel,
                    **vals,
                }
                for partner in partners
            ]
        )
        self.env["privacy.audit"]._log("notice", handover, fields={channel: len(notices)})
        if channel == "mail":
            template = self.env.ref("isp_privacy.mail_template_handover_notice")
            mails = template.send_mail_batch(
                notices.ids, email_layout_xmlid="mail.mail_notification_light"
            )
            for notice, mail in zip(notices, mails, strict=True):
                notice.mail_id = mail
        return notices

    @api.model
    def _get_reached_domain(self):
        """Return the domain of notices that reached somebody, not of those on their way."""
        return Domain("is_reached", "=", True) | Domain("mail_id.state", "in", _SENT)

    @api.model
    def _note_sent(self):
        """Note which mails went out: the mails themselves are deleted some day."""
        self.search([("is_reached", "=", False), ("mail_id.state", "in", _SENT)]).is_reached = True

    # === PORTAL === #

    @api.model
    def _get_unseen(self, partner):
        """Return the notices that the portal shows to a person."""
        # sudo: the person asks for the own notices.
        return self.sudo().search(
            [
                ("partner_id", "=", partner.id),
                ("channel", "=", "portal"),
                ("seen_at", "=", False),
                ("handover_id.state", "in", ["announced", "effective"]),
            ]
        )

    @api.model
    def _note_seen(self, partner):
        """Write down that the person has seen the notice. It is no consent to anything."""
        self._get_unseen(partner).write({"seen_at": fields.Datetime.now(), "is_reached": True})

    # === HELPERS FOR THE MAIL === #

    def _get_page_url(self):
        return f"{self.company_id.get_base_url()}/my/privacy"
