import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..errors import explain_error

# Of more subscriptions the preview is made in the background.
AT_ONCE = 2000
# Subscriptions whose charges are in memory together, and those between two commits.
CHUNK_SIZE = 1000
JOB_SIZE = 5000


class IspBillingRun(models.Model):
    """The preview of a run: who, how much, what is new and what is strange."""

    _inherit = "isp.billing.run"

    preview_ids = fields.One2many("isp.billing.run.preview", "run_id", readonly=True)
    preview_state = fields.Selection(
        [("none", "No preview"), ("running", "Being made"), ("done", "Made")],
        "State of the preview",
        readonly=True,
        required=True,
        default="none",
        copy=False,
    )
    preview_number = fields.Integer(
        readonly=True, copy=False, help="Tells the jobs of one preview from those of another."
    )
    preview_count = fields.Integer("Previewed", compute="_compute_preview")
    preview_progress = fields.Float("Progress of the preview", compute="_compute_preview")
    preview_new_count = fields.Integer("First bills", compute="_compute_preview")
    preview_blocked_count = fields.Integer("That cannot be billed", compute="_compute_preview")
    preview_negative_count = fields.Integer("Bills below zero", compute="_compute_preview")
    preview_zero_count = fields.Integer("Bills of zero", compute="_compute_preview")
    preview_high_count = fields.Integer("Much higher bills", compute="_compute_preview")

    # === COMPUTE METHODS === #

    @api.depends("preview_ids.flag", "preview_ids.is_new", "due_count", "preview_state")
    def _compute_preview(self):
        rows = self.env["isp.billing.run.preview"]._read_group(
            [("run_id", "in", self.ids)], ["run_id", "flag", "is_new"], ["__count"]
        )
        for run in self:
            own = [(flag, is_new, count) for one, flag, is_new, count in rows if one == run]
            run.preview_count = sum(count for *_what, count in own)
            run.preview_new_count = sum(count for _flag, is_new, count in own if is_new)
            for name in ("blocked", "negative", "zero", "high"):
                run[f"preview_{name}_count"] = sum(
                    count for flag, _new, count in own if flag == name
                )
            run.preview_progress = (
                min(100.0, 100 * run.preview_count / (run.due_count or 1))
                if run.preview_state == "running"
                else 100.0 * (run.preview_state == "done")
            )

    # === CRUD METHODS === #

    def write(self, vals):
        res = super().write(vals)
        if {"target_date", "invoice_date", "plan_ids", "company_id"} & vals.keys():
            # What was previewed is something else now.
            self.filtered(lambda run: run.preview_state != "none")._drop_preview()
        return res

    # === ACTION METHODS === #

    def action_preview(self):
        """Work out what the run would bill, without billing it."""
        for run in self.filtered(lambda run: run.state == "draft"):
            run._begin_preview()
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

    def action_view_preview(self):
        """Open the preview; the context names a filter of it."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "isp_billing.isp_billing_run_preview_action"
        )
        name = self.env.context.get("preview_filter", "group_flag")
        action.update(domain=[("run_id", "=", self.id)], context={f"search_default_{name}": 1})
        return action

    # === BUSINESS METHODS - STEPS === #

    def _begin_preview(self):
        """Preview at once, or in the background where many are due."""
        self.ensure_one()
        self._drop_preview()
        due = self.env["isp.subscription"].search_count(self._get_scope_domain())
        self.write(
            {
                "preview_state": "running",
                "preview_number": self.preview_number + 1,
                "due_count": due,
            }
        )
        if due > AT_ONCE:
            self._enqueue_preview(0)
            return
        last_id = 0
        while last_id is not None:
            last_id = self._preview_after(last_id, CHUNK_SIZE)
        self._end_preview()

    def _enqueue_preview(self, last_id):
        self.with_delay(description=self.env._("Preview %s", self.name))._job_preview(
            self.preview_number, last_id
        )

    def _job_preview(self, number, last_id):
        """Preview the next subscriptions after the one with ``last_id``."""
        self.ensure_one()
        if (
            self.state != "draft"
            or self.preview_number != number
            or self.preview_state != "running"
        ):
            return
        for _chunk in range(0, JOB_SIZE, CHUNK_SIZE):
            last_id = self._preview_after(last_id, CHUNK_SIZE)
            # What has been worked out is not needed any more.
            self.env.invalidate_all()
            if last_id is None:
                self._end_preview()
                return
        self._enqueue_preview(last_id)

    def _end_preview(self):
        self.preview_state = "done"
        self._sum_preview()

    def _sum_preview(self):
        """Count and add up what the run would bill now."""
        for run in self:
            count, amount = self.env["isp.billing.run.preview"]._read_group(
                [("run_id", "=", run.id), ("is_excluded", "=", False)],
                [],
                ["__count", "amount:sum"],
            )[0]
            run.write({"due_count": count, "due_amount": amount})

    def _drop_preview(self):
        """Delete what was previewed."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL("DELETE FROM isp_billing_run_preview WHERE run_id = ANY(%s)", self.ids)
        )
        self.invalidate_recordset(["preview_ids"])
        self.env["isp.billing.run.preview"].invalidate_model()
        self.write({"preview_state": "none", "due_count": 0, "due_amount": 0.0})

    # === BUSINESS METHODS - WHAT IS STRANGE === #

    def _preview_after(self, last_id, limit):
        """Preview up to ``limit`` subscriptions with a higher id.

        :return: the id of the last one, ``None`` when there are no more
        """
        run = self.with_company(self.company_id)
        subscriptions = run.env["isp.subscription"].search(
            run._get_scope_domain() & Domain("id", ">", last_id), limit=limit, order="id"
        )
        run.env["isp.billing.run.preview"]._insert(run, run._prepare_preview_rows(subscriptions))
        run.invalidate_recordset(["preview_ids"])
        return subscriptions[-1].id if len(subscriptions) == limit else None

    def _prepare_preview_rows(self, subscriptions):
        """Rows of the preview, as :meth:`isp.billing.run.preview._insert` wants them."""
        amounts, problems = self._get_preview_amounts(subscriptions)
        problems.update(subscriptions._get_billing_obstacles(self.invoice_date))
        last_amounts = subscriptions._get_last_bill_amounts()
        excluded = set(self.excluded_ids.ids)
        rows = []
        for one in subscriptions:
            last_amount = last_amounts.get(one.id)
            amount = one.currency_id.round(amounts.get(one.id, 0.0))
            rows.append(
                (
                    one.id,
                    amount,
                    last_amount or 0.0,
                    self._get_preview_flag(amount, last_amount, problems.get(one.id)),
                    last_amount is None and not one.opening_billed_through,
                    one.id in excluded,
                    problems.get(one.id),
                )
            )
        return rows

    def _get_preview_amounts(self, subscriptions):
        """``({subscription id: amount}, {subscription id: why it cannot be billed})``."""
        try:
            amounts = {}
            for vals in subscriptions._get_due_charges(self.target_date):
                one = vals["subscription_id"]
                amounts[one] = amounts.get(one, 0.0) + vals["amount"]
            return amounts, {}
        except (UserError, ValueError, psycopg2.IntegrityError) as error:
            if len(subscriptions) == 1:
                return {}, {subscriptions.id: explain_error(self.env, error)}
            half = len(subscriptions) // 2
            amounts, problems = self._get_preview_amounts(subscriptions[:half])
            more_amounts, more_problems = self._get_preview_amounts(subscriptions[half:])
            return {**amounts, **more_amounts}, {**problems, **more_problems}

    def _get_preview_flag(self, amount, last_amount, problem):
        compare = self.currency_id.compare_amounts
        if problem:
            return "blocked"
        if compare(amount, 0.0) < 0:
            return "negative"
        if compare(amount, 0.0) == 0:
            return "zero"
        factor = self.company_id.isp_high_bill_factor
        if last_amount and last_amount > 0 and compare(amount, last_amount * factor) > 0:
            return "high"
        return "normal"
