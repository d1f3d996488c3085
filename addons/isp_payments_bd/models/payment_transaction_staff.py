"""What staff can do with a payment: ask, accept, refuse, give up a refund."""

from odoo import models
from odoo.exceptions import UserError

from odoo.addons.payment import utils as payment_utils


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    # === ACTIONS === #

    def action_bd_ask(self):
        """Ask the gateway now and say what it said."""
        tx = self._bd_for_action()
        if not tx._bd_is_ours():
            raise UserError(self.env._("This payment was not made through one of our gateways."))
        outcome = tx._bd_settle("staff", again=True)
        if outcome == "busy":
            text = self.env._("This payment is just being handled. Look again in a minute.")
        else:
            label = dict(tx._fields["gateway_status"]._description_selection(self.env))
            said = label.get(tx.gateway_status, "")
            text = f"{said}. {tx.gateway_note}" if tx.gateway_note else said
        return self._bd_notification(self.env._("The gateway says"), text)

    def action_bd_accept(self):
        """Accept a payment that the gateway calls risky; it is asked once more and then booked."""
        tx = self._bd_for_decision()
        tx.gateway_accepted_by_id = self.env.user
        tx._message_log(body=self.env._("Accepted the risky payment."))
        tx._bd_settle("staff", again=True)
        if tx.state != "done":
            text = self.env._("Accepted. It is booked as soon as the gateway confirms it again.")
            return self._bd_notification(self.env._("Accepted"), text)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_bd_refuse(self):
        """Refuse a payment that the gateway calls risky, and give the money back."""
        tx = self._bd_for_decision()
        tx.write({"gateway_status": "refused", "gateway_next_ask_at": False})
        tx._set_canceled(
            tx._bd_for_payer().env._("We did not accept this payment. The money goes back to you.")
        )
        tx.activity_ids.unlink()
        tx._message_log(body=self.env._("Refused the risky payment."))
        method = tx.primary_payment_method_id
        if "none" in (tx.provider_id.support_refund, method.support_refund):
            return tx._bd_refund_by_hand(self.env._("Odoo cannot do it at this gateway."))
        refund = tx.with_context(payment_backend_action=True)._refund()
        if refund.state == "error":
            return tx._bd_refund_by_hand(refund.state_message)
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _bd_refund_by_hand(self, reason):
        summary = self.env._("Give a refused payment back in the gateway's own panel")
        self._bd_alert(summary, reason)
        return self._bd_notification(summary, reason)

    def action_bd_give_up_refund(self):
        """End a refund of which the gateway knows nothing, so that it can be made anew."""
        tx = self._bd_for_action()
        if tx.operation != "refund" or tx.state != "pending" or not tx._bd_lock():
            raise UserError(self.env._("Only a refund that is under way can be given up."))
        tx.write({"gateway_status": "refused", "gateway_next_ask_at": False})
        tx._set_error(self.env._("Given up by %(user)s.", user=self.env.user.name))
        tx.activity_ids.unlink()
        tx._message_log(body=self.env._("Gave the refund up: the gateway has not made it."))
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    # === HELPERS === #

    def _bd_for_action(self):
        self.ensure_one()
        payment_utils.check_rights_on_recordset(self)
        # sudo: accountants do not see the provider; their right to the payment was checked.
        return self.sudo()

    def _bd_for_decision(self):
        tx = self._bd_for_action()
        if not tx._bd_lock():
            raise UserError(
                self.env._("This payment is just being handled. Try again in a minute.")
            )
        if tx.state != "pending" or tx.gateway_status != "held":
            raise UserError(self.env._("This payment is not waiting for a decision any more."))
        return tx

    def _bd_notification(self, title, text):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": title,
                "message": text,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
