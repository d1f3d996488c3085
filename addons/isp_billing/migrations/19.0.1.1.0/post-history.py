"""Tells the billing engine what it needs to know of bills made before it was asked."""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    _name_cycles(cr)
    _keep_earlier_prices(cr)
    _mark_histories(env)


def _name_cycles(cr):
    cr.execute(
        """
        UPDATE isp_charge
           SET per = isp_plan.cycle_count || ' ' || isp_plan.cycle_unit
          FROM isp_plan
         WHERE isp_plan.id = isp_charge.plan_id AND isp_charge.per IS NULL
        """
    )
    cr.execute(
        """
        UPDATE isp_subscription_line
           SET plan_id = isp_subscription.plan_id
          FROM isp_subscription
         WHERE isp_subscription.id = isp_subscription_line.subscription_id
           AND isp_subscription_line.line_type = 'plan'
           AND isp_subscription_line.plan_id IS NULL
        """
    )


def _keep_earlier_prices(cr):
    """A price could be edited on the line; what was billed at another price says since when."""
    cr.execute(
        """
        WITH billed AS (
            SELECT line_id, date_to, price_unit, quantity, discount,
                   lead(date_from) OVER later AS next_from,
                   lead(price_unit) OVER later AS next_price,
                   lead(quantity) OVER later AS next_quantity,
                   lead(discount) OVER later AS next_discount
              FROM isp_charge
             WHERE charge_type = 'recurring'
            WINDOW later AS (PARTITION BY line_id ORDER BY date_from)
        )
        INSERT INTO isp_subscription_line_terms
               (line_id, subscription_id, company_id, date_to, price_unit, quantity, discount)
        SELECT billed.line_id, line.subscription_id, line.company_id,
               coalesce(billed.next_from, billed.date_to),
               billed.price_unit, billed.quantity, billed.discount
          FROM billed
          JOIN isp_subscription_line AS line ON line.id = billed.line_id
         WHERE (billed.price_unit, billed.quantity, coalesce(billed.discount, 0))
               IS DISTINCT FROM
               (coalesce(billed.next_price, line.price_unit),
                coalesce(billed.next_quantity, line.quantity),
                coalesce(billed.next_discount, line.discount, 0))
        ON CONFLICT DO NOTHING
        """
    )


def _mark_histories(env):
    """Send to the engine what is more than whole periods; what ended without credit stays so."""
    env.cr.execute(
        """
        UPDATE isp_subscription
           SET has_changes = true,
               end_policy = CASE WHEN billed_through >= date_end THEN 'no_credit'
                                 ELSE 'credit' END
         WHERE date_end IS NOT NULL AND has_changes IS NOT TRUE
        """
    )
    env.cr.execute(
        """
        UPDATE isp_subscription
           SET has_changes = true
         WHERE has_changes IS NOT TRUE
           AND id IN (SELECT subscription_id FROM isp_subscription_line
                       WHERE date_to IS NOT NULL OR date_from IS NOT NULL)
        """
    )
    subscriptions = env["isp.subscription"]
    subscriptions.invalidate_model()
    changed = subscriptions.with_context(active_test=False).search([("has_changes", "=", True)])
    env.add_to_compute(subscriptions._fields["next_bill_date"], changed)
    changed.flush_recordset(["next_bill_date"])
