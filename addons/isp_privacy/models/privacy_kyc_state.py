from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain

# Where a document may go. What was approved can turn out to be forged.
MOVES = {
    "draft": {"submitted"},
    "submitted": {"draft", "checked", "rejected"},
    "checked": {"draft", "approved", "rejected"},
    "approved": {"rejected", "expired"},
    "rejected": {"draft"},
    "expired": set(),
}
# Which pictures each kind of document needs.
SIDES_NEEDED = {"nid": ("front", "back"), "passport": ("front",), "business": ("document",)}


class PrivacyKyc(models.Model):
    """The way of an identity document: submitted, checked, approved by a second person."""

    _inherit = "privacy.kyc"

    # === ACTIONS === #

    def action_submit(self):
        """Ask the others to look at the document."""
        self.check_access("write")
        for kyc in self:
            kyc._submit()

    def action_check(self):
        """Note that number and pictures agree, and that the pictures can be read."""
        self.check_access("write")
        for kyc in self:
            kyc._check_not_own()
            kyc._move_to(
                "checked", checked_on=fields.Datetime.now(), checked_by_id=self.env.user.id
            )

    def action_approve(self):
        """Accept the document, by somebody who neither captured nor checked it."""
        self.check_access("write")
        for kyc in self:
            kyc._approve()

    def action_reject(self):
        """Refuse the document, for the reason on it."""
        self.check_access("write")
        for kyc in self:
            kyc._check_not_own()
            if not (kyc.rejection_reason or "").strip():
                raise UserError(
                    self.env._("Enter the reason first: the customer reads it, and what to do.")
                )
            kyc._move_to("rejected", **kyc._prepare_decision())

    def action_reset(self):
        """Let the document be corrected: it has to be checked and approved again."""
        self.check_access("write")
        for kyc in self:
            kyc._move_to(
                "draft",
                submitted_on=False,
                checked_on=False,
                checked_by_id=False,
                decided_on=False,
                decided_by_id=False,
            )

    # === BUSINESS METHODS - TRANSITIONS === #

    def _submit(self):
        """Hand a draft in, if it is complete."""
        self.ensure_one()
        if self.state == "draft":
            self._check_complete()
        self._move_to("submitted", submitted_on=fields.Datetime.now(), rejection_reason=False)

    def _check_complete(self):
        """Refuse a document without its number or one of its pictures.

        :raises UserError: says what is missing
        """
        # sudo: the customer, who reads no documents, hands in the own one.
        if not self.sudo().number_enc:
            raise UserError(self.env._("Type the number of the document."))
        there = set(self.document_ids.filtered("size_bytes").mapped("side"))
        sides = dict(
            self.env["privacy.kyc.document"]._fields["side"]._description_selection(self.env)
        )
        missing = [sides[side] for side in SIDES_NEEDED[self.kind] if side not in there]
        if missing:
            raise UserError(
                self.env._(
                    "%(kind)s: add what is missing: %(sides)s.",
                    kind=self._get_kind_label(),
                    sides=", ".join(missing),
                )
            )

    def _approve(self):
        self.ensure_one()
        if problem := self._get_approval_problem():
            raise AccessError(problem)
        if self._is_over(self.company_id._get_privacy_today()):
            raise UserError(
                self.env._("The document was valid until %s. Ask for a new one.", self.valid_until)
            )
        self._move_to("approved", **self._prepare_decision())

    def _check_not_own(self):
        """Refuse that somebody decides about the own document.

        :raises AccessError: for the person itself
        """
        if self._is_own():
            raise AccessError(self.env._("Somebody else has to decide about your own document."))

    def _is_own(self):
        people = self.partner_id | self.partner_id.commercial_partner_id
        return self.env.user.partner_id in people

    def _get_approval_problem(self):
        """Return why the user must not approve the document, None when they may."""
        user = self.env.user
        if self._is_own():
            return self.env._("Somebody else has to decide about your own document.")
        if user in self.captured_by_ids:
            return self.env._("You captured this document, so somebody else has to approve it.")
        if user == self.checked_by_id:
            return self.env._("You checked this document, so somebody else has to approve it.")
        return None

    def _prepare_decision(self):
        return {"decided_on": fields.Datetime.now(), "decided_by_id": self.env.user.id}

    def _move_to(self, state, **vals):
        """The one place that writes ``state``; repeating it is harmless.

        :raises UserError: when it cannot go there from where it is
        """
        self.ensure_one()
        # Two officers at once: the second one sees what the first one decided.
        self.lock_for_update(allow_referencing=True)
        self.invalidate_recordset(["state"])
        if self.state == state:
            return
        if state not in MOVES[self.state]:
            states = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "The document is “%(now)s” and cannot become “%(then)s”. Load the page again.",
                    now=states[self.state],
                    then=states[state],
                )
            )
        # sudo: the state and who decided are guarded; they are written here only.
        self.sudo().write({"state": state, **vals})
        self._tell_of(state)

    # === BUSINESS METHODS - VALIDITY === #

    def _is_over(self, today):
        self.ensure_one()
        return bool(self.valid_until and self.valid_until < today)

    def _get_state_on(self, today):
        """Return the state; what the job has not come to yet has expired all the same."""
        return "expired" if self.state == "approved" and self._is_over(today) else self.state

    # === CRON === #

    @api.model
    def _cron_daily(self):
        """Let documents expire whose last day is over, and delete files that no row names."""
        for company in self.env["res.company"].search([("id", "!=", False)]):
            outdated = (
                Domain("company_id", "=", company.id)
                & Domain("state", "=", "approved")
                & Domain("valid_until", "<", company._get_privacy_today())
            )
            for kyc in self.search(outdated):
                kyc._move_to("expired")
        self.env["privacy.kyc.document"]._delete_orphans()
