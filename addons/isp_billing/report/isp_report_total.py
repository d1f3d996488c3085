from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from .isp_report_fact import DIMENSIONS, MEASURES


class IspReportTotal(models.Model):
    """The months of all subscriptions that are alike in what reports group by, added up.

    A hundred thousand subscriptions make a few thousand rows a month, which every report adds up
    in a moment.
    """

    _name = "isp.report.total"
    _description = "Subscribers' months added up"
    _inherit = ["isp.report.measures"]
    _order = "month desc, id"
    _log_access = False

    fact_count = fields.Integer(readonly=True)

    _month_idx = models.Index("(company_id, month)")


class IspReportView(models.AbstractModel):
    """A report over the monthly totals; each takes the measures it is about."""

    _name = "isp.report.view"
    _description = "Report over the months"
    _order = "month desc, company_id, plan_id, area"
    _rec_name = "month"

    # Measures that are true at one moment: over several months their average is shown.
    _snapshots = ()
    # {measure: (what is divided, by what)}
    _ratios = {}

    month = fields.Date(readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    plan_id = fields.Many2one("isp.plan", readonly=True)
    categ_id = fields.Many2one("product.category", "Plan family", readonly=True)
    area = fields.Char(readonly=True, help="City of the service address, or else of the customer.")
    state_id = fields.Many2one("res.country.state", "District", readonly=True)
    user_id = fields.Many2one("res.users", "Responsible", readonly=True)
    as_of = fields.Datetime(
        compute="_compute_as_of", help="When these figures were worked out from the books."
    )

    def _compute_as_of(self):
        self.as_of = self.env["isp.report.refresh"]._get_last().date

    @property
    def _table_query(self):
        measures = [
            name
            for name, field in self._fields.items()
            if name in MEASURES and field.store and name not in self._ratios
        ]
        return SQL(
            """
            SELECT total.id, total.month, total.company_id, company.currency_id, total.plan_id,
                   plan.categ_id, total.area, total.state_id, total.user_id, %(ratios)s %(measures)s
              FROM isp_report_total total
              JOIN res_company company ON company.id = total.company_id
              LEFT JOIN isp_plan plan ON plan.id = total.plan_id
             WHERE %(where)s
            """,
            measures=SQL(", ").join(SQL.identifier("total", name) for name in measures),
            ratios=SQL().join(
                SQL(
                    "total.%s::numeric / NULLIF(total.%s, 0) AS %s,",
                    SQL.identifier(part),
                    SQL.identifier(whole),
                    SQL.identifier(name),
                )
                for name, (part, whole) in self._ratios.items()
            ),
            where=self._get_where(),
        )

    @api.model
    def _get_where(self):
        return SQL("TRUE")

    def _read_group_select(self, aggregate_spec, query):
        name, _colon, function = aggregate_spec.partition(":")
        if name in self._ratios and function:
            part, whole = self._ratios[name]
            return SQL(
                "SUM(%s)::numeric / NULLIF(SUM(%s), 0)",
                self._field_to_sql(self._table, part, query),
                self._field_to_sql(self._table, whole, query),
            )
        if name in self._snapshots and function == "sum":
            return SQL(
                "SUM(%s)::numeric / NULLIF(COUNT(DISTINCT %s), 0)",
                self._field_to_sql(self._table, name, query),
                self._field_to_sql(self._table, "month", query),
            )
        return super()._read_group_select(aggregate_spec, query)

    # === ACTION METHODS === #

    def action_refresh(self):
        """Bring the figures up to date."""
        return self.env["isp.report.refresh"]._action_refresh()

    def action_view_subscribers(self):
        """Open the subscribers behind these rows, each with its own figures."""
        domains = [
            Domain.AND(
                Domain(name, "=", value or False)
                for name, value in total.read(DIMENSIONS, load=None)[0].items()
                if name in DIMENSIONS
            )
            for total in self.env["isp.report.total"].browse(self.ids)
        ]
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_billing.isp_report_fact_action")
        action.update(domain=list(Domain.OR(domains)), context={})
        return action
