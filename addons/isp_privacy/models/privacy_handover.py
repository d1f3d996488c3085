from odoo import api, fields, models
from odoo.exceptions import LockError, UserError
from odoo.fields import Domain

# What the customers are told: it stays as they were told.
_TOLD_FIELDS = frozenset(
    {
        *("name", "contact", "country_id", "scope", "legal_basis", "effective_date"),
        "company_id",
    }
)
# Requests after which somebody has to look at the person before anything is handed over.
_APART_TYPES = ("erasure", "objection_interest")
_DROPPED = ("rejected", "withdrawn", "duplicate")


class PrivacyHandover(models.Model):
    """The business goes to a new owner, and the data of its customers with it.

    Each of them is told first, and the days of notice of the privacy profile go by, before anything
    is handed over. Somebody else than who entered and announced it decides that it takes effect.
    """

    _name = "privacy.handover"
    _description = "Hand-over of the business"
    _inherit = ["privacy.register"]
    _order = "effective_date desc, id desc"
    _guarded = (
        *("state", "notice_days", "entered_by_id", "announced_by_id", "announced_at"),
        *("approved_by_id", "effective_at", "disclosure_ids"),
    )

    _privacy_defaults = {
        "erasure": "keep",
        "reason": "Proof of whom the data went to, and that everybody was told before.",
    }
    _privacy_fields = {"entered_by_id announced_by_id approved_by_id": "staff"}
    _privacy_free = {
        "What everybody is told of the new owner.": "name contact scope legal_basis",
        "Why it does not take place.": "cancel_reason",
    }

    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("announced", "Announced"),
            ("effective", "In effect"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    name = fields.Char("Who takes over", required=True, tracking=True)
    contact = fields.Text(
        "How to reach them",
        required=True,
        help="Address, phone and e-mail, as customers need them.",
    )
    country_id = fields.Many2one(
        "res.country", "Their country", required=True, tracking=True, ondelete="restrict"
    )
    scope = fields.Text("What is handed over", required=True, help="Told to each customer.")
    legal_basis = fields.Char(
        required=True, help="What allows it, such as the contract of sale and the law behind it."
    )
    effective_date = fields.Date("Takes effect on", required=True, copy=False, tracking=True)
    notice_days = fields.Integer(
        "Days of notice",
        readonly=True,
        copy=False,
        help="As the privacy profile said when it was announced.",
    )
    cancel_reason = fields.Char("Why it is cancelled", copy=False)
    entered_by_id = fields.Many2one(
        "res.users",
        "Entered by",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self.env.user,
        ondelete="restrict",
    )
    announced_by_id = fields.Many2one(
        "res.users", "Announced by", readonly=True, copy=False, ondelete="restrict"
    )
    announced_at = fields.Datetime("Announced", readonly=True, copy=False)
    approved_by_id = fields.Many2one(
        "res.users", "Put into effect by", readonly=True, copy=False, ondelete="restrict"
    )
    effective_at = fields.Datetime("In effect since", readonly=True, copy=False)
    disclosure_ids = fields.Many2many(
        "privacy.disclosure", string="Disclosures", readonly=True, copy=False
    )
    subject_count = fields.Integer("People", compute="_compute_counts")
    untold_count = fields.Integer("Not told yet", compute="_compute_counts")
    apart_count = fields.Integer("Apart", compute="_compute_counts")
    earliest_date = fields.Date(
        "At the earliest",
        compute="_compute_counts",
        help="When the days of notice are over for everybody. Empty as long as people are not told.",
    )

    _two_persons = models.Constraint(
        "CHECK (approved_by_id <> entered_by_id AND approved_by_id <> announced_by_id)",
        "Somebody else than who entered or announced the hand-over must put it into effect.",
    )
    _effective_complete = models.Constraint(
        "CHECK (state <> 'effective' OR (approved_by_id IS NOT NULL AND announced_at IS NOT NULL))",
        "A hand-over is announced, and put into effect by a person.",
    )

    # === COMPUTE METHODS === #

    @api.depends("state", "company_id")
    def _compute_counts(self):
        for handover in self:
            people = handover._get_subjects()
            handover.subject_count = len(people)
            handover.apart_count = len(handover._get_apart(people))
            untold = handover._get_untold(people)
            handover.untold_count = len(untold)
            is_announced = bool(handover.announced_at)
            handover.earliest_date = (
                is_announced and not untold and handover._get_earliest_date(people)
            )

    # === CRUD METHODS === #

    def write(self, vals):
        """Keep what the customers were told as they were told."""
        if (
            not self.env.su
            and _TOLD_FIELDS & vals.keys()
            and set(self.mapped("state")) != {"draft"}
        ):
            raise UserError(
                self.env._(
                    "The customers were told of this hand-over as it is. Cancel it, and announce a "
                    "new one."
                )
            )
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_only_drafts(self):
        if any(handover.state != "draft" for handover in self):
            raise UserError(self.env._("An announced hand-over stays in the register."))

    # === ACTIONS === #

    def action_announce(self):
        """Tell each customer, by mail and in the portal."""
        self.ensure_one()
        self._lock_in("draft")
        days = self.company_id._get_privacy_profile().handover_notice_days
        earliest = fields.Date.add(self._today(), days=days)
        if self.effective_date < earliest:
            raise UserError(
                self.env._(
                    "Customers are told %(days)s days before: the hand-over can take effect on "
                    "%(date)s at the earliest.",
                    days=days,
                    date=earliest,
                )
            )
        self._step(
            "announced",
            notice_days=days,
            announced_by_id=self.env.uid,
            announced_at=fields.Datetime.now(),
        )
        # sudo: an officer need not be an administrator to wake the job.
        self.env.ref("isp_privacy.privacy_handover_cron_notify").sudo()._trigger()

    def action_put_into_effect(self):
        """Decide, as another person, that it takes effect."""
        self.ensure_one()
        self._lock_in("announced")
        if self.env.user in self.entered_by_id | self.announced_by_id:
            raise UserError(
                self.env._(
                    "You entered or announced this hand-over: another privacy officer must put it "
                    "into effect."
                )
            )
        self._check_notice()
        self._step("effective", approved_by_id=self.env.uid, effective_at=fields.Datetime.now())

    def action_cancel(self):
        """Call it off; what was told stays in the register."""
        self.ensure_one()
        self._lock_in("draft", "announced")
        if not (self.cancel_reason or "").strip():
            raise UserError(self.env._("Enter why the hand-over is cancelled."))
        self._step("cancelled")

    def action_open_notices(self):
        """Open who was told when, and by which way."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Notices"),
            "res_model": "privacy.handover.notice",
            "view_mode": "list",
            "domain": [("handover_id", "in", self.ids)],
        }

    def action_open_untold(self):
        """Open who has no notice yet."""
        return self._open_people(self.env._("Not told yet"), self._get_untold)

    def action_open_apart(self):
        """Open whose data is not in the list of the new owner."""
        return self._open_people(self.env._("Apart"), self._get_apart)

    def _open_people(self, title, choose):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "res.partner",
            "view_mode": "list,form",
            "domain": [("id", "in", choose(self._get_subjects()).ids)],
            "context": {"active_test": False, "create": False},
        }

    # === BUSINESS METHODS - STATES === #

    def _lock_in(self, *states):
        """Lock the row, and refuse what cannot be done from where it is."""
        self.check_access("write")
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError as error:
            raise LockError(
                self.env._(
                    "Somebody else is changing this hand-over. Please try again in a moment."
                )
            ) from error
        self.invalidate_recordset(["state"])
        if self.state not in states:
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "The hand-over is “%s”, so this cannot be done. Load the page again.",
                    labels[self.state],
                )
            )

    def _step(self, state, **vals):
        # sudo: these fields are closed to everybody, so that only the methods above write them.
        self.sudo().write({"state": state, **vals})

    # === BUSINESS METHODS - PEOPLE === #

    def _get_subjects(self):
        """Return everybody whose data the company holds, its staff and those erased aside.

        Addresses below a person are that person; what came after the effect is the new owner's.
        """
        self.ensure_one()
        # sudo: who has to be told does not depend on what the officer at work sees.
        Partner = self.env["res.partner"].sudo().with_context(active_test=False)
        technical = ("base.public_user", "base.template_portal_user_id")
        nobody = [self.env.ref(xmlid, raise_if_not_found=False) for xmlid in technical]
        domain = (
            Domain("partner_share", "=", True)
            & Domain("company_id", "in", [False, self.company_id.id])
            & (Domain("parent_id", "=", False) | Domain("type", "=", "contact"))
            & Domain("ref_company_ids", "=", False)
            & Domain("id", "not in", [user.sudo().partner_id.id for user in nobody if user])
            & Domain("id", "not in", self._get_erased().ids)
        )
        if self.effective_at:
            domain &= Domain("create_date", "<=", self.effective_at)
        return Partner.search(domain)

    def _get_erased(self):
        # sudo: as above; of an erasure nothing but whom it was about.
        return self.env["privacy.erasure"].sudo().search([("state", "=", "done")]).partner_id

    def _get_apart(self, people):
        """Return those of ``people`` who objected, asked for erasure or are restricted."""
        self.ensure_one()
        # sudo: whose request it is decides, whoever works on it.
        requests = (
            self.env["privacy.request"]
            .sudo()
            .search(
                Domain("partner_id", "in", people.ids)
                & Domain("request_type", "in", _APART_TYPES)
                & Domain("state", "not in", _DROPPED)
            )
        )
        return (requests.partner_id & people) | people.filtered("privacy_restricted")

    def _get_untold(self, people):
        """Return those of ``people`` whom no notice has reached."""
        self.ensure_one()
        return people - self._get_told_notices().partner_id

    def _get_told_notices(self):
        """Return the notices that reached somebody."""
        # sudo: a mail that went out counts, whoever may read it.
        notices = self.env["privacy.handover.notice"].sudo()
        return notices.search(Domain("handover_id", "=", self.id) & notices._get_reached_domain())

    def _get_earliest_date(self, people):
        """Return the day on which the notice of everybody is over.

        Who became a customer after the announcement is told at once, and has no days of notice.
        """
        known = people.filtered(lambda partner: partner.create_date <= self.announced_at)
        first = {}
        for notice in self._get_told_notices().filtered(lambda row: row.partner_id in known):
            told_at = first.get(notice.partner_id, notice.told_at)
            first[notice.partner_id] = min(told_at, notice.told_at)
        last = max([self.announced_at, *first.values()])
        return fields.Date.add(self._local_date(last), days=self.notice_days)

    def _check_notice(self):
        """Refuse as long as somebody is not told, or the days of notice are not over.

        :raises UserError: says what is missing
        """
        self.ensure_one()
        people = self._get_subjects()
        if untold := self._get_untold(people):
            raise UserError(
                self.env._(
                    "%s people are not told yet. Open “Not told yet”: send the mails that failed "
                    "again, or write down who was told by letter.",
                    len(untold),
                )
            )
        first_day = max(self.effective_date, self._get_earliest_date(people))
        if self._today() < first_day:
            raise UserError(
                self.env._(
                    "Customers were promised %(days)s days of notice, and were told a date: the "
                    "hand-over cannot take effect before %(date)s.",
                    days=self.notice_days,
                    date=first_day,
                )
            )
