from odoo import api, fields, models
from odoo.exceptions import UserError


class PrivacyHandoverLetter(models.TransientModel):
    """Who was told of a hand-over by letter, because no mail reaches them."""

    _name = "privacy.handover.letter"
    _description = "Letters about a hand-over"

    handover_id = fields.Many2one(
        "privacy.handover", required=True, readonly=True, ondelete="cascade"
    )
    partner_ids = fields.Many2many(
        "res.partner",
        string="Told by letter",
        compute="_compute_partner_ids",
        store=True,
        readonly=False,
        context={"active_test": False},
    )
    told_on = fields.Date("Sent on", required=True, default=fields.Date.context_today)

    @api.depends("handover_id")
    def _compute_partner_ids(self):
        for letter in self:
            handover = letter.handover_id
            letter.partner_ids = handover and handover._get_untold(
                handover._get_subjects()
            ).filtered(lambda partner: not partner.email_normalized)

    def action_note(self):
        """Write the letters down."""
        self.ensure_one()
        handover = self.handover_id
        handover._lock_in("announced")
        first = handover._local_date(handover.announced_at)
        if not first <= self.told_on <= handover._today():
            raise UserError(
                self.env._("Letters are sent from the announcement on, and not in the future.")
            )
        untold = handover._get_untold(handover._get_subjects())
        # sudo: notices are added by methods only.
        notices = self.env["privacy.handover.notice"].sudo()
        notices._tell(
            handover,
            "letter",
            self.partner_ids & untold,
            is_reached=True,
            told_at=max(fields.Datetime.to_datetime(self.told_on), handover.announced_at),
        )
