import logging

from odoo import models

from ..engine import bulk_charge, bulk_guard, bulk_invoice
from .isp_bulk_reasons import explain_reason

_logger = logging.getLogger(__name__)


class IspSubscription(models.Model):
    """Posting the invoices of many subscriptions at once."""

    _inherit = "isp.subscription"

    def _is_bulk_invoicing(self):
        """Whether the companies of these subscriptions want bills posted a set at a time."""
        return all(self.company_id.mapped("isp_bulk_invoicing"))

    def _create_charges(self, vals_list):
        """Create charges of these subscriptions."""
        if not self._is_bulk_invoicing():
            return self.env["isp.charge"].create(vals_list)
        # The days a correction takes back must be free before they are billed again.
        plain, others = [], []
        for vals in vals_list:
            (plain if self._is_plain_charge(vals) else others).append(vals)
        charges = self.env["isp.charge"].create(others) if others else self.env["isp.charge"]
        return charges + bulk_charge.create_charges(self.env, plain) if plain else charges

    def _is_plain_charge(self, vals):
        """Whether a charge takes everything else from its line and subscription."""
        if not vals["line_id"] or vals["repairs_id"]:
            return False
        line = self.env["isp.subscription.line"].browse(vals["line_id"])
        return line.plan_id in (line.subscription_id.plan_id, line.plan_id.browse())

    def _post_invoices(self, vals_list, charges_list):
        """Create and post the invoices of these subscriptions.

        :param vals_list: from :meth:`_prepare_invoice_vals`
        :param charges_list: for each invoice its charges, in the order of its lines
        :return: :class:`bulk_invoice.Posted`, the invoices in that order
        """
        if len(vals_list) < 2 or not self._is_bulk_invoicing():
            moves = bulk_invoice.create_and_post(self.env, vals_list, charges_list)
            posted = bulk_invoice.Posted(moves)
        else:
            posted = bulk_invoice.post_invoices(self.env, vals_list, charges_list)
        english = self.with_context(lang="en_US").env
        for reason, count in posted.reasons.items():
            _logger.info(
                "%s invoices are posted by the ORM: %s", count, explain_reason(english, reason)
            )
        return posted

    def _get_bulk_reasons(self):
        """Why no invoice can be copied in this database."""
        return bulk_guard.database_reasons(self.env)
