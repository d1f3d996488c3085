from contextlib import contextmanager

from odoo import SUPERUSER_ID, Command, api, models

BY_PROCEDURE = "privacy_emergency"
# Compared by identity: a client can send the key, and never this object.
_PROCEDURE = object()


class ResUsers(models.Model):
    """Who takes a role of the provider's business outside of the emergency access is reported."""

    _inherit = "res.users"

    def write(self, vals):
        """Notice roles that somebody gives to oneself."""
        if "group_ids" not in vals:
            return super().write(vals)
        with self._privacy_watch_roles():
            return super().write(vals)

    # === BUSINESS METHODS === #

    @api.model
    @contextmanager
    def _privacy_watch_roles(self):
        """Report what the present user has gained when the block is over."""
        # The superuser is no person: what it does are installations and jobs.
        by_procedure = self.env.context.get(BY_PROCEDURE) is _PROCEDURE
        if by_procedure or self.env.uid == SUPERUSER_ID:
            yield
            return
        user = self.env.user
        direct, held = user.group_ids, user.all_group_ids
        yield
        # Both: a role that is taken while an emergency access includes it would outlast this one.
        gained = (user.group_ids - direct) | (user.all_group_ids - held)
        category = self.env.ref("isp_base.module_category_isp")
        # sudo: few users read privileges.
        gained = gained.sudo().filtered(lambda role: role.privilege_id.category_id == category)
        if gained:
            user._privacy_report_roles(gained)

    def _privacy_report_roles(self, roles):
        """Write down that this user has roles beside the procedure, and tell the officers."""
        self.ensure_one()
        names = roles.mapped("full_name")
        self.env["privacy.audit"]._log("role_taken", self, fields=names)
        self._privacy_write_to_officers(
            "isp_privacy.mail_template_role_taken", self, privacy_roles=", ".join(names)
        )

    def _privacy_set_role(self, role, held):
        """Give a role to this user or take it away, as the emergency access has it."""
        command = Command.link(role.id) if held else Command.unlink(role.id)
        self.with_context(**{BY_PROCEDURE: _PROCEDURE}).write({"group_ids": [command]})

    def _privacy_write_to_officers(self, xmlid, record, **context):
        """Send a mail to the privacy officers of all companies in which this user works."""
        # sudo: who is told does not depend on what the user may see.
        companies = self.sudo().company_ids
        officers = self._privacy_officers().filtered(lambda user: user.company_ids & companies)
        template = self.env.ref(xmlid, raise_if_not_found=False)
        for officer in (officers - self).filtered("email") if template else ():
            # The mail is the company's; administrators write to nobody in their own name.
            template.with_user(SUPERUSER_ID).with_context(lang=officer.lang, **context).send_mail(
                record.id, email_values={"email_to": officer.email_formatted}
            )
