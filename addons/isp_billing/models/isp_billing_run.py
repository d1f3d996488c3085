import logging

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..errors import explain_error

_logger = logging.getLogger(__name__)

BATCH_SIZE = 250
# Where invoices are copied, more of them share a prototype in a larger batch.
BULK_BATCH_SIZE = 5000
# So many batches are looked through for subscriptions that no other worker holds.
LOOK_AHEAD = 8
# Another worker holds what is left: look again after this time.
RETRY_SECONDS = 5


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
    progress = fields.Float(compute="_compute_totals", help="Share of the due subscriptions.")

    # === COMPUTE METHODS === #

    @api.depends("charge_ids.move_id", "exception_ids", "due_count", "state")
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
            done = count + run.exception_count
            run.progress = (
                100.0 if run.state == "done" else min(100.0, 100 * done / (run.due_count or 1))
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

    def action_preview(self):
        """Count what the run would bill, without billing it."""
        for run in self.filtered(lambda run: run.state == "draft"):
            due = self.env["isp.subscription"].search(run._get_due_domain())
            run.due_count = len(due)
            run.due_amount = sum(
                charge["amount"] for charge in due._get_due_charges(run.target_date)
            )
        if any(self.mapped("due_count")):
            return False
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "info",
                "message": self.env._("Nothing is due on the target date."),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_run(self):
        """Begin the run, or let it go on, in the background."""
        for run in self.filtered(lambda run: run.state != "done"):
            run._start()
            run._enqueue()

    def action_retry_exceptions(self):
        """Bill the listed exceptions once more, in the background."""
        self.exception_ids.unlink()
        self.write({"state": "running", "finished_at": False})
        for run in self:
            run._enqueue()

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
        domain = Domain("company_id", "=", self.company_id.id)
        domain &= Domain("next_bill_date", "<=", self.target_date)
        if self.plan_ids:
            domain &= Domain("plan_id", "in", self.plan_ids.ids)
        if failed := self.exception_ids.subscription_id:
            domain &= Domain("id", "not in", failed.ids)
        return domain

    def _start(self):
        """Move drafts to running and count what is due."""
        for run in self.filtered(lambda run: run.state == "draft"):
            run.write(
                {
                    "state": "running",
                    "started_at": fields.Datetime.now(),
                    "user_id": self.env.uid,
                    "due_count": self.env["isp.subscription"].search_count(run._get_due_domain()),
                }
            )

    def _enqueue(self, seconds=0):
        """Queue the next batch."""
        self.ensure_one()
        self.with_delay(
            description=self.env._("Bill a batch of %s", self.name), eta=seconds or None
        )._job_bill_batch()

    def _job_bill_batch(self):
        """Bill one batch and queue the next one."""
        self.ensure_one()
        if self.state != "running":
            return
        billed, remaining = self._bill_batch()
        if remaining:
            self._enqueue(0 if billed else RETRY_SECONDS)

    def _get_batch_size(self):
        """How many subscriptions are billed between two commits."""
        self.ensure_one()
        last = self.batch_ids[:1]
        if not self.company_id.isp_bulk_invoicing or last.orm_count > last.bulk_count:
            return BATCH_SIZE
        return BATCH_SIZE if self.env["isp.subscription"]._get_bulk_reasons() else BULK_BATCH_SIZE

    def _bill_batch(self, limit=None):
        """Bill the next subscriptions that no other worker is billing.

        Nothing is committed here.

        :param limit: how many, as :meth:`_get_batch_size` says when not given
        :return: ``(taken, remaining)``: how many were billed or listed as exception, and how many
            are still due
        """
        self.ensure_one()
        run = self.with_company(self.company_id).with_context(tracking_disable=True)
        limit = limit or run._get_batch_size()
        domain = run._get_due_domain()
        due = run.env["isp.subscription"].search(domain, limit=limit * LOOK_AHEAD, order="id")
        locked = due.try_lock_for_update(allow_referencing=True, limit=limit)
        locked.invalidate_recordset()
        locked = locked.filtered_domain(domain)
        if locked:
            run._bill_or_explain(locked)
            self.env.flush_all()
        remaining = run.env["isp.subscription"].search_count(run._get_due_domain())
        if not remaining:
            self.write({"state": "done", "finished_at": fields.Datetime.now()})
        return len(locked), remaining

    def _bill_or_explain(self, subscriptions):
        """Bill all at once; when that fails in halves, listing who cannot be billed and why."""
        try:
            with self.env.cr.savepoint():
                subscriptions._bill(self.target_date, self.invoice_date, run=self)
        except (UserError, ValueError, psycopg2.IntegrityError) as error:
            if len(subscriptions) > 1:
                _logger.info("%s: a batch is billed in halves", self.name)
                half = len(subscriptions) // 2
                self._bill_or_explain(subscriptions[:half])
                self._bill_or_explain(subscriptions[half:])
                return
            _logger.info("%s: %s not billed: %s", self.name, subscriptions.name, error)
            self.env["isp.billing.run.exception"].create(
                {
                    "run_id": self.id,
                    "subscription_id": subscriptions.id,
                    "reason": explain_error(self.env, error),
                }
            )

    def _run_to_end(self, limit=None, after_batch=None):
        """Bill everything in this process.

        :param after_batch: called as ``after_batch(run)`` after each batch; the command line
            commits and prints there
        :return: whether nothing is left, ``False`` when another run holds the rest
        """
        self.ensure_one()
        self._start()
        while self.state == "running":
            taken, remaining = self._bill_batch(limit)
            if after_batch:
                after_batch(self)
            if remaining and not taken:
                return False
        return True
