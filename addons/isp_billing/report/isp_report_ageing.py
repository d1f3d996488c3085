from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .facts_money import allotted

# A bill is shared by fewer subscriptions.
ROWS_AN_ITEM = 1024


class IspReportAgeing(models.Model):
    """What subscribers owe now, by how late it is.

    The open receivable journal items of every customer with a subscription, credits and advance
    payments included, so that the total is the balance of their receivable accounts. An item of a
    bill over several subscriptions is divided among them as the bill is.
    """

    _name = "isp.report.ageing"
    _description = "What is owed"
    _order = "date_maturity, id"
    _rec_name = "move_id"
    _auto = False
    _depends = {
        "account.move.line": [
            "account_id",
            "amount_residual",
            "company_id",
            "date_maturity",
            "move_id",
            "parent_state",
            "partner_id",
            "reconciled",
        ],
        "account.move": ["reversed_entry_id"],
        "account.account": ["account_type"],
        "isp.charge": ["amount", "charge_type", "move_id", "subscription_id"],
        "isp.subscription": [
            "commercial_partner_id",
            "company_id",
            "partner_id",
            "plan_id",
            "service_address_id",
            "state",
            "user_id",
        ],
        "res.partner": ["city", "commercial_partner_id", "state_id"],
    }

    line_id = fields.Many2one("account.move.line", "Journal item", readonly=True)
    move_id = fields.Many2one("account.move", "Entry", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", "Customer", readonly=True)
    subscription_id = fields.Many2one(
        "isp.subscription",
        readonly=True,
        help="Empty for payments in advance of a customer with several subscriptions.",
    )
    plan_id = fields.Many2one("isp.plan", readonly=True)
    state = fields.Selection(
        related="subscription_id.state", string="State of the service", readonly=True
    )
    area = fields.Char(readonly=True, help="City of the service address, or else of the customer.")
    state_id = fields.Many2one("res.country.state", "District", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)
    date_maturity = fields.Date("Due date", readonly=True)
    days_late = fields.Integer(readonly=True, aggregator=None)
    bucket = fields.Selection(
        [
            ("0", "Credit"),
            ("1", "Not due"),
            ("2", "1-30 days late"),
            ("3", "31-60 days late"),
            ("4", "61-90 days late"),
            ("5", "Over 90 days late"),
        ],
        "How late",
        readonly=True,
    )
    amount = fields.Monetary("Owed", readonly=True)

    @property
    def _table_query(self):
        return SQL(
            _QUERY,
            companies=SQL(", ").join(
                SQL(
                    "(%s::int, %s::date, %s::int, %s::numeric)",
                    company.id,
                    company._get_isp_today(),
                    company.currency_id.id,
                    company.currency_id.rounding,
                )
                for company in self._get_companies()
            ),
            shared=SQL(allotted(_SHARED)),
            accounts=self._get_receivable_accounts().ids,
            only=(
                SQL("AND item.id = ANY(%s)", self.env.context["isp_items"])
                if "isp_items" in self.env.context
                else SQL()
            ),
        )

    @api.model
    def _search(self, domain, *args, **kwargs):
        """Read rows that are known by id without working out all others."""
        conditions = list(Domain(domain).iter_conditions())
        rows = self
        if len(conditions) == 1 and conditions[0].field_expr == "id":
            (condition,) = conditions
            if condition.operator == "in" and Domain(domain) == condition:
                items = sorted({row_id // ROWS_AN_ITEM for row_id in condition.value})
                rows = self.with_context(isp_items=items)
        return super(IspReportAgeing, rows)._search(domain, *args, **kwargs)

    @api.model
    def _get_companies(self):
        """Companies whose figures may be asked for; the record rule looks again."""
        return self.env.companies

    @api.model
    def _get_receivable_accounts(self):
        # sudo: accounts of all companies; whose items are shown, the record rule decides.
        account_model = self.env["account.account"].sudo().with_context(active_test=False)
        return account_model.search([("account_type", "=", "asset_receivable")])

    # === ACTION METHODS === #

    def action_view_move(self):
        """Open the bill, credit note or payment."""
        self.ensure_one()
        return self.move_id.action_open_business_doc()


# The index of what is not reconciled is by account: its ids are given, or it would not be used.
_ITEM = """
    SELECT item.id, item.move_id, item.company_id, item.partner_id, item.amount_residual,
           COALESCE(item.date_maturity, item.date) AS date_maturity,
           now.today, now.currency_id, now.rounding
      FROM account_move_line item
      JOIN (VALUES %(companies)s) AS now (company_id, today, currency_id, rounding)
        ON now.company_id = item.company_id
     WHERE item.account_id = ANY(%(accounts)s) AND item.reconciled IS NOT TRUE
       AND item.parent_state = 'posted' AND item.amount_residual <> 0 %(only)s
"""

# Most items are of a bill of one subscription, whose charges say which; a credit note is shared as the
# bill that it reverses. No step is joined with another, because the planner knows nothing of their
# sizes: each adds to the rows of the one before.
_OWN = """
    SELECT item.*, bill.first_id, bill.last_id
      FROM item
     CROSS JOIN LATERAL (
            SELECT min(subscription_id) AS first_id, max(subscription_id) AS last_id
              FROM isp_charge
             WHERE move_id = item.move_id AND charge_type <> 'released'
      ) bill
"""

_SHARED = """
    SELECT own.*, own.id AS key, own.amount_residual AS total, bill.subscription_id, bill.weight,
           row_number() OVER (PARTITION BY own.id ORDER BY bill.subscription_id) AS place
      FROM own
      LEFT JOIN account_move move ON move.id = own.move_id AND own.first_id IS NULL
     CROSS JOIN LATERAL (
            SELECT subscription_id, sum(abs(amount)) AS weight
              FROM isp_charge
             WHERE move_id = COALESCE(move.reversed_entry_id, own.move_id)
               AND charge_type <> 'released'
             GROUP BY subscription_id
             UNION ALL
            SELECT NULL, 1 WHERE own.first_id IS NULL AND NOT EXISTS (
                SELECT 1 FROM isp_charge
                 WHERE move_id = move.reversed_entry_id AND charge_type <> 'released')
      ) bill
     WHERE own.first_id IS NULL OR own.first_id <> own.last_id
"""

_COLUMNS = "id, move_id, company_id, partner_id, date_maturity, today, currency_id"

# Payments and the like belong to the only subscription of the customer, or to none of several.
_QUERY = f"""
    WITH item AS MATERIALIZED ({_ITEM}), own AS MATERIALIZED ({_OWN})
    SELECT part.id * {ROWS_AN_ITEM}::bigint + part.place AS id, part.id AS line_id, part.move_id,
           part.company_id, part.currency_id, sub.id AS subscription_id, sub.plan_id, sub.user_id,
           payer.commercial_partner_id AS partner_id,
           NULLIF(trim(COALESCE(NULLIF(trim(place.city), ''), NULLIF(trim(owner.city), ''),
                                payer.city)), '') AS area,
           COALESCE(place.state_id, owner.state_id, payer.state_id) AS state_id,
           part.date_maturity,
           CASE WHEN part.amount > 0 THEN GREATEST(part.today - part.date_maturity, 0) END
                AS days_late,
           CASE WHEN part.amount < 0 THEN '0'
                WHEN part.date_maturity >= part.today THEN '1'
                WHEN part.today - part.date_maturity <= 30 THEN '2'
                WHEN part.today - part.date_maturity <= 60 THEN '3'
                WHEN part.today - part.date_maturity <= 90 THEN '4'
                ELSE '5' END AS bucket,
           part.amount
      FROM (
        SELECT {_COLUMNS}, 0 AS place, first_id AS subscription_id, amount_residual AS amount
          FROM own WHERE first_id = last_id
         UNION ALL
        SELECT {_COLUMNS}, place, subscription_id, amount FROM (%(shared)s) shared
         WHERE amount <> 0
      ) part
      JOIN res_partner payer ON payer.id = part.partner_id
      LEFT JOIN LATERAL (
            SELECT count(*) AS services, max(other.id) AS id FROM isp_subscription other
             WHERE part.subscription_id IS NULL
               AND other.commercial_partner_id = payer.commercial_partner_id
               AND other.company_id = part.company_id AND other.state <> 'draft'
      ) customer ON TRUE
      LEFT JOIN isp_subscription sub
        ON sub.id = COALESCE(part.subscription_id, CASE customer.services WHEN 1 THEN customer.id END)
      LEFT JOIN res_partner place ON place.id = sub.service_address_id
      LEFT JOIN res_partner owner ON owner.id = sub.partner_id
     WHERE part.subscription_id IS NOT NULL OR customer.services > 0
"""
