from odoo import api, fields, models

from odoo.addons.isp_base.encryption import SHOW_UNREADABLE, encrypted_char

from ..gateways import CLIENTS
from ..gateways.common import GatewayError, Misconfigured


class IspMessageGateway(models.Model):
    """An account of a company at an SMS gateway."""

    _name = "isp.message.gateway"
    _description = "SMS gateway"
    _inherit = ["mail.thread", "mail.activity.mixin", "isp.encrypted.mixin"]
    _order = "sequence, id"
    _check_company_auto = True

    _privacy_subject = None
    _privacy_defaults = {"category": "credential", "purpose": "security", "retention": "account"}
    _privacy_fields = {"api_token": "secret", "responsible_id": "staff"}
    _privacy_free = {
        "How the operator is connected to the gateway.": "name sender test_url connection_text"
    }

    name = fields.Char(required=True, tracking=True)
    sequence = fields.Integer(default=10, help="The first one is used.")
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    provider = fields.Selection(
        [("ssl_wireless", "SSL Wireless (Bangladesh)"), ("msg91", "MSG91 (India)")],
        required=True,
        tracking=True,
    )
    sender = fields.Char(
        required=True,
        tracking=True,
        help="By which customers know you: the SID at SSL Wireless, the registered header in India.",
    )
    api_token, api_token_enc, api_token_bidx, api_token_last4 = encrypted_char(
        "api_token",
        "API token",
        groups="isp_base.group_isp_manager",
        help="From the gateway's panel. It is stored encrypted.",
    )
    test_url = fields.Char(
        "Address of a simulator",
        groups="base.group_system",
        copy=False,
        help="Left empty, the gateway itself is called.",
    )
    price = fields.Float("Price of a part", digits=(16, 4), help="In the company's currency.")
    balance = fields.Float(readonly=True, copy=False)
    balance_at = fields.Datetime("Balance asked on", readonly=True, copy=False)
    balance_threshold = fields.Float(
        "Warn below", help="An activity tells the person in charge when less than this is left."
    )
    responsible_id = fields.Many2one(
        "res.users", "In charge", domain=[("share", "=", False)], copy=False
    )
    connection_state = fields.Selection(
        [("untested", "Not tested"), ("ok", "Works"), ("error", "Does not work")],
        "Connection",
        default="untested",
        readonly=True,
        copy=False,
    )
    connection_text = fields.Char("Connection test says", readonly=True, copy=False)
    connection_at = fields.Datetime("Tested on", readonly=True, copy=False)

    # === CRUD METHODS === #

    def write(self, vals):
        """A connection that was tested with other settings counts as not tested."""
        settings = {"api_token", "sender", "provider", "test_url"} & vals.keys()
        if settings and "connection_state" not in vals:
            vals = {**vals, "connection_state": "untested", "connection_text": False}
        return super().write(vals)

    # === ACTIONS === #

    def action_test_connection(self):
        """Ask for the balance: it needs token, sender and address, and costs nothing."""
        self.ensure_one()
        self.check_access("write")
        is_ok = self._ask_balance()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if is_ok else "danger",
                "message": self.connection_text,
                "sticky": not is_ok,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === BUSINESS METHODS === #

    def _get_client(self):
        """Return the client of the gateway.

        :raise Misconfigured: something is not entered
        """
        self.ensure_one()
        # sudo: whoever sends uses the secret without seeing it.
        gateway = self.sudo()
        return CLIENTS[gateway.provider](gateway.api_token, gateway.sender, gateway.test_url)

    def _deduplicates(self):
        """Whether the gateway sends a message of the same key once."""
        return bool(self) and CLIENTS[self.provider].deduplicates

    def _ask_balance(self):
        """Ask what is left and note it; below the threshold somebody is told.

        :return: whether the gateway answered
        """
        self.ensure_one()
        try:
            amount = self._get_client().balance()
        except GatewayError as error:
            self._note_connection("error", str(error))
            return False
        self._note_connection("ok", self.env._("It works. Left on the account: %s.", amount))
        # Odoo reads the secrets along at a write, see isp_payments_bd.
        self.write({"balance": float(amount), "balance_at": fields.Datetime.now()})
        self._warn_of_balance()
        return True

    def _note_connection(self, state, text):
        self.with_context(**{SHOW_UNREADABLE: True}).write(
            {
                "connection_state": state,
                "connection_text": text,
                "connection_at": fields.Datetime.now(),
            }
        )

    def _note_error(self, error):
        """Keep what a gateway says against our settings, when a message met it."""
        if isinstance(error, Misconfigured) and self.connection_text != str(error):
            self._note_connection("error", str(error))
            self._tell(self.env._("The SMS gateway does not work"), str(error))

    def _warn_of_balance(self):
        """Tell the person in charge, once, until there is money again."""
        summary = self.env._("SMS gateway: little money left")
        if self.balance >= self.balance_threshold:
            self.activity_ids.filtered(lambda a: a.summary == summary).unlink()
            return
        self._tell(
            summary,
            self.env._(
                "Left: %(balance)s, warn below %(threshold)s. Messages stop when nothing is left.",
                balance=self.balance,
                threshold=self.balance_threshold,
            ),
        )

    def _tell(self, summary, note):
        """Give the person in charge an activity, unless there is one already."""
        if summary not in self.activity_ids.mapped("summary"):
            self.activity_schedule(
                "mail.mail_activity_data_warning",
                summary=summary,
                note=note,
                user_id=self._get_responsible().id,
            )

    def _get_responsible(self):
        managers = self.env["res.users"].search(
            [
                ("all_group_ids", "in", self.env.ref("isp_base.group_isp_manager").id),
                ("company_ids", "in", self.company_id.id),
                ("share", "=", False),
            ],
            order="id",
            limit=1,
        )
        chosen = self.responsible_id.filtered("active")
        return chosen or managers or self.env.ref("base.user_root")

    @api.model
    def _cron_ask_balances(self):
        """Ask each gateway in use, one commit for each."""
        cron = self.env["ir.cron"]
        gateways = self.search([("active", "=", True), ("connection_state", "!=", "untested")])
        cron._commit_progress(remaining=len(gateways))
        for gateway in gateways:
            gateway._ask_balance()
            if not cron._commit_progress(1):
                return
