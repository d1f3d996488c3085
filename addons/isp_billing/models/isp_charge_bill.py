from odoo import models


class IspCharge(models.Model):
    """Which charges share a bill, and whether it is an invoice or a credit note."""

    _inherit = "isp.charge"

    def _group_bills(self):
        """Sort charges of one company into bills.

        :return: ``[(subscriptions, charges, sign of the total)]``; credit notes come last and bills
            of zero before them, because both are numbered after the bills that are copied
        """
        by_subscription = self.grouped("subscription_id")
        subscriptions = self.env["isp.subscription"].concat(*by_subscription)
        joint = subscriptions._get_joint_customers()
        together = {}
        for subscription in subscriptions:
            is_joint = subscription.commercial_partner_id in joint
            key = subscription._get_bill_key() if is_joint else subscription
            together[key] = together.get(key, subscription.browse()) + subscription
        bills = []
        # What is read of one is read of all: thousands of bills are prepared together.
        ids, subscription_ids = self.ids, subscriptions.ids
        for group in together.values():
            group = group.with_prefetch(subscription_ids)
            charges = self.browse().concat(*(by_subscription[one] for one in group))
            charges = charges.with_prefetch(ids)
            bills.append((group, charges, charges._get_bill_sign(group)))
        return sorted(bills, key=lambda bill: -bill[2])

    def _get_bill_sign(self, subscriptions):
        """1, 0 or -1, as the customer owes for these charges, owes nothing or gets money back."""
        amounts = [charge.amount for charge in self]
        if min(amounts) > 0:
            return 1
        if min(amounts) < 0 < max(amounts):
            amounts = self._get_taxed_amounts(subscriptions)
        return subscriptions.currency_id.compare_amounts(sum(amounts), 0.0)

    def _get_taxed_amounts(self, subscriptions):
        """What each charge comes to on the bill of ``subscriptions``, taxes included."""
        company = subscriptions.company_id
        partner = subscriptions._get_bill_partner()
        place = subscriptions[0].service_address_id or subscriptions[0].partner_id
        position = self.env["account.fiscal.position"].with_company(company)
        position = position._get_fiscal_position(partner, delivery=place)
        amounts = []
        for charge in self:
            product = charge._get_product()
            taxes = position.map_tax(product.taxes_id._filter_taxes_by_company(company))
            taxed = taxes.compute_all(
                charge.amount, subscriptions.currency_id, product=product, partner=partner
            )
            amounts.append(taxed["total_included"])
        return amounts
