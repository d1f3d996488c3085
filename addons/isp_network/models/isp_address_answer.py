from odoo import api, fields, models
from odoo.exceptions import UserError


class IspAddressAnswer(models.Model):
    """One customer or session found for a request, as it was known when it was looked up.

    The customer's particulars are copied: what was handed over can be told years later, whatever
    became of the customer's record.
    """

    _name = "isp.address.answer"
    _description = "Answer to a lawful request"
    _order = "request_id, date_start, id"
    _rec_name = "customer_name"

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {
        "category": "network",
        "purpose": "licence",
        "retention": "audit",
        "erasure": "keep",
        "reason": "What an authority was told; it may not be altered, and few may read it.",
        "export": False,
    }
    _privacy_fields = {
        "customer_name": {"category": "identity"},
        "customer_phone customer_email": {"category": "contact"},
        "customer_address": {"category": "address"},
        "subscription_number username": {"category": "account"},
        "ip_address ipv6_prefix public_address mapping mac_address session_ref": {},
    }
    _privacy_free = {"A router of the operator.": "nas_name nas_address"}

    request_id = fields.Many2one(
        "isp.address.request", required=True, readonly=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    source = fields.Selection(
        [("session", "Session"), ("assignment", "Static address")], required=True, readonly=True
    )
    subscription_id = fields.Many2one("isp.subscription", readonly=True, ondelete="restrict")
    subscription_number = fields.Char("Subscription number", readonly=True)
    username = fields.Char(readonly=True)
    customer_name = fields.Char("Customer", readonly=True)
    customer_phone = fields.Char("Phone", readonly=True)
    customer_email = fields.Char("E-mail", readonly=True)
    customer_address = fields.Char("Address of the line", readonly=True)
    ip_address = fields.Char("IP address", readonly=True)
    ipv6_prefix = fields.Char("IPv6 prefix", readonly=True)
    public_address = fields.Char(readonly=True)
    port_first = fields.Integer("First port", readonly=True, aggregator=None)
    port_last = fields.Integer("Last port", readonly=True, aggregator=None)
    mapping = fields.Char(
        "Translation",
        readonly=True,
        help="How the public address and port lead to the private address.",
    )
    mac_address = fields.Char("Device", readonly=True)
    nas_name = fields.Char("Router", readonly=True)
    nas_address = fields.Char("Router address", readonly=True)
    session_ref = fields.Char("Session number", readonly=True)
    date_start = fields.Datetime("Since", readonly=True)
    date_update = fields.Datetime("Last report", readonly=True)
    date_stop = fields.Datetime("Until", readonly=True, help="Empty while the session is open.")

    def init(self):
        """Let the database itself refuse changes."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE TRIGGER isp_keep_rows BEFORE UPDATE OR DELETE ON isp_address_answer
                FOR EACH ROW EXECUTE FUNCTION radius.keep_rows()
            """
        )

    def write(self, vals):
        if self:
            raise UserError(self.env._("An answer is evidence and is not changed."))
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("An answer is evidence and is not deleted."))
