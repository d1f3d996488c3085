import logging

from odoo import api, fields, models

_logger = logging.getLogger(__name__)


class IspBillingRun(models.Model):
    """Runs that begin by themselves, once a day at the company's hour."""

    _inherit = "isp.billing.run"

    scheduled_on = fields.Date(
        "Scheduled for",
        readonly=True,
        copy=False,
        help="The company's day on which the run began by itself.",
    )

    _scheduled_once = models.UniqueIndex(
        "(company_id, scheduled_on) WHERE scheduled_on IS NOT NULL",
        "The company has a scheduled billing run on this day already.",
    )

    # === CRON METHODS === #

    @api.model
    def _cron_start_scheduled(self):
        """Begin today's runs of the companies whose hour has come, also after a downtime."""
        for company in self.env["res.company"]._get_isp_scheduled():
            self.with_company(company)._start_scheduled(company)
            self.env["ir.cron"]._commit_progress(1)

    @api.model
    def _start_scheduled(self, company):
        """Begin the company's run of today; none when nothing is due.

        :return: the run
        """
        today = company._get_isp_today()
        company.isp_last_run_day = today
        target = fields.Date.add(today, days=company.isp_run_lead_days)
        run = self.new({"company_id": company.id, "target_date": target})
        if not self.env["isp.subscription"].search_count(run._get_scope_domain(), limit=1):
            _logger.info("%s: nothing is due until %s, no billing run", company.name, target)
            return self.browse()
        run = self.create(
            {
                "company_id": company.id,
                "target_date": target,
                "invoice_date": today if company.isp_run_invoice_date == "today" else target,
                "scheduled_on": today,
            }
        )
        run.action_run()
        return run
