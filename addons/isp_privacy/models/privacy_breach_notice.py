from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .privacy_breach_regime import TRIGGERS


class PrivacyBreachNotice(models.Model):
    """One clock of a breach: a report that is due, and when it was sent."""

    _name = "privacy.breach.notice"
    _description = "Report of a breach"
    _inherit = ["privacy.audited"]
    _order = "due_at, id"
    _rec_name = "recipient"
    # Copied from the law when the clock started: a change of the law moves no running clock.
    _guarded = ("hours", "trigger")

    _privacy_free = "What an authority was told when, and the number it gave."

    breach_id = fields.Many2one(
        "privacy.breach", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="breach_id.company_id", store=True, index=True)
    regime_id = fields.Many2one("privacy.breach.regime", "Law", required=True, ondelete="restrict")
    recipient = fields.Char(
        "Report to", compute="_compute_terms", store=True, readonly=False, precompute=True
    )
    hours = fields.Integer(compute="_compute_terms", store=True, precompute=True)
    trigger = fields.Selection(
        TRIGGERS, "Runs since", compute="_compute_terms", store=True, precompute=True
    )
    due_at = fields.Datetime("Due", compute="_compute_due_at", store=True)
    sent_at = fields.Datetime("Sent")
    reference = fields.Char(help="The number which the authority gave to the report.")
    late_reason = fields.Char("Why it was late")
    is_not_needed = fields.Boolean("Not needed")
    not_needed_reason = fields.Char("Why it is not needed")
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("overdue", "Overdue"),
            ("sent", "Sent in time"),
            ("late", "Sent late"),
            ("not_needed", "Not needed"),
        ],
        compute="_compute_state",
    )

    _once = models.UniqueIndex(
        "(breach_id, regime_id)", "This breach has a report under this law already."
    )
    _not_needed_reason = models.Constraint(
        "CHECK (is_not_needed IS NOT TRUE OR COALESCE(not_needed_reason, '') <> '')",
        "Enter why the report is not needed.",
    )

    # === COMPUTE AND CONSTRAINT METHODS === #

    @api.depends("regime_id")
    def _compute_terms(self):
        for notice in self:
            notice.recipient = notice.regime_id.recipient
            notice.hours = notice.regime_id.hours
            notice.trigger = notice.regime_id.trigger

    @api.depends("hours", "trigger", "breach_id.noticed_at", "breach_id.aware_at")
    def _compute_due_at(self):
        for notice in self:
            start = notice._start()
            notice.due_at = start and fields.Datetime.add(start, hours=notice.hours)

    @api.depends("due_at", "sent_at", "is_not_needed")
    def _compute_state(self):
        now = fields.Datetime.now()
        for notice in self:
            if notice.sent_at:
                notice.state = "late" if notice._is_late() else "sent"
            elif notice.is_not_needed:
                notice.state = "not_needed"
            else:
                overdue = notice.due_at and notice.due_at < now
                notice.state = "overdue" if overdue else "waiting"

    @api.constrains("sent_at", "late_reason")
    def _check_sent(self):
        for notice in self.filtered("sent_at"):
            if notice.sent_at > fields.Datetime.now():
                raise ValidationError(self.env._("A report cannot be sent in the future."))
            if notice.sent_at < notice._start():
                raise ValidationError(
                    self.env._("The report was sent before the breach was known: correct the time.")
                )
            if notice._is_late() and not (notice.late_reason or "").strip():
                raise ValidationError(
                    self.env._(
                        "The report to %(recipient)s was due before it was sent: enter why it was "
                        "late.",
                        recipient=notice.recipient,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """A clock is added to an open breach, and to the first report of it."""
        notices = super().create(vals_list)
        for breach in notices.breach_id:
            breach._refuse_closed()
            if breach.original_id:
                raise UserError(
                    self.env._("The clocks of this breach are those of the first report of it.")
                )
        return notices

    def write(self, vals):
        """The reports of a closed breach stay as they were, and none moves to another one."""
        self.breach_id._refuse_closed()
        if {"breach_id", "regime_id"} & vals.keys():
            raise UserError(
                self.env._("A clock that runs belongs to its breach and its law: add another one.")
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(
            self.env._("A clock that runs is not deleted: mark the report as not needed, and why.")
        )

    # === ACTIONS === #

    def action_sent(self):
        """The report was sent now."""
        self.ensure_one()
        if not self.sent_at:
            self.sent_at = fields.Datetime.now()

    # === HELPERS === #

    def _is_late(self):
        return bool(self.sent_at and self.due_at and self.sent_at > self.due_at)

    def _start(self):
        """Return when the clock started."""
        breach = self.breach_id
        if self.trigger == "noticed" and breach.noticed_at:
            return breach.noticed_at
        return breach.aware_at
