import json
import logging

from odoo import api, models
from odoo.tools import SQL

from ..radius import schema

_logger = logging.getLogger(__name__)


class IspRadius(models.AbstractModel):
    """Upkeep of the RADIUS schema."""

    _name = "isp.radius"
    _description = "RADIUS upkeep"

    def init(self):
        """Create or update the schema, at each installation and upgrade of the addon."""
        schema.apply(self.env.cr)

    @api.model
    def _cron_ensure_partitions(self):
        """Make the months to come: without them FreeRADIUS spools what it cannot store."""
        [[made]] = self.env.execute_query(SQL("SELECT radius.ensure_partitions()"))
        _logger.info("RADIUS: %s new partitions", made)

    @api.model
    def _cron_close_stale(self):
        """End the sessions that no router reports any more."""
        [[closed]] = self.env.execute_query(SQL("SELECT radius.close_stale()"))
        if closed:
            _logger.info("RADIUS: %s silent sessions closed", closed)

    @api.model
    def _cron_roll_up_usage(self, batch=500):
        """Put what routers reported on its day, and let the caps follow.

        What a crash keeps from the caps they catch up with at the next report: they sum up days.
        """
        cron = self.env["ir.cron"]
        companies = self._get_companies()
        # First, so that what is reported after midnight finds its window.
        for company in companies:
            windows = self.env["isp.usage.window"].with_company(company)
            windows._end_due(company._get_isp_today())
            cron._commit_progress()
            topups = self.env["isp.subscription.topup"].with_company(company)
            topups._settle_orders(company._get_isp_today())
            cron._commit_progress()
        ids = self._roll_up_usage()
        cron._commit_progress()
        for start in range(0, len(ids), batch):
            self._follow_or_log(ids[start : start + batch])
            cron._commit_progress()
        for company in companies:
            windows = self.env["isp.usage.window"].with_company(company)
            windows._settle_due(company._get_isp_today())
            cron._commit_progress()

    @api.model
    def _get_companies(self):
        """Every company of the database: the network's records are one for all of them."""
        # sudo: crons work for all, whoever runs them.
        return self.env["res.company"].sudo().search([("id", "!=", False)])

    @api.model
    def _follow_or_log(self, ids):
        """Let the caps follow; one subscription that fails does not hold back the others."""
        windows = self.env["isp.usage.window"]
        try:
            with self.env.cr.savepoint():
                windows._follow_usage(ids)
        except Exception:
            self.env.invalidate_all()
            if len(ids) == 1:
                _logger.exception("Data volume of subscription %s could not be followed", ids[0])
                return
            for subscription_id in ids:
                self._follow_or_log([subscription_id])

    @api.model
    def _cron_drop_usage_hours(self):
        """Forget the hours of the days before yesterday."""
        self.env.execute_query(SQL("SELECT radius.drop_usage_hours()"))

    @api.model
    def _roll_up_usage(self):
        """Put what routers reported since the last time on the days of each company.

        Runs in the caller's transaction: what fails is counted the next time, and once.

        :return: ids of the subscriptions that used something
        """
        zones = {c.id: c._get_isp_timezone().zone for c in self._get_companies()}
        rows = self.env.execute_query(
            SQL("SELECT radius.roll_up_usage(%s::jsonb)", json.dumps(zones))
        )
        return [subscription_id for (subscription_id,) in rows]

    @api.model
    def _cron_resync(self):
        """Derive all logins and routers again; triggers make this find nothing."""
        self.env["isp.entitlement"].flush_model()
        self.env["isp.nas"].flush_model()
        [[repaired]] = self.env.execute_query(SQL("SELECT radius.resync()"))
        if repaired:
            _logger.error("RADIUS: %s rows differed from Odoo and were repaired", repaired)
