from odoo import fields, models
from odoo.exceptions import UserError

from ..gateways.common import GatewayError


class IspSslcommerzRefund(models.TransientModel):
    _name = "isp.sslcommerz.refund"
    _description = "Reference of a refund whose answer was lost"

    transaction_id = fields.Many2one(
        "payment.transaction", string="Refund", required=True, ondelete="cascade"
    )
    gateway_order_id = fields.Char(
        related="transaction_id.gateway_order_id", string="Refund number to look for"
    )
    reference = fields.Char(
        string="Refund reference",
        required=True,
        help="SSLCommerz's own reference of the refund, from its merchant panel.",
    )

    def action_confirm(self):
        """Ask the gateway about the refund by this reference and book what it says.

        :raise UserError: it is no refund of this payment, or another refund has this reference
        """
        tx = self.transaction_id._bd_for_action()
        reference = (self.reference or "").strip()
        if not tx._sslcommerz_lacks_reference() or not tx._bd_lock():
            raise UserError(self.env._("This refund is not waiting for its reference any more."))
        if tx.search_count(
            [("provider_id", "=", tx.provider_id.id), ("provider_reference", "=", reference)]
        ):
            raise UserError(
                self.env._("The reference %(reference)s is another refund's.", reference=reference)
            )
        client = tx.provider_id.with_context(bd_live=tx.is_live)._bd_client()
        try:
            client.refund_status(reference, tx.source_transaction_id.provider_reference)
        except GatewayError as error:
            raise UserError(str(error)) from None
        tx.provider_reference = reference
        tx.activity_ids.unlink()
        tx._bd_settle("staff")
        return {"type": "ir.actions.act_window_close"}
