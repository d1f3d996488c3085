"""The management reports as one workbook.

Names come from customers. They are written as strings, never as formulas, so that one beginning with
``=`` is shown as it is. Rows are written as they are read; nothing is kept in memory.
"""

from collections import defaultdict
from datetime import datetime, time

import xlsxwriter

from odoo.tools import split_every

MONEY_FORMAT = "#,##0.00;[Red]-#,##0.00"
ROWS_AT_ONCE = 2000


class Workbook:
    """Writes the sheets of the months ``date_from`` to ``date_to`` for the companies of ``env``.

    :param file: a binary file or a path
    """

    def __init__(self, env, file, date_from, date_to):
        self.env = env
        self._domain = [("month", ">=", date_from), ("month", "<=", date_to)]
        self._companies = [("company_id", "in", env.companies.ids)]
        self._book = xlsxwriter.Workbook(
            file,
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
            },
        )
        self._formats = {
            "title": self._book.add_format({"bold": True, "bottom": 1, "text_wrap": True}),
            "month": self._book.add_format({"num_format": "mmm yyyy", "align": "left"}),
            "money": self._book.add_format({"num_format": MONEY_FORMAT}),
            "count": self._book.add_format({"num_format": "#,##0"}),
            "share": self._book.add_format({"num_format": "0.0%"}),
            "total_money": self._book.add_format(
                {"num_format": MONEY_FORMAT, "bold": True, "top": 1}
            ),
            "total_count": self._book.add_format({"num_format": "#,##0", "bold": True, "top": 1}),
            "total": self._book.add_format({"bold": True, "top": 1}),
        }

    def build(self):
        """Write all sheets and close the file."""
        self._by_month(
            self.env._("Movements"),
            "isp.report.mrr",
            "plan_id",
            "opening_mrr new_mrr up_mrr down_mrr lost_mrr back_mrr taken_over_mrr mrr"
            " unbilled_mrr revenue billed",
        )
        self._by_month(
            self.env._("Subscribers"),
            "isp.report.subscriber",
            "plan_id",
            "opening_count joined_count returned_count left_count subscriber_count"
            " suspended_count resumed_count active_count billed arpu churn_rate",
        )
        self._ageing(self.env._("Ageing"))
        self._by_month(
            self.env._("Collected"), "isp.report.collection", "area", "invoiced collected rate"
        )
        self._book.close()

    # === SHEETS === #

    def _by_month(self, title, model_name, group, measures):
        model = self.env[model_name]
        columns = [model._fields[name] for name in measures.split()]
        groups = ["month:month", "company_id", group]
        sheet = _Sheet(
            self._book,
            self._formats,
            title,
            [model._fields[name.split(":")[0]]._description_string(self.env) for name in groups]
            + [field._description_string(self.env) for field in columns],
            text_columns=len(groups),
        )
        kinds = [self._kind(model, field) for field in columns]
        rows = model._read_group(
            self._domain + self._companies,
            groups,
            [f"{field.name}:{field.aggregator}" for field in columns],
            order="month:month, company_id",
        )
        for month, company, value, *figures in rows:
            name = value.display_name if group.endswith("_id") else value
            if group == "plan_id" and not value:
                # Every subscription has a plan; it is not told of groups that are too small.
                name = model._get_others_label()
            sheet.row([month, company.name, name], figures, kinds)
        sheet.totals(
            self.env._("Total"),
            [
                kind if field.name not in model._snapshots and kind != "share" else None
                for field, kind in zip(columns, kinds, strict=True)
            ],
            skip={field.name for field in columns if field.name in model._ratios},
            names=[field.name for field in columns],
        )

    def _ageing(self, title):
        model = self.env["isp.report.ageing"]
        buckets = model._fields["bucket"]._description_selection(self.env)
        fields = ("company_id", "partner_id", "subscription_id", "area")
        sheet = _Sheet(
            self._book,
            self._formats,
            title,
            [model._fields[name]._description_string(self.env) for name in fields]
            + [label for _key, label in buckets]
            + [self.env._("Total")],
            text_columns=len(fields),
        )
        owed = defaultdict(dict)
        for *key, bucket, amount in model._read_group(
            self._companies, [*fields, "bucket"], ["amount:sum"], order="company_id, partner_id"
        ):
            owed[tuple(key)][bucket] = amount
        kinds = ["money"] * (len(buckets) + 1)
        for some in split_every(ROWS_AT_ONCE, owed.items(), list):
            partners = self.env["res.partner"].union(*(key[1] for key, _amounts in some))
            partners.fetch(["display_name"])
            for (company, partner, subscription, area), amounts in some:
                figures = [amounts.get(key, 0.0) for key, _label in buckets]
                sheet.row(
                    [company.name, partner.display_name, subscription.name, area],
                    [*figures, sum(figures)],
                    kinds,
                )
        sheet.totals(self.env._("Total"), kinds)

    def _kind(self, model, field):
        if field.type == "monetary":
            return "money"
        return "share" if field.name in model._ratios else "count"


class _Sheet:
    """One sheet, written from the top down: a head that stays, rows, sums."""

    def __init__(self, book, formats, title, heads, text_columns):
        self._formats = formats
        self._sheet = book.add_worksheet(title[:31])
        self._text_columns = text_columns
        self._sums = [0.0] * (len(heads) - text_columns)
        self._sheet.freeze_panes(1, text_columns)
        self._sheet.set_column(0, text_columns - 1, 22)
        self._sheet.set_column(text_columns, len(heads) - 1, 14)
        for column, head in enumerate(heads):
            self._sheet.write_string(0, column, head, formats["title"])
        self._next = 1

    def row(self, texts, figures, kinds):
        """Write one row: names first, then numbers."""
        for column, text in enumerate(texts):
            if hasattr(text, "year"):
                day = datetime.combine(text, time.min)
                self._sheet.write_datetime(self._next, column, day, self._formats["month"])
            else:
                self._sheet.write_string(self._next, column, str(text or ""))
        for place, (figure, kind) in enumerate(zip(figures, kinds, strict=True)):
            column = self._text_columns + place
            self._sheet.write_number(self._next, column, figure or 0.0, self._formats[kind])
            self._sums[place] += figure or 0.0
        self._next += 1

    def totals(self, label, kinds, skip=(), names=()):
        """Add up the columns that have a kind; the formula comes with its result."""
        if self._next == 1:
            return
        self._sheet.write_string(self._next, 0, label, self._formats["total"])
        for place, kind in enumerate(kinds):
            if not kind or (names and names[place] in skip):
                continue
            column = self._text_columns + place
            cells = xlsxwriter.utility.xl_range(1, column, self._next - 1, column)
            self._sheet.write_formula(
                *(self._next, column, f"=SUM({cells})"),
                self._formats[f"total_{kind}"],
                round(self._sums[place], 6),
            )
