from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class PrivacyRequest(models.Model):
    """Erasure: restricted at once, restorable until the window closes, then carried out."""

    _inherit = "privacy.request"

    _privacy_fields = {
        "stopped_user_ids": {"category": "credential", "erasure": "detach", "export": False},
    }

    stopped_user_ids = fields.Many2many(
        "res.users",
        "privacy_request_stopped_user_rel",
        string="Logins switched off",
        readonly=True,
        copy=False,
        context={"active_test": False},
        groups="isp_privacy.group_privacy_auditor",
        help="They work again when the erasure is called off.",
    )
    erasure_ids = fields.One2many(
        "privacy.erasure", "request_id", readonly=True, groups="isp_privacy.group_privacy_auditor"
    )

    # === ACTION METHODS === #

    def action_open_erasure(self):
        """Show how far the erasure is."""
        self.ensure_one()
        return self.erasure_ids[:1].get_formview_action()

    def action_release(self):
        """Go on with an erasure that was held in the middle."""
        result = super().action_release()
        for request in self.filtered(lambda r: r.request_type == "erasure"):
            if request.state == "executing":
                request._execute_erasure()
        return result

    # === BUSINESS METHODS - THE WINDOW === #

    def _move_to(self, state, reason, **vals):
        """Restrict the data when the time to think better of it begins, free it when called off."""
        old_state = self.state
        # sudo: where a request was held is internal, and customers call requests off too.
        waited = "recovery" in (old_state, self.sudo().held_from)
        moved = super()._move_to(state, reason, **vals)
        if moved and self.request_type == "erasure":
            if state == "recovery" and old_state != "on_hold":
                self._restrict()
            elif waited and state == "withdrawn":
                self._unrestrict()
        return moved

    def _check_move(self, state, vals):
        res = super()._check_move(state, vals)
        if state == "done" and self.request_type == "erasure":
            self._check_erased()
        # sudo: as above.
        waits = "recovery" in (self.state, self.sudo().held_from)
        if waits and state == "withdrawn" and self.recover_until <= fields.Datetime.now():
            raise UserError(
                self.env._(
                    "The erasure could be called off until %s. That time is over.",
                    self._format_moment(self.recover_until),
                )
            )
        return res

    def _check_erased(self):
        # sudo: runs are internal.
        if "done" not in self.sudo().erasure_ids.mapped("state"):
            raise UserError(
                self.env._(
                    "An erasure is done when nothing unexplained is left. Carry it out first."
                )
            )

    def _restrict(self):
        self.partner_id._privacy_check_erasable()
        users = self.partner_id._privacy_restrict()
        self.sudo()._write_step({"stopped_user_ids": [fields.Command.set(users.ids)]})
        self.env["privacy.audit"]._log("restrict", self, subject=self.partner_id or None)

    def _unrestrict(self):
        request = self.sudo()  # sudo: customers call erasures off too, and see no logins
        request.stopped_user_ids.write({"active": True})
        if not request._wants_restriction():
            request.partner_id._privacy_set_restricted(False)
        request._write_step({"stopped_user_ids": [fields.Command.clear()]})
        self.env["privacy.audit"]._log("unrestrict", self, subject=self.partner_id or None)

    # === BUSINESS METHODS - EXECUTION === #

    def _execute_erasure(self):
        """Start the erasure, or go on with it; a job does the work and finishes the request."""
        # sudo: runs are internal, the job and officers of all companies start them.
        self.env["privacy.erasure"].sudo()._start(self.company_id, self.partner_id, self)

    def _send_last_letter(self):
        """Send the answer now, while the address is known; the queue would be erased with it.

        :return: whether it is out, or there is nobody to write to by mail
        """
        self.ensure_one()
        reader = self.with_context(lang=self._get_letter_lang())
        self._write_step(
            {
                "result": reader.env._(
                    "We erase your data now. Your services and logins have ended. What a law asks "
                    "us to keep is kept under a number instead of your name until that time is "
                    "over. This is our last message: your address is erased with the rest."
                )
            }
        )
        # sudo: the queue of mails belongs to the system.
        mails = self.env["mail.mail"].sudo()
        last = mails.search([], order="id desc", limit=1).id or 0
        self._send_letter("done")
        mine = mails.search(
            [("id", ">", last), ("model", "=", self._name), ("res_id", "=", self.id)]
        )
        letters = mine.filtered(lambda mail: mail.recipient_ids or mail.email_to)
        letters.write({"auto_delete": False})
        letters.send(raise_exception=False)
        return all(mail.state in ("sent", "received") for mail in letters)

    def _close_erasure(self):
        """The run is through: the request is done, and says nothing of the person any more."""
        result = self.env._("Erased.")
        self._move_to("done", result, result=result)

    def _reduce(self, pseudonym):
        """Leave of the request type, dates and decision, also where it has no contact.

        The fields of a request, and its history, are guarded by their models for good reason. This
        is the one way past: SQL, in the one method that the law asks for.
        """
        self.flush_recordset()
        entries = self.env["privacy.map.entry"]._get_map().entries(self._name)
        texts = [e.field for e in entries if e.status == "mapped" and e.erasure == "null"]
        self.env.execute_query(
            SQL(
                "UPDATE privacy_request SET %s, email_from = %s WHERE id = ANY(%s)",
                SQL(", ").join(SQL("%s = NULL", SQL.identifier(name)) for name in texts),
                f"Subscriber {pseudonym}",
                self.ids,
            )
        )
        self.env.execute_query(
            SQL(
                "UPDATE privacy_request_event SET reason = NULL WHERE request_id = ANY(%s)",
                self.ids,
            )
        )
        self.invalidate_recordset(flush=False)
        self.event_ids.invalidate_recordset(flush=False)
