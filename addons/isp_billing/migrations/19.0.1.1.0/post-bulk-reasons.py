"""Why invoices were not copied is stored as codes; earlier versions stored English sentences."""


def migrate(cr, version):
    """Keep the sentences of earlier runs as they are; what is converted already is left alone."""
    cr.execute(
        """
        UPDATE isp_billing_run_batch batch
           SET fallback_reasons = (
                   SELECT coalesce(
                       jsonb_agg(jsonb_build_object(
                           'code', 'noted', 'params', jsonb_build_object('text', noted.key),
                           'count', noted.value
                       )), '[]')
                     FROM jsonb_each(batch.fallback_reasons) noted
               )
         WHERE jsonb_typeof(fallback_reasons) = 'object'
        """
    )
