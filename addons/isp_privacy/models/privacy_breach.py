from odoo import Command, api, fields, models
from odoo.exceptions import UserError, ValidationError


class PrivacyBreach(models.Model):
    """A breach of personal data: what happened, what was decided, and the clocks of its reports."""

    _name = "privacy.breach"
    _description = "Breach"
    _inherit = ["privacy.register"]
    _order = "next_due_at, aware_at desc, id desc"
    _guarded = ("state", "closed_at", "closed_by_id")

    _privacy_defaults = {
        "category": "free_text",
        "erasure": "keep",
        "reason": "The law demands that a breach stays written down, with how it came to light, its "
        "effects and what was done.",
    }
    _privacy_fields = {
        "name description consequences measures decision_reason": {},
        "discovered_by": {"category": "identity"},
        "user_id closed_by_id": "staff",
    }
    _privacy_free = {"Kinds of data.": "data_categories"}

    name = fields.Char("What happened", required=True, tracking=True)
    state = fields.Selection(
        [("open", "Open"), ("closed", "Closed")],
        default="open",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    user_id = fields.Many2one(
        "res.users", "Responsible", default=lambda self: self.env.user, tracking=True
    )
    noticed_at = fields.Datetime(
        "First noticed", tracking=True, help="When anybody first saw it or told us, if earlier."
    )
    aware_at = fields.Datetime(
        "We became aware",
        required=True,
        default=lambda self: fields.Datetime.now(),
        tracking=True,
        help="From this moment the clocks run. It can be made earlier, never later.",
    )
    discovered_by = fields.Char(
        required=True, help="Who found it: a colleague, a customer, a firm."
    )
    is_disclosed = fields.Boolean("Data was seen by others")
    is_altered = fields.Boolean("Data was changed")
    is_lost = fields.Boolean("Data was lost")
    description = fields.Text()
    data_categories = fields.Char(help="Such as: name, phone number, identity document.")
    subject_count = fields.Integer("Persons concerned", tracking=True)
    record_count = fields.Integer("Records concerned")
    is_estimate = fields.Boolean("The numbers are estimates", default=True)
    consequences = fields.Text("Likely consequences")
    measures = fields.Text("Measures taken and planned")
    decision = fields.Selection(
        [("notify", "It is reported"), ("no_notice", "It need not be reported")], tracking=True
    )
    decision_reason = fields.Text("Reason of the decision", tracking=True)
    closed_at = fields.Datetime("Closed", readonly=True, copy=False)
    closed_by_id = fields.Many2one(
        "res.users", "Closed by", readonly=True, copy=False, ondelete="restrict"
    )
    original_id = fields.Many2one(
        "privacy.breach",
        "First report of it",
        check_company=True,
        index="btree_not_null",
        copy=False,
        ondelete="restrict",
        tracking=True,
        help="Set when the same breach was reported before: its clocks count, and run on.",
    )
    report_ids = fields.One2many("privacy.breach", "original_id", "Later reports of it")
    notice_ids = fields.One2many("privacy.breach.notice", "breach_id", "Reports", copy=False)
    next_due_at = fields.Datetime(
        "Next report due", compute="_compute_next_due_at", store=True, recursive=True
    )
    clock = fields.Char("Nearest clock", compute="_compute_clock")
    is_overdue = fields.Boolean(compute="_compute_clock")

    _noticed_first = models.Constraint(
        "CHECK (noticed_at <= aware_at)",
        "A breach is noticed before we become aware of it: correct one of the times.",
    )
    _counts_positive = models.Constraint(
        "CHECK (subject_count >= 0 AND record_count >= 0)", "The numbers cannot be negative."
    )
    _closed_with_reason = models.Constraint(
        "CHECK (state = 'open' OR original_id IS NOT NULL"
        " OR (decision IS NOT NULL AND COALESCE(decision_reason, '') <> ''))",
        "Enter what was decided and why, then close the breach.",
    )

    # === COMPUTE AND CONSTRAINT METHODS === #

    @api.depends(
        *("notice_ids.due_at", "notice_ids.sent_at", "notice_ids.is_not_needed"),
        *("original_id.next_due_at",),
    )
    def _compute_next_due_at(self):
        for breach in self:
            if breach.original_id:
                breach.next_due_at = breach.original_id.next_due_at
            else:
                waiting = breach._waiting_notices().filtered("due_at")
                breach.next_due_at = min(waiting.mapped("due_at"), default=False)

    @api.depends("next_due_at")
    def _compute_clock(self):
        now = fields.Datetime.now()
        for breach in self:
            left = breach.next_due_at and (breach.next_due_at - now).total_seconds()
            breach.is_overdue = bool(breach.next_due_at) and left < 0
            breach.clock = bool(breach.next_due_at) and breach._describe_clock(left)

    def _describe_clock(self, seconds):
        minutes = int(abs(seconds)) // 60
        notices = (self.original_id or self)._waiting_notices()
        nearest = notices.filtered(lambda notice: notice.due_at == self.next_due_at)[:1]
        terms = {"hours": minutes // 60, "minutes": minutes % 60, "to": nearest.recipient or ""}
        if seconds < 0:
            return self.env._("Overdue by %(hours)s h %(minutes)s min: %(to)s", **terms)
        return self.env._("%(hours)s h %(minutes)s min left: %(to)s", **terms)

    @api.constrains("original_id", "aware_at", "noticed_at")
    def _check_original(self):
        for breach in self.filtered("original_id"):
            first = breach.original_id
            if first == breach or first.original_id or breach.report_ids:
                raise ValidationError(
                    self.env._("Link each later report to the very first report of the breach.")
                )
            if breach._earliest() < first._earliest():
                raise ValidationError(
                    self.env._(
                        "“%(later)s” was known before “%(first)s”: link it the other way round, or "
                        "correct the times of the first report.",
                        later=breach.name,
                        first=first.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Start the clocks of the company's country, and tell who is responsible."""
        breaches = super().create(vals_list)
        for breach in breaches.filtered(lambda breach: not breach.original_id):
            regimes = self.env["privacy.breach.regime"]._find_for(breach.company_id)
            if missing := regimes - breach.notice_ids.regime_id:
                breach.notice_ids = [Command.create({"regime_id": law.id}) for law in missing]
            if breach.user_id:
                breach._remind_responsible()
        return breaches

    def write(self, vals):
        """A closed breach stays as it is, and a clock that runs is never moved to later."""
        if not self.env.su and self._own_fields(vals):
            self._refuse_closed()
        self._refuse_later(vals)
        result = super().write(vals)
        if {"noticed_at", "aware_at"} & vals.keys():
            # What was in time may be late now, and then needs its reason.
            self.notice_ids._check_sent()
        if vals.get("original_id"):
            self._leave_clocks_to_the_first()
        return result

    def _refuse_closed(self):
        if not self.env.su and "closed" in self.mapped("state"):
            raise UserError(self.env._("This breach is closed: it is not changed any more."))

    def _refuse_later(self, vals):
        for name in {"noticed_at", "aware_at"} & vals.keys():
            new = fields.Datetime.to_datetime(vals[name])
            for breach in self.filtered("notice_ids"):
                if breach[name] and (not new or new > breach[name]):
                    raise UserError(
                        self.env._(
                            "The clocks of this breach run since %(moment)s (UTC): this time can be "
                            "made earlier, not later.",
                            moment=breach[name],
                        )
                    )

    def _leave_clocks_to_the_first(self):
        """Of a breach that turned out to be known already, only the first report's clocks run."""
        for breach in self:
            breach._waiting_notices().write(
                {
                    "is_not_needed": True,
                    "not_needed_reason": self.env._(
                        "The same breach as “%s”, whose clocks count.", breach.original_id.name
                    ),
                }
            )

    # === ACTIONS === #

    def action_close(self):
        """Close the breach, once it is decided on and each report is sent or not needed."""
        self.ensure_one()
        self.check_access("write")
        self._refuse_closed()
        decided = self.decision and (self.decision_reason or "").strip()
        if not self.original_id and not decided:
            raise UserError(self.env._("Enter what was decided and why, then close the breach."))
        if waiting := self._waiting_notices():
            raise UserError(
                self.env._(
                    "Not sent yet: %s. Enter when each report was sent, or why it is not needed.",
                    ", ".join(waiting.mapped("recipient")),
                )
            )
        # sudo: who closed it is closed to everybody, so that only this method writes it.
        self.sudo().write(
            {"state": "closed", "closed_at": fields.Datetime.now(), "closed_by_id": self.env.uid}
        )

    # === HELPERS === #

    def _waiting_notices(self):
        return self.notice_ids.filtered(lambda notice: not (notice.sent_at or notice.is_not_needed))

    def _earliest(self):
        return self.noticed_at or self.aware_at

    def _remind_responsible(self):
        due = self._local_date(self.next_due_at) if self.next_due_at else self._today()
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            date_deadline=due,
            user_id=self.user_id.id,
            summary=self.env._("Report the breach: %s", self.name),
        )
