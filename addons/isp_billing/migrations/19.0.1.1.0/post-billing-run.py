"""Runs count subscriptions now; until this version each had an invoice of its own."""


def migrate(cr, version):
    """Count the subscriptions of earlier batches; what is counted already is left alone."""
    cr.execute(
        """
        UPDATE isp_billing_run_batch
           SET subscription_count = coalesce(bulk_count, 0) + coalesce(orm_count, 0)
         WHERE subscription_count IS NULL
        """
    )
