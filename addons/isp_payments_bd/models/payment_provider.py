from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.isp_base.encryption import SHOW_UNREADABLE
from odoo.addons.payment import utils as payment_utils
from odoo.addons.payment.const import REPORT_REASONS_MAPPING

from ..gateways.common import GatewayError

BD_CODES = ("bkash", "nagad", "sslcommerz")


class PaymentProvider(models.Model):
    _name = "payment.provider"
    _inherit = ["payment.provider", "isp.encrypted.mixin"]

    _privacy_free = {
        "How the operator is connected to the gateway.": "bd_connection_text bd_settlement_columns",
        "Who of the staff is told of trouble; the account is mapped.": "bd_responsible_id",
    }

    bd_is_ours = fields.Boolean(compute="_compute_bd_is_ours")
    bd_next_step = fields.Char(string="Next step", compute="_compute_bd_next_step")
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
        help="Expense account. The fee of each payment is booked here together with the payment.",
    )
    bd_fee_bearer = fields.Selection(
        [("merchant", "We: it is kept back from our money"), ("payer", "The customer, on top")],
        string="Who pays the fee",
        default="merchant",
        required=True,
        help="Only a fee that is kept back from our money is booked.",
    )
    bd_responsible_id = fields.Many2one(
        "res.users",
        string="Accountant",
        domain=[("share", "=", False)],
        copy=False,
        help="Gets the activities: risky payments, bills paid twice, answers that do not fit."
        " Empty: the first accountant of the company.",
    )
    bd_settlement_columns = fields.Text(
        string="Columns of the settlement report",
        help="Only needed if a report is not understood. One per line, for example:\n"
        "reference = Transaction Id\namount = Sale Amount",
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

    def _bd_saves_wallets_unpaid(self):
        """Return whether a wallet can be saved without a payment."""
        return False

    # === HELPERS FOR GATEWAYS === #

    def _bd_live(self):
        """Return whether real money moves: decides the gateway's address."""
        return self.env.context.get("bd_live", self.state == "enabled")

    def _bd_url(self, path):
        """Return the address of one of our routes as the gateway and the browser call it."""
        return self.get_base_url().rstrip("/") + path

    # === COMPUTE METHODS === #

    @api.depends("code")
    def _compute_bd_is_ours(self):
        for provider in self:
            provider.bd_is_ours = provider.code in self._bd_codes()

    @api.depends(
        *("code", "state", "is_published", "journal_id", "bd_connection_state"),
        *("bd_fee_percent", "bd_fee_account_id"),
    )
    def _compute_bd_next_step(self):
        for provider in self:
            provider.bd_next_step = provider.bd_is_ours and provider._bd_get_next_step()

    def _bd_get_next_step(self):
        """Say in words what is to be done next until customers can pay."""
        if self.bd_connection_state == "error":
            return self.env._(
                "Repair what the connection test says, then test the connection again."
            )
        if self.bd_connection_state != "ok":
            return self.env._("Type in what the gateway gave you, then press “Test connection”.")
        if self.state == "disabled":
            return self.env._("The connection works. Choose “Test mode” and save.")
        if not self.journal_id:
            return self.env._("Choose the bank journal of this gateway's money, tab Configuration.")
        if self.state == "test":
            return self.env._(
                "Pay a bill with the gateway's test wallet. If it arrives, type in the real"
                " credentials, choose “Enabled” and test the connection again."
            )
        if not self.is_published:
            return self.env._("Publish it: customers do not see it yet.")
        if not self.bd_fee_account_id:
            return self.env._(
                "Customers can pay. Set the account of the gateway's fees, if it takes any."
            )
        return self.env._("Customers can pay.")

    def _get_supported_currencies(self):
        currencies = super()._get_supported_currencies()
        if self.code in self._bd_codes():
            currencies = currencies.filtered(lambda currency: currency.name == "BDT")
        return currencies

    # === CONSTRAINT METHODS === #

    @api.constrains("bd_fee_percent")
    def _check_bd_fee_percent(self):
        for provider in self:
            if not 0 <= provider.bd_fee_percent < 100:
                raise ValidationError(
                    self.env._("The gateway fee is a percentage between 0 and 100.")
                )

    @api.constrains("bd_fee_percent", "bd_fee_account_id", "bd_fee_bearer")
    def _check_bd_fee_account(self):
        for provider in self:
            booked = provider.bd_fee_percent and provider.bd_fee_bearer == "merchant"
            if booked and not provider.bd_fee_account_id:
                raise ValidationError(
                    self.env._("Set the account on which the gateway's fees are booked.")
                )

    # === CRUD METHODS === #

    def write(self, vals):
        """A connection that was tested with other settings counts as not tested."""
        settings = self._bd_setting_names() & vals.keys()
        if settings and "bd_connection_state" not in vals:
            vals = {**vals, "bd_connection_state": "untested", "bd_connection_text": False}
        return super().write(vals)

    @api.model
    def _bd_setting_names(self):
        """Return the fields on which it depends whether the gateway can be reached."""
        required = {
            name
            for name, field in self._fields.items()
            if getattr(field, "required_if_provider", None) in self._bd_codes()
        }
        return required | {field.name for field in self._encrypted_fields()} | {"state"}

    # === ACTIONS === #

    def action_test_connection(self):
        """Try the settings, keep what came out and show it in words."""
        self.ensure_one()
        self.check_access("write")
        try:
            text, state = self._bd_test_connection(), "ok"
        except GatewayError as error:
            text, state = str(error), "error"
        self._bd_note_connection(state, text)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if state == "ok" else "danger",
                "message": text,
                "sticky": state != "ok",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _bd_note_connection(self, state, text):
        """Keep what is known of the connection; the job too notes when the gateway refuses us."""
        if (self.bd_connection_state, self.bd_connection_text) == (state, text) and state != "ok":
            return
        # Odoo looks at all credentials at each write: one that cannot be opened with the keys of
        # this machine must not keep its own message from being shown.
        self.with_context(**{SHOW_UNREADABLE: True}).write(
            {
                "bd_connection_state": state,
                "bd_connection_text": text,
                "bd_connection_at": fields.Datetime.now(),
            }
        )

    # === BUSINESS METHODS === #

    @api.model
    def _get_compatible_providers(self, *args, is_validation=False, report=None, **kwargs):
        """Leave out gateways that cannot save a wallet without a payment."""
        providers = super()._get_compatible_providers(
            *args, is_validation=is_validation, report=report, **kwargs
        )
        if not is_validation:
            return providers
        unable = providers.filtered(
            lambda p: p.code in self._bd_codes() and not p._bd_saves_wallets_unpaid()
        )
        payment_utils.add_to_report(
            report,
            unable,
            available=False,
            reason=REPORT_REASONS_MAPPING["validation_not_supported"],
        )
        return providers - unable

    def _bd_accountant(self):
        """Return the user who gets the activities of this gateway."""
        users = self.env["res.users"].search(
            [
                ("all_group_ids", "in", self.env.ref("account.group_account_invoice").id),
                ("company_ids", "in", self.company_id.id),
                ("share", "=", False),
            ],
            order="id",
        )
        managers = users.filtered(lambda u: u.has_group("account.group_account_manager"))
        chosen = self.bd_responsible_id.filtered(lambda u: u.active)
        return chosen or managers[:1] or users[:1] or self.env.ref("base.user_root")
