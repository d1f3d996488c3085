from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..engine.dunning import Calendar

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Weekly rest days by country; Saturday and Sunday elsewhere.
REST_DAYS = {"BD": ("friday", "saturday"), "IN": ("sunday",)}


class IspDunningPolicy(models.Model):
    """What happens to who does not pay: steps by days from the due date, at hours of the day."""

    _name = "isp.dunning.policy"
    _description = "Dunning policy"
    _inherit = ["mail.thread"]
    _order = "sequence, name, id"
    _check_company_auto = True

    _privacy_free = "Steps that go for all customers."

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    step_ids = fields.One2many("isp.dunning.step", "policy_id", "Steps", copy=True)
    rest_monday = fields.Boolean("Monday", default=lambda self: self._is_rest_day("monday"))
    rest_tuesday = fields.Boolean("Tuesday", default=lambda self: self._is_rest_day("tuesday"))
    rest_wednesday = fields.Boolean(
        "Wednesday", default=lambda self: self._is_rest_day("wednesday")
    )
    rest_thursday = fields.Boolean("Thursday", default=lambda self: self._is_rest_day("thursday"))
    rest_friday = fields.Boolean("Friday", default=lambda self: self._is_rest_day("friday"))
    rest_saturday = fields.Boolean("Saturday", default=lambda self: self._is_rest_day("saturday"))
    rest_sunday = fields.Boolean("Sunday", default=lambda self: self._is_rest_day("sunday"))
    rest_rule = fields.Selection(
        [("next", "Next working day"), ("previous", "Working day before")],
        "On a rest day",
        required=True,
        default="next",
        tracking=True,
        help="When a step that throttles, suspends or terminates falls on a rest day or a holiday.",
    )
    holidays = fields.Boolean(
        "Holidays too",
        default=True,
        help="Also the days in Configuration → Holidays are rest days.",
    )
    reminders_rest = fields.Boolean(
        "Reminders rest too",
        help="Otherwise reminders go out on any day. Late fees never wait.",
    )
    late_fee_billing = fields.Selection(
        [("now", "At once, on a bill of its own"), ("next", "On the next bill")],
        "Late fees are billed",
        required=True,
        default="next",
        tracking=True,
    )
    is_company_default = fields.Boolean(compute="_compute_is_company_default")

    _name_uniq = models.UniqueIndex(
        "(company_id, name) WHERE active", "The company has another policy of this name."
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id.isp_dunning_policy_id")
    def _compute_is_company_default(self):
        for policy in self:
            policy.is_company_default = policy.company_id.isp_dunning_policy_id == policy

    # === CONSTRAINT METHODS === #

    @api.constrains(*(f"rest_{day}" for day in WEEKDAYS))
    def _check_rest_days(self):
        for policy in self:
            if all(policy[f"rest_{day}"] for day in WEEKDAYS):
                raise ValidationError(
                    self.env._(
                        "Policy “%(policy)s”: leave at least one day of the week on which steps "
                        "are taken.",
                        policy=policy.name,
                    )
                )

    # === CRUD METHODS === #

    def copy_data(self, default=None):
        named = default and "name" in default
        return [
            vals if named else dict(vals, name=self.env._("%s (copy)", policy.name))
            for policy, vals in zip(self, super().copy_data(default), strict=True)
        ]

    def action_archive(self):
        if used := self.filtered("is_company_default"):
            raise UserError(
                self.env._(
                    "“%(policy)s” is the policy of %(company)s. Choose another one in the settings "
                    "first.",
                    policy=used[:1].name,
                    company=used[:1].company_id.name,
                )
            )
        return super().action_archive()

    # === ACTION METHODS === #

    def action_make_default(self):
        """Follow this policy wherever no other one is chosen."""
        self.ensure_one()
        # sudo: who may edit policies need not be able to write companies.
        self.company_id.sudo().isp_dunning_policy_id = self

    def action_preview(self):
        """Show what the policy would do today, without doing it."""
        self.ensure_one()
        return self.env["isp.dunning.preview"]._open(self)

    def action_view_log(self):
        """Open what the policy has done."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_billing.isp_dunning_log_action")
        action.update(domain=[("policy_id", "=", self.id)])
        return action

    # === BUSINESS METHODS === #

    @api.model
    def _is_rest_day(self, weekday):
        """Whether ``weekday`` is a rest day where the company is."""
        company = self.env["res.company"].browse(self.env.context.get("default_company_id"))
        country = (company or self.env.company).country_id.code
        return weekday in REST_DAYS.get(country, ("saturday", "sunday"))

    def _get_calendar(self):
        """The engine's calendar of rest days."""
        self.ensure_one()
        # sudo: support sees when the next step comes, and holidays are no secret.
        holidays_sudo = self.env["isp.dunning.holiday"].sudo()
        if self.holidays:
            holidays_sudo = holidays_sudo.search(
                [("company_id", "in", [self.company_id.id, False])]
            )
        return Calendar(
            weekdays=frozenset(
                number for number, day in enumerate(WEEKDAYS) if self[f"rest_{day}"]
            ),
            holidays=frozenset(holidays_sudo.mapped("date")),
            earlier=self.rest_rule == "previous",
            reminders_rest=self.reminders_rest,
        )

    @api.model
    def _get_end_of_day(self, company):
        """The last moment of the company's today, when every hour has struck."""
        now = company._get_isp_now()
        end = datetime.combine(now.date() + timedelta(days=1), time.min) - timedelta(seconds=1)
        return company._get_isp_timezone().localize(end)
