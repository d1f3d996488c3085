from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL


class AccountMove(models.Model):
    """Credits of a customer settle new bills, in the transaction that posts them."""

    _inherit = "account.move"

    def _isp_apply_credits(self):
        """Reconcile what is owed with credit notes and payments in advance, oldest due first.

        One query finds the few customers who have a credit, so the others cost nothing.

        :return: the journal items that took part
        """
        used = self.env["account.move.line"]
        for company, moves in self.grouped("company_id").items():
            if company.isp_apply_credits:
                used |= moves.with_company(company)._isp_apply_credits_of(company)
        return used

    def _isp_apply_credits_of(self, company, only=None):
        """As :meth:`_isp_apply_credits`, whatever the setting of ``company`` is.

        :param account.move.line only: the credits to use; all of the customers when left out
        """
        # Odoo would mark some of the bills as edited by hand, depending on what its cache holds.
        untouched = self.with_context(skip_is_manually_modified=True)
        if not company.tax_exigibility and self.currency_id <= company.currency_id:
            # No entry is made beside, and matching changes no line: none has to be compared.
            untouched = untouched.with_context(skip_invoice_sync=True)
        AccountMoveLine = untouched.env["account.move.line"]
        accounts = self._get_isp_receivable_accounts()
        partner_ids = self._get_isp_partners_with_credit(company, accounts)
        if not partner_ids:
            return AccountMoveLine
        lines = AccountMoveLine.search(
            self._get_isp_open_items_domain(company, accounts)
            & Domain("partner_id", "in", partner_ids),
            order="date_maturity, move_name, id",
        )
        if only is not None:
            lines = lines.filtered(lambda item: item.amount_residual > 0 or item in only)
        groups = lines.grouped(lambda item: (item.partner_id, item.account_id, item.currency_id))
        together = [
            items
            for _key, items in sorted(
                groups.items(), key=lambda group: [one.id for one in group[0]]
            )
            if len({item.amount_residual > 0 for item in items}) == 2
        ]
        # What reconcile() does for one group of items, for all of them at once.
        AccountMoveLine._reconcile_plan(together)
        return AccountMoveLine.concat(*together)

    def _get_isp_receivable_accounts(self):
        """Accounts on which the customers of these bills owe them."""
        rows = self.env["account.move.line"]._read_group(
            [("move_id", "in", self.ids), ("account_type", "=", "asset_receivable")],
            ["account_id"],
        )
        return self.env["account.account"].concat(*(account for (account,) in rows))

    def _get_isp_partners_with_credit(self, company, accounts):
        """Ids of the customers of these bills who have an unused credit."""
        AccountMoveLine = self.env["account.move.line"]
        AccountMoveLine.flush_model(
            ["account_id", "amount_residual", "company_id", "parent_state", "partner_id"]
            + ["reconciled"]
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT partner_id FROM account_move_line"
                " WHERE account_id = ANY(%s) AND partner_id = ANY(%s) AND reconciled IS NOT TRUE"
                " AND company_id = %s AND parent_state = 'posted' AND amount_residual < 0",
                accounts.ids,
                self.commercial_partner_id.ids,
                company.id,
            )
        )
        return [partner_id for (partner_id,) in rows]

    def _get_isp_open_items_domain(self, company, accounts):
        """Domain of the items that may be reconciled with each other.

        Something ordered online may be left unpaid: only its own payment, or being ordered while
        there is a credit, pays it.

        Hook: extend to keep items out.
        """
        domain = Domain("company_id", "=", company.id) & Domain("account_id", "in", accounts.ids)
        domain &= Domain("parent_state", "=", "posted") & Domain("reconciled", "=", False)
        domain &= Domain("amount_residual", "!=", 0)
        domain &= Domain("move_id.isp_is_order", "=", False) | Domain("move_id", "in", self.ids)
        return domain & Domain("move_id.payment_state", "!=", "blocked")
