from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.isp_base.encryption import encrypted_char

from ..gateways import bkash, bkash_sns
from ..gateways.common import Misconfigured
from .isp_bkash_login import LoginStore

_REQUIRED = {"required_if_provider": "bkash", "copy": False, "groups": "base.group_system"}
_CREDENTIALS = ("bkash_username", "bkash_password", "bkash_app_key", "bkash_app_secret")
_HOSTS = {None: bkash_sns.AmazonHosts()}


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    _privacy_free = {
        "The operator's own account at the gateway.": "bkash_username bkash_app_key bkash_sns_topic "
        "bkash_short_code bkash_test_url bkash_app_secret_enc bkash_password_enc",
    }

    code = fields.Selection(selection_add=[("bkash", "bKash")], ondelete={"bkash": "set default"})
    bkash_username = fields.Char(
        string="User name",
        help="The user name of the API, which bKash sent with the app key.",
        **_REQUIRED,
    )
    (bkash_password, bkash_password_enc, bkash_password_bidx, bkash_password_last4) = (
        encrypted_char("bkash_password", "Password", required_if_provider="bkash")
    )
    bkash_app_key = fields.Char(string="App key", **_REQUIRED)
    (bkash_app_secret, bkash_app_secret_enc, bkash_app_secret_bidx, bkash_app_secret_last4) = (
        encrypted_char("bkash_app_secret", "App secret", required_if_provider="bkash")
    )
    bkash_refund_version = fields.Selection(
        [("2", "Several refunds of one payment"), ("1", "One refund of a payment")],
        string="Refunds",
        default="2",
        required=True,
        help="Older contracts with bKash allow one refund of a payment only.",
    )
    bkash_sns_topic = fields.Char(
        string="Topic of notifications",
        copy=False,
        help="The name that bKash's support tells you, such as arn:aws:sns:ap-southeast-1:…"
        " Only notifications of this topic are believed; without one, none are.",
    )
    bkash_webhook_url = fields.Char(
        string="Address for notifications",
        compute="_compute_bkash_webhook_url",
        help="Give this address to bKash's support.",
    )
    bkash_short_code = fields.Char(
        string="Short code of the merchant",
        copy=False,
        help="If set, a payment by QR code or USSD is only taken when it went to this number.",
    )
    bkash_test_url = fields.Char(
        string="Address for test mode",
        copy=False,
        groups="base.group_system",
        help="Empty: bKash's own sandbox. Only used in test mode; certificates of notifications"
        " may come from it too.",
    )

    # === COMPUTE METHODS === #

    def _compute_bkash_webhook_url(self):
        for provider in self:
            path = f"/payment/bkash/notification/{provider._origin.id}"
            provider.bkash_webhook_url = provider._origin and provider._bd_url(path)

    def _compute_feature_support_fields(self):
        result = super()._compute_feature_support_fields()
        for provider in self.filtered(lambda p: p.code == "bkash"):
            provider.support_refund = "partial"
            provider.support_tokenization = True
        return result

    # === CONSTRAINT METHODS === #

    @api.constrains("bkash_sns_topic")
    def _check_bkash_sns_topic(self):
        for provider in self.filtered("bkash_sns_topic"):
            if not bkash_sns.is_topic_arn(provider.bkash_sns_topic):
                raise ValidationError(
                    self.env._(
                        "“%s” is not the name of a topic. It begins with arn:aws:sns: and has no"
                        " spaces.",
                        provider.bkash_sns_topic,
                    )
                )

    # === CRUD METHODS === #

    def write(self, vals):
        """Forget the token with the settings it was got with."""
        result = super().write(vals)
        if vals.keys() & {*_CREDENTIALS, "state", "bkash_test_url"}:
            # sudo: nobody may see the logins, but whoever may change the settings ends them. The
            # times stay: bKash counts them whatever the password.
            logins = self.env["isp.bkash.login"].sudo().search([("provider_id", "in", self.ids)])
            logins.write({"id_token": False, "refresh_token": False})
        return result

    # === BUSINESS METHODS === #

    def _get_default_payment_method_codes(self):
        self.ensure_one()
        if self.code != "bkash":
            return super()._get_default_payment_method_codes()
        return {"bkash"}

    def _get_reset_values(self):
        if self.code != "bkash":
            return super()._get_reset_values()
        return dict.fromkeys((*_CREDENTIALS, "bkash_sns_topic", "bkash_short_code"), False)

    @api.model
    def _bd_setting_names(self):
        return super()._bd_setting_names() | {"bkash_test_url"}

    def _bd_saves_wallets_unpaid(self):
        return self.code == "bkash" or super()._bd_saves_wallets_unpaid()

    def _bkash_simulator_url(self):
        """Return the address that stands in for bKash, never in live mode."""
        # sudo: payers do not see the settings.
        return None if self._bd_live() else self.sudo().bkash_test_url or None

    def _bd_client(self):
        if self.code != "bkash":
            return super()._bd_client()
        own = self.sudo()  # sudo: payers do not see the credentials, their payments need them
        if missing := [name for name in _CREDENTIALS if not own[name]]:
            labels = [self._fields[name]._description_string(self.env) for name in missing]
            raise Misconfigured(
                self.env._("Type in what bKash gave you: %s.", ", ".join(map(str, labels)))
            )
        url = bkash.LIVE_URL if self._bd_live() else self._bkash_simulator_url()
        return bkash.BkashClient(
            url or bkash.SANDBOX_URL,
            username=own.bkash_username,
            password=own.bkash_password,
            app_key=own.bkash_app_key,
            app_secret=own.bkash_app_secret,
            tokens=LoginStore(self),
        )

    def _bd_test_connection(self):
        if self.code != "bkash":
            return super()._bd_test_connection()
        self._bd_client().check_login()
        if self._bd_live():
            return self.env._("bKash accepts the settings. Customers pay with real money.")
        return self.env._("bKash accepts the settings. This is its sandbox: no real money moves.")

    def _bkash_sns_hosts(self):
        """Return whose certificates are believed; they are kept for as long as the worker lives."""
        url = self._bkash_simulator_url()
        return _HOSTS.setdefault(url, bkash_sns.AmazonHosts(url))
