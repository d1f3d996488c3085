from odoo import fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.base.models.res_users import check_identity

from ..models.privacy_emergency import MAX_HOURS, MIN_HOURS
from ..models.privacy_mass_export import MIN_REASON_LENGTH

MIN_REASON_WORDS = 3
# Nobody becomes the own supervisor, not even by a role that includes another.
_SUPERVISORS = (
    *("isp_privacy.group_privacy_auditor", "isp_privacy.group_privacy_officer"),
    "isp_privacy.group_kyc_officer",
)


class PrivacyEmergencyStart(models.TransientModel):
    """Asks an administrator which role is needed, for how long and why."""

    _name = "privacy.emergency.start"
    _description = "Take a role in an emergency"

    role_id = fields.Many2one(
        "res.groups",
        required=True,
        domain=lambda self: [("privilege_id", "=", self.env.ref("isp_base.privilege_isp").id)],
        help="Take the smallest one that will do.",
    )
    hours = fields.Integer(required=True, default=MIN_HOURS)
    reason = fields.Char(required=True)

    # === ACTIONS === #

    @check_identity
    def action_open(self):
        """Open the access, once the password was entered anew."""
        emergency = self._open()
        message = self.env._(
            "You have the role “%(role)s” until %(until)s, and the privacy officers were told. "
            "Reload the page to see its menus.",
            role=emergency.role_id.name,
            until=emergency._get_until_words(),
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "sticky": True,
                "message": message,
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    # === BUSINESS METHODS === #

    def _open(self):
        """Check what was asked for, and open it for whoever asks."""
        self.ensure_one()
        self.check_access("write")
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(self.env._("Emergency access is for administrators."))
        if not MIN_HOURS <= self.hours <= MAX_HOURS:
            raise UserError(
                self.env._(
                    "Emergency access lasts %(least)s to %(most)s hours.",
                    least=MIN_HOURS,
                    most=MAX_HOURS,
                )
            )
        words = (self.reason or "").split()
        reason = " ".join(words)
        if len(words) < MIN_REASON_WORDS or len(reason) < MIN_REASON_LENGTH:
            raise UserError(
                self.env._(
                    "Say in some words why you need it, such as “Router down, subscriber 1203 "
                    "cannot be reached”. The reason is kept with your name."
                )
            )
        self._check_role()
        return self.env["privacy.emergency"]._open(self.role_id, reason, self.hours)

    def _check_role(self):
        supervisors = self.env["res.groups"].union(*map(self.env.ref, _SUPERVISORS))
        privilege = self.env.ref("isp_base.privilege_isp")
        if self.role_id.privilege_id != privilege or self.role_id.all_implied_ids & supervisors:
            raise UserError(
                self.env._(
                    "“%(role)s” cannot be taken in an emergency. Ask who gives out roles for it.",
                    role=self.role_id.name,
                )
            )
        emergencies = self.env["privacy.emergency"]
        if emergencies.search_count([("user_id", "=", self.env.uid), ("state", "=", "open")]):
            raise UserError(
                self.env._("Give back the role that is open before you take another one.")
            )
        if self.role_id in self.env.user.all_group_ids:
            raise UserError(
                self.env._(
                    "You have the role “%(role)s” already: emergency access is not needed.",
                    role=self.role_id.name,
                )
            )
