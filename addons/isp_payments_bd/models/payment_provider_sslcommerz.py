from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.isp_base.encryption import encrypted_char

from ..gateways.sslcommerz import LIVE_URL, SANDBOX_URL, SslcommerzClient


class PaymentProvider(models.Model):
    _inherit = "payment.provider"

    _privacy_free = {
        "The operator's own account at the gateway.": "sslcommerz_store_id sslcommerz_methods "
        "sslcommerz_test_url sslcommerz_store_passwd_enc",
    }

    code = fields.Selection(
        selection_add=[("sslcommerz", "SSLCommerz")], ondelete={"sslcommerz": "set default"}
    )
    sslcommerz_store_id = fields.Char(
        string="Store ID",
        required_if_provider="sslcommerz",
        copy=False,
        groups="base.group_system",
        help="From SSLCommerz, for example “yourcompanylive”. Test and live stores differ.",
    )
    (
        sslcommerz_store_passwd,
        sslcommerz_store_passwd_enc,
        sslcommerz_store_passwd_bidx,
        sslcommerz_store_passwd_last4,
    ) = encrypted_char(
        "sslcommerz_store_passwd",
        "Store password",
        required_if_provider="sslcommerz",
        help="The API password of the store, not the password of the merchant panel.",
    )
    sslcommerz_methods = fields.Char(
        string="Ways to pay",
        copy=False,
        help="Leave empty to offer all. Otherwise SSLCommerz's names with commas between, for"
        " example: mobilebank,internetbank,visacard",
    )
    sslcommerz_test_url = fields.Char(
        string="Address of the test system",
        copy=False,
        groups="base.group_system",
        help="Leave empty for SSLCommerz's own sandbox. Used in test mode only.",
    )

    # === CONSTRAINT METHODS === #

    @api.constrains("sslcommerz_methods")
    def _check_sslcommerz_methods(self):
        for provider in self:
            if len(provider.sslcommerz_methods or "") > 30:
                raise ValidationError(
                    self.env._("SSLCommerz takes at most 30 characters of ways to pay.")
                )

    # === GATEWAY HOOKS === #

    def _bd_client(self):
        if self.code != "sslcommerz":
            return super()._bd_client()
        # sudo: the credentials are for the system alone; the payer's request needs them too.
        provider_sudo = self.sudo()
        test_url = provider_sudo.sslcommerz_test_url or SANDBOX_URL
        return SslcommerzClient(
            provider_sudo.sslcommerz_store_id,
            provider_sudo.sslcommerz_store_passwd,
            LIVE_URL if self._bd_live() else test_url,
        )

    def _bd_test_connection(self):
        if self.code != "sslcommerz":
            return super()._bd_test_connection()
        self._bd_client().test_connection()
        if self._bd_live():
            return self.env._("SSLCommerz accepts this store. Real money will move.")
        return self.env._("SSLCommerz's test system accepts this store.")

    def _bd_merchant(self):
        if self.code != "sslcommerz":
            return super()._bd_merchant()
        # sudo: see _bd_client
        return self.sudo().sslcommerz_store_id

    # === ODOO'S HOOKS === #

    def _compute_feature_support_fields(self):
        result = super()._compute_feature_support_fields()
        self.filtered(lambda p: p.code == "sslcommerz").support_refund = "partial"
        return result

    def _get_default_payment_method_codes(self):
        self.ensure_one()
        if self.code != "sslcommerz":
            return super()._get_default_payment_method_codes()
        return {"sslcommerz"}

    def _get_reset_values(self):
        if self.code != "sslcommerz":
            return super()._get_reset_values()
        return {"sslcommerz_store_id": False, "sslcommerz_store_passwd": False}
