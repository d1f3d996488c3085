from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from .facts_groups import ALL_TOLD, TOLD
from .isp_report_fact import DIMENSIONS, MEASURES


class IspReportTotal(models.Model):
    """The months of all subscriptions that are alike in what reports group by, added up.

    A hundred thousand subscriptions make a few thousand rows a month, which every report adds up
    in a moment. For reports on the books: nobody is left out, and groups may be of one. No role
    reads them as they are.
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

    # Reports on the books count everybody, each where he is; analyses read groups in which nobody is
    # found.
    _is_book = False
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
    is_others = fields.Boolean(
        "Others",
        readonly=True,
        help="Several groups together, each with fewer people than are shown on their own, and people "
        "who are not analysed. What they differ in is not told.",
    )
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
                   plan.categ_id, %(area)s AS area, total.state_id, total.user_id,
                   %(is_others)s AS is_others, %(ratios)s %(measures)s
              FROM %(source)s total
              JOIN res_company company ON company.id = total.company_id
              LEFT JOIN isp_plan plan ON plan.id = total.plan_id
             WHERE %(where)s
            """,
            source=SQL.identifier("isp_report_total" if self._is_book else "isp_report_group"),
            is_others=SQL("FALSE") if self._is_book else SQL("total.depth < %s", ALL_TOLD),
            area=SQL("total.area") if self._is_book else self._get_told_area(),
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
    def _get_told_area(self):
        return SQL(
            "CASE WHEN total.depth <= %s THEN %s ELSE total.area END",
            TOLD.index("area"),
            self._get_others_label(),
        )

    @api.model
    def _get_others_label(self):
        """Return what stands where it is not told what a group has in common."""
        return self.env._("(Others, not analysed)")

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
        """Open the subscribers behind these rows, each with its own figures.

        :raises UserError: for groups of which not all is told
        """
        if any(self.mapped("is_others")):
            raise UserError(
                self.env._(
                    "This row holds several small groups and people who are not analysed, so it does "
                    "not lead to anybody. Look for a subscriber under Subscriptions."
                )
            )
        action = self.env["ir.actions.act_window"]._for_xml_id("isp_billing.isp_report_fact_action")
        action.update(domain=list(Domain.OR(self._get_facts_domains())), context={})
        return action

    def _get_facts_domains(self):
        """Return what the facts behind each row have in common."""
        names = list(DIMENSIONS)
        everybody = Domain.TRUE if self._is_book else Domain("is_left_out", "=", False)
        return [
            everybody & Domain.AND(Domain(name, "=", row[name] or False) for name in names)
            for row in self.read(names, load=None)
        ]
