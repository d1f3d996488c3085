from odoo import api, fields, models
from odoo.exceptions import UserError


class PrivacyRequestStep(models.TransientModel):
    """Asks for what a step of a request needs: a reason, a proof, a description."""

    _name = "privacy.request.step"
    _description = "Step of a privacy request"

    step = fields.Selection(
        [
            ("identity", "Identity proven"),
            ("extend", "Extend"),
            ("reject", "Reject"),
            ("hold", "Put on hold"),
            ("duplicate", "Mark as duplicate"),
            ("withdraw", "Withdraw"),
            ("finish", "Done by hand"),
        ],
        required=True,
        readonly=True,
    )
    request_id = fields.Many2one("privacy.request", required=True, readonly=True)
    company_id = fields.Many2one(related="request_id.company_id")
    words = fields.Text()
    method = fields.Selection(
        [
            ("code", "Code to a registered phone or e-mail"),
            ("letter", "Letter and call back"),
            ("person", "In person"),
        ],
        "Proven by",
    )
    proof_ids = fields.Many2many("ir.attachment", string="Proofs")
    original_id = fields.Many2one(
        "privacy.request",
        "Duplicate of",
        compute="_compute_original_id",
        store=True,
        readonly=False,
        domain="[('id', '!=', request_id), ('company_id', '=', company_id),"
        " ('state', '!=', 'duplicate')]",
    )

    # === COMPUTE METHODS === #

    @api.depends("request_id")
    def _compute_original_id(self):
        for wizard in self:
            wizard.original_id = wizard.request_id.open_request_id

    # === ACTION METHODS === #

    def action_confirm(self):
        """Take the step."""
        self.ensure_one()
        getattr(self, f"_confirm_{self.step}")()
        return {"type": "ir.actions.act_window_close"}

    def _confirm_identity(self):
        if not self.method:
            raise UserError(self.env._("Choose how the identity was proven."))
        self.request_id._verify_identity(self.method, self.words, self.proof_ids)

    def _confirm_extend(self):
        self.request_id._extend(self.words)

    def _confirm_reject(self):
        self.request_id._reject(self.words)

    def _confirm_hold(self):
        self.request_id._hold(self.words)

    def _confirm_duplicate(self):
        self.request_id._mark_duplicate(self.original_id)

    def _confirm_withdraw(self):
        if not self.words:
            raise UserError(self.env._("Write down how and when the person took it back."))
        self.request_id._withdraw(self.words)

    def _confirm_finish(self):
        self.request_id._finish(self.words)


class PrivacyRequest(models.Model):
    _inherit = "privacy.request"

    def action_open_step(self):
        """Open the dialog of the step that the button names in the context."""
        self.ensure_one()
        step = self.env.context.get("step")
        labels = dict(
            self.env["privacy.request.step"]._fields["step"]._description_selection(self.env)
        )
        if step not in labels:
            raise UserError(self.env._("This button is not complete. Please load the page again."))
        return {
            "type": "ir.actions.act_window",
            "name": labels[step],
            "res_model": "privacy.request.step",
            "view_mode": "form",
            "target": "new",
            "context": {"default_step": step, "default_request_id": self.id},
        }
