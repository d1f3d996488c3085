from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

MIN_HOURS, MAX_HOURS = 1, 8
OFFICER = "isp_privacy.group_privacy_officer"


class PrivacyEmergency(models.Model):
    """A role that an administrator took for some hours, and why. Opened by the wizard alone.

    An administrator looks after the machine and sees no subscribers. Where that is not enough, the
    role is taken in the open: with a reason, for a short time, and the privacy officers are told.
    """

    _name = "privacy.emergency"
    _description = "Emergency access"
    _order = "id desc"
    _rec_name = "role_id"

    _privacy_subject = None
    _privacy_defaults = {
        "category": "trace",
        "purpose": "rights",
        "retention": "audit",
        "erasure": "keep",
        "reason": "Proof of who could see subscribers, for how long, and on what ground.",
        "export": False,
    }
    _privacy_fields = {"user_id": "staff", "reason": {"category": "free_text"}}

    user_id = fields.Many2one(
        "res.users", "Who", required=True, readonly=True, index=True, ondelete="restrict"
    )
    role_id = fields.Many2one("res.groups", required=True, readonly=True, ondelete="restrict")
    reason = fields.Char(required=True, readonly=True)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, index=True, ondelete="restrict"
    )
    start_at = fields.Datetime("From", required=True, readonly=True)
    until = fields.Datetime(required=True, readonly=True)
    state = fields.Selection(
        [("open", "Open"), ("ended", "Ended")], default="open", required=True, readonly=True
    )
    ended_at = fields.Datetime("Ended", readonly=True)
    ended_by = fields.Selection(
        [("time", "The time was over"), ("user", "Given back"), ("officer", "A privacy officer")],
        readonly=True,
    )

    _one_open = models.UniqueIndex(
        "(user_id) WHERE state = 'open'", "Give back the role that is open before you take another."
    )
    _time_box = models.Constraint(
        f"CHECK (until > start_at AND until <= start_at + interval '{MAX_HOURS} hours')",
        f"Emergency access lasts {MAX_HOURS} hours at most.",
    )

    # === ACTIONS === #

    def action_end(self):
        """Give the role back before its time is over, or take it away as an officer."""
        self.ensure_one()
        self.check_access("read")
        if self.user_id == self.env.user:
            self._end("user")
        elif self.env.user.has_group(OFFICER):
            self._end("officer")
        else:
            raise AccessError(
                self.env._("Only the person who has the role and privacy officers may end it.")
            )
        return {"type": "ir.actions.client", "tag": "reload"}

    def action_view_audit(self):
        """Show what the person did meanwhile, as far as the audit chain holds it."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_privacy.privacy_audit_action")
        domain = Domain("actor_id", "=", self.user_id.id) & Domain("at", ">=", self.start_at)
        domain &= Domain("at", "<=", self.ended_at or self.until)
        return {**action, "domain": list(domain)}

    # === BUSINESS METHODS === #

    @api.model
    def _open(self, role, reason, hours):
        """Give the present user a role until the hours are over; the wizard has checked it."""
        now = fields.Datetime.now()
        vals = {
            "user_id": self.env.uid,
            "role_id": role.id,
            "reason": reason,
            "company_id": self.env.company.id,
            "start_at": now,
            "until": fields.Datetime.add(now, hours=hours),
        }
        # sudo: nobody else adds entries, or they could be forged or have no end.
        emergency = self.sudo().create(vals).sudo(self.env.su)
        # sudo: the person has not the right to give roles to anybody else.
        self.env.user.sudo()._privacy_set_role(role, held=True)
        self.env["privacy.audit"]._log("emergency_opened", emergency, fields=vals)
        self.env.user._privacy_write_to_officers(
            "isp_privacy.mail_template_emergency_opened", emergency
        )
        return emergency

    def _end(self, ended_by):
        """Take the role away; repeating is harmless."""
        # sudo: entries are changed here only, and the person cannot take roles away.
        for emergency in self.sudo().filtered(lambda entry: entry.state == "open"):
            user, role = emergency.user_id, emergency.role_id
            emergency.write(
                {"state": "ended", "ended_at": fields.Datetime.now(), "ended_by": ended_by}
            )
            # Nobody who has a role opens it: what is taken away is what was given here.
            user._privacy_set_role(role, held=False)
            self.env["privacy.audit"]._log(
                "emergency_ended", emergency, fields={"ended_by": ended_by}
            )
            if role in user.all_group_ids:
                # Somebody made it last meanwhile, by a role that includes it.
                user._privacy_report_roles(role)

    # === CRON === #

    @api.model
    def _cron_end(self):
        """End what is over."""
        domain = Domain("state", "=", "open") & Domain("until", "<=", fields.Datetime.now())
        cron = self.env["ir.cron"]
        due = self.search(domain)
        cron._commit_progress(remaining=len(due))
        for emergency in due:
            # One that is being given back right now is looked at in the next run.
            locked = emergency.try_lock_for_update(allow_referencing=True)
            locked.filtered_domain(domain)._end("time")
            if not cron._commit_progress(1):
                return

    # === HELPERS FOR THE MAIL === #

    def _get_until_words(self):
        """Return when it ends, in the time of the company."""
        zone = self.company_id._get_privacy_zone()
        local = fields.Datetime.context_timestamp(self.with_context(tz=zone), self.until)
        return f"{local:%Y-%m-%d %H:%M} ({zone})"
