from odoo import api, fields, models

from ..gateways.common import Misconfigured, Unknown

BD_CODES = ("bkash", "nagad", "sslcommerz")


class PaymentProvider(models.Model):
    _name = "payment.provider"
    _inherit = ["payment.provider", "isp.encrypted.mixin"]

    bd_connection_state = fields.Selection(
        [("untested", "Not tested"), ("ok", "Works"), ("error", "Does not work")],
        string="Connection",
        default="untested",
        readonly=True,
        copy=False,
    )
    bd_connection_text = fields.Char(string="Connection test says", readonly=True, copy=False)
    bd_connection_at = fields.Datetime(string="Connection tested on", readonly=True, copy=False)
    bd_fee_percent = fields.Float(
        string="Gateway fee (%)",
        help="What the gateway keeps of each payment, used when it does not name its fee itself.",
    )
    bd_fee_account_id = fields.Many2one(
        "account.account",
        string="Account of gateway fees",
        check_company=True,
        copy=False,
        help="Expense account. The fee of each payment is booked here when the payment is.",
    )
    bd_fee_bearer = fields.Selection(
        [("merchant", "We: it is kept back from our money"), ("payer", "The customer, on top")],
        string="Who pays the fee",
        default="merchant",
        help="Only a fee that is kept back from our money is booked.",
    )

    # === GATEWAY HOOKS: each gateway overrides `if self.code != "…": return super()…` === #

    @api.model
    def _bd_codes(self):
        """Return the codes of the providers this addon runs."""
        return BD_CODES

    def _bd_client(self):
        """Return the client of the gateway, made from the decrypted settings.

        The address is live when ``_bd_live()``, else the sandbox or the system field with the
        address of a simulator. The client carries the time-out of its gateway.
        """
        raise NotImplementedError(self.code)

    def _bd_test_connection(self):
        """Call the gateway with these settings and return a sentence that says that they work.

        :raise Misconfigured: says which setting to repair
        :raise Unknown: the gateway could not be reached
        """
        raise NotImplementedError(self.code)

    def _bd_merchant(self):
        """Return the id by which the gateway's answers name us, ``None`` if they do not."""
        return None

    # === HELPERS FOR GATEWAYS === #

    def _bd_live(self):
        """Return whether real money moves: decides the gateway's address."""
        return self.env.context.get("bd_live", self.state == "enabled")

    def _bd_url(self, path):
        """Return the address of one of our routes as the gateway and the browser call it."""
        return self.get_base_url().rstrip("/") + path

    # === ACTIONS === #

    def action_test_connection(self):
        """Try the settings, keep what came out and show it in words."""
        self.ensure_one()
        try:
            text, state = self._bd_test_connection(), "ok"
        except (Misconfigured, Unknown) as error:
            text, state = str(error), "error"
        self._bd_note_connection(state, text)
        return True

    def _bd_note_connection(self, state, text):
        self.write(
            {
                "bd_connection_state": state,
                "bd_connection_text": text,
                "bd_connection_at": fields.Datetime.now(),
            }
        )
