from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..engine import periods


class IspSubscription(models.Model):
    """Billing of a subscription: which periods are due, and the invoice they make."""

    _inherit = "isp.subscription"

    # === COMPUTE METHODS === #

    @api.depends("charge_ids.date_to", "charge_ids.charge_type", "opening_billed_through")
    def _compute_billed_through(self):
        last_days = dict(
            self.env["isp.charge"]._read_group(
                [("subscription_id", "in", self.ids), ("charge_type", "=", "recurring")],
                ["subscription_id"],
                ["date_to:max"],
            )
        )
        for subscription in self:
            days = (subscription.opening_billed_through, last_days.get(subscription._origin))
            subscription.billed_through = max(filter(None, days), default=False)

    @api.depends(
        "state",
        "date_start",
        "date_end",
        "billed_through",
        "anchor_day",
        "plan_id.billing_mode",
        "plan_id.cycle_unit",
        "plan_id.cycle_count",
        "plan_id.anchor",
        "plan_id.anchor_day",
    )
    def _compute_next_bill_date(self):
        for subscription in self:
            subscription.next_bill_date = subscription._get_next_bill_date()

    @api.depends("charge_ids.move_id.payment_state", "opening_billed_through")
    def _compute_paid_until(self):
        for subscription in self:
            paid_until = subscription.opening_billed_through or subscription.date_start
            recurring = subscription.charge_ids.filtered(
                lambda charge: charge.charge_type == "recurring"
            )
            for charge in recurring.sorted("date_from"):
                if charge.move_id.payment_state not in ("paid", "in_payment", "reversed"):
                    break
                paid_until = max(paid_until or charge.date_to, charge.date_to)
            subscription.paid_until = paid_until

    # === BUSINESS METHODS - WHAT IS DUE === #

    def _get_cycle(self):
        """The engine's cycle of this subscription."""
        self.ensure_one()
        return self.plan_id._get_cycle(self.anchor_day)

    def _get_next_bill_date(self):
        """First day on which a billing run finds a period to bill, ``False`` for never."""
        self.ensure_one()
        if self.state == "draft" or not self.date_start or not self.plan_id:
            return False
        begin = max(self.date_start, self.billed_through or self.date_start)
        if self.date_end and begin >= self.date_end:
            return False
        if self.plan_id.billing_mode != "arrears":
            return begin
        for _whole_from, whole_to in periods.whole_periods(self.date_start, self._get_cycle()):
            if whole_to > begin:
                return min(whole_to, self.date_end) if self.date_end else whole_to

    def _get_due_periods(self, target):
        """Unbilled periods of the subscription that are due on ``target``."""
        self.ensure_one()
        return periods.due_periods(
            self.date_start,
            self._get_cycle(),
            target,
            end=self.date_end or None,
            billed_through=self.billed_through or None,
            arrears=self.plan_id.billing_mode == "arrears",
            proration=self.plan_id.proration,
        )

    def _get_due_charges(self, target):
        """Values of the charges that are due on ``target``, unsaved.

        The preview and the run both start here.
        """
        charges = []
        for subscription in self:
            for period in subscription._get_due_periods(target):
                for line in subscription.line_ids:
                    if vals := line._prepare_charge_vals(period):
                        charges.append(vals)
        return charges

    # === BUSINESS METHODS - INVOICES === #

    def _bill(self, target, invoice_date, run=None):
        """Bill everything that is due on ``target``: charges and posted invoices.

        Nothing is committed here; the caller decides. One invoice is made per subscription.

        :raises UserError: when a subscription cannot be billed, with the reason
        :return: the posted invoices
        """
        charges = self._create_charges(
            [dict(vals, run_id=run.id if run else False) for vals in self._get_due_charges(target)]
        )
        by_subscription = charges.filtered(lambda c: c.amount or c.rule != "free_stub").grouped(
            "subscription_id"
        )
        if not by_subscription:
            return self.env["account.move"]
        vals_list = [
            subscription._prepare_invoice_vals(invoice_date, subscription_charges)
            for subscription, subscription_charges in by_subscription.items()
        ]
        return self._post_invoices(vals_list, list(by_subscription.values()), run)

    def _prepare_invoice_vals(self, invoice_date, charges):
        """Values of the invoice over ``charges``.

        Hook: extend to add references or analytic details.
        """
        self.ensure_one()
        company = self.company_id
        journal = company.isp_billing_journal_id
        if not journal:
            raise UserError(
                self.env._(
                    "%(company)s has no sales journal. Create one in Accounting → Configuration "
                    "→ Journals.",
                    company=company.name,
                )
            )
        vals = {
            "move_type": "out_invoice",
            "company_id": company.id,
            "journal_id": journal.id,
            "partner_id": self.partner_id.id,
            "partner_shipping_id": (self.service_address_id or self.partner_id).id,
            "currency_id": self.currency_id.id,
            "invoice_date": invoice_date,
            "invoice_origin": self.name,
            "invoice_line_ids": [
                fields.Command.create(charge._prepare_invoice_line_vals()) for charge in charges
            ],
        }
        partner = self.partner_id.with_company(company)
        if term := self.payment_term_id or partner.property_payment_term_id:
            vals["invoice_payment_term_id"] = term.id
        else:
            # Odoo's own default is the day of posting, also for a bill of an earlier date.
            vals["invoice_date_due"] = invoice_date
        if self.user_id:
            vals["invoice_user_id"] = self.user_id.id
        return vals

    # === BUSINESS METHODS - WHAT IS OWED === #

    @api.model
    def _get_open_receivable_domain(self, due_before=None):
        """Domain of unpaid receivable lines, those due before a day when one is given."""
        domain = Domain("account_type", "=", "asset_receivable") & Domain("reconciled", "=", False)
        domain &= Domain("amount_residual", ">", 0)
        if due_before:
            domain &= Domain("date_maturity", "<", due_before)
        return domain

    def _get_open_receivables(self):
        """Unpaid receivable lines of the bills, ``{subscription id: account.move.line}``."""
        # sudo: what a subscription owes is a fact of the service that support and clerks see,
        # though they have no right to read journal items.
        self_sudo = self.sudo()
        posted = self_sudo.charge_ids.move_id.filtered(
            lambda move: (
                move.state == "posted"
                and move.move_type == "out_invoice"
                and move.payment_state in ("not_paid", "partial")
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

    # === ACTION METHODS === #

    def action_bill_now(self):
        """Bill what is due today, as the next billing run would."""
        moves = self.env["account.move"]
        for company, subscriptions in self.grouped("company_id").items():
            today = company._get_isp_today()
            moves |= subscriptions.with_company(company)._bill(today, today)
        if not moves:
            raise UserError(
                self.env._("Nothing is due today. The next bill date is on the subscription.")
            )
        return self._action_open_moves(moves)

    def action_view_invoices(self):
        """Open the invoices of the subscription."""
        return self._action_open_moves(self.charge_ids.move_id)

    def action_view_payments(self):
        """Open the payments of the subscription's invoices."""
        payments = self._get_payments()
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_account_payments")
        action.update(domain=[("id", "in", payments.ids)], context={"create": False})
        return action

    def action_view_charges(self):
        """Open the charges of the subscription."""
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_billing.isp_charge_action")
        action.update(domain=[("subscription_id", "in", self.ids)], context={})
        return action

    def _action_open(self):
        """Action that opens these subscriptions: the form of one, the list of more."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_billing.isp_subscription_action"
        )
        action.update(domain=[("id", "in", self.ids)], context={})
        if len(self) == 1:
            action.update(views=[(False, "form")], res_id=self.id)
        return action

    def _action_open_moves(self, moves):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        action.update(domain=[("id", "in", moves.ids)], context={"create": False})
        if len(moves) == 1:
            action.update(views=[(False, "form")], res_id=moves.id)
        return action
