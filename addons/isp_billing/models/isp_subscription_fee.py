from odoo import api, fields, models
from odoo.exceptions import UserError

from ..engine.fees import wanted_fees
from ..engine.problems import Problem
from .isp_billing_reasons import explain_problem


class IspSubscriptionFee(models.Model):
    """Something a subscription is charged once: a set-up fee, a visit, a deposit."""

    _name = "isp.subscription.fee"
    _description = "One-off charge of a subscription"
    _order = "subscription_id, date, id"
    _check_company_auto = True

    _privacy_subject = "subscription_id.partner_id"
    _privacy_defaults = {"category": "financial", "purpose": "billing", "retention": "tax_doc"}
    _privacy_fields = {
        "name": {
            "erasure": "keep",
            "reason": "The words of the bill's line, of which they are a copy; no names belong there.",
        },
    }
    _privacy_facts = "kind amount date refund_date"

    subscription_id = fields.Many2one(
        "isp.subscription", required=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="subscription_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    kind = fields.Selection(
        [
            ("one_off", "One-off"),
            ("setup", "Set-up fee"),
            ("deposit", "Deposit"),
            ("usage", "Usage"),
        ],
        required=True,
        default="one_off",
        help="A deposit is returned when the service ends. Usage is what was measured.",
    )
    product_id = fields.Many2one(
        "product.product",
        required=True,
        check_company=True,
        ondelete="restrict",
        help="Carries the taxes and the income account; for a deposit take a product whose income "
        "account is a liability.",
    )
    name = fields.Char(
        "Description",
        compute="_compute_from_product",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        help="Printed on the bill. Do not write personal data here: bills cannot be changed later.",
    )
    amount = fields.Monetary(
        compute="_compute_from_product", store=True, readonly=False, required=True, precompute=True
    )
    date = fields.Date(
        required=True,
        default=lambda self: self.env.company._get_isp_today(),
        help="Charged with the first bill from this day on.",
    )
    refund_date = fields.Date(
        "Returned on", help="Deposits only. Left empty, on the day the service ends."
    )
    active = fields.Boolean(
        default=True, help="Archived, it is not charged; what was billed comes back."
    )
    charge_ids = fields.One2many("isp.charge", "fee_id", "Charges")
    is_billed = fields.Boolean("Billed", compute="_compute_is_billed")

    # === COMPUTE METHODS === #

    @api.depends("product_id")
    def _compute_from_product(self):
        for fee in self:
            fee.name = fee.name or fee.product_id.display_name
            fee.amount = fee.amount or fee.product_id.lst_price

    @api.depends("charge_ids.charge_type")
    def _compute_is_billed(self):
        for fee in self:
            fee.is_billed = any(
                charge.charge_type not in ("repair", "released") for charge in fee.charge_ids
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        fees = super().create(vals_list)
        for fee in fees:
            fee.subscription_id._note_change(fee.date)
        return fees

    def write(self, vals):
        res = super().write(vals)
        if "active" in vals:
            self.subscription_id.invalidate_recordset(["fee_ids"])
        if {"active", "amount", "date", "refund_date", "kind"} & vals.keys():
            for fee in self:
                fee.subscription_id._note_change(min(filter(None, (fee.date, fee.refund_date))))
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billed(self):
        if billed := self.filtered("charge_ids"):
            raise UserError(
                self.env._(
                    "“%(fee)s” has been billed and stays on record. Set its amount to 0 to take it "
                    "back with the next bill.",
                    fee=billed[0].name,
                )
            )

    # === BUSINESS METHODS === #

    def _bill_alone(self, **invoice_vals):
        """Bill the fee today on an invoice of its own, whatever else is due.

        :param invoice_vals: values of the invoice that are not those of every bill
        :return: the posted invoice
        :raises UserError: when the company cannot bill
        """
        self.ensure_one()
        subscription, company = self.subscription_id, self.company_id
        try:
            [wanted] = [
                charge
                for _day, charge in wanted_fees(subscription._get_history())
                if (charge.line, charge.kind) == (f"fee{self.id}", self.kind)
            ]
        except Problem as problem:
            raise UserError(explain_problem(self.env, problem)) from None
        charge = self.env["isp.charge"].create(subscription._prepare_engine_charge_vals(wanted))
        day = company._get_isp_bill_date(company._get_isp_today())
        vals = {**subscription._prepare_bill_vals(day, charge, 1), **invoice_vals}
        return subscription._post_invoices([vals], [charge]).moves
