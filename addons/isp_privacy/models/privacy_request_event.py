from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine.request_states import STATES


class PrivacyRequestEvent(models.Model):
    """Who moved a request, when, why, from where and to where. Never edited."""

    _name = "privacy.request.event"
    _description = "Privacy request event"
    _order = "date desc, id desc"
    _rec_name = "reason"

    _privacy_subject = "request_id.*"
    _privacy_defaults = {"category": "proof", "purpose": "rights", "retention": "audit"}
    _privacy_fields = {
        # Words of officers, of errors and of holds. What was told to the person is on the request.
        "reason": {"category": "free_text", "erasure": "null", "export": False},
        "user_id": {
            "category": "trace",
            "erasure": "keep",
            "reason": "Who did it, staff or the person: the account's partner is anonymised in "
            "place.",
            "export": False,
        },
    }
    _privacy_facts = "date event_type from_state to_state"
    _privacy_retention = {"anchor": "request_id.closed_on", "company": "request_id.company_id"}

    request_id = fields.Many2one(
        "privacy.request", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="request_id.company_id", store=True, index=True)
    date = fields.Datetime(required=True, readonly=True, default=lambda self: fields.Datetime.now())
    user_id = fields.Many2one(
        "res.users", "By", required=True, readonly=True, default=lambda self: self.env.user
    )
    event_type = fields.Selection(
        [
            ("open", "Opened"),
            ("again", "Asked again"),
            ("move", "Moved"),
            ("extend", "Extended"),
            ("letter", "Letter"),
            ("proof", "Proofs deleted"),
            ("alarm", "Alarm"),
        ],
        "What",
        required=True,
        readonly=True,
    )
    from_state = fields.Selection(STATES, "From", readonly=True)
    to_state = fields.Selection(STATES, "To", readonly=True)
    reason = fields.Char("Why", readonly=True)

    _sender_idx = models.Index("(user_id, date) WHERE event_type IN ('open', 'again')")

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("The history of a request cannot be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The history of a request cannot be deleted."))

    def _privacy_empty(self, vals):
        """Empty what has had its time, past the refusal above; see ``retention_map``."""
        return super().write(vals)  # pylint: disable=super-method-mismatch


class PrivacyRequest(models.Model):
    _inherit = "privacy.request"

    def _log_event(self, event_type, reason, from_state=False, to_state=False):
        """Add a line to the history of the request."""
        self.ensure_one()
        # sudo: nobody may write events but this method, or the history could be forged.
        return (
            self.env["privacy.request.event"]
            .sudo()
            .create(
                {
                    "request_id": self.id,
                    "event_type": event_type,
                    "from_state": from_state,
                    "to_state": to_state,
                    "reason": reason,
                    "user_id": self.env.uid,
                }
            )
        )
