from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain

# What may change after a version was published: how far its notices are.
_LIVING = frozenset({"notice_state"})


class PrivacyPolicyVersion(models.Model):
    """A version of the privacy policy: written, then published, then never changed."""

    _name = "privacy.policy.version"
    _description = "Version of a privacy policy"
    _inherit = ["privacy.audited"]
    _order = "number desc, id desc"
    _guarded = ("number", "state", "published_at", "published_by_id", "notice_state")

    _privacy_subject = None
    _privacy_fields = {"published_by_id": "staff"}
    _privacy_free = {"What everybody is told.": "summary"}

    policy_id = fields.Many2one("privacy.policy", required=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="policy_id.company_id", store=True, index=True)
    number = fields.Integer("Version", readonly=True, copy=False)
    state = fields.Selection(
        [("draft", "Draft"), ("published", "Published")],
        required=True,
        readonly=True,
        copy=False,
        default="draft",
    )
    significance = fields.Selection(
        [("minor", "Minor"), ("major", "Major")],
        required=True,
        default="major",
        help="The privacy profile says how minor and major changes are told.",
    )
    effective_date = fields.Date(
        "In force from", copy=False, help="So many days after publishing as the profile promises."
    )
    summary = fields.Text(
        "What changes",
        translate=True,
        help="Told in the mail and in the portal, in a few sentences.",
    )
    reconsent_purpose_ids = fields.Many2many(
        "privacy.purpose",
        string="To be agreed to anew",
        domain="[('lawful_basis', '=', 'consent')]",
        help="From the day it is in force, nothing is done for these purposes until the person has "
        "agreed again.",
    )
    text_ids = fields.One2many("privacy.policy.text", "version_id", "Texts", copy=True)
    published_at = fields.Datetime("Published", readonly=True, copy=False)
    published_by_id = fields.Many2one("res.users", "Published by", readonly=True, copy=False)
    notice_state = fields.Selection(
        [("none", "Page only"), ("pending", "Being sent"), ("done", "All told")],
        "Notices",
        readonly=True,
        copy=False,
    )
    notice_count = fields.Integer(compute="_compute_counts")
    ack_count = fields.Integer("Acknowledged", compute="_compute_counts")

    _number_uniq = models.UniqueIndex("(policy_id, number) WHERE state = 'published'")

    # === COMPUTE AND CRUD METHODS === #

    @api.depends("number", "state")
    def _compute_display_name(self):
        for version in self:
            if version.state == "draft":
                version.display_name = self.env._("Draft")
            else:
                version.display_name = self.env._("Version %s", version.number)

    def _compute_counts(self):
        for name, model in (
            ("notice_count", "privacy.policy.notice"),
            ("ack_count", "privacy.policy.ack"),
        ):
            found = self.env[model]._read_group(
                [("version_id", "in", self.ids)], ["version_id"], ["__count"]
            )
            counts = {version.id: count for version, count in found}
            for version in self:
                version[name] = counts.get(version.id, 0)

    def write(self, vals):
        """Refuse to change what was published."""
        if vals.keys() - _LIVING:
            self._check_draft()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _check_draft(self):
        """Refuse what may be done with drafts only."""
        if "published" in self.mapped("state"):
            raise UserError(self._get_refusal())

    def _get_refusal(self):
        return self.env._("A published version stays as it is. Write a new one.")

    # === ACTIONS === #

    def action_publish(self):
        """Publish: the texts get their values and hashes, and people are told."""
        for version in self:
            version._publish()

    def action_new_version(self):
        """Begin the next version with the texts of this one."""
        self.ensure_one()
        draft = self.copy()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": draft.id,
            "view_mode": "form",
        }

    # === BUSINESS METHODS === #

    def _publish(self):
        self.ensure_one()
        self.check_access("write")
        self._lock()
        if self.state == "published":
            return
        if problems := self._get_problems():
            raise UserError(
                self.env._("This cannot be published yet:")
                + "".join(f"\n• {problem}" for problem in problems)
            )
        latest = self.policy_id._get_latest()
        profile = self.company_id._get_privacy_profile()
        is_told = latest and profile[f"notice_{self.significance}"] == "all"
        self.text_ids._freeze()
        # sudo: who published is set by this method alone.
        self.sudo().write(
            {
                "number": latest.number + 1,
                "published_at": fields.Datetime.now(),
                "published_by_id": self.env.uid,
                "notice_state": "pending" if is_told else "none",
                "state": "published",
            }
        )
        if is_told:
            # sudo: an officer need not be an administrator to wake the job.
            self.env.ref("isp_privacy.privacy_policy_cron_notify").sudo()._trigger()

    def _lock(self):
        """Lock the policy: two versions published at once would get the same number."""
        try:
            self.policy_id.lock_for_update(allow_referencing=True)
        except LockError as error:
            raise LockError(
                self.env._("Another version is being published. Please try again in a moment.")
            ) from error
        self.invalidate_recordset()

    def _get_problems(self):
        """Return why the version cannot be published, as sentences."""
        problems = []
        if missing := self.policy_id._get_missing_contact():
            problems.append(
                self.env._("Enter what people must be able to find: %s.", ", ".join(missing))
            )
        if not self.text_ids:
            problems.append(self.env._("Write the text in at least one language."))
        problems += self._get_date_problems()
        if not missing:
            problems += [problem for text in self.text_ids for problem in text._get_problems()]
        return problems

    def _get_date_problems(self):
        today = self.company_id._get_privacy_today()
        latest = self.policy_id._get_latest()
        days = self.company_id._get_privacy_profile().notice_days if latest else 0
        earliest = max(
            fields.Date.add(today, days=days),
            latest.effective_date or fields.Date.to_date("1970-01-01"),
        )
        if not self.effective_date:
            return [self.env._("Enter from which day it is in force.")]
        if self.effective_date < earliest:
            return [
                self.env._(
                    "People are told %(days)s days before, and versions take effect in their order: "
                    "it can be in force from %(date)s at the earliest.",
                    days=days,
                    date=earliest,
                )
            ]
        return []

    def _get_text(self, lang):
        """Return the text for a reader: in their language, else in English, else any."""
        texts = self.text_ids
        for wanted in filter(None, (lang, (lang or "").split("_")[0], "en")):
            if found := texts.filtered(
                lambda text, wanted=wanted: (text.lang or "").startswith(wanted)
            ):
                return found[0]
        return texts[:1]

    def _get_previous(self):
        """Return the version that was published before this one; of a draft the latest."""
        domain = Domain("number", "<", self.number) if self.number else Domain.TRUE
        return self.policy_id._find(domain, limit=1)

    # === ACKNOWLEDGEMENT === #

    @api.model
    def _get_unacknowledged(self, partner):
        """Return the versions a person was told of in the portal and has not acknowledged."""
        # sudo: the person asks for the own notices.
        told = (
            self.env["privacy.policy.notice"]
            .sudo()
            .search([("partner_id", "=", partner.id), ("channel", "=", "portal")])
        )
        seen = self.env["privacy.policy.ack"].sudo().search([("partner_id", "=", partner.id)])
        return told.version_id - seen.version_id

    @api.model
    def _acknowledge(self, partner):
        """Write down that the person has seen what is new. It is no consent to anything."""
        versions = self._get_unacknowledged(partner)
        Ack = self.env["privacy.policy.ack"].sudo()  # sudo: rows are added by this method only
        return Ack.create(
            [
                {
                    "partner_id": partner.id,
                    "company_id": version.company_id.id,
                    "version_id": version.id,
                    **Ack._prepare_origin(),
                }
                for version in versions
            ]
        )
