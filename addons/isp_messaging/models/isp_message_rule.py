from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.base.models.res_partner import _tz_get

from ..const import WEEKDAYS
from ..engine.hours import Break, Window, next_open


class IspMessageRule(models.Model):
    """What a country demands of messages to its numbers; a company may be stricter with itself."""

    _name = "isp.message.rule"
    _description = "Rules on messages of a country"
    _order = "country_id, company_id, id"
    _rec_name = "country_id"

    _privacy_free = "Rules of a country, the same for everybody."

    country_id = fields.Many2one("res.country", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(
        "res.company",
        index=True,
        ondelete="cascade",
        help="Left empty, it holds for all companies that have no rule of their own.",
    )
    active = fields.Boolean(default=True)
    tz = fields.Selection(_tz_get, "Time zone", required=True, default="Asia/Dhaka")
    promo_from = fields.Float("Advertising from", required=True, default=9.0)
    promo_to = fields.Float("Until", required=True, default=20.0)
    closed_day = fields.Selection(WEEKDAYS, "Closed on", help="A break on one day of the week.")
    closed_from = fields.Float("Break from")
    closed_to = fields.Float("Break until")
    promo_bangla_only = fields.Boolean(
        "Advertising in Bangla only",
        help="The authority of Bangladesh (BTRC) wants advertising to many in Bangla.",
    )
    dlt_required = fields.Boolean(
        "Registered texts only",
        help="Operators of India (DLT) pass on only what equals a text that is registered with them.",
    )
    note = fields.Text("Source", help="Where the rule is written, and when it was last looked at.")

    _country_uniq = models.UniqueIndex(
        "(country_id, COALESCE(company_id, 0)) WHERE active IS TRUE",
        "There is a rule for this country already.",
    )

    @api.constrains("promo_from", "promo_to", "closed_from", "closed_to", "closed_day")
    def _check_hours(self):
        for rule in self:
            spans = [(rule.promo_from, rule.promo_to)]
            if rule.closed_day:
                spans.append((rule.closed_from, rule.closed_to))
            if not all(0 <= start < end <= 24 for start, end in spans):
                raise ValidationError(
                    self.env._("Hours lie between 0:00 and 24:00, and end after they begin.")
                )

    # === BUSINESS METHODS === #

    @api.model
    def _find(self, country_code, company):
        """Return the rule for numbers of a country, the company's own before that of all."""
        # sudo: whoever sends need not see the rules.
        return self.sudo().search(
            [
                ("country_id.code", "=", country_code or ""),
                ("company_id", "in", [company.id, False]),
            ],
            order="company_id NULLS LAST",
            limit=1,
        )

    def _get_release(self, moment):
        """Return when advertising may go out at the earliest, from ``moment`` (naive UTC) on."""
        if not self:
            return moment
        closed = (
            (Break(int(self.closed_day), self.closed_from, self.closed_to),)
            if self.closed_day
            else ()
        )
        window = Window(self.tz, self.promo_from, self.promo_to, closed)
        return next_open(moment, window)
