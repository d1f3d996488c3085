from odoo import api, fields, models

# How long before its end an officer is told: time enough to order the next assessment or contract.
NOTICE_DAYS = 30


class PrivacyExpiring(models.AbstractModel):
    """Base of registers whose entries end on a day: officers are told in time, and once.

    A register names the date of the last day in ``_end_field``, and says in ``_get_reminder()`` what has
    to be renewed.
    """

    _name = "privacy.expiring"
    _description = "Ends on a day"
    _end_field = None

    is_reminded = fields.Boolean("Officers were told", readonly=True, copy=False)

    # === CRUD METHODS === #

    def write(self, vals):
        """What is renewed is watched anew."""
        if self._end_field in vals:
            vals = {**vals, "is_reminded": False}
        return super().write(vals)

    # === BUSINESS METHODS === #

    def _get_notice_days(self):
        """Return how many days before its end officers are told, ``NOTICE_DAYS`` at most."""
        self.ensure_one()
        return NOTICE_DAYS

    def _ends_soon(self):
        """Return whether it has ended, or ends within the days of notice."""
        self.ensure_one()
        end = self[self._end_field]
        return bool(end) and end <= fields.Date.add(self._today(), days=self._get_notice_days())

    # === CRON === #

    @api.model
    def _cron_remind(self, batch_size=100):
        """Tell the officers, once, what has expired or ends soon."""
        cron = self.env["ir.cron"]
        # A day more than any time zone is ahead; which day it is for each company is asked below.
        horizon = fields.Date.add(fields.Date.today(), days=NOTICE_DAYS + 1)
        domain = [("is_reminded", "=", False), (self._end_field, "<=", horizon)]
        waiting = self.search(domain, limit=10 * batch_size).filtered(lambda one: one._ends_soon())
        cron._commit_progress(remaining=len(waiting))
        while waiting:
            batch, waiting = waiting[:batch_size], waiting[batch_size:]
            batch._remind()
            if not cron._commit_progress(len(batch)):
                return

    def _remind(self):
        """Give each officer of the company an activity; without an officer it is tried again."""
        told = self.browse()
        for one in self:
            for officer in self.env["res.users"]._privacy_officers(one.company_id):
                told |= one
                one.activity_schedule(
                    "mail.mail_activity_data_todo",
                    date_deadline=one[self._end_field],
                    user_id=officer.id,
                    summary=one._get_reminder(),
                )
        told.write({"is_reminded": True})
