import ipaddress
import secrets
from datetime import timezone

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.isp_base.encryption import SHOW_UNREADABLE, encrypted_char

from ..gateways import nagad, nagad_crypto
from ..gateways.common import Misconfigured

_REQUIRED = {"required_if_provider": "nagad", "copy": False}
_CREDENTIALS = (
    *("nagad_merchant_id", "nagad_account_number", "nagad_private_key", "nagad_public_key"),
    *("nagad_server_ip", "nagad_test_url"),
)


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    _privacy_free = {
        "The operator's own account at the gateway.": "nagad_merchant_id nagad_account_number "
        "nagad_public_key nagad_server_ip nagad_test_url nagad_private_key_enc",
    }

    code = fields.Selection(selection_add=[("nagad", "Nagad")], ondelete={"nagad": "set default"})
    nagad_merchant_id = fields.Char(
        string="Merchant ID", help="The number that Nagad gave you.", **_REQUIRED
    )
    nagad_account_number = fields.Char(
        string="Merchant wallet number",
        copy=False,
        help="Only if your contract with Nagad asks for it: the wallet that is paid into.",
    )
    (
        nagad_private_key,
        nagad_private_key_enc,
        nagad_private_key_bidx,
        nagad_private_key_last4,
    ) = encrypted_char(
        "nagad_private_key",
        "Your private key",
        required_if_provider="nagad",
        help="Stays here, encrypted. Press “New key pair”, or paste the key that you have.",
    )
    nagad_own_public_key = fields.Text(
        string="Your public key",
        compute="_compute_nagad_own_public_key",
        groups="base.group_system",
        help="Hand this one to Nagad. It belongs to your private key.",
    )
    nagad_public_key = fields.Text(
        string="Nagad's public key",
        groups="base.group_system",
        help="The key that Nagad sent you, with or without the lines BEGIN and END.",
        **_REQUIRED,
    )
    nagad_server_ip = fields.Char(
        string="IPv4 address of this server",
        help="The public address from which this server calls Nagad. Nagad must have allowed it.",
        **_REQUIRED,
    )
    nagad_refunds = fields.Boolean(
        string="Refunds from Odoo",
        copy=False,
        help="Only if Nagad opened refunds for you. Try one of a small amount first and look it up"
        " in Nagad's merchant portal: Nagad publishes no rules for refunds.",
    )
    nagad_test_url = fields.Char(
        string="Address for test mode",
        copy=False,
        groups="base.group_system",
        help="Empty: Nagad's own sandbox. Only used in test mode.",
    )

    # === COMPUTE METHODS === #

    @api.depends("nagad_private_key")
    def _compute_nagad_own_public_key(self):
        for provider in self.with_context(**{SHOW_UNREADABLE: True}):
            # sudo: this field has the same group as the private key, which is masked for reading.
            key = provider.sudo().nagad_private_key
            provider.nagad_own_public_key = key and self._nagad_public_key_of(key)

    @api.model
    def _nagad_public_key_of(self, private_key):
        try:
            return nagad_crypto.public_text(nagad_crypto.load_private_key(private_key))
        except Misconfigured:
            return False  # the connection test says what is wrong with it

    @api.depends("nagad_refunds")
    def _compute_feature_support_fields(self):
        result = super()._compute_feature_support_fields()
        for provider in self.filtered(lambda p: p.code == "nagad"):
            provider.support_refund = "partial" if provider.nagad_refunds else "none"
        return result

    # === CONSTRAINT METHODS === #

    @api.constrains("nagad_server_ip")
    def _check_nagad_server_ip(self):
        for provider in self.filtered("nagad_server_ip"):
            try:
                ipaddress.IPv4Address(provider.nagad_server_ip)
            except ValueError:
                raise ValidationError(
                    self.env._(
                        "“%s” is not an IPv4 address. Nagad takes no other: four numbers, such as"
                        " 203.0.113.7.",
                        provider.nagad_server_ip,
                    )
                ) from None

    # === ACTIONS === #

    def action_nagad_new_keys(self):
        """Make a key pair; the private key is stored encrypted and never shown."""
        self.ensure_one()
        self.check_access("write")
        self.nagad_private_key, _public = nagad_crypto.new_key_pair()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "A new key pair was made. Copy “Your public key” and hand it to Nagad: until"
                    " Nagad has it, no payment can be started."
                ),
                "sticky": True,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === BUSINESS METHODS === #

    def _get_default_payment_method_codes(self):
        self.ensure_one()
        if self.code != "nagad":
            return super()._get_default_payment_method_codes()
        return {"nagad"}

    def _get_reset_values(self):
        if self.code != "nagad":
            return super()._get_reset_values()
        return dict.fromkeys(_CREDENTIALS, False)

    @api.model
    def _bd_setting_names(self):
        return super()._bd_setting_names() | set(_CREDENTIALS)

    def _bd_merchant(self):
        if self.code != "nagad":
            return super()._bd_merchant()
        return self.nagad_merchant_id

    def _bd_client(self):
        if self.code != "nagad":
            return super()._bd_client()
        # sudo: whoever pays or refunds makes Odoo use the keys, and never sees them.
        provider = self.sudo()
        url = nagad.LIVE_URL if self._bd_live() else provider.nagad_test_url or nagad.SANDBOX_URL
        try:
            private_key = provider.nagad_private_key
        except UserError as error:
            raise Misconfigured(str(error)) from None
        return nagad.NagadClient(
            url,
            provider.nagad_merchant_id,
            private_key,
            provider.nagad_public_key,
            server_ip=provider.nagad_server_ip or "",
            account_number=provider.nagad_account_number or "",
        )

    def _bd_test_connection(self):
        if self.code != "nagad":
            return super()._bd_test_connection()
        order_id = "TEST" + secrets.token_hex(6).upper()
        self._bd_client().initialise(order_id, self._nagad_now())
        return self.env._(
            "Nagad knows the merchant %s, and both keys fit. Nothing was charged.",
            self.nagad_merchant_id,
        )

    @api.model
    def _nagad_now(self):
        return fields.Datetime.now().replace(tzinfo=timezone.utc)
