import logging

import psycopg2

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..errors import explain_error

_logger = logging.getLogger(__name__)

BATCH_SIZE = 250
# Where invoices are copied, more of them share a prototype in a larger batch.
BULK_BATCH_SIZE = 10000
# So many batches are looked through for subscriptions that no other worker holds.
LOOK_AHEAD = 4
# Another worker holds what is left: look again after this time.
RETRY_SECONDS = 5


class IspBillingRun(models.Model):
    """The work of a run: batches, each taken by one of several workers.

    A worker bills what it has locked. Services that share a bill are taken together: only who holds
    the first of them may take the others.
    """

    _inherit = "isp.billing.run"

    # === BUSINESS METHODS - WORKERS === #

    def _enqueue_workers(self):
        """Queue as many batches as the company has workers, but no more than there is work for."""
        self.ensure_one()
        due = self.env["isp.subscription"].search_count(self._get_due_domain())
        batches = -(-due // self._get_batch_size())
        for _worker in range(max(1, min(self.company_id.isp_billing_workers, batches))):
            self._enqueue()

    def _enqueue(self, seconds=0):
        """Queue a batch."""
        self.ensure_one()
        self.with_delay(
            description=self.env._("Bill a batch of %s", self.name), eta=seconds or None
        )._job_bill_batch()

    def _job_bill_batch(self):
        """Bill one batch and queue the next one."""
        self.ensure_one()
        if self.state != "running":
            return
        taken, remaining = self._bill_batch()
        if remaining:
            self._enqueue(0 if taken else RETRY_SECONDS)

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

    def _finish(self):
        """Note that nothing is left, once, however many workers find it out."""
        run = self.try_lock_for_update()
        run.invalidate_recordset(["state"])
        run.filtered(lambda run: run.state == "running").write(
            {"state": "done", "finished_at": fields.Datetime.now()}
        )

    # === BUSINESS METHODS - ONE BATCH === #

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
        taken = run._take(limit or run._get_batch_size())
        if taken:
            run._bill_taken(taken)
        remaining = run.env["isp.subscription"].search_count(run._get_due_domain())
        if not remaining:
            self._finish()
        return len(taken), remaining

    def _take(self, limit):
        """Lock about ``limit`` due subscriptions, services that share a bill together."""
        domain = self._get_due_domain()
        families = self._get_families(domain)
        nobody = self.env["isp.subscription"]
        followers = nobody.concat(*families.values())
        first = self._lock_first(domain & Domain("id", "not in", followers.ids), limit)
        shared = [one for one in first if one in families] if families else []
        wanted = nobody.concat(*(families[one] for one in shared))
        locked = first + wanted.try_lock_for_update(allow_referencing=True)
        for one in shared:
            if families[one] - locked:
                # Somebody edits one of them: all are left for the next batch.
                locked -= one + families[one]
        locked.invalidate_recordset()
        return locked.search(domain & Domain("id", "in", locked.ids), order="id")

    def _lock_first(self, domain, limit):
        """Lock the first ``limit`` subscriptions of ``domain`` that nobody else holds."""
        Subscription = self.env["isp.subscription"]
        due = Subscription.search(domain, limit=limit, order="id")
        locked = due.try_lock_for_update(allow_referencing=True)
        if len(locked) < len(due) == limit:
            # Other workers hold the first ones.
            due = Subscription.search(domain, limit=limit * LOOK_AHEAD, order="id")
            locked = due.try_lock_for_update(allow_referencing=True, limit=limit)
        return locked

    def _get_families(self, domain):
        """Services that are due together and share a bill, ``{first: the others}``."""
        wish = Domain("commercial_partner_id.isp_one_bill", "=", "yes")
        if self.company_id.isp_one_bill:
            wish = Domain("commercial_partner_id.isp_one_bill", "!=", "no")
        groups = self.env["isp.subscription"]._read_group(
            Domain(domain) & wish,
            ["commercial_partner_id"],
            ["id:recordset"],
            having=[("__count", ">", 1)],
        )
        families = (services.sorted("id") for _customer, services in groups)
        return {services[0]: services[1:] for services in families}

    def _bill_taken(self, taken):
        """Bill locked subscriptions, listing who cannot be billed and why."""
        try:
            self.company_id._get_isp_bill_date(self.invoice_date)
        except UserError as error:
            # Holds for all of them alike.
            self._list_exceptions(taken, explain_error(self.env, error))
        else:
            self._bill_or_explain(self._get_units(taken))
            self.env.flush_all()
            self._list_exceptions(
                taken.search(self._get_due_domain() & Domain("id", "in", taken.ids)),
                self.env._(
                    "The bill was due, but there was nothing to charge. Look at the dates and "
                    "lines of the subscription."
                ),
            )
        self.env.flush_all()

    def _get_units(self, subscriptions):
        """What is billed or fails together: services that share a bill, the others alone."""
        joint = subscriptions._get_joint_customers()
        if not joint:
            return [subscription for subscription in subscriptions]
        return list(
            subscriptions.grouped(
                lambda one: one.commercial_partner_id if one.commercial_partner_id in joint else one
            ).values()
        )

    def _bill_or_explain(self, units):
        """Bill all at once; when that fails in halves, listing who cannot be billed and why."""
        together = self.env["isp.subscription"].concat(*units)
        error = self._try_to_bill(together)
        if not error:
            return
        if len(units) > 1:
            _logger.info("%s: a batch is billed in halves", self.name)
            half = len(units) // 2
            self._bill_or_explain(units[:half])
            self._bill_or_explain(units[half:])
        elif len(together) > 1:
            self._bill_without_bad_ones(together, error)
        else:
            _logger.info("%s: %s not billed: %s", self.name, together.name, error)
            self._list_exceptions(together, explain_error(self.env, error))

    def _bill_without_bad_ones(self, together, error):
        """Bill services whose joint bill failed, leaving out those that fail by themselves."""
        errors = {one: self._try_to_bill(one, keep=False) for one in together}
        bad = together.filtered(lambda one: errors[one])
        for one in bad:
            self._list_exceptions(one, explain_error(self.env, errors[one]))
        if not bad:
            self._list_exceptions(together, explain_error(self.env, error))
        elif together - bad:
            self._bill_or_explain([together - bad])

    def _try_to_bill(self, subscriptions, keep=True):
        """Bill ``subscriptions``, all or none.

        :param keep: whether the bills stay; without it they are only tried
        :return: the error, ``None`` when there was none
        """
        try:
            with self.env.cr.savepoint() as savepoint:
                subscriptions._bill(self.target_date, self.invoice_date, run=self)
                if not keep:
                    self.env.flush_all()
                    savepoint.rollback()
        except (UserError, ValueError, psycopg2.IntegrityError) as error:
            return error
        return None

    def _list_exceptions(self, subscriptions, reason):
        """Note why ``subscriptions`` are not billed."""
        self.env["isp.billing.run.exception"].create(
            [
                {"run_id": self.id, "subscription_id": one.id, "reason": reason}
                for one in subscriptions
            ]
        )
