from odoo import api, fields, models
from odoo.tools import SQL

# What the customer owes, oldest due first, less every credit of the customer: an amount that a
# credit note or a payment in advance covers is not owed, whether or not it is reconciled yet.
CYCLES = """
open_line AS MATERIALIZED (
    SELECT line.partner_id, line.move_id, line.date_maturity AS due,
           line.amount_residual AS residual, move.create_date,
           SUM(line.amount_residual) OVER (
               PARTITION BY line.partner_id
               ORDER BY line.date_maturity, line.move_id, line.id
           ) AS running
      FROM account_move_line line
      JOIN account_move move ON move.id = line.move_id
      JOIN account_account account ON account.id = line.account_id
     WHERE line.company_id = %(company)s
       AND account.account_type = 'asset_receivable'
       AND line.parent_state = 'posted'
       AND line.reconciled IS NOT TRUE
       AND line.amount_residual > 0
       AND move.payment_state IN ('not_paid', 'partial')
       -- Whoever does not pay what he ordered does not get it, and owes nothing.
       AND move.isp_is_order IS NOT TRUE
       AND %(who)s
),
credit AS MATERIALIZED (
    SELECT partner_id, SUM(amount) AS amount
      FROM (
            SELECT line.partner_id, -line.amount_residual AS amount
              FROM account_move_line line
              JOIN account_account account ON account.id = line.account_id
             WHERE line.company_id = %(company)s
               AND account.account_type = 'asset_receivable'
               AND line.parent_state = 'posted'
               AND line.reconciled IS NOT TRUE
               AND line.amount_residual < 0
               AND %(who)s
             UNION ALL
            SELECT partner.commercial_partner_id, payment.amount_company_currency_signed
              FROM account_payment payment
              JOIN res_partner partner ON partner.id = payment.partner_id
             WHERE payment.company_id = %(company)s
               AND payment.state IN ('in_process', 'paid')
               AND payment.move_id IS NULL
               AND payment.payment_type = 'inbound'
               AND payment.partner_type = 'customer'
               AND NOT EXISTS (
                   SELECT FROM account_move__account_payment link
                    WHERE link.payment_id = payment.id)
           ) part
     GROUP BY partner_id
),
-- A bill over several subscriptions is reminded of and charged for once, by the first of them.
billed AS MATERIALIZED (
    SELECT charge.move_id, charge.subscription_id, subscription.state,
           MIN(CASE WHEN subscription.state IN ('active', 'suspended')
               THEN charge.subscription_id END) OVER (PARTITION BY charge.move_id)
               = charge.subscription_id AS is_first,
           bool_and(EXISTS (
               SELECT FROM isp_dunning_log log WHERE log.fee_id = charge.fee_id)) AS is_late_fee
      FROM isp_charge charge
      JOIN isp_subscription subscription ON subscription.id = charge.subscription_id
     WHERE charge.move_id IN (SELECT move_id FROM open_line)
     GROUP BY charge.move_id, charge.subscription_id, subscription.state
),
bill AS (
    SELECT billed.subscription_id, open_line.due, billed.state,
           SUM(LEAST(residual, running - COALESCE(credit.amount, 0))) AS amount,
           SUM(LEAST(residual, running - COALESCE(credit.amount, 0)))
               FILTER (WHERE NOT billed.is_late_fee) AS fee_base,
           bool_or(billed.is_first) AS is_first,
           MAX(open_line.create_date) AS created
      FROM open_line
      JOIN billed ON billed.move_id = open_line.move_id
      LEFT JOIN credit ON credit.partner_id = open_line.partner_id
     WHERE running > COALESCE(credit.amount, 0)
     GROUP BY billed.subscription_id, open_line.due, billed.state
),
cycle AS MATERIALIZED (
    SELECT bill.*,
           first_due = due AS is_oldest,
           SUM(amount) FILTER (WHERE due <= GREATEST(first_due, %(today)s))
               OVER (PARTITION BY subscription_id) AS owed
      FROM (SELECT *, MIN(due) OVER (PARTITION BY subscription_id) AS first_due FROM bill) bill
)
"""


class IspSubscription(models.Model):
    """Who owes what since when, worked out by the database from the ledger."""

    _inherit = "isp.subscription"

    @api.model
    def _get_cycles_sql(self, company, today, subscription_ids=None):
        """The common table expressions of :data:`CYCLES`, for all or some subscriptions."""
        # Only what the query reads; a flush of everything would write half-made records.
        for model, names in (
            ("account.move", ["payment_state", "state", "isp_is_order"]),
            ("account.move.line", ["amount_residual", "date_maturity", "parent_state"]),
            ("account.move.line", ["reconciled", "partner_id", "account_id", "company_id"]),
            ("account.payment", ["state", "move_id", "amount_company_currency_signed"]),
            ("isp.charge", ["move_id", "subscription_id", "fee_id"]),
            ("isp.subscription", ["state", "commercial_partner_id", "partner_id", "plan_id"]),
            ("isp.dunning.log", ["fee_id"]),
        ):
            self.env[model].flush_model(names)
        who = SQL("TRUE")
        if subscription_ids is not None:
            who = SQL(
                "line.partner_id IN (SELECT payer.commercial_partner_id FROM isp_charge"
                " JOIN account_move payer ON payer.id = isp_charge.move_id"
                " WHERE isp_charge.subscription_id = ANY(%s))",
                list(subscription_ids),
            )
        return SQL(CYCLES, company=company.id, who=who, today=today)

    def _get_unpaid_since(self):
        """What each subscription owes now: ``{id: (oldest due date, amount)}``.

        The amount is what is due up to today, or with the oldest bill when none is due yet.
        """
        found = {}
        for company, subscriptions in self.grouped("company_id").items():
            today = company._get_isp_today()
            rows = self.env.execute_query(
                SQL(
                    "WITH %s SELECT subscription_id, due, owed FROM cycle"
                    " WHERE is_oldest AND subscription_id = ANY(%s)",
                    self._get_cycles_sql(company, today, subscriptions.ids),
                    subscriptions.ids,
                )
            )
            found |= {row[0]: (row[1], float(row[2])) for row in rows}
        return found

    # === BUSINESS METHODS - RESUMING === #

    def _resume_if_settled(self):
        """Give back the service of those who owe nothing that is due any more.

        Called within the transaction of the payment. Undoes suspensions and throttling for money,
        and ends the promises that were kept.
        """
        # The write collides with a suspension that is being decided on older figures.
        self.write({"settled_at": fields.Datetime.now()})
        waiting = self.filtered(lambda s: s._waits_for_money() or s.promised_until)
        if not waiting:
            return
        unpaid = waiting._get_unpaid_since()

        def owes(subscription):
            due, _amount = unpaid.get(subscription.id, (None, 0.0))
            return due and due <= subscription.company_id._get_isp_today()

        settled = waiting.filtered(lambda s: not owes(s))
        reason = self.env._("Everything due is paid")
        settled._end_hold("promise", reason)
        suspended = settled.filtered(lambda s: s.state == "suspended" and s._waits_for_money())
        suspended._resume(reason)
        settled.filtered(lambda s: s.throttle_reason == "overdue")._unthrottle(reason)

    def _waits_for_money(self):
        """Whether the service was taken or slowed down because a bill is unpaid."""
        self.ensure_one()
        if self.state == "suspended":
            return self.suspend_reason == "overdue"
        return self.throttle_reason == "overdue"
