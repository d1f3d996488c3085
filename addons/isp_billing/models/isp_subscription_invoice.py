from collections import Counter

from odoo import fields, models
from odoo.exceptions import UserError


class IspSubscription(models.Model):
    """The invoices of subscriptions: how charges become one."""

    _inherit = "isp.subscription"

    # === BUSINESS METHODS - INVOICES === #

    def _bill(self, target, invoice_date, run=None):
        """Bill everything that is due on ``target``: charges, posted bills, credits used.

        Nothing is committed here; the caller decides. A subscription gets a bill of its own, unless
        its customer wants one for all services; below zero it is a credit note.

        :raises UserError: when a subscription cannot be billed, with the reason
        :return: the posted bills
        """
        invoice_date = fields.Date.to_date(invoice_date)
        days = {company: company._get_isp_bill_date(invoice_date) for company in self.company_id}
        charges = self._create_charges(
            [dict(vals, run_id=run.id if run else False) for vals in self._get_due_charges(target)]
        )
        self._settle_changes(target)
        bills = charges.filtered(lambda charge: charge._is_shown())._group_bills()
        vals_list = [
            subscriptions._prepare_bill_vals(days[subscriptions.company_id], own, sign)
            for subscriptions, own, sign in bills
        ]
        posted = self._post_invoices(vals_list, [own for _subscriptions, own, _sign in bills])
        if run:
            run._note_batch(posted, len(self))
        posted.moves._isp_apply_credits()
        return posted.moves

    def _prepare_bill_vals(self, invoice_date, charges, sign):
        """Values of the bill over ``charges``, of a credit note when ``sign`` is below zero."""
        vals = self._prepare_invoice_vals(invoice_date, charges)
        if sign >= 0:
            return vals
        for _command, _id, line in vals["invoice_line_ids"]:
            line["price_unit"] = -line["price_unit"]
        # What is given back is to be used at once, whatever time the customer has to pay.
        term = {"invoice_payment_term_id": False, "invoice_date_due": invoice_date}
        return {**vals, "move_type": "out_refund", **term}

    def _prepare_invoice_vals(self, invoice_date, charges):
        """Values of the invoice over ``charges``, which may be of several subscriptions.

        Hook: extend to add references or analytic details.
        """
        first, company = self[0], self.company_id
        journal = company.isp_billing_journal_id
        if not journal:
            raise UserError(self._get_no_journal_message(company))
        partner = self._get_bill_partner()
        vals = {
            "move_type": "out_invoice",
            "company_id": company.id,
            "journal_id": journal.id,
            "partner_id": partner.id,
            "partner_shipping_id": (first.service_address_id or first.partner_id).id,
            "currency_id": first.currency_id.id,
            "invoice_date": invoice_date,
            "invoice_origin": ", ".join(self.mapped("name")),
            "invoice_line_ids": [
                fields.Command.create(charge._prepare_invoice_line_vals()) for charge in charges
            ],
        }
        if len(self) > 1:
            for charge, (_command, _id, line) in zip(
                charges, vals["invoice_line_ids"], strict=True
            ):
                line["name"] = f"{charge.subscription_id.name} · {line['name']}"
        partner = partner.with_company(company)
        if term := first.payment_term_id or partner.property_payment_term_id:
            vals["invoice_payment_term_id"] = term.id
        else:
            # Odoo's own default is the day of posting, also for a bill of an earlier date.
            vals["invoice_date_due"] = invoice_date
        if user := self.user_id[:1]:
            vals["invoice_user_id"] = user.id
        return vals

    def _get_no_journal_message(self, company):
        return self.env._(
            "%(company)s has no sales journal. Create one in Accounting → Configuration "
            "→ Journals.",
            company=company.name,
        )

    # === BUSINESS METHODS - ONE BILL FOR ALL SERVICES === #

    def _get_bill_partner(self):
        """Who gets the bill over these subscriptions of one customer."""
        if len(self.partner_id) == 1:
            return self.partner_id
        customer = self.commercial_partner_id
        return self.env["res.partner"].browse(customer.address_get(["invoice"])["invoice"])

    def _get_joint_customers(self):
        """Customers of these subscriptions who have several of them and want one bill."""
        counts = Counter(subscription.commercial_partner_id for subscription in self)
        return {
            customer
            for customer, count in counts.items()
            if count > 1 and customer._wants_one_bill(self.company_id)
        }

    def _get_bill_key(self):
        """What subscriptions of one customer have in common to share a bill.

        Services at several addresses share one where they are taxed alike.
        """
        self.ensure_one()
        partner = self.partner_id.with_company(self.company_id)
        place = self.service_address_id or partner
        position = self.env["account.fiscal.position"].with_company(self.company_id)
        return (
            self.company_id,
            self.commercial_partner_id,
            self.currency_id,
            self.payment_term_id or partner.property_payment_term_id,
            position._get_fiscal_position(partner, delivery=place),
            place.country_id,
            place.state_id,
        )

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
