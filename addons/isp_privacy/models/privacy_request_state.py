from odoo import fields, models
from odoo.exceptions import LockError, UserError
from odoo.tools import LazyTranslate

from ..engine.request_states import DIRECT_TYPES, TERMINAL

_lt = LazyTranslate(__name__)

# What must be known before a request may stand in a state.
_NEEDED = {
    "verified": ("identity_method", _lt("Note how the identity was proven.")),
    "on_hold": ("hold_reference", _lt("Name the order or case because of which it waits.")),
    "rejected": ("rejection_reason", _lt("Write down why the request is rejected.")),
    "duplicate": ("original_id", _lt("Choose the request of which this one is a duplicate.")),
    "done": ("result", _lt("Describe what was done.")),
}


class PrivacyRequest(models.Model):
    """The way of a request from receipt to its end."""

    _inherit = "privacy.request"

    # === ACTION METHODS === #

    def action_ask_identity(self):
        """Ask the person to prove who they are; the clock stands still until then."""
        for request in self:
            request._ask_identity()

    def action_review(self):
        """Begin to look into the request."""
        for request in self:
            request._move_to("in_review", self.env._("Review begun"))

    def action_approve(self):
        """Decide that the request is carried out, and go on with it."""
        for request in self:
            request._approve()

    def action_proceed(self):
        """Go on with a request that is approved, needs no decision, or has failed."""
        for request in self:
            request._proceed()

    def action_release(self):
        """Let a request go on from where it was put on hold."""
        for request in self:
            request._move_to(request.held_from, self.env._("Hold ended"))

    # === BUSINESS METHODS - TRANSITIONS === #

    def _move_to(self, state, reason, **vals):
        """Move the request to ``state``: the one place that writes it, under a lock of the row.

        Repeating the state in which a request is changes nothing. Every move leaves an event.

        :param reason: why, for the history
        :param vals: further values of the request that belong to the move
        :return: whether the request was moved
        :raises UserError: when the move is not allowed, or what it needs is missing
        """
        self.ensure_one()
        self.check_access("write")
        self._lock()
        if self.state == state:
            return False
        self._check_move(state, vals)
        old_state = self.state
        self._write_step({"state": state, **self._prepare_move_vals(state), **vals})
        self._log_event("move", reason, old_state, state)
        self._update_due()
        if state in TERMINAL:
            # The index of open requests must see it before another one is opened.
            self.flush_recordset(["state"])
            self._unlink_activities("task", "clock")
        return True

    def _lock(self):
        """Lock the row and read it anew, so that nobody moves it at the same time."""
        try:
            self.lock_for_update(allow_referencing=True)
        except LockError as error:
            raise LockError(
                self.env._(
                    "Somebody else is working on request %s right now. Please try again in a "
                    "moment.",
                    self.name,
                )
            ) from error
        self.invalidate_recordset()

    def _check_move(self, state, vals):
        if state not in self._get_next_states():
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "Request %(name)s is “%(state)s” and cannot become “%(next)s”.",
                    name=self.name,
                    state=labels[self.state],
                    next=labels.get(state, state),
                )
            )
        field_name, message = _NEEDED.get(state, (None, None))
        if field_name and not (vals.get(field_name) or self[field_name]):
            raise UserError(self.env._(message))
        if state == "approved" and self.state == "in_review":
            self._check_four_eyes()
        if self.state == "recovery" and state == "executing":
            self._check_recovery_over()

    def _check_four_eyes(self):
        if self.env.user in self._get_involved_users():
            raise UserError(
                self.env._(
                    "You entered or reviewed this request, or it is your own. Another officer has "
                    "to approve it."
                )
            )

    def _check_recovery_over(self):
        if self.recover_until > fields.Datetime.now():
            raise UserError(
                self.env._(
                    "The erasure can be called off until %s. It begins by itself then.",
                    self._format_moment(self.recover_until),
                )
            )

    def _prepare_move_vals(self, state):
        """Return the values that follow from a move of this request to ``state``."""
        vals = {}
        if self.state == "on_hold":
            vals.update(held_from=False, hold_reference=False)
        if state in TERMINAL:
            today = self.company_id._get_privacy_today()
            keep_until = fields.Date.add(today, days=self.terms["proof_days"])
            vals.update(closed_on=fields.Datetime.now(), proofs_delete_on=keep_until)
        elif state == "on_hold":
            vals.update(held_from=self.state)
        elif state == "identity_pending":
            vals.update(identity_state="asked", identity_asked_on=fields.Datetime.now())
        elif self.state != "on_hold":  # who ends a hold neither reviews nor approves
            vals.update(self._prepare_progress_vals(state))
        return vals

    def _prepare_progress_vals(self, state):
        """Return the values of a move along the way of the request."""
        if state == "in_review":
            return {"reviewer_id": self.env.uid, "user_id": self.user_id.id or self.env.uid}
        if state == "approved":
            return {"approver_id": self.env.uid}
        if state == "recovery":
            return {"recover_until": self._get_recovery_end()}
        if state == "executing" and self.request_type in DIRECT_TYPES:
            return {"identity_state": "not_needed"}
        return {}

    def _get_recovery_end(self):
        """When an erasure can no longer be called off: so many days after the request came."""
        return fields.Datetime.add(self.date_received, days=self.terms["recovery_days"])

    # === BUSINESS METHODS - STEPS === #

    def _ask_identity(self, letter=True):
        """Ask for proof of identity.

        :param letter: also write to the person; not needed where they are asked on the screen
        """
        if self._move_to("identity_pending", self.env._("Proof of identity asked for")) and letter:
            self._send_letter("identity")

    def _verify_identity(self, method, note=False, proofs=None):
        """Note that the identity was proven, and who took the proof.

        :param method: key of ``identity_method``
        :param proofs: attachments that are kept for a while as evidence
        """
        words = dict(self._fields["identity_method"]._description_selection(self.env))[method]
        vals = {
            "identity_state": "proven",
            "identity_method": method,
            "identity_note": note,
            "identity_user_id": self.env.uid,
            "identity_date": fields.Datetime.now(),
        }
        if self._move_to("verified", self.env._("Identity proven: %s", words), **vals) and proofs:
            # sudo: the files were uploaded to the dialog; from now on they belong to the request.
            proofs.sudo().write({"res_model": self._name, "res_id": self.id})
            self.proof_ids = [fields.Command.link(proof.id) for proof in proofs]

    def _close_unverified(self):
        """End a request whose sender did not prove the identity in time."""
        # The person reads it, so it is in their language, not in the one of the job.
        reader = self.with_context(lang=self._get_letter_lang())
        reason = reader.env._(
            "The identity was not proven in time. You are welcome to send a new request."
        )
        vals = {"rejection_reason": reason, "identity_state": "failed"}
        if self._move_to("rejected", reason, **vals):
            self._send_letter("rejected")

    def _approve(self):
        if self._move_to("approved", self.env._("Approved")):
            self._proceed()

    def _proceed(self):
        """Take the step that follows from the kind of request and its state."""
        if self.request_type == "erasure" and self.state == "approved":
            self._begin_recovery()
        else:
            self._begin_execution(self.env._("Execution begun"))

    def _begin_recovery(self):
        """Wait until the erasure can no longer be called off."""
        if self._move_to("recovery", self.env._("It can be called off until the window closes")):
            cron = self.env.ref("isp_privacy.privacy_request_cron_recovery")
            # sudo: who approves need not be an administrator to wake the job in time.
            cron.sudo()._trigger(at=max(self.recover_until, fields.Datetime.now()))

    def _reject(self, reason):
        """Say no; the letter gives the reason and names where to complain."""
        reason = (reason or "").strip()
        if self._move_to("rejected", reason, rejection_reason=reason):
            self._send_letter("rejected")

    def _withdraw(self, reason):
        """The person does not want it any more."""
        self._move_to("withdrawn", reason)

    def _mark_duplicate(self, original):
        """Close the request; the same is worked on as ``original``."""
        if original == self or original.state == "duplicate":
            raise UserError(self.env._("Choose another request, one that is no duplicate itself."))
        self._move_to(
            "duplicate", self.env._("Duplicate of %s", original.name), original_id=original.id
        )

    def _hold(self, reference):
        """Put the request on hold because of ``reference``, such as an order of a court."""
        reference = (reference or "").strip()
        self._move_to("on_hold", reference, hold_reference=reference)
