import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .privacy_purge_scope import PurgeScope

_logger = logging.getLogger(__name__)

_BATCH = 500
_OPEN = ("waiting", "running")


class PrivacyPurge(models.Model):
    """A purge: what has had its time under the policy of a company is deleted or emptied.

    It is looked at first, and nothing happens before it is started: by an officer, or each day by
    the job. It goes in batches, and after a crash on from the last one.
    """

    _name = "privacy.purge"
    _description = "Purge of data"
    _inherit = ["mail.thread", "mail.activity.mixin", "privacy.audited"]
    _order = "id desc"
    _rec_name = "day"
    # Counted and moved on by the methods below, or a purge could be made out to have been done.
    _guarded = (
        *("day", "profile_id", "profile_version", "user_id", "is_daily", "state"),
        *("started_at", "finished_at", "due_count", "held_count", "done_count", "error_count"),
        *("line_ids", "error_ids"),
    )

    _privacy_subject = None
    _privacy_defaults = {"category": "trace", "purpose": "rights", "retention": "audit"}
    _privacy_fields = {"user_id": "staff"}

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="restrict",
    )
    day = fields.Date(
        readonly=True,
        index=True,
        help="The day, on the company's calendar, that is looked at.",
    )
    profile_id = fields.Many2one(
        "privacy.profile", "Policy profile", readonly=True, ondelete="restrict"
    )
    profile_version = fields.Integer("Version", readonly=True, aggregator=None)
    user_id = fields.Many2one(
        "res.users", "Started by", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    is_daily = fields.Boolean("By the job", readonly=True)
    state = fields.Selection(
        [
            ("preview", "Preview"),
            ("waiting", "Started"),
            ("running", "Running"),
            ("done", "Done"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="preview",
        index=True,
        tracking=True,
    )
    line_ids = fields.One2many("privacy.purge.line", "purge_id", "Data", readonly=True)
    error_ids = fields.One2many("privacy.purge.error", "purge_id", "Failed", readonly=True)
    due_count = fields.Integer("Due", compute="_compute_counts", store=True)
    held_count = fields.Integer("Kept by holds", compute="_compute_counts", store=True)
    done_count = fields.Integer("Done", compute="_compute_counts", store=True)
    error_count = fields.Integer("Failed", compute="_compute_counts", store=True)
    progress = fields.Integer("Progress (%)", compute="_compute_progress")
    started_at = fields.Datetime("Started", readonly=True)
    finished_at = fields.Datetime("Finished", readonly=True)

    _daily_uniq = models.UniqueIndex(
        "(company_id, day) WHERE is_daily", "The job purged this company on this day already."
    )

    # === COMPUTE METHODS === #

    @api.depends(
        *("line_ids.due_count", "line_ids.held_count"),
        *("line_ids.done_count", "line_ids.error_count"),
    )
    def _compute_counts(self):
        for purge in self:
            for name in ("due_count", "held_count", "done_count", "error_count"):
                purge[name] = sum(purge.line_ids.mapped(name))

    @api.depends("state", "due_count", "held_count", "done_count", "error_count")
    def _compute_progress(self):
        for purge in self:
            todo = purge.due_count - purge.held_count
            gone = purge.done_count + purge.error_count
            if purge.state == "done" or todo <= 0:
                purge.progress = 100 if purge.state == "done" else 0
            else:
                purge.progress = min(gone * 100 // todo, 99)

    @api.depends("day", "company_id")
    def _compute_display_name(self):
        for purge in self:
            purge.display_name = self.env._(
                "Purge of %(day)s, %(company)s", day=purge.day or "", company=purge.company_id.name
            )

    # === CREATE AND WRITE === #

    @api.model_create_multi
    def create(self, vals_list):
        """A new purge shows what is due; only its company can be chosen."""
        purges = super().create(vals_list)
        for purge in purges:
            purge._look()
        return purges

    def write(self, vals):
        """Another company is another preview."""
        result = super().write(vals)
        if "company_id" in vals:
            for purge in self:
                purge._check_state("preview")
                purge._look()
        return result

    # === ACTIONS === #

    def action_look(self):
        """Count again what is due."""
        self.ensure_one()
        self.check_access("write")
        self._check_state("preview")
        self._look()

    def action_start(self):
        """Delete and empty what is due, in the background."""
        self.ensure_one()
        self.check_access("write")
        self._check_state("preview")
        # sudo: states are closed to everybody, so that only these methods write them.
        self.sudo().write({"state": "waiting", "user_id": self.env.uid})
        self.env.ref("isp_privacy.ir_cron_purge").sudo()._trigger()

    def action_cancel(self):
        """Stop before, or between two batches; what is gone is gone."""
        self.ensure_one()
        self.check_access("write")
        self._check_state("preview", *_OPEN)
        # sudo: see above.
        self.sudo().state = "cancelled"

    def _check_state(self, *states):
        if self.state not in states:
            raise UserError(
                self.env._("This purge was started or ended before. Make a new preview.")
            )

    # === BUSINESS METHODS === #

    def _get_scope(self):
        return PurgeScope(self.company_id, self.day)

    def _look(self):
        """Count what is due today; nothing is deleted."""
        # sudo: what is counted depends on the policy, not on what the officer may read.
        purge = self.sudo()
        profile = purge.company_id._get_privacy_profile()
        purge.line_ids.unlink()
        purge.write(
            {
                "day": purge.company_id._get_privacy_today(),
                "profile_id": profile.id,
                "profile_version": profile.version,
            }
        )
        scope = purge._get_scope()
        lines = [purge.line_ids._prepare_preview(scope, *target) for target in scope.targets()]
        purge.line_ids.create([{"purge_id": purge.id, **vals} for vals in lines if vals])

    def _purge_batch(self, limit=_BATCH):
        """Do the next batch.

        :return: whether there may be more to do
        """
        self.ensure_one()
        if self.state == "waiting":
            self.write({"state": "running", "started_at": fields.Datetime.now()})
        line = self.line_ids.filtered(lambda line: line.state == "open")[:1]
        if line:
            line._work(limit)
            return True
        self._finish()
        return False

    def _finish(self):
        """Write the result into the audit chain, and tell the officers of what failed."""
        self.write({"state": "done", "finished_at": fields.Datetime.now()})
        result = [
            f"{line.model} {line.retention}: {line.action} {line.done_count}, "
            f"held {line.held_count}, failed {line.error_count}"
            for line in self.line_ids
        ]
        self.env["privacy.audit"]._log("purge", self, fields=result)
        if not self.error_count:
            return
        for officer in self.env["res.users"]._privacy_officers(self.company_id):
            self.activity_schedule(
                "mail.mail_activity_data_todo",
                date_deadline=self.day,
                user_id=officer.id,
                summary=self.env._(
                    "%s records could not be purged: see why, and what to do", self.error_count
                ),
            )

    # === CRON === #

    @api.model
    def _cron_purge(self, batch_size=_BATCH):
        """Purge each company once a day, and what officers started."""
        cron = self.env["ir.cron"]
        for company in self.env["res.company"].search([("id", "!=", False)]):
            self._start_daily(company)
            cron._commit_progress()
        for purge in self.search(Domain("state", "in", _OPEN), order="id"):
            while purge.state in _OPEN and purge._purge_batch(batch_size):
                if not cron._commit_progress(1, remaining=1):
                    return
            cron._commit_progress(remaining=0)

    @api.model
    def _start_daily(self, company):
        """Start today's purge of a company, unless that was done."""
        try:
            company._get_privacy_profile()
        except UserError as error:
            _logger.warning("No purge of company %s: %s", company.name, error)
            return
        today = company._get_privacy_today()
        done = Domain("company_id", "=", company.id) & Domain("day", "=", today)
        if not self.search_count(done & Domain("is_daily", "=", True)):
            self.create({"company_id": company.id, "is_daily": True}).state = "waiting"
