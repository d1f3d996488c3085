from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import split_every

BATCH_SIZE = 200
CHANNELS = [("mail", "E-mail"), ("portal", "Portal")]


class PrivacyPolicyNotice(models.Model):
    """That a person was told of a new version: once by mail and once in the portal."""

    _name = "privacy.policy.notice"
    _description = "Notice of a privacy policy"
    _inherit = ["privacy.addressed"]
    _order = "id desc"
    _rec_name = "version_id"

    _privacy_subject = "partner_id"
    _privacy_defaults = {"category": "proof", "purpose": "rights", "retention": "audit"}
    _privacy_fields = {"partner_id": "subject"}
    _privacy_facts = "version_id channel create_date"

    version_id = fields.Many2one(
        "privacy.policy.version", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="version_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(
        "res.partner", required=True, readonly=True, index=True, ondelete="cascade"
    )
    channel = fields.Selection(CHANNELS, required=True, readonly=True)
    mail_id = fields.Many2one("mail.mail", readonly=True, ondelete="set null")
    mail_state = fields.Selection(related="mail_id.state", string="State of the mail")

    _once = models.UniqueIndex(
        "(version_id, partner_id, channel)", "The person was told of this version already."
    )

    # === CRON === #

    @api.model
    def _cron_notify(self):
        """Tell active portal users of new versions; what a crash leaves open goes on next time."""
        cron = self.env["ir.cron"]
        versions = self.env["privacy.policy.version"].search([("notice_state", "=", "pending")])
        for version in versions:
            for channel, _label in CHANNELS:
                untold = self._get_untold(version, channel)
                cron._commit_progress(remaining=len(untold))
                for ids in split_every(BATCH_SIZE, untold.ids):
                    # A notice and its mail are of one transaction: both are there, or none.
                    self._tell(version, channel, untold.browse(ids))
                    if not cron._commit_progress(len(ids)):
                        return
            version.notice_state = "done"
            cron._commit_progress()

    @api.model
    def _get_untold(self, version, channel):
        """Return the people with a login to the portal who were not told of ``version``."""
        users = self.env["res.users"].search(
            Domain("share", "=", True)
            & Domain("all_group_ids", "in", self.env.ref("base.group_portal").ids)
            & Domain("company_ids", "in", version.company_id.ids)
        )
        told = self.search([("version_id", "=", version.id), ("channel", "=", channel)])
        people = users.partner_id - told.partner_id
        return people.filtered("email") if channel == "mail" else people

    @api.model
    def _tell(self, version, channel, partners):
        notices = self.create(
            [
                {"version_id": version.id, "partner_id": partner.id, "channel": channel}
                for partner in partners
            ]
        )
        if channel == "mail":
            template = self.env.ref("isp_privacy.mail_template_policy_notice")
            mails = template.send_mail_batch(
                notices.ids, email_layout_xmlid="mail.mail_notification_light"
            )
            for notice, mail in zip(notices, mails, strict=True):
                notice.mail_id = mail

    # === HELPERS FOR THE MAIL === #

    def _get_page_url(self):
        return f"{self.company_id.get_base_url()}/privacy/versions/{self.version_id.number}"
