from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class IspBillingRun(models.Model):
    """One execution of billing for a target date.

    What is left to do is never remembered but found: a subscription is due until its charges exist,
    and charges, invoices and progress of a batch are committed together. A run that was killed goes
    on where it stopped, and two runs at once share the work.
    """

    _name = "isp.billing.run"
    _description = "Billing run"
    _inherit = ["mail.thread"]
    _order = "target_date desc, id desc"
    _check_company_auto = True

    _privacy_subject = None
    _privacy_defaults = {"category": "trace", "purpose": "billing", "retention": "tax_doc"}
    _privacy_fields = {"user_id": "staff"}
    _privacy_free = {"Number of the run.": "name"}

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    state = fields.Selection(
        [("draft", "Draft"), ("running", "Running"), ("done", "Done")],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        tracking=True,
    )
    target_date = fields.Date(
        "Target date",
        required=True,
        default=lambda self: self.env.company._get_isp_today(),
        help="Every period that is due on this day and not billed yet is billed.",
    )
    invoice_date = fields.Date(
        "Invoice date", required=True, default=lambda self: self.env.company._get_isp_today()
    )
    plan_ids = fields.Many2many(
        "isp.plan", string="Only plans", check_company=True, help="Left empty, all plans."
    )
    excluded_ids = fields.Many2many(
        "isp.subscription",
        "isp_billing_run_excluded_rel",
        "run_id",
        "subscription_id",
        string="Left out",
        readonly=True,
        copy=False,
        help="Not billed by this run. The next one finds them again.",
    )
    excluded_count = fields.Integer("Subscriptions left out", compute="_compute_excluded_count")
    user_id = fields.Many2one("res.users", "Started by", readonly=True, copy=False)
    started_at = fields.Datetime("Started at", readonly=True, copy=False)
    finished_at = fields.Datetime("Finished at", readonly=True, copy=False)

    due_count = fields.Integer(
        "Subscriptions due", readonly=True, copy=False, help="Counted when the run began."
    )
    due_amount = fields.Monetary(
        "Expected amount", readonly=True, copy=False, help="Filled by the preview, before taxes."
    )
    charge_ids = fields.One2many("isp.charge", "run_id", "Charges")
    exception_ids = fields.One2many("isp.billing.run.exception", "run_id", "Exceptions")
    exception_count = fields.Integer("Not billed", compute="_compute_totals")
    invoice_count = fields.Integer("Invoice count", compute="_compute_totals")
    amount_total = fields.Monetary("Billed", compute="_compute_totals")
    amount_residual = fields.Monetary("Still unpaid", compute="_compute_totals")
    done_count = fields.Integer(
        "Subscriptions done", compute="_compute_totals", help="Billed, or listed as not billed."
    )
    progress = fields.Float(compute="_compute_totals", help="Share of the due subscriptions.")

    # === COMPUTE METHODS === #

    @api.depends("excluded_ids")
    def _compute_excluded_count(self):
        for run in self:
            run.excluded_count = len(run.excluded_ids)

    @api.depends(
        "charge_ids.move_id", "batch_ids.subscription_count", "exception_ids", "due_count", "state"
    )
    def _compute_totals(self):
        for run in self:
            count, total, residual = self.env["account.move"]._read_group(
                [("isp_charge_ids.run_id", "in", run.ids)],
                [],
                ["__count", "amount_total_signed:sum", "amount_residual_signed:sum"],
            )[0]
            run.invoice_count = count
            run.amount_total = total
            run.amount_residual = residual
            run.exception_count = len(run.exception_ids)
            run.done_count = sum(run.batch_ids.mapped("subscription_count")) + run.exception_count
            run.progress = (
                100.0
                if run.state == "done"
                else min(100.0, 100 * run.done_count / (run.due_count or 1))
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                company = vals.get("company_id") or self.env.company.id
                sequence = self.env["ir.sequence"].with_company(company)
                vals["name"] = sequence.next_by_code("isp.billing.run") or "/"
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_started(self):
        if started := self.filtered(lambda run: run.state != "draft"):
            raise UserError(
                self.env._(
                    "Billing run %(name)s has posted invoices and stays on record.",
                    name=started[0].name,
                )
            )

    # === ACTION METHODS === #

    def action_run(self):
        """Begin the run, or let it go on, in the background."""
        for run in self.filtered(lambda run: run.state != "done"):
            run._start()
            run._enqueue_workers()

    def action_retry_exceptions(self):
        """Bill the listed exceptions once more, in the background."""
        self.exception_ids.unlink()
        self.write({"state": "running", "finished_at": False})
        for run in self:
            run._enqueue_workers()

    def action_view_invoices(self):
        """Open the invoices of the run."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        action.update(domain=[("isp_charge_ids.run_id", "=", self.id)], context={"create": False})
        return action

    def action_view_charges(self):
        """Open the charges of the run."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_billing.isp_charge_action")
        action.update(domain=[("run_id", "=", self.id)], context={})
        return action

    # === BUSINESS METHODS === #

    def _get_due_domain(self):
        """Domain of the subscriptions that the run still has to bill."""
        self.ensure_one()
        exceptions = self.env["isp.billing.run.exception"]._search([("run_id", "=", self.id)])
        return (
            self._get_scope_domain()
            & Domain("id", "not in", self.excluded_ids.ids)
            & Domain("id", "not in", exceptions.subselect("subscription_id"))
        )

    def _get_scope_domain(self):
        """Domain of the subscriptions that are due, those left out among them."""
        self.ensure_one()
        domain = Domain("company_id", "=", self.company_id.id)
        domain &= Domain("next_bill_date", "<=", self.target_date)
        if self.plan_ids:
            domain &= Domain("plan_id", "in", self.plan_ids.ids)
        return domain

    def _start(self):
        """Move drafts to running and count what is due."""
        for run in self.filtered(lambda run: run.state == "draft"):
            run._drop_preview()
            self.env["isp.subscription"]._apply_plan_changes(run.company_id)
            run.write(
                {
                    "state": "running",
                    "started_at": fields.Datetime.now(),
                    "user_id": self.env.uid,
                    "due_count": self.env["isp.subscription"].search_count(run._get_due_domain()),
                }
            )
