from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import request

from .. import audit_guard

MAX_USER_AGENT = 300


class PrivacyLedger(models.AbstractModel):
    """Base of ledgers: rows are added and never changed, and the database itself refuses it.

    Erasure may empty the fields of ``_erasable`` and nothing else. The partner stays linked: it is
    anonymised in place. Heirs need ``_log_access = False``: users would be written into each row by
    a link that changes when one of them is deleted.
    """

    _name = "privacy.ledger"
    _description = "Ledger"
    _order = "id desc"
    _erasable = ("ip", "user_agent")

    _privacy_subject = "partner_id"
    _privacy_retention = {"never": "Proof of a choice: emptied when the person is erased."}
    _privacy_defaults = {"category": "proof", "purpose": "rights", "retention": "audit"}
    _privacy_fields = {
        "partner_id": "subject",
        "ip user_agent": {"category": "device", "erasure": "null"},
    }
    _privacy_facts = "at"

    partner_id = fields.Many2one("res.partner", "Person", index=True, ondelete="restrict")
    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        ondelete="restrict",
        default=lambda self: self.env.company,
    )
    at = fields.Datetime("When", required=True, default=fields.Datetime.now)
    actor_id = fields.Integer(
        "User number",
        aggregator=None,
        default=lambda self: self.env.uid,
        help="Who was signed in when it was written: the person, or staff for them.",
    )
    ip = fields.Char("From computer")
    user_agent = fields.Char("Browser")

    def init(self):
        """Let the database itself refuse changes."""
        if not self._abstract:
            audit_guard.protect_ledger(self.env.cr, self._table, self._erasable)

    # === CRUD METHODS === #

    def write(self, vals):
        """Refuse everything but what erasure does: empty the fields that tell of the person."""
        if self and not (
            self.env.su and vals.keys() <= set(self._erasable) and not any(vals.values())
        ):
            raise UserError(self._get_refusal())
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self._get_refusal())

    # === HELPERS === #

    def _get_refusal(self):
        return self.env._("This ledger is proof: rows are added, never changed or deleted.")

    @api.model
    def _prepare_origin(self):
        """Return where the visitor's click came from; nothing outside of a web request."""
        if not request:
            return {}
        http_request = request.httprequest
        return {
            "ip": http_request.remote_addr,
            "user_agent": (http_request.user_agent.string or "")[:MAX_USER_AGENT],
        }
