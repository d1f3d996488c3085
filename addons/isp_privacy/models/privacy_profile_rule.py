from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .. import catalogue
from ..engine import retention

# What is promised; the grounds for it may be reworded without a new promise.
_TERMS = (
    *("retention", "min_days", "min_months", "max_days", "max_months"),
    *("anchor", "fiscal_month", "shift_months"),
)


class PrivacyProfileRule(models.Model):
    """How long one kind of data is kept: at least by law, at most by the policy."""

    _name = "privacy.profile.rule"
    _description = "Retention rule"
    _order = "profile_id, id"
    _rec_name = "retention"

    _privacy_free = "What the policy promises to everybody."

    profile_id = fields.Many2one("privacy.profile", required=True, index=True, ondelete="cascade")
    retention = fields.Selection(catalogue.RULED_CLASSES, "Kind of data", required=True)
    min_days = fields.Integer("Days at least", help="So long the law asks for it.")
    min_months = fields.Integer(
        "Months at least", help="Of days and months the one counts that ends later."
    )
    max_days = fields.Integer(
        "Days at most",
        help="So long the policy lets it be kept. On the day after it is deleted or emptied.",
    )
    max_months = fields.Integer(
        "Months at most", help="Of days and months the one counts that ends first."
    )
    anchor = fields.Selection(
        [
            ("date", "Its own date"),
            ("fiscal_year", "End of its fiscal year"),
            ("closure", "Closure of the account"),
        ],
        "Counted from",
        required=True,
        default="date",
        help="Own dates: end of a session, sending of a message, settlement of a payment, day of an "
        "entry. An account that is opened again is not closed.",
    )
    fiscal_month = fields.Integer(
        "Last month of the fiscal year", help="6 for June, where time is counted from its end."
    )
    shift_months = fields.Integer(
        "Months after it", help="Until the annual return is due, where time begins then."
    )
    basis = fields.Char("Grounds", translate=True, help="The law and the part of the policy.")
    summary = fields.Char(compute="_compute_summary")

    _once = models.UniqueIndex("(profile_id, retention)", "There is a rule for this kind of data.")
    _not_negative = models.Constraint(
        "CHECK (min_days >= 0 AND min_months >= 0 AND max_days >= 0 AND max_months >= 0"
        " AND shift_months >= 0 AND min_days <= 36500 AND max_days <= 36500"
        " AND min_months <= 1200 AND max_months <= 1200 AND shift_months <= 24)",
        "Days and months of a retention rule must not be negative, nor beyond a hundred years.",
    )
    _ends = models.Constraint(
        "CHECK (max_days > 0 OR max_months > 0)",
        "Enter how long the data is kept at most: data without an end is not allowed.",
    )
    _fiscal_month_known = models.Constraint(
        "CHECK (CASE anchor WHEN 'fiscal_year' THEN fiscal_month BETWEEN 1 AND 12 ELSE TRUE END)",
        "Enter the last month of the fiscal year as a number from 1 to 12.",
    )
    _closure_of_person = models.Constraint(
        "CHECK (anchor <> 'closure' OR retention = 'kyc')",
        "Only identity documents can be counted from the closure of the account.",
    )

    # === COMPUTE METHODS === #

    @api.depends("min_days", "min_months", "max_days", "max_months")
    def _compute_summary(self):
        for rule in self:
            rule.summary = self.env._(
                "at least %(least)s, at most %(most)s",
                least=rule._words(rule.min_days, rule.min_months),
                most=rule._words(rule.max_days, rule.max_months),
            )

    def _words(self, days, months):
        if days and months:
            return self.env._("%(days)s days and %(months)s months", days=days, months=months)
        if months:
            return self.env._("%s months", months)
        return self.env._("%s days", days)

    # === CONSTRAINT METHODS === #

    @api.constrains(*_TERMS)
    def _check_limits(self):
        for rule in self:
            if retention.is_contradiction(rule._get_limits()):
                raise ValidationError(
                    self.env._(
                        "%(kind)s of profile %(profile)s: the law asks for it longer than the "
                        "policy lets it be kept (%(summary)s). Promise a longer time in the policy "
                        "and raise what is kept at most.",
                        kind=rule._get_label(),
                        profile=rule.profile_id.name,
                        summary=rule.summary,
                    )
                )
        self.profile_id._check_promises()

    # === CREATE, WRITE AND UNLINK === #

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules.profile_id._raise_version()
        return rules

    def write(self, vals):
        changed = self.filtered(lambda rule: rule._changes_terms(vals)).profile_id
        result = super().write(vals)
        changed._raise_version()
        return result

    def _changes_terms(self, vals):
        return any(name in vals and self[name] != vals[name] for name in _TERMS)

    def unlink(self):
        """A kind of data without a rule would be kept for ever."""
        profiles = self.profile_id
        result = super().unlink()
        profiles._raise_version()
        profiles._check_promises()
        return result

    # === BUSINESS METHODS === #

    def _get_limits(self):
        """Return the numbers as the engine takes them."""
        self.ensure_one()
        return retention.Limits(
            min_days=self.min_days,
            min_months=self.min_months,
            max_days=self.max_days,
            max_months=self.max_months,
            fiscal_month=self.fiscal_month if self.anchor == "fiscal_year" else 0,
            shift_months=self.shift_months if self.anchor == "fiscal_year" else 0,
        )

    def _get_label(self):
        self.ensure_one()
        return dict(self._fields["retention"]._description_selection(self.env))[self.retention]
