"""The rank of customers who get invoices, counted as ``res.partner._increase_rank`` counts it."""

import logging
from collections import Counter

from psycopg2 import errors

from . import bulk_guard, bulk_sql

_logger = logging.getLogger(__name__)


def count_customers(env, copies):
    """Raise the rank of the customers of ``copies`` by their invoices.

    As in Odoo, who becomes a customer by it is counted at once and who is one already after the
    commit, where a colleague who edits the partner does not make the invoices fail.
    """
    counts = Counter()
    for copy in copies:
        counts.update({copy.partner_id, copy.commercial_id})
    partners = env["res.partner"].sudo().browse(counts)
    if not _can_write_by_sql(env):
        for partner in partners:
            partner._increase_rank("customer_rank", counts[partner.id])
        return
    new = {partner.id: counts[partner.id] for partner in partners if not partner.customer_rank}
    known = {partner_id: n for partner_id, n in counts.items() if partner_id not in new}
    if new:
        bulk_sql.raise_ranks(env.cr, new, env.uid)
    if known:
        _count_after_commit(env, known)


def _can_write_by_sql(env):
    """Whether nothing but the rank itself would follow a write of it."""
    partner_model = env["res.partner"]
    rank = partner_model._fields["customer_rank"]
    return (
        bulk_guard.is_reviewed(env, "res.partner", "_increase_rank", "write", "_write")
        and not any(field.store for field in env.registry.get_dependent_fields(rank))
        and not getattr(rank, "tracking", False)
    )


def _count_after_commit(env, counts):
    data = env.cr.postcommit.data.setdefault("isp_billing.customer_rank", Counter())
    already_registered = bool(data)
    data.update(counts)
    if already_registered:
        return

    @env.cr.postcommit.add
    def raise_ranks():
        try:
            with env.registry.cursor() as cr:
                bulk_sql.raise_ranks(cr, data, env.uid)
        except errors.OperationalError:
            _logger.info("Ranks of customers are not counted: somebody edits them")
