from collections import Counter

from odoo import api, fields, models

from ..engine import bulk_reason
from .isp_bulk_reasons import explain_counts


class IspBillingRunBatch(models.Model):
    """What one batch of a billing run did.

    A row of its own for each batch, so that workers who share a run never write the same one.
    """

    _name = "isp.billing.run.batch"
    _description = "Batch of a billing run"
    _order = "id desc"
    _rec_name = "run_id"

    _privacy_free = {"How many bills went which way, from a list of reasons.": "fallback_reasons"}

    run_id = fields.Many2one("isp.billing.run", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="run_id.company_id", store=True, index=True)
    subscription_count = fields.Integer("Subscriptions", help="So many were billed.")
    bulk_count = fields.Integer("Posted as copies", help="Invoices inserted a set at a time.")
    orm_count = fields.Integer("Posted one by one", help="Invoices made the ordinary way.")
    fallback_reasons = fields.Json(help="Why invoices were not copied, with the number of them.")


class IspBillingRun(models.Model):
    _inherit = "isp.billing.run"

    batch_ids = fields.One2many("isp.billing.run.batch", "run_id", "Batches")
    bulk_count = fields.Integer(
        "Posted as copies",
        compute="_compute_bulk",
        help="Invoices that were inserted a set at a time, like one that Odoo had posted.",
    )
    orm_count = fields.Integer(
        "Posted one by one", compute="_compute_bulk", help="Invoices made the ordinary way."
    )
    fallback_reasons = fields.Text(
        "Why not copied", compute="_compute_bulk", help="What kept invoices from being copied."
    )

    @api.depends("batch_ids.bulk_count", "batch_ids.orm_count", "batch_ids.fallback_reasons")
    @api.depends_context("lang")
    def _compute_bulk(self):
        for run in self:
            reasons = Counter()
            for batch in run.batch_ids:
                for reason, count in bulk_reason.from_json(batch.fallback_reasons):
                    reasons[reason] += count
            run.bulk_count = sum(run.batch_ids.mapped("bulk_count"))
            run.orm_count = sum(run.batch_ids.mapped("orm_count"))
            run.fallback_reasons = explain_counts(self.env, reasons)

    def _note_batch(self, posted, subscription_count):
        """Write down what a batch did.

        :param posted: :class:`bulk_invoice.Posted`
        """
        # sudo: the note is part of the run, whoever started it.
        self.env["isp.billing.run.batch"].sudo().create(
            [
                {
                    "run_id": run.id,
                    "subscription_count": subscription_count,
                    "bulk_count": posted.copied,
                    "orm_count": len(posted.moves) - posted.copied,
                    "fallback_reasons": bulk_reason.to_json(posted.reasons),
                }
                for run in self
            ]
        )
