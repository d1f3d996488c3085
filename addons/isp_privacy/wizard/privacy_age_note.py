from odoo import fields, models
from odoo.exceptions import UserError

from ..models.privacy_age import KINDS, METHODS


class PrivacyAgeNote(models.TransientModel):
    """Notes what was found out about somebody's age."""

    _name = "privacy.age.note"
    _description = "Note on an age"

    partner_id = fields.Many2one("res.partner", "Person", required=True)
    kind = fields.Selection(KINDS, "What", required=True, default="minor")
    method = fields.Selection(METHODS, "How we know", required=True, default="support")
    birth_date = fields.Date(
        "Date of birth", help="Decides whether the person is of age. The date itself is not kept."
    )
    guardian_id = fields.Many2one("res.partner", "Parent or guardian")
    evidence = fields.Text("Note")

    def action_apply(self):
        """Write it into the ledger; a minor is protected at once."""
        self.ensure_one()
        self.check_access("write")
        if self.birth_date and self.birth_date > fields.Date.today():
            raise UserError(self.env._("The date of birth lies in the future. Correct it."))
        self.env["privacy.age"]._note(
            self.kind,
            self.method,
            self.partner_id,
            self.birth_date,
            guardian_id=self.guardian_id.id,
            evidence=self.evidence,
        )
        # The date of birth is not kept here either.
        self.birth_date = False
        return {"type": "ir.actions.act_window_close"}
