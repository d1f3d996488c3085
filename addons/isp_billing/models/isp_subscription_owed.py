from odoo import api, models
from odoo.fields import Domain


class IspSubscription(models.Model):
    """What is owed for a subscription, also where one bill carries several of them."""

    _inherit = "isp.subscription"

    # === COMPUTE METHODS === #

    def _compute_amount_due(self):
        owed = self._get_owed()
        for subscription in self:
            today = subscription.company_id._get_isp_today()
            parts = owed.get(subscription.id, [])
            subscription.amount_due = sum(amount for _line, amount in parts)
            subscription.amount_overdue = sum(
                amount for line, amount in parts if line.date_maturity < today
            )

    # === BUSINESS METHODS === #

    @api.model
    def _get_open_receivable_domain(self, due_before=None):
        """Domain of unpaid receivable lines, those due before a day when one is given."""
        domain = Domain("account_type", "=", "asset_receivable") & Domain("reconciled", "=", False)
        domain &= Domain("amount_residual", ">", 0)
        if due_before:
            domain &= Domain("date_maturity", "<", due_before)
        return domain

    def _get_open_receivables(self):
        """Unpaid receivable lines of the bills, ``{subscription id: account.move.line}``.

        A bill over several subscriptions is there for each of them, with the whole amount. What was
        ordered online is owed by nobody: unpaid, it is not given.
        """
        # sudo: what a subscription owes is a fact of the service that support and clerks see,
        # though they have no right to read journal items.
        self_sudo = self.sudo()
        posted = self_sudo.charge_ids.move_id.filtered(
            lambda move: (
                move.state == "posted"
                and move.move_type == "out_invoice"
                and move.payment_state in ("not_paid", "partial")
                and not move.isp_is_order
            )
        )
        lines = (
            self.env["account.move.line"]
            .sudo()
            .search(Domain("move_id", "in", posted.ids) & self._get_open_receivable_domain())
        )
        by_move = lines.grouped("move_id")
        none = self.env["account.move.line"].sudo()
        return {
            subscription.id: none.concat(
                *(by_move.get(move, none) for move in subscription.charge_ids.move_id)
            )
            for subscription in self_sudo
        }

    def _get_owed(self):
        """What each subscription owes, ``{subscription id: [(receivable line, amount), …]}``.

        Of a bill over several subscriptions each owes its part; the parts sum to what is open.
        """
        open_lines = self._get_open_receivables()
        lines = self.env["account.move.line"].sudo().concat(*open_lines.values())
        parts = {line: self._split_joint(line) for line in lines}
        return {
            subscription_id: [(line, parts[line].get(subscription_id, 0.0)) for line in own_lines]
            for subscription_id, own_lines in open_lines.items()
        }

    @api.model
    def _split_joint(self, line):
        """Residual of a receivable line by subscription, as their lines weigh in the bill."""
        charges = line.move_id.isp_charge_ids
        if len(charges.subscription_id) == 1:
            return {charges.subscription_id.id: line.amount_residual}
        weights = {
            subscription.id: max(0.0, sum(own.invoice_line_id.mapped("price_total")))
            for subscription, own in charges.grouped("subscription_id").items()
        }
        parts, left, weight_left = {}, line.amount_residual, sum(weights.values())
        for subscription_id, weight in weights.items():
            share = weight / weight_left if weight_left else 0.0
            parts[subscription_id] = line.company_currency_id.round(left * share)
            left -= parts[subscription_id]
            weight_left -= weight
        return parts
