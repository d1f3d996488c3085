from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class ResCompany(models.Model):
    """How a company's billing runs work."""

    _inherit = "res.company"

    isp_billing_workers = fields.Integer(
        "Workers of a billing run",
        required=True,
        default=2,
        help="So many batches of a run are worked on at once, as far as the channel "
        "“root.billing” of the job queue has room.",
    )
    isp_high_bill_factor = fields.Float(
        "Much higher than last time",
        required=True,
        default=2.0,
        help="The preview marks bills of more than so many times the previous one.",
    )
    isp_one_bill = fields.Boolean(
        "One bill for all services",
        help="Services of one customer that are due together share a bill, unless the customer "
        "wants it otherwise.",
    )
    isp_apply_credits = fields.Boolean(
        "Use credits for new bills",
        default=True,
        help="Credit notes and payments in advance are reconciled with the customer's bills as "
        "soon as new ones are posted, the oldest due first.",
    )
    isp_locked_period = fields.Selection(
        [("next_open", "Date them on the next open day"), ("hold", "Hold them back")],
        "Bills of a locked period",
        required=True,
        default="next_open",
        help="What becomes of bills whose invoice date lies in a period that is locked for sales.",
    )
    isp_run_scheduled = fields.Boolean("Bill every day")
    isp_run_hour = fields.Integer(
        "Hour of billing", default=2, help="Hour of the company's day at which the run begins."
    )
    isp_run_lead_days = fields.Integer(
        "Days ahead", help="Periods that become due within so many days are billed already."
    )
    isp_run_invoice_date = fields.Selection(
        [("today", "Day of the run"), ("target", "Day they become due")],
        "Date of the bills",
        required=True,
        default="today",
        help="For bills made days ahead: the day on which they are made, or the last day for which "
        "periods are billed.",
    )
    isp_last_run_day = fields.Date("Last scheduled billing", readonly=True)

    _isp_run_settings_valid = models.Constraint(
        "CHECK (isp_billing_workers BETWEEN 1 AND 16 AND isp_run_hour BETWEEN 0 AND 23"
        " AND isp_run_lead_days BETWEEN 0 AND 60 AND isp_high_bill_factor > 1)",
        "Billing takes 1 to 16 workers, an hour from 0 to 23, up to 60 days ahead, and a factor "
        "above 1 for bills that are much higher than the last.",
    )

    # === BUSINESS METHODS === #

    def _get_isp_bill_date(self, wanted):
        """The day on which bills are dated that should be dated ``wanted``.

        :raises UserError: when it is locked and the company holds such bills back
        """
        self.ensure_one()
        # Bills carry taxes as a rule, so the tax lock date counts for all of a run alike.
        locks = self._get_violated_lock_dates(wanted, True, self.isp_billing_journal_id)
        if not locks:
            return wanted
        if self.isp_locked_period == "hold":
            raise UserError(self._get_isp_lock_message(wanted, locks))
        return fields.Date.add(locks[-1][0], days=1)

    def _get_isp_lock_message(self, wanted, locks):
        return self.env._(
            "Bills dated %(day)s are held back: the period is closed by %(locks)s. Choose a later "
            "invoice date, or move the lock date in the accounting settings, then bill again.",
            day=format_date(self.env, wanted),
            locks=self._format_lock_dates(locks),
        )

    def _isp_run_is_due(self):
        """Whether the hour of today's scheduled run has come and it has not been made."""
        self.ensure_one()
        now = self._get_isp_now()
        return now.hour >= self.isp_run_hour and self.isp_last_run_day != now.date()

    @api.model
    def _get_isp_scheduled(self):
        """Companies whose scheduled run is due now."""
        return self.search([("isp_run_scheduled", "=", True)]).filtered(
            lambda company: company._isp_run_is_due()
        )
