from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..usage import caps

# Each order takes a number of the books, so a customer may change his mind so often in a day.
_CANCELLED_A_DAY = 5


class IspSubscription(models.Model):
    """Top-ups in the portal: what a subscription may buy, at which price, until when it counts."""

    _inherit = "isp.subscription"

    # === BUSINESS METHODS === #

    def _get_topup_problem(self):
        """Why no volume can be bought now, in the customer's words; ``False`` when it can."""
        self.ensure_one()
        valid_until = self.entitlement_ids.valid_until
        if self._is_waiting_for_payment():
            return self.env._(
                "Your internet is stopped because a bill is unpaid. Please pay it first."
            )
        if self.state != "active":
            return self.env._("Your internet is not active, so you cannot buy data volume now.")
        if valid_until and valid_until <= fields.Datetime.now():
            return self.env._("The time you paid for is over. Please pay for your internet first.")
        if not self.plan_id.cap_gb:
            return self.env._("Your data volume is not limited. There is nothing to top up.")
        if not self._get_topup_offers():
            return self.env._("There is no extra data volume for your plan. Please contact us.")
        return False

    def _get_topup_offers(self):
        """The offers of the plan that are sold online; what costs nothing only staff gives."""
        self.ensure_one()
        return self.plan_id.topup_ids.filtered("price")

    def _get_topup_price(self, offer):
        """``(with tax, tax)`` of an offer, as it would stand on the bill."""
        self.ensure_one()
        company, partner = self.company_id, self.partner_id
        product = offer.product_id or self.plan_id.product_id
        position = self.env["account.fiscal.position"].with_company(company)
        position = position._get_fiscal_position(
            partner, delivery=self.service_address_id or partner
        )
        taxes = position.map_tax(product.taxes_id._filter_taxes_by_company(company))
        amounts = taxes.compute_all(
            self.currency_id.round(offer.price), self.currency_id, product=product, partner=partner
        )
        return (
            amounts["total_included"],
            amounts["total_included"] - amounts["total_excluded"],
        )

    def _get_topup_order(self):
        """The order that waits for its payment, perhaps none."""
        self.ensure_one()
        return self.topup_ids.filtered(lambda topup: topup.state == "ordered")

    def _get_volume(self):
        """``(the engine's account, first day after)`` of the running window, ``None`` without a cap.

        A window begins with its first report, so there may be none yet: it is shown all the same.
        """
        self.ensure_one()
        if window := self.usage_window_id:
            return window._get_account(), window.date_to
        if not self.plan_id.cap_gb or self.state not in ("active", "suspended"):
            return None
        before = self.usage_window_ids.sorted("date_to")[-1:]
        vals = self.env["isp.usage.window"]._prepare_window_vals(self, before)
        return caps.Account(vals["included_bytes"], vals["carried_bytes"]), vals["date_to"]

    def _order_topup(self, offer):
        """Order extra volume: the customer gets a bill, and the volume with its payment.

        One order waits at a time: the same again is the same order, another one takes its place.

        :return: the top-up, given already where a credit of the customer has paid for it
        :raises UserError: in the customer's words, when it cannot be bought
        """
        self.ensure_one()
        # Two clicks at once must not make two bills: the second one waits, and finds the first.
        self.env.execute_query(
            SQL("SELECT id FROM isp_subscription WHERE id = %s FOR UPDATE", self.id)
        )
        if problem := self._get_topup_problem():
            raise UserError(problem)
        if not offer or offer not in self._get_topup_offers():
            raise UserError(
                self.env._("This volume is not on offer any more. Please choose again.")
            )
        topups = self.env["isp.subscription.topup"]
        if order := self._get_topup_order():
            if order._is_being_paid():
                raise UserError(
                    self.env._("Your last order is being paid. Please wait until that is done.")
                )
            if order.offer_id == offer and order.price == self.currency_id.round(offer.price):
                return order
            self._refuse_many_orders()
            order._cancel_order()
        # sudo: windows are written by the network only; this one is begun for the customer.
        self.env["isp.usage.window"].sudo()._open_missing(self)
        return topups._place(self, offer, self.usage_window_id)

    def _refuse_many_orders(self):
        """Refuse to cancel one order after the other.

        :raises UserError: after so many of today
        """
        self.ensure_one()
        today = self.company_id._get_isp_today()
        cancelled = self.topup_ids.filtered(
            lambda topup: topup.state == "cancelled" and topup.move_id.invoice_date == today
        )
        if len(cancelled) >= _CANCELLED_A_DAY:
            raise UserError(
                self.env._("You have changed your order often today. Please pay it, or contact us.")
            )
