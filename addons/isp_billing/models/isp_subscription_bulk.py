import logging

from odoo import models

from ..engine import bulk_charge, bulk_guard, bulk_invoice

_logger = logging.getLogger(__name__)


class IspSubscription(models.Model):
    """Posting the invoices of many subscriptions at once."""

    _inherit = "isp.subscription"

    def _is_bulk_invoicing(self):
        """Whether the companies of these subscriptions want bills posted a set at a time."""
        return all(self.company_id.mapped("isp_bulk_invoicing"))

    def _create_charges(self, vals_list):
        """Create charges of these subscriptions."""
        if self._is_bulk_invoicing():
            return bulk_charge.create_charges(self.env, vals_list)
        return self.env["isp.charge"].create(vals_list)

    def _post_invoices(self, vals_list, charges_list, run=None):
        """Create and post the invoices of these subscriptions.

        :param vals_list: from :meth:`_prepare_invoice_vals`
        :param charges_list: for each invoice its charges, in the order of its lines
        :return: the posted invoices, in that order
        """
        if len(vals_list) < 2 or not self._is_bulk_invoicing():
            moves = bulk_invoice.create_and_post(self.env, vals_list, charges_list)
            posted = bulk_invoice.Posted(moves)
        else:
            posted = bulk_invoice.post_invoices(self.env, vals_list, charges_list)
        for reason, count in posted.reasons.items():
            _logger.info("%s invoices are posted by the ORM: %s", count, reason)
        if run:
            run._note_batch(posted.copied, len(posted.moves) - posted.copied, posted.reasons)
        return posted.moves

    def _get_bulk_reasons(self):
        """Why no invoice can be copied in this database, as sentences."""
        return bulk_guard.database_reasons(self.env)
