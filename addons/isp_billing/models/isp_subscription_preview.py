from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL


class IspSubscription(models.Model):
    """What the preview of a billing run asks about subscriptions."""

    _inherit = "isp.subscription"

    def _get_last_bill_amounts(self):
        """Charges of the latest bill, summed, ``{subscription id: amount}``; only of those billed."""
        self.env["isp.charge"].flush_model()
        rows = self.env.execute_query(
            SQL(
                "WITH last AS (SELECT subscription_id, max(move_id) AS move_id FROM isp_charge"
                " WHERE subscription_id = ANY(%s) AND charge_type <> 'released'"
                " GROUP BY subscription_id)"
                " SELECT subscription_id, sum(amount) FROM isp_charge"
                " JOIN last USING (subscription_id, move_id)"
                " WHERE charge_type <> 'released' GROUP BY subscription_id",
                self.ids,
            )
        )
        return {subscription_id: float(amount) for subscription_id, amount in rows}

    def _get_billing_obstacles(self, invoice_date):
        """Why bills cannot be posted, ``{subscription id: reason}``; seen without posting any.

        Hook: extend with other things that are known to stop a bill.
        """
        obstacles = {}
        for company, subscriptions in self.grouped("company_id").items():
            if reason := subscriptions._get_company_obstacle(company, invoice_date):
                obstacles.update(dict.fromkeys(subscriptions.ids, reason))
            else:
                obstacles.update(subscriptions._get_account_obstacles(company))
        return obstacles

    def _get_company_obstacle(self, company, invoice_date):
        """Why no bill of the company can be posted, ``None`` when they can."""
        if not company.isp_billing_journal_id:
            return self._get_no_journal_message(company)
        try:
            company._get_isp_bill_date(invoice_date)
        except UserError as error:
            return str(error)
        return None

    def _get_account_obstacles(self, company):
        """Subscriptions with a product whose income account is missing or archived."""
        default = company.isp_billing_journal_id.default_account_id
        reasons = {}
        for product in self.line_ids.product_id.with_company(company):
            account = product.product_tmpl_id.get_product_accounts()["income"] or default
            if not account or not account.active:
                reasons[product.id] = self.env._(
                    "The income account of %(product)s is missing or archived.",
                    product=product.display_name,
                )
        if not reasons:
            return {}
        return {
            one.id: reasons[product.id]
            for one in self
            for product in one.line_ids.product_id
            if product.id in reasons
        }
