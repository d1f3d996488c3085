from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .. import catalogue
from ..engine import retention

DEADLINES = [
    ("request", "The receipt of the request"),
    ("closure", "The closure of the account"),
    ("window_end", "The end of the time to call it off"),
]


class PrivacyProfile(models.Model):
    """How long data is kept, and when erasure must be over."""

    _inherit = "privacy.profile"

    # === FIELDS - RETENTION AND ERASURE === #
    rule_ids = fields.One2many("privacy.profile.rule", "profile_id", "Retention", copy=True)
    erase_deadline_days = fields.Integer(
        "Days to erase",
        required=True,
        default=30,
        tracking=True,
        help="When these days are over, an erasure must have been carried out.",
    )
    erase_deadline_from = fields.Selection(
        DEADLINES, "Counted from", required=True, default="request", tracking=True
    )
    grace_hours = fields.Integer(
        "Hours until the alarm",
        required=True,
        default=24,
        tracking=True,
        help="So many hours after the deadline the officers are told that an erasure is overdue.",
    )
    backup_notice = fields.Text(
        "What the policy says of backups",
        translate=True,
        help="Needed where backups last longer than the days to erase: the sentence of the public "
        "policy that names the longer time.",
    )

    _erase_numbers = models.Constraint(
        "CHECK (erase_deadline_days > 0 AND grace_hours >= 0)",
        "Days to erase must be greater than zero, hours until the alarm not below it.",
    )

    # === CONSTRAINT METHODS === #

    @api.constrains(
        *("rule_ids", "recovery_days", "erase_deadline_days", "min_age", "country_id"),
        "backup_notice",
    )
    def _check_promises(self):
        """Refuse what cannot be kept, each time with the reason."""
        for profile in self:
            if problem := profile._get_problem():
                raise ValidationError(problem)

    def _get_problem(self):
        """Return the first promise of the profile that cannot be kept, None when all can."""
        return (
            self._get_age_problem()
            or self._get_recovery_problem()
            or self._get_missing_problem()
            or self._get_backup_problem()
        )

    def _get_age_problem(self):
        legal = self.country_id.privacy_min_age
        if self.min_age < legal:
            return self.env._(
                "The law of %(country)s asks for an age of %(legal)s years, and profile "
                "%(profile)s for %(age)s only. Enter %(legal)s or more.",
                country=self.country_id.name,
                legal=legal,
                profile=self.name,
                age=self.min_age,
            )
        return None

    def _get_recovery_problem(self):
        if self.recovery_days > self.erase_deadline_days:
            return self.env._(
                "Profile %(profile)s lets an erasure be called off for %(recovery)s days, but "
                "promises that it is over after %(deadline)s. Shorten the first or promise a longer "
                "time.",
                profile=self.name,
                recovery=self.recovery_days,
                deadline=self.erase_deadline_days,
            )
        return None

    def _get_missing_problem(self):
        ruled = set(self.rule_ids.mapped("retention"))
        field = self.env["privacy.profile.rule"]._fields["retention"]
        missing = [
            label
            for code, label in field._description_selection(self.env)
            if code in catalogue.codes(catalogue.RULED_CLASSES) - ruled
        ]
        if missing:
            return self.env._(
                "Profile %(profile)s does not say how long these are kept: %(kinds)s. Add a "
                "retention rule for each.",
                profile=self.name,
                kinds=", ".join(missing),
            )
        return None

    def _get_backup_problem(self):
        longest = retention.longest_days(self._get_rule("backup")._get_limits())
        if longest > self.erase_deadline_days and not (self.backup_notice or "").strip():
            return self.env._(
                "Backups of profile %(profile)s last %(longest)s days, longer than the "
                "%(deadline)s days in which data is erased. Shorten them, or enter the sentence of "
                "the public policy that says so.",
                profile=self.name,
                longest=longest,
                deadline=self.erase_deadline_days,
            )
        return None

    # === CREATE === #

    @api.model_create_multi
    def create(self, vals_list):
        """A new profile begins with its first version, whatever was added while it was made."""
        profiles = super().create(vals_list)
        profiles.write({"version": 1})
        return profiles

    def _raise_version(self):
        """What is promised to new requests has changed."""
        for profile in self:
            profile.version += 1

    # === BUSINESS METHODS === #

    def _get_terms(self):
        """Add how long each kind of data is kept, as it is promised now."""
        kept = {rule.retention: vars(rule._get_limits()) for rule in self.rule_ids}
        return {**super()._get_terms(), "retention": kept}

    def _get_rule(self, retention_class):
        """Return the rule for a kind of data; none where the profile says nothing."""
        return self.rule_ids.filtered(lambda rule: rule.retention == retention_class)
