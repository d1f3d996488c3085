from odoo import api, fields, models
from odoo.exceptions import UserError

from ..catalogue import CHANNELS
from ..models.privacy_consent import ACTIONS


class PrivacyConsentNote(models.TransientModel):
    """Writes down what a person decided on paper or on the telephone."""

    _name = "privacy.consent.note"
    _description = "Note on a consent"

    partner_id = fields.Many2one("res.partner", "Person", required=True)
    purpose_id = fields.Many2one(
        "privacy.purpose", required=True, domain=[("is_choice", "=", True)], ondelete="cascade"
    )
    channel = fields.Selection(
        CHANNELS,
        required=True,
        compute="_compute_channel",
        store=True,
        precompute=True,
        readonly=False,
        help="One for each row of the form that was ticked.",
    )
    action = fields.Selection(ACTIONS, "Decision", required=True, default="given")
    evidence = fields.Text(
        "Proof", required=True, help="Where the signed form is kept, or who heard it and when."
    )
    wording = fields.Text(
        "What was agreed to",
        compute="_compute_wording",
        help="The form that was signed has to say the same.",
    )

    # === COMPUTE METHODS === #

    @api.depends("purpose_id")
    def _compute_channel(self):
        for note in self:
            channels = note.purpose_id._get_channels() if note.purpose_id else [False]
            note.channel = note.channel if note.channel in channels else channels[0]

    @api.depends("purpose_id", "channel")
    def _compute_wording(self):
        for note in self:
            purpose, channel = note.purpose_id, note.channel
            note.wording = (
                purpose._get_consent_wording(channel, self.env.company)
                if purpose and channel
                else False
            )

    # === ACTION METHODS === #

    def action_apply(self):
        """Write it into the ledger, with the proof."""
        self.ensure_one()
        self.check_access("write")
        if not (self.evidence or "").strip():
            raise UserError(self.env._("Enter the proof: without it nobody can show the consent."))
        self.env["privacy.consent"]._record(
            self.action,
            self.purpose_id,
            self.channel,
            "staff",
            self.partner_id,
            evidence=self.evidence.strip(),
        )
        return {"type": "ir.actions.act_window_close"}
