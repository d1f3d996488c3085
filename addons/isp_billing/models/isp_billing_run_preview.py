from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine import bulk_sql

FLAGS = [
    ("blocked", "Cannot be billed"),
    ("negative", "Below zero"),
    ("zero", "Zero"),
    ("high", "Much higher than last time"),
    ("normal", "As usual"),
]
KEEP_DAYS = 30


class IspBillingRunPreview(models.Model):
    """What a draft run would bill one subscription, and what is strange about it.

    Written by :meth:`isp.billing.run.action_preview`, deleted when the run begins.
    """

    _name = "isp.billing.run.preview"
    _description = "Preview of a billing run"
    _order = "id"
    _rec_name = "subscription_id"

    _privacy_subject = "partner_id"
    _privacy_defaults = {
        "category": "financial",
        "purpose": "billing",
        "retention": "transient",
        "erasure": "delete",
    }
    _privacy_fields = {"reason": {"export": False}, "partner_id": "subject"}

    run_id = fields.Many2one(
        "isp.billing.run", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    currency_id = fields.Many2one(related="company_id.currency_id")
    subscription_id = fields.Many2one(
        "isp.subscription", required=True, readonly=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True, ondelete="cascade")
    plan_id = fields.Many2one("isp.plan", readonly=True, ondelete="cascade")
    amount = fields.Monetary(readonly=True, help="In the terms of the price, as on the bill.")
    last_amount = fields.Monetary("Last time", readonly=True, help="On the previous bill.")
    flag = fields.Selection(FLAGS, "What is strange", required=True, readonly=True)
    is_new = fields.Boolean("First bill", readonly=True)
    is_excluded = fields.Boolean("Left out", readonly=True)
    reason = fields.Text(readonly=True)

    # === ACTION METHODS === #

    def action_exclude(self):
        """Leave the subscriptions out of the run."""
        self._set_excluded(True)

    def action_include(self):
        """Take the subscriptions into the run again."""
        self._set_excluded(False)

    def action_open_subscription(self):
        """Open the subscription."""
        return self.subscription_id._action_open()

    # === BUSINESS METHODS === #

    def _set_excluded(self, is_excluded):
        if started := self.run_id.filtered(lambda run: run.state != "draft"):
            raise UserError(self.env._("Billing run %s has begun.", started[0].name))
        command = fields.Command.link if is_excluded else fields.Command.unlink
        for run, lines in self.grouped("run_id").items():
            run.write({"excluded_ids": [command(one.id) for one in lines.subscription_id]})
        self.write({"is_excluded": is_excluded})
        self.run_id._sum_preview()

    @api.model
    def _insert(self, run, rows):
        """Write preview lines of ``run``.

        :param rows: ``(subscription id, amount, last amount, flag, is new, is excluded, reason)``
        """
        if not rows:
            return
        self.env.cr.execute(
            SQL(
                "INSERT INTO isp_billing_run_preview (run_id, company_id, subscription_id,"
                " partner_id, plan_id, amount, last_amount, flag, is_new, is_excluded, reason,"
                " create_uid, create_date, write_uid, write_date)"
                " SELECT %(run)s, sub.company_id, sub.id, sub.partner_id, sub.plan_id, own.amount,"
                " own.last_amount, own.flag, own.is_new, own.is_excluded, own.reason,"
                " %(uid)s, %(now)s, %(uid)s, %(now)s"
                " FROM unnest(%(columns)s)"
                " AS own(id, amount, last_amount, flag, is_new, is_excluded, reason)"
                " JOIN isp_subscription sub ON sub.id = own.id ORDER BY own.id",
                run=run.id,
                uid=self.env.uid,
                now=self.env.cr.now(),
                columns=SQL(
                    "%s::int[], %s::numeric[], %s::numeric[], %s::text[], %s::bool[], %s::bool[],"
                    " %s::text[]",
                    *(bulk_sql.array(column) for column in zip(*rows, strict=True)),
                ),
            )
        )

    @api.autovacuum
    def _gc_old_previews(self):
        """Forget previews of runs that nobody began."""
        limit = fields.Datetime.subtract(fields.Datetime.now(), days=KEEP_DAYS)
        stale = self.search([("create_date", "<", limit)], limit=1).run_id
        stale._drop_preview()
        return len(stale), bool(stale)
