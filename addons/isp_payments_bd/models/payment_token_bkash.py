import logging

from odoo import api, fields, models

from ..gateways.common import GatewayError

_logger = logging.getLogger(__name__)

_BATCH = 100


class PaymentToken(models.Model):
    _inherit = "payment.token"

    bkash_is_live = fields.Boolean(
        readonly=True, copy=False, help="Saved with real money, not in the sandbox."
    )
    bkash_to_cancel = fields.Boolean(
        readonly=True, copy=False, help="bKash has to be told to forget this wallet."
    )

    _bkash_to_cancel_idx = models.Index("(id) WHERE bkash_to_cancel")

    @api.model
    def _get_specific_create_values(self, provider_code, values):
        specific = super()._get_specific_create_values(provider_code, values)
        if provider_code == "bkash":
            provider = self.env["payment.provider"].browse(values["provider_id"])
            specific["bkash_is_live"] = provider._bd_live()
        return specific

    def _handle_archiving(self):
        """Have bKash forget the wallet; a job tells it, so that no customer waits for bKash."""
        ours = self.filtered(lambda token: token.provider_id.code == "bkash")
        ours.bkash_to_cancel = True
        if ours:
            # sudo: a system cron.
            self.env.ref("isp_payments_bd.payment_token_cron_bkash_cancel").sudo()._trigger()
        return super(PaymentToken, self - ours)._handle_archiving()

    @api.model
    def _cron_bkash_cancel(self):
        """Tell bKash to forget the wallets that were archived; repeated until it has heard."""
        cron = self.env["ir.cron"]
        todo = self.with_context(active_test=False).search(
            [("bkash_to_cancel", "=", True)], limit=_BATCH
        )
        cron._commit_progress(remaining=len(todo))
        for token in todo:
            token._bkash_cancel()
            if not cron._commit_progress(1):
                return

    def _bkash_cancel(self):
        """Cancel the agreement, when the settings are those of its mode."""
        provider = self.provider_id
        if provider.state == "disabled" or (provider.state == "enabled") != self.bkash_is_live:
            return
        try:
            provider._bd_client().cancel_agreement(self.provider_ref)
        except GatewayError as error:
            _logger.warning("Wallet %s is not forgotten at bKash yet: %s", self.id, error)
        else:
            self.bkash_to_cancel = False

    def _privacy_waiting(self):
        """Return the wallets that are not erased yet, because bKash is to forget them first."""
        return self.filtered("bkash_to_cancel")
