from odoo import models
from odoo.tools import SQL


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    def unlink(self):
        """Let the reports know that a payment is taken off a bill: no row will tell them."""
        if self:
            self.env.flush_all()
            self.env.cr.execute(
                SQL(
                    """
                    INSERT INTO isp_report_mark (subscription_id)
                    SELECT DISTINCT charge.subscription_id
                      FROM account_partial_reconcile part
                      JOIN account_move_line item
                        ON item.id IN (part.debit_move_id, part.credit_move_id)
                      JOIN account_move move ON move.id = item.move_id
                      JOIN isp_charge charge ON charge.move_id IN (move.id, move.reversed_entry_id)
                     WHERE part.id IN %s
                    """,
                    tuple(self.ids),
                )
            )
        return super().unlink()
