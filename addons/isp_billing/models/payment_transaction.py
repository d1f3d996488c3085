from odoo import models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _create_payment(self, **extra_create_values):
        """Let what the chosen bills leave of an online payment settle the oldest open ones."""
        payment = super()._create_payment(**extra_create_values)
        payment._isp_settle_oldest_bills()
        return payment
