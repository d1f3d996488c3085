from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from .common import IspBillingCase

CENT = Decimal("0.01")


def dec(value):
    return Decimal(str(value)).quantize(CENT)


def month_of(day):
    return day.replace(day=1)


def next_month(day):
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def split(total, weights):
    """``total`` by ``weights``, to the cent; what is left goes to the largest remainders."""
    whole = sum(weights)
    raw = [total * weight / whole if whole else total / len(weights) for weight in weights]
    parts = [value.quantize(CENT, rounding=ROUND_FLOOR) for value in raw]
    order = sorted(range(len(raw)), key=lambda place: (parts[place] - raw[place], place))
    for place in order[: int((total - sum(parts)) / CENT)]:
        parts[place] += CENT
    return parts


class ReportCase(IspBillingCase):
    """Three months of two providers: everything that a figure must survive."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Jamuna Net"})
        cls.env.user.company_ids |= cls.other_company
        cls.env["account.chart.template"].try_loading(
            "bd", company=cls.other_company, install_demo=False
        )
        cls.other_company.partner_id.tz = "Asia/Dhaka"
        cls.vat = cls.env["account.tax"].search(
            [
                *cls.env["account.tax"]._check_company_domain(cls.company),
                ("type_tax_use", "=", "sale"),
                ("amount_type", "=", "percent"),
                ("amount", "=", 5),
            ],
            limit=1,
        )
        cls.included = cls.vat.copy({"name": "Included", "price_include_override": "tax_included"})

    @classmethod
    def partner(cls, name, city="Dhaka", **vals):
        return cls.env["res.partner"].create({"name": name, "city": city, **vals})

    def subscriber(self, name, plan, start, city="Dhaka", **vals):
        return self.create_subscription(
            partner_id=self.partner(name, city).id, plan_id=plan.id, date_start=start, **vals
        )

    def refresh(self, **options):
        self.assertTrue(self.env["isp.report.refresh"]._refresh(**options))

    def by_month(self, model, *measures, **domain):
        """Measures of each month up to today's, as ``{"2027-01": (…)}``."""
        rows = self.env[model]._read_group(
            [("company_id", "=", domain.pop("company", self.company).id)]
            + [("month", "<=", "2027-03-31")]
            + [(name, "=", value) for name, value in domain.items()],
            ["month:month"],
            [f"{measure}:{self.env[model]._fields[measure].aggregator}" for measure in measures],
        )
        return {
            f"{month:%Y-%m}": tuple(dec(value or 0) for value in values)
            if len(values) > 1
            else values[0]
            for month, *values in rows
            if any(values)
        }

    def reverse(self, move, day, share=None):
        """Credit ``move`` in full and reconcile, or a share of each line without reconciling."""
        wizard = (
            self.env["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=move.ids)
            .create({"date": day, "journal_id": move.journal_id.id})
        )
        wizard.refund_moves()
        credit = wizard.new_move_ids
        if share:
            for line in credit.invoice_line_ids:
                line.price_unit = line.price_unit * share
        credit.action_post()
        return credit
